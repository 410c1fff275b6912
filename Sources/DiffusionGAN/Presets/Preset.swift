import TensorCore

/// How networks of one size of images are built and trained: the images, the network, and the settings of every way
/// to train. Everything that a command takes for granted comes from here.
///
/// A preset is one of those with a name, or a JSON file that names its `base` among them and what it has
/// otherwise: `{"base": "fashion28", "images": {"channels": 3, "height": 32, "width": 32, "prepare": []},
/// "network": {"attn_resolutions": [16]}, "pretrain": {"batch": 32}}`.
public struct Preset: Sendable {
  /// A word for folders of runs.
  public let name: String
  /// The named preset that it differs from, or its own name.
  private let base: String
  /// What `init(_:)` reads it from: its name, or its file.
  public private(set) var source: String
  /// Of the prepared images.
  public internal(set) var shape: ImageShape
  public internal(set) var preparations: [Preparation]
  /// A pretrained network without classes and without augmentation labels.
  public internal(set) var network: NetworkConfiguration
  public internal(set) var pretraining: Pretraining.Settings
  public internal(set) var adversarial: AdversarialTraining.Settings
  public internal(set) var distillation: Distillation.Settings
  public internal(set) var classifier = ClassifierTraining.Settings()
  /// Height and width of the pictures that `preparations` are made for; nil for any that they make the preset's of.
  var rawSide: Int?

  /// The preset called `name`, or that of the file `name` (`….json`).
  public init(_ name: String) throws {
    if name.hasSuffix(".json") {
      try self.init(JSONReader(contentsOf: name), name: Self.stem(of: name))
      source = name
    } else if let preset = Self.named.first(where: { $0.name == name }) {
      self = preset
    } else {
      throw UserError(
        "unknown preset '\(name)'", remedy: "choose one of \(Self.names), or give a .json file",
        status: .usage)
    }
  }

  /// The named preset that a network was trained by: that of its images, and where several have images of this shape,
  /// that of its width and depth.
  ///
  /// - Throws: `UserError` if there is none.
  public init(of network: NetworkConfiguration) throws {
    let shape = network.imageShape
    var candidates = Self.named.filter { $0.shape == shape }
    if candidates.count > 1 {
      candidates.removeAll {
        $0.network.baseChannels != network.baseChannels
          || $0.network.multipliers != network.multipliers
      }
    }
    guard let preset = candidates.first else {
      throw UserError(
        "no preset has such a network of images of \(shape)",
        remedy: "give one with --preset, such as a .json file", status: .usage)
    }
    self = preset
  }

  /// The names of all, with commas between.
  public static var names: String { named.map(\.name).joined(separator: ", ") }

  init(
    _ name: String, _ shape: ImageShape, _ preparations: [Preparation] = [],
    network: NetworkConfiguration, pretraining: Pretraining.Settings,
    adversarial: AdversarialTraining.Settings, distillation: Distillation.Settings,
    base: String? = nil
  ) {
    self.name = name
    self.base = base ?? name
    source = name
    self.shape = shape
    self.preparations = preparations
    self.network = network
    self.pretraining = pretraining
    self.adversarial = adversarial
    self.distillation = distillation
  }

  /// - Parameter data: those that have the preset's shape already are left as they are.
  /// - Throws: `UserError` for other images than the preset is for: smaller ones would only get black borders.
  public func prepare(_ data: ImageDataset) throws -> ImageDataset {
    guard data.shape != shape else { return data }
    if let side = rawSide, data.shape.height != side || data.shape.width != side {
      throw UserError(
        "images are \(data.shape), the preset \(name) is for \(side)×\(side) and for \(shape)",
        at: data.name,
        remedy: "choose another preset, or give a file of one with \"images\" of your own")
    }
    let prepared = try data.prepared(by: preparations)
    guard prepared.shape == shape else {
      throw UserError(
        "images are \(data.shape), the preset \(name) needs \(shape)", at: data.name,
        remedy: "choose other data or another preset")
    }
    return prepared
  }
}

/// Presets as JSON.
extension Preset {
  private static let sections = ["images", "network", "pretrain", "train", "distill", "classifier"]

  static func stem(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return String(file.dropLast(".json".count))
  }

  init(_ reader: JSONReader, name: String) throws {
    let keys = try reader.object(required: ["base"], optional: Self.sections)
    let names = Self.named.map(\.name)
    let base = try keys["base"]?.choice(of: names) ?? ""
    guard let preset = Self.named.first(where: { $0.name == base }) else {
      throw UserError("no preset is called \(base)", at: reader.place)
    }
    self.init(
      name, preset.shape, preset.preparations, network: preset.network,
      pretraining: preset.pretraining, adversarial: preset.adversarial,
      distillation: preset.distillation, base: base)
    classifier = preset.classifier
    if let images = keys["images"] { try change(images: images) }
    try change(network: keys["network"])
    if let section = keys["pretrain"] { try pretraining.change(by: section) }
    if let section = keys["train"] { try adversarial.change(by: section) }
    if let section = keys["distill"] { try distillation.change(by: section) }
    if let section = keys["classifier"] { try classifier.change(by: section) }
  }

  private mutating func change(images reader: JSONReader) throws {
    let keys = try reader.object(
      required: [], optional: ["channels", "height", "width", "prepare"])
    func side(_ key: String, _ absent: Int) throws -> Int {
      try keys[key]?.integer(in: 1...1 << 14) ?? absent
    }
    let old = shape
    shape = ImageShape(
      channels: try side("channels", old.channels), height: try side("height", old.height),
      width: try side("width", old.width))
    guard shape.height == shape.width else {
      throw UserError(
        "images of \(shape) are not square", at: reader.place,
        remedy: "give one \"height\" and \"width\", and \"prepare\" to pad to them")
    }
    if let prepare = keys["prepare"] {
      preparations = try prepare.list().map { try Preparation($0) }
      rawSide = nil
    } else if shape != old {
      (preparations, rawSide) = ([], nil)
    }
    // The slope of the discriminator by one pixel goes with the size of the picture. The published commands keep
    // their weight.
    if adversarial.penalty?.sumsLogits == false {
      let ratio = Float(shape.height) / Float(old.height)
      adversarial.penalty?.gamma *= ratio * ratio
    }
  }

  /// What is not said stays, but for the size, which is that of the images.
  private mutating func change(network reader: JSONReader?) throws {
    network.resolution = shape.height
    network.imageChannels = shape.channels
    guard let reader else { return try check(network, at: name) }
    var pairs = network.jsonValue.pairs
    for (key, value) in try reader.entries() {
      guard let place = pairs.firstIndex(where: { $0.key == key }) else {
        throw UserError(
          "unknown key \"\(key)\"; allowed are \(pairs.map(\.key).joined(separator: ", "))",
          at: reader.place, remedy: "remove or rename the key")
      }
      // What the data and the command say.
      if key == "label_dim" || key == "augment_dim", value.value != pairs[place].value {
        throw UserError(
          "found \(value.value.text), but a preset is of any classes and augmentation",
          at: value.place,
          remedy: "leave it out, and say --cond or \"augment\"")
      }
      pairs[place].value = value.value
    }
    network = try NetworkConfiguration(JSONReader(.object(pairs), place: reader.place))
    try check(network, at: reader.place)
  }

  private func check(_ network: NetworkConfiguration, at place: String) throws {
    guard network.resolution == shape.height, network.imageChannels == shape.channels else {
      throw UserError(
        "the network draws other images than \"images\" says", at: place,
        remedy: "give their size in \"images\" alone")
    }
    try network.check(at: place)
    let sides = network.multipliers.indices.map { network.resolution >> $0 }
    if let odd = network.attentionResolutions.first(where: { !sides.contains($0) }) {
      throw UserError(
        "attention at \(odd)×\(odd), but the network has \(sides.map(String.init).joined(separator: ", "))",
        at: "\(place), attn_resolutions", remedy: "give \"attn_resolutions\" of these")
    }
  }

  /// The whole preset as a file.
  public var json: JSONValue {
    [
      "base": .string(base),
      "images": [
        "channels": .integer(shape.channels), "height": .integer(shape.height),
        "width": .integer(shape.width),
        "prepare": .array(preparations.map { .string("\($0)") }),
      ],
      "network": network.jsonValue, "pretrain": .object(pretraining.json),
      "train": .object(adversarial.json), "distill": .object(distillation.json),
      "classifier": .object(classifier.json),
    ]
  }
}

extension Preparation: CustomStringConvertible {
  /// As files have it: `pad 32x32` or `halve`.
  public var description: String {
    switch self {
    case .pad(let height, let width): "pad \(height)x\(width)"
    case .averageSquares: "halve"
    }
  }

  init(_ reader: JSONReader) throws {
    let text = try reader.string()
    let sides = text.dropFirst("pad ".count).split(separator: "x").compactMap { Int($0) }
    if text == "halve" {
      self = .averageSquares
    } else if text.hasPrefix("pad "), sides.count == 2, sides.allSatisfy({ (1...1 << 14) ~= $0 }) {
      self = .pad(height: sides[0], width: sides[1])
    } else {
      throw UserError(
        "found \"\(text)\", allowed are \"pad 32x32\" and \"halve\"", at: reader.place,
        remedy: "write one of these")
    }
  }
}
