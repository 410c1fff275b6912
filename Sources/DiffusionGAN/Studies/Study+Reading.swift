import TensorCore

extension Study {
  /// Reads `studies/NAME.json`.
  ///
  /// - Throws: `UserError` in one line: file, key, what was found and what is allowed.
  public init(contentsOf path: String) throws {
    let data = try Files.read(path)
    try self.init(
      JSONReader(try JSONValue(parsing: data, place: path), place: path),
      digest: SHA256.hash(of: data))
  }

  /// - Parameter preset: nil for the one that is named.
  init(_ reader: JSONReader, digest: String, preset: Preset? = nil) throws {
    let keys = try reader.object(
      required: ["name", "title", "question", "data", "preset", "networks", "seeds", "cells"],
      optional: [
        "teachers", "count", "reference", "development", "development_images",
        "further_learning_rates",
      ])
    func at(_ key: String) throws -> JSONReader {
      guard let found = keys[key] else {
        throw UserError("the key \"\(key)\" is missing", at: reader.place, remedy: "add it")
      }
      return found
    }
    name = try at("name").string()
    title = try at("title").string()
    question = try at("question").string()
    self.data = try at("data").string()
    self.preset = try preset ?? at("preset").placing { try Preset($0) }
    networks = try at("networks").entries().map { name, reader in
      (name, reader.value == .null ? nil : try reader.string())
    }
    let known = networks.map(\.name)
    teachers = try (keys["teachers"]?.list() ?? []).map { reader in
      let keys = try reader.object(required: ["network", "steps"])
      return Teacher(
        network: try keys["network"]?.choice(of: known) ?? "",
        steps: try keys["steps"]?.integer(in: 1...10_000) ?? 18)
    }
    count = try keys["count"]?.integer(in: 8...1_000_000) ?? 10_000
    reference =
      try keys["reference"].flatMap {
        DataSplit(rawValue: try $0.choice(of: DataSplit.allCases.map(\.rawValue)))
      } ?? .test
    development = try keys["development"].map(Self.seeds) ?? []
    developmentImages = try keys["development_images"]?.integer(in: 1...1_000_000_000)
    furtherLearningRates = try keys["further_learning_rates"]?.integer(in: 0...100) ?? 0
    seeds = try Self.seeds(at("seeds"))
    let hasDevelopment = !development.isEmpty
    cells = try at("cells").list().map {
      try StudyCell($0, networks: known, hasDevelopment: hasDevelopment)
    }
    self.digest = digest
    definition = reader.value
    try check(reader.place)
  }

  private func check(_ place: String) throws {
    if let double = cells.indices.first(where: { index in
      cells[..<index].contains { $0.name == cells[index].name }
    }) {
      throw UserError(
        "two cells are called \"\(cells[double].name)\"", at: "\(place), cells[\(double)].name",
        remedy: "rename one")
    }
    if let both = seeds.first(where: development.contains) {
      throw UserError(
        "seed \(both) both chooses learning rates and is reported", at: "\(place), development",
        remedy: "choose other development seeds")
    }
  }

  fileprivate static func seeds(_ reader: JSONReader) throws -> [UInt64] {
    let seeds = try reader.list().map { UInt64(try $0.integer(in: 0...1_000_000)) }
    guard Set(seeds).count == seeds.count else {
      throw UserError("a seed is named twice", at: reader.place, remedy: "name it once")
    }
    return seeds
  }
}

extension StudyCell {
  private static let common = ["name", "method", "network"]
  private static let training = [
    "freeze", "learning_rates", "checkpoints", "pretraining", "run", "options",
  ]

  init(_ reader: JSONReader, networks: [String], hasDevelopment: Bool) throws {
    let methods = Method.allCases.map(\.name)
    guard let kind = try reader.entries().first(where: { $0.0 == "method" })?.1 else {
      throw UserError(
        "the key \"method\" is missing", at: reader.place,
        remedy: "add it with one of \(methods.joined(separator: ", "))")
    }
    let word = try kind.choice(of: methods)
    let method = Method.allCases.first { $0.name == word } ?? .gan
    self.method = method
    let keys: [String: JSONReader] =
      switch method {
      case .teacher:
        try reader.object(
          required: Self.common + ["steps"], optional: ["seeds", "pretraining"])
      case .spectrum:
        try reader.object(required: Self.common, optional: ["against", "options"])
      case .gan:
        try reader.object(
          required: Self.common + ["learning_rates", "checkpoints"],
          optional: Self.training + ["seeds"])
      default:
        try reader.object(
          required: Self.common + ["steps", "learning_rates", "checkpoints"],
          optional: Self.training + ["seeds"])
      }
    name = try keys["name"]?.string() ?? ""
    // Names become parts of file names.
    guard !name.isEmpty,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
    else {
      throw UserError(
        "found \"\(name)\", allowed are letters, digits and dashes", at: "\(reader.place).name",
        remedy: "rename the cell")
    }
    network =
      try keys["network"]?.choice(of: networks + (method == .gan ? [Study.random] : [])) ?? ""
    against = try keys["against"]?.choice(of: networks)
    steps = try keys["steps"]?.integer(in: 1...10_000)
    freezing = try keys["freeze"]?.placing { try Freezing(parsing: $0) } ?? .none
    learningRates = try (keys["learning_rates"]?.list() ?? []).map { reader in
      let learningRate = try reader.number()
      guard learningRate > 0, learningRate.isFinite else {
        throw UserError(
          "found \(learningRate), allowed is above 0", at: reader.place, remedy: "mend it")
      }
      return learningRate
    }
    checkpoints = try (keys["checkpoints"]?.list() ?? []).map {
      try $0.integer(in: 1...1_000_000_000)
    }
    pretraining = try keys["pretraining"]?.integer(in: 0...Int.max)
    run = try keys["run"]?.string()
    seeds = try keys["seeds"].map(Study.seeds)
    options = keys["options"]?.value ?? .object([])
    guard method.isTrained else { return }
    guard !learningRates.isEmpty, !checkpoints.isEmpty, checkpoints == Set(checkpoints).sorted()
    else {
      throw UserError(
        "learning rates and checkpoints must be there, checkpoints ascending", at: reader.place,
        remedy: "mend the lists")
    }
    guard learningRates.count == 1 || hasDevelopment else {
      throw UserError(
        "found \(learningRates.count) learning rates and no development seeds to choose by",
        at: reader.place,
        remedy: "give the study \"development\": [100], or one learning rate")
    }
  }
}

extension JSONReader {
  /// What `read` makes of the text here; its error names the place.
  fileprivate func placing<Value>(_ read: (String) throws -> Value) throws -> Value {
    do { return try read(string()) } catch let error as UserError where error.place == nil {
      throw UserError(error.problem, at: place, remedy: error.remedy)
    }
  }
}
