import TensorCore

/// Inception-v3 (Szegedy et al. 2016) under torchvision's names. Widths are those of the file.
///
/// Pictures are resized bilinearly to 299×299.
public struct Inception: FeatureNetwork {
  /// Which network the weights belong to; the names are the same.
  public enum Variant: Sendable {
    /// The TensorFlow graph of 2015-12-05, in which Fréchet distances are published (Heusel et al.
    /// 2017): averages leave out the padding, the last block's pooling takes the largest value, and
    /// pictures are resized as in TensorFlow 1. Its weights under these names are pytorch-fid's.
    case tensorFlow2015
    /// torchvision's own: averages count the padding, the last block's pooling too.
    case torchvision
  }

  public let name: String
  public let variant: Variant
  private let blocks: [InceptionBlock]
  /// The classifying layer's matrix, `[classes, dimension]`.
  private let classes: Tensor

  /// Values of the features of published Fréchet distances.
  static let publishedDimension = 2048
  private static let size = 299
  /// Classes of the graph of 2015: ImageNet's 1,000 and some that are none.
  private static let classesOf2015 = 1008
  /// Last blocks of the scales that `maps` gives.
  private static let scales = ["Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"]

  /// Whether a file has the names of an Inception-v3.
  static func fits(_ file: any ArrayFile) -> Bool {
    file.contains("Conv2d_1a_3x3.conv.weight")
  }

  /// - Throws: `UserError` naming file and array.
  init(_ file: any ArrayFile) throws {
    guard file.contains("fc.weight") else {
      throw UserError(
        "has no \"fc.weight\", whose rows tell the Inception of 2015 (\(Self.classesOf2015)) from "
          + "torchvision's (1000)", at: file.path, remedy: "give the whole state dictionary")
    }
    let classes = try Tensor(file, "fc.weight")
    let isOf2015 = classes.shape.first == Self.classesOf2015
    let variant = isOf2015 ? Variant.tensorFlow2015 : .torchvision
    var channels = 3
    blocks = try InceptionBlock.layout(variant).map { name, branches in
      try InceptionBlock(name, branches, file, channels: &channels)
    }
    guard classes.shape.count == 2, classes.shape[1] == channels else {
      throw UserError(
        "\"fc.weight\" has the shape \(classes.shape), not [classes, \(channels)]", at: file.path,
        remedy: "check that the file fits the network")
    }
    self.classes = classes
    self.variant = variant
    name = file.path
  }

  public var preprocessing: String {
    switch variant {
    case .tensorFlow2015:
      "Inception of 2015, 299×299 by TensorFlow 1's bilinear resizing, (x − 128) / 128"
    case .torchvision: "torchvision's Inception, 299×299 bilinear, values in −1…1"
    }
  }

  /// Pictures as the first convolution takes them, `[batch, channels, 299, 299]`.
  func prepared(_ pictures: Tensor) -> Tensor {
    switch variant {
    case .tensorFlow2015:
      // Of bytes b, pictures are b / 127.5 − 1.
      pictures.resizedBilinearly(height: Self.size, width: Self.size, corners: .origin)
        .scaled(by: 127.5 / 128, adding: -0.5 / 128)
    case .torchvision: pictures.resizedBilinearly(height: Self.size, width: Self.size)
    }
  }

  /// Activations at 71, 35, 17 and 8 pixels.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    var x = prepared(pictures).coloured
    var maps: [Tensor] = []
    for block in blocks {
      x = block(x)
      if Self.scales.contains(block.name) { maps.append(x) }
    }
    return maps
  }

  /// `pool3`: means of the last activation over all positions.
  public func vectors(_ pictures: Tensor) -> Tensor {
    let maps = maps(pictures)
    return maps[maps.count - 1].pooled
  }

  /// Shares of the classes, without the classifying layer's biases, as the inception score takes
  /// them (Salimans et al. 2016).
  ///
  /// - Parameter vectors: `[n, dimension]`.
  /// - Returns: `[n, classes]`.
  public func probabilities(_ vectors: Tensor) -> Tensor {
    Tensor.product(vectors, classes, transposeB: true).softmax()
  }
}

/// Branches that see the same activation and whose results lie side by side.
struct InceptionBlock: Sendable {
  /// What a branch does, by the names of its convolutions.
  indirect enum Plan {
    /// A convolution, batch normalisation and ReLU.
    case convolution(String, stride: Int, isPadded: Bool)
    /// Means over 3×3 neighbourhoods, of nine values or of those inside the picture.
    case means(countsPadding: Bool)
    case largest(stride: Int, padding: Int)
    case fork([[Plan]])
  }

  private indirect enum Step: Sendable {
    case convolution(FoldedConvolution)
    case means(countsPadding: Bool)
    case largest(stride: Int, padding: Int)
    case fork([[Step]])
  }

  let name: String
  private let branches: [[Step]]

  /// - Parameter channels: those that come in, and after it those that go out.
  init(
    _ name: String, _ branches: [[Plan]], _ file: any ArrayFile, channels: inout Int
  ) throws {
    self.name = name
    self.branches = try Self.built(branches, name, file, &channels)
  }

  private static func built(
    _ branches: [[Plan]], _ name: String, _ file: any ArrayFile, _ channels: inout Int
  ) throws -> [[Step]] {
    let inputs = channels
    channels = 0
    return try branches.map { branch in
      var current = inputs
      defer { channels += current }
      return try branch.map { plan in
        switch plan {
        case .convolution(let own, let stride, let isPadded):
          let place = own.isEmpty ? name : "\(name).\(own)"
          let layer = try FoldedConvolution(
            file, "\(place).conv", norm: "\(place).bn", epsilon: 1e-3, inputs: current,
            stride: stride, padding: isPadded ? .half : .none)
          current = layer.outputs
          return .convolution(layer)
        case .means(let countsPadding): return .means(countsPadding: countsPadding)
        case .largest(let stride, let padding): return .largest(stride: stride, padding: padding)
        case .fork(let plans): return .fork(try built(plans, name, file, &current))
        }
      }
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { Self.run(branches, x) }

  private static func run(_ branches: [[Step]], _ input: Tensor) -> Tensor {
    let results = branches.map { branch in
      branch.reduce(input) { x, step in
        switch step {
        case .convolution(let layer): layer(x).relu()
        case .means(let countsPadding): x.neighbourhoodMeans(countsPadding: countsPadding)
        case .largest(let stride, let padding):
          x.maxPooled(size: 3, stride: stride, padding: padding)
        case .fork(let branches): run(branches, x)
        }
      }
    }
    return results.count == 1 ? results[0] : Tensor.concatenated(results, 1)
  }
}

extension InceptionBlock {
  /// All blocks, the poolings between them included.
  static func layout(_ variant: Inception.Variant) -> [(name: String, branches: [[Plan]])] {
    let means = Plan.means(countsPadding: variant == .torchvision)
    let (a, c) = (a(means), c(means))
    let last = variant == .torchvision ? means : .largest(stride: 1, padding: 1)
    return [
      ("Conv2d_1a_3x3", [[.convolution("", stride: 2, isPadded: false)]]),
      ("Conv2d_2a_3x3", [[.convolution("", stride: 1, isPadded: false)]]),
      ("Conv2d_2b_3x3", [[padded("")]]),
      ("pool", [[.largest(stride: 2, padding: 0)]]),
      ("Conv2d_3b_1x1", [[padded("")]]),
      ("Conv2d_4a_3x3", [[.convolution("", stride: 1, isPadded: false)]]),
      ("pool", [[.largest(stride: 2, padding: 0)]]),
      ("Mixed_5b", a), ("Mixed_5c", a), ("Mixed_5d", a),
      (
        "Mixed_6a",
        [
          [halving("branch3x3")],
          [padded("branch3x3dbl_1"), padded("branch3x3dbl_2"), halving("branch3x3dbl_3")],
          [.largest(stride: 2, padding: 0)],
        ]
      ),
      ("Mixed_6b", c), ("Mixed_6c", c), ("Mixed_6d", c), ("Mixed_6e", c),
      (
        "Mixed_7a",
        [
          [padded("branch3x3_1"), halving("branch3x3_2")],
          chain("branch7x7x3", 3) + [halving("branch7x7x3_4")],
          [.largest(stride: 2, padding: 0)],
        ]
      ),
      ("Mixed_7b", e(means)), ("Mixed_7c", e(last)),
    ]
  }

  private static func a(_ pooling: Plan) -> [[Plan]] {
    [
      [padded("branch1x1")], chain("branch5x5", 2), chain("branch3x3dbl", 3),
      [pooling, padded("branch_pool")],
    ]
  }

  private static func c(_ pooling: Plan) -> [[Plan]] {
    [
      [padded("branch1x1")], chain("branch7x7", 3), chain("branch7x7dbl", 5),
      [pooling, padded("branch_pool")],
    ]
  }

  private static func e(_ pooling: Plan) -> [[Plan]] {
    [
      [padded("branch1x1")],
      [
        padded("branch3x3_1"),
        .fork([[padded("branch3x3_2a")], [padded("branch3x3_2b")]]),
      ],
      chain("branch3x3dbl", 2) + [
        .fork([[padded("branch3x3dbl_3a")], [padded("branch3x3dbl_3b")]])
      ],
      [pooling, padded("branch_pool")],
    ]
  }

  private static func padded(_ name: String) -> Plan {
    .convolution(name, stride: 1, isPadded: true)
  }

  private static func halving(_ name: String) -> Plan {
    .convolution(name, stride: 2, isPadded: false)
  }

  private static func chain(_ name: String, _ count: Int) -> [Plan] {
    (1...count).map { padded("\(name)_\($0)") }
  }
}

extension Tensor {
  /// Means over 3×3 neighbourhoods: with zeros around the picture that count, or of as many values
  /// as lie inside it.
  fileprivate func neighbourhoodMeans(countsPadding: Bool) -> Tensor {
    func weights(_ extent: Int) -> Tensor {
      Tensor(
        (0..<extent).flatMap { place in
          let near = max(place - 1, 0)...min(place + 1, extent - 1)
          return (0..<extent).map {
            near.contains($0) ? 1 / Float(countsPadding ? 3 : near.count) : 0
          }
        }, shape: [extent, extent])
    }
    return Tensor.product(
      Tensor.product(weights(shape[2]), self), weights(shape[3]), transposeB: true)
  }
}
