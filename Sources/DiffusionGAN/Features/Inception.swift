import TensorCore

/// Inception-v3 (Szegedy et al. 2016) with torchvision's names, in the variant that Fréchet distances
/// are told in (Heusel et al. 2017): averages leave out the padding, and the last block's pooling takes
/// the largest value. Widths are those of the file.
///
/// Pictures are resized bilinearly to 299×299, values in −1…1.
public struct Inception: FeatureNetwork {
  public let name: String
  private let blocks: [InceptionBlock]

  private static let size = 299
  /// Last blocks of the scales that `maps` gives.
  private static let scales = ["Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"]

  /// Whether a file has the names of an Inception-v3.
  static func isTold(by file: any ArrayFile) -> Bool {
    file.contains("Conv2d_1a_3x3.conv.weight")
  }

  /// - Throws: `UserError` naming file and array.
  init(_ file: any ArrayFile) throws {
    var channels = 3
    blocks = try InceptionBlock.layout.map { name, branches in
      try InceptionBlock(name, branches, file, channels: &channels)
    }
    name = file.path
  }

  /// Activations at 71, 35, 17 and 8 pixels.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    var x = pictures.resizedBilinearly(height: Self.size, width: Self.size).coloured
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
}

/// Branches that see the same activation and whose results lie side by side.
struct InceptionBlock: Sendable {
  /// What a branch does, by the names of its convolutions.
  indirect enum Plan {
    /// A convolution, batch normalisation and ReLU.
    case convolution(String, stride: Int, isPadded: Bool)
    case means
    case largest(stride: Int, padding: Int)
    case fork([[Plan]])
  }

  private indirect enum Step: Sendable {
    case convolution(FoldedConvolution)
    case means
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
        case .means: return .means
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
        case .means: x.neighbourhoodMeans
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
  static let layout: [(name: String, branches: [[Plan]])] =
    [
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
      ("Mixed_7b", e(.means)), ("Mixed_7c", e(.largest(stride: 1, padding: 1))),
    ]

  private static let a: [[Plan]] = [
    [padded("branch1x1")], chain("branch5x5", 2), chain("branch3x3dbl", 3),
    [.means, padded("branch_pool")],
  ]

  private static let c: [[Plan]] = [
    [padded("branch1x1")], chain("branch7x7", 3), chain("branch7x7dbl", 5),
    [.means, padded("branch_pool")],
  ]

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
  /// Means over 3×3 neighbourhoods, of as many values as lie inside the picture.
  fileprivate var neighbourhoodMeans: Tensor {
    func weights(_ extent: Int) -> Tensor {
      Tensor(
        (0..<extent).flatMap { place in
          let near = max(place - 1, 0)...min(place + 1, extent - 1)
          return (0..<extent).map { near.contains($0) ? 1 / Float(near.count) : 0 }
        }, shape: [extent, extent])
    }
    return Tensor.product(
      Tensor.product(weights(shape[2]), self), weights(shape[3]), transposeB: true)
  }
}
