import TensorCore

/// A trained classifier as a feature network: three scales of activations, and the features before the
/// classes.
public struct Classifier: FeatureNetwork {
  public let name: String
  public let network: ClassifierNetwork
  public let weights: Parameters

  private static let configurationKey = "classifier"

  public init(_ network: ClassifierNetwork, weights: Parameters, name: String = "classifier") {
    self.network = network
    self.weights = weights
    self.name = name
  }

  public func maps(_ pictures: Tensor) -> [Tensor] { network(pictures, weights).maps }

  public func vectors(_ pictures: Tensor) -> Tensor { network(pictures, weights).features }

  public var classCount: Int { network.configuration.classes }

  public func described(_ pictures: Tensor) -> (vectors: Tensor, labels: [Int]?) {
    let output = network(pictures, weights)
    return (output.features, Self.labels(output.logits))
  }

  public func check(_ shape: ImageShape) throws {
    let own = network.configuration.imageShape
    guard shape == own else {
      throw UserError(
        "was trained on pictures of \(own), these are \(shape)", at: name,
        remedy: "give a feature network of this preset")
    }
  }

  /// The likeliest class of each picture.
  ///
  /// - Parameter logits: `[batch, classes]`.
  static func labels(_ logits: Tensor) -> [Int] {
    (0..<logits.rows).map { row in
      let values = logits.row(row)
      return values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
    }
  }
}

extension Classifier {
  /// Whether a file tells that it holds a classifier.
  static func fits(_ file: any ArrayFile) -> Bool { file.metadata[configurationKey] != nil }

  /// - Throws: `UserError` if the file does not tell its classifier or has other weights.
  public init(contentsOf path: String) throws { try self.init(WeightsFile.open(path)) }

  init(_ file: any ArrayFile) throws {
    let network = try ClassifierNetwork(Self.configuration(of: file))
    self.init(
      network,
      weights: try network.specifications.parameters(from: Parameters(file), at: file.path),
      name: file.path)
  }

  /// Writes the file, whole or not at all.
  public func write(to path: String) throws {
    try Safetensors.write(weights.arrays(), metadata: Self.metadata(network), to: path)
  }

  /// What a file tells about a classifier beside its weights.
  static func metadata(_ network: ClassifierNetwork) -> [String: String] {
    [configurationKey: network.configuration.jsonValue.text]
  }

  static func configuration(of file: any ArrayFile) throws -> ClassifierConfiguration {
    try ClassifierConfiguration(
      file.configuration(configurationKey, of: "onestep features train"))
  }
}
