import Foundation
import Reports
import TensorCore

/// Runs a study's cells and appends a row of results for every snapshot. Rows that are there already
/// are not made again: a run that was killed continues with the same command.
public struct StudyRunner {
  private let study: Study
  private let run: RunDirectory
  private let train: ImageDataset
  /// Real images that what chooses a learning rate is measured against, and what is reported.
  private let references: (development: EvaluationSets.Split, heldOut: EvaluationSets.Split)
  private let metrics: [any FeatureNetwork]
  private let trainer: any StudyTrainer
  private let pool: ThreadPool
  private let watch: (_ label: String, _ done: Int, _ total: Int) throws -> Void
  private var rows: [StudyRow] = []
  private var choices: [StudyChoice] = []
  private var spectra: Set<String> = []
  /// Made when the first snapshot of a role is there to be measured.
  private var evaluations: [StudyTask.Role: StudyEvaluation] = [:]
  /// Told of each unit of work before it is done, but for those that are done already.
  public var begins: (StudyProgress) -> Void = { _ in }
  private var others: OtherRows
  /// Records of other shares, by file.
  private var otherRecords: [String: [StudyRecord]] = [:]

  /// Everything that decides the numbers of a study, the running program and its machine among it.
  ///
  /// - Parameters:
  ///   - data: digests of the data, by split.
  ///   - metrics: digests of the metric networks' files.
  ///   - trainer: what decides the trainer's numbers beside the study.
  ///   - version: of the program.
  /// - Throws: `UserError` where the path of a network that a cell needs is missing, or a file cannot
  ///   be read.
  public static func identity(
    of study: Study, data: [(key: String, value: JSONValue)], metrics: [String], trainer: JSONValue,
    version: String
  ) throws -> JSONValue {
    let networks = try study.networks.map { name, path in
      guard let path else {
        guard study.needs(name) else { return (key: name, value: JSONValue.null) }
        throw UserError(
          "the network \"\(name)\" has no path", at: study.name,
          remedy: "give --network \(name)=SNAPSHOT", status: .usage)
      }
      return (key: name, value: JSONValue.string(try SHA256.hash(ofFile: path)))
    }
    return [
      "kind": "study", "version": .string(version), "arithmetic": Machine.arithmetic,
      "study": .string(study.name), "digest": .string(study.digest),
      "count": .integer(study.count), "data": .object(data), "preset": study.preset.json,
      "networks": .object(networks),
      "metrics": .array(metrics.map { .string($0) }), "trainer": trainer,
    ]
  }

  /// - Parameters:
  ///   - run: opened with this study's `identity`.
  ///   - train, heldOut: the data. What chooses a learning rate is measured against validation images, without any
  ///     against `train`; what is reported against the split that the study says, `train` where only test images are
  ///     missing.
  ///   - watch: told what is being done, and how much of how much; may throw to stop.
  public init(
    _ study: Study, in run: RunDirectory, train: ImageDataset, heldOut: [EvaluationSets.Split],
    metrics: [any FeatureNetwork], trainer: any StudyTrainer, pool: ThreadPool,
    watch: @escaping (_ label: String, _ done: Int, _ total: Int) throws -> Void = { _, _, _ in }
  ) throws {
    self.study = study
    self.run = run
    self.train = train
    let splits = try ([(.train, train)] + heldOut).map {
      ($0.split, try Self.sample(study.count, of: $0.images))
    }
    guard study.reference != .validation || splits.contains(where: { $0.0 == .validation }) else {
      throw UserError(
        "the study measures against validation images, and its data have none", at: study.name,
        remedy: "say how many images train, \"data\": \"\(study.data):N\"")
    }
    func first(of preferred: DataSplit) -> EvaluationSets.Split {
      splits.first { $0.0 == preferred } ?? splits[0]
    }
    references = (first(of: .validation), first(of: study.reference))
    self.metrics = metrics
    self.trainer = trainer
    self.pool = pool
    self.watch = watch
    others = run.otherRows
    run.set("definition", study.definition)
    for reader in try run.rows {
      switch try StudyRecord(reader) {
      case .snapshot(let row): rows.append(row)
      case .choice(let choice): choices.append(choice)
      case .spectrum(let cell, _): spectra.insert(cell)
      }
    }
  }

  /// Does what is left of the study, or of this process's share of it.
  public mutating func callAsFunction() throws {
    run.set("finished", .null)
    try run.writeManifest()
    let own = study.units.enumerated().filter { run.shard.owns($0.offset) }.map(\.element)
    var trained = 0
    for (place, unit) in own.enumerated() where !isDone(unit) {
      let left = own[place...].filter { !isDone($0) }.map(work).reduce(0, +)
      begins(
        StudyProgress(
          unit: unit.description, number: place + 1, count: own.count, trained: trained, left: left)
      )
      trained += work(unit)
      let cell = unit.cell
      switch unit.work {
      case .spectrum: try runSpectrum(cell)
      case .choice: _ = try learningRate(cell)
      case .seed(let seed):
        try measure(
          study.task(cell, .heldOut, learningRate(cell), seed),
          cell.method.isTrained ? cell.checkpoints : [0])
      }
    }
    try run.finish(units: own.map(\.description))
  }

  /// Whether all rows of a unit are there.
  private func isDone(_ unit: StudyUnit) -> Bool {
    let cell = unit.cell
    return switch unit.work {
    case .spectrum: spectra.contains(cell.name)
    case .choice: choices.contains { $0.cell == cell.name }
    case .seed(let seed):
      (cell.method.isTrained ? cell.checkpoints : [0]).allSatisfy { images in
        rows.contains {
          $0.cell == cell.name && $0.role == .heldOut && $0.seed == seed && $0.images == images
        }
      }
    }
  }

  /// Images that a unit trains on, at least.
  private func work(_ unit: StudyUnit) -> Int {
    switch unit.work {
    case .spectrum: 0
    case .choice:
      developmentImages(unit.cell) * unit.cell.learningRates.count * study.development.count
    case .seed: unit.cell.budget
    }
  }

  private func reference(of role: StudyTask.Role) -> EvaluationSets.Split {
    switch role {
    case .development: references.development
    case .heldOut: references.heldOut
    }
  }

  /// What measures the rows of a role: of those that choose a learning rate the space that chooses, and pixels, which
  /// cost nothing.
  private mutating func evaluation(_ role: StudyTask.Role) throws -> StudyEvaluation {
    if let known = evaluations[role] { return known }
    let isReported = role == .heldOut
    let teachers = try (isReported ? study.teachers : []).map { teacher in
      try images(
        of: teacher.network, steps: teacher.steps, seed: nil,
        cache: "teacher-\(teacher.network)-\(teacher.steps)")
    }
    let evaluation = try StudyEvaluation(
      reference: reference(of: role).images, teachers: teachers,
      metrics: isReported ? metrics : Array(metrics.prefix(1)), pool: pool)
    evaluations[role] = evaluation
    return evaluation
  }

  /// The learning rate of a cell: its only one, or the one that development seeds choose, here or in
  /// another share.
  private mutating func learningRate(_ cell: StudyCell) throws -> Double {
    guard cell.choosesLearningRate else { return cell.learningRates.first ?? 0 }
    if !choices.contains(where: { $0.cell == cell.name }) { try takeChoice(cell) }
    if !choices.contains(where: { $0.cell == cell.name }) { try chooseLearningRate(cell) }
    return choices.first { $0.cell == cell.name }?.learningRate ?? 0
  }

  /// Takes the choice, and the rows that it rests on, from another share that has come to it.
  private mutating func takeChoice(_ cell: StudyCell) throws {
    var records = otherRecords
    try others.forEachNewRow { file, reader in
      records[file, default: []].append(try StudyRecord(reader))
    }
    otherRecords = records
    for found in records.values {
      let choice = found.lazy.compactMap {
        if case .choice(let choice) = $0, choice.cell == cell.name { choice } else { nil }
      }.first
      guard let choice else { continue }
      for case .snapshot(let row) in found
      where row.cell == cell.name && row.role == .development
        && !rows.contains(where: {
          $0.cell == row.cell && $0.role == row.role && $0.seed == row.seed
            && $0.learningRate == row.learningRate
            && $0.images == row.images
        })
      {
        try run.append([row.json])
        rows.append(row)
      }
      try run.append([choice.json])
      choices.append(choice)
      return
    }
  }

  /// Images after which the cell's learning rates are compared.
  private func developmentImages(_ cell: StudyCell) -> Int {
    min(study.developmentImages ?? cell.budget, cell.budget)
  }

  /// Measures the snapshots of a task that have no row yet.
  private mutating func measure(_ task: StudyTask, _ checkpoints: [Int]) throws {
    let missing = checkpoints.filter { images in !rows.contains { $0.isOf(task, images: images) } }
    guard !missing.isEmpty else { return }
    let (reference, evaluation) = (reference(of: task.role), try evaluation(task.role))
    let words = "\(task.cell.name), \(task.role.rawValue) seed \(task.seed)"
    try watch("\(words): making snapshots", 0, checkpoints.count)
    let snapshots =
      task.cell.method.isTrained
      ? try trainer.snapshots(of: task, at: checkpoints)
      : [StudySnapshot(images: 0, path: task.network ?? "")]
    guard snapshots.map(\.images) == checkpoints else {
      throw UserError(
        "training gave snapshots at \(snapshots.map(\.images)) images, not \(checkpoints)",
        at: task.cell.name, remedy: "choose checkpoints that its runs stop at")
    }
    for (place, snapshot) in snapshots.enumerated() where missing.contains(snapshot.images) {
      try watch(
        "\(words): measuring after \(snapshot.images) images", place, snapshots.count)
      let drawn = try draw(
        NetworkFile(contentsOf: snapshot.path),
        steps: task.cell.method.isTrained ? nil : task.cell.steps ?? 18, seed: task.seed)
      let found = try evaluation.metrics(of: drawn)
      let row = StudyRow(
        cell: task.cell.name, role: task.role, seed: task.seed,
        learningRate: task.cell.method.isTrained ? task.learningRate : nil, images: snapshot.images,
        network: snapshot.path, count: drawn.count, referenceCount: reference.images.count,
        reference: reference.split, metrics: found.metrics,
        labelDistance: found.labelDistance)
      if snapshot.images == checkpoints.last { try writePicture(drawn, task) }
      try run.append([row.json])
      rows.append(row)
    }
  }

  /// Takes the learning rate with the smallest mean distance on the development seeds, by the first metric network or
  /// else by pixels. Where that ends what was tried, what lies beyond is tried too, as far as the study goes.
  private mutating func chooseLearningRate(_ cell: StudyCell) throws {
    var (tried, waiting) = ([Double](), cell.learningRates[...])
    var candidates: [StudyChoice.Candidate] = []
    while let learningRate = waiting.popFirst() {
      tried.append(learningRate)
      do {
        for seed in study.development {
          try measure(
            study.task(cell, .development, learningRate, seed), [developmentImages(cell)])
        }
        let values = development(cell).filter { $0.learningRate == learningRate }
          .compactMap { $0.metrics.first?.frechet.value }
        candidates.append(
          StudyChoice.Candidate(
            learningRate: learningRate, distance: values.reduce(0, +) / Double(values.count)))
      } catch let divergence as Divergence {
        // One that is not chosen.
        try run.log("\(cell.name), learning rate \(learningRate): \(divergence)")
      }
      if waiting.isEmpty, tried.count < cell.learningRates.count + study.furtherLearningRates,
        let best = Self.best(candidates)?.learningRate, let next = Self.beyond(tried, best: best)
      {
        waiting = [next]
      }
    }
    guard let best = Self.best(candidates) else {
      throw UserError(
        "training diverges at each of its learning rates, see log.txt",
        at: "\(run.path), \(cell.name)",
        remedy: "give the cell lower \"learning_rates\"")
    }
    let choice = StudyChoice(
      cell: cell.name, learningRate: best.learningRate,
      metric: development(cell).first?.metrics.first?.name ?? "", candidates: candidates)
    try run.append([choice.json])
    choices.append(choice)
  }

  private func development(_ cell: StudyCell) -> [StudyRow] {
    rows.filter {
      $0.cell == cell.name && $0.role == .development && $0.images == developmentImages(cell)
    }
  }

  private static func best(_ candidates: [StudyChoice.Candidate]) -> StudyChoice.Candidate? {
    candidates.min { $0.distance < $1.distance }
  }

  /// The learning rate beyond the end of what was tried, as far again as the last two lie apart; nil where the best one
  /// has others on both sides.
  static func beyond(_ tried: [Double], best: Double) -> Double? {
    let sorted = Set(tried).sorted()
    guard sorted.count > 1 else { return nil }
    let next: Double
    if best == sorted[0] {
      next = sorted[0] * sorted[0] / sorted[1]
    } else if best == sorted[sorted.count - 1] {
      next = best * best / sorted[sorted.count - 2]
    } else {
      return nil
    }
    // Six digits, so that a command line names the same one.
    return Double(String(format: "%.6g", next))
  }

  private mutating func runSpectrum(_ cell: StudyCell) throws {
    guard let network = study.path(of: cell.network) else { return }
    try watch("\(cell.name): measuring spectra", 0, 1)
    var settings = SpectrumRun.Settings(
      network: network, against: cell.against.flatMap { study.path(of: $0) },
      seed: study.seeds.first ?? 0)
    let options = try JSONReader(cell.options, place: "\(cell.name), options")
      .object(required: [], optional: ["images", "removal_images"])
    settings.images = try options["images"]?.integer(in: 2...1_000_000) ?? settings.images
    settings.removalImages =
      try options["removal_images"]?.integer(in: 0...1_000_000) ?? settings.removalImages
    let report = try Compute.$pool.withValue(pool) {
      try SpectrumRun(settings, networks: settings.networks(), on: train, pool: pool) {
        done, total, label in try watch("\(cell.name): \(label)", done, total)
      }.report
    }
    try ReportFolder.write(
      report.page, sentences: Claim.csv(report.claims), summary: report.summary,
      to: "\(run.path)/\(cell.name)")
    try run.append([
      ["kind": "spectrum", "cell": .string(cell.name), "summary": report.summary]
    ])
    spectra.insert(cell.name)
  }

  // MARK: - Images

  /// Images of a network, from the run's folder where they were drawn before.
  private func images(
    of network: String, steps: Int, seed: UInt64?, cache: String
  ) throws -> ImageDataset {
    let file = "\(run.path)/images/\(cache).safetensors"
    if FileManager.default.fileExists(atPath: file) {
      return try SafetensorsImages.read(file, name: cache, mayBeBright: true)
    }
    try watch("\(network) in \(steps) steps", 0, study.count)
    guard let path = study.path(of: network) else {
      throw UserError("random weights are no teacher", at: study.name)
    }
    let drawn = try draw(NetworkFile(contentsOf: path), steps: steps, seed: seed)
    try Files.makeFolder(run.path + "/images")
    let shape = [drawn.count, drawn.shape.channels, drawn.shape.height, drawn.shape.width]
    try Safetensors.write(
      [("images", shape, drawn.tensor(at: 0..<drawn.count).values)], to: file)
    return drawn
  }

  /// Images as bytes, as real ones are.
  ///
  /// - Parameters:
  ///   - steps: of the sampler; nil for one call.
  ///   - seed: of the run; nil for a teacher's reference images. All cells draw the latents of their
  ///     seed, so sets of one seed share them; other seeds, and the teachers' images, have others.
  private func draw(_ network: NetworkFile, steps: Int?, seed: UInt64?) throws -> ImageDataset {
    let first = seed.map { ($0 + 1) * 10_000_000 } ?? 0
    let seeds = (0..<UInt64(study.count)).map { first + $0 }
    // One step is one call, from the noise level that the network begins at.
    let sampling = try SeededSampling(network, sampler: Sampler(steps: steps ?? 1))
    let pictures = try Compute.$pool.withValue(pool) {
      try sampling(seeds) { try watch("drawing images", $0, study.count) }
    }
    return try ImageDataset(
      name: "generated", shape: train.shape,
      pixels: PixelRounding.bytes(of: pictures, place: "generated images"))
  }

  private func writePicture(_ images: ImageDataset, _ task: StudyTask) throws {
    guard task.role == .heldOut else { return }
    try Files.makeFolder(run.path + "/pictures")
    let shown = images.pixels.prefix(min(64, images.count) * images.shape.count)
    try PictureGrid.picture(of: Array(shown), shape: images.shape, columns: 16)
      .write(to: "\(run.path)/pictures/\(task.cell.name)-seed-\(task.seed).png")
  }

  private static func sample(_ count: Int, of data: ImageDataset) throws -> ImageDataset {
    guard count < data.count else { return data }
    var stream = RandomStream(seed: 0, path: [0x7374_7564])
    return try data.subset(stream.sample(count, of: Array(0..<data.count)).sorted())
  }
}
