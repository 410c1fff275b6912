import TensorCore

/// EfficientNet-Lite (Tan & Le 2019; no squeeze-and-excitation, ReLU6), what projected discriminators look
/// through, under the names of the package `efficientnet-lite-pytorch`. Depth and widths are those of the
/// file.
///
/// Pictures are resized bilinearly to the network's own size. Their values stay in −1…1: the network was
/// trained with mean and deviation 0.5, and StyleGAN-XL shows it pictures in this way.
public struct EfficientNetLite: FeatureNetwork {
  public let name: String
  /// Height and width that pictures are resized to.
  public let size: Int
  private let stem: FoldedConvolution
  private let stages: [[InvertedResidual]]
  private let head: FoldedConvolution

  private static let epsilon: Float = 1e-3
  /// Strides of the stages' first blocks.
  private static let strides = [1, 2, 2, 2, 1, 2, 1]
  /// Last stages of the scales that `maps` gives, as the Projected GAN splits the network.
  private static let scales = [1, 2, 4, 6]

  /// Whether a file has the names of such a network.
  static func fits(_ file: any ArrayFile) -> Bool {
    file.contains("_conv_stem.weight") && file.contains("_conv_head.weight")
  }

  /// - Parameters:
  ///   - size: height and width that pictures are resized to; the network's own if nil.
  ///   - name: what reports call it; the file's path if nil.
  /// - Throws: `UserError` naming file and array.
  init(_ file: any ArrayFile, size: Int? = nil, name: String? = nil) throws {
    func refuse(_ problem: String) -> UserError {
      UserError(problem, at: file.path, remedy: "give the weights of an EfficientNet-Lite")
    }
    if let other = file.names.first(where: { $0.contains("._se_") }) {
      throw refuse("has \"\(other)\", which no Lite network has")
    }
    stem = try FoldedConvolution(
      file, "_conv_stem", norm: "_bn0", epsilon: Self.epsilon, inputs: 3, stride: 2, padding: .same)
    var channels = stem.outputs
    var stages: [[InvertedResidual]] = []
    var count = 0
    while file.contains("_blocks.\(count)._project_conv.weight") {
      let place = "_blocks.\(count)"
      // Only a stage's first block changes the number of channels.
      let outputs = try file.shape(of: "\(place)._project_conv.weight").first
      if stages.isEmpty || outputs != channels { stages.append([]) }
      guard stages.count <= Self.strides.count else { throw refuse("has too many stages") }
      let isFirst = stages[stages.count - 1].isEmpty
      let block = try InvertedResidual(
        file, place, inputs: channels, stride: isFirst ? Self.strides[stages.count - 1] : 1,
        epsilon: Self.epsilon)
      stages[stages.count - 1].append(block)
      channels = block.outputs
      count += 1
    }
    guard stages.count == Self.strides.count else {
      throw refuse("has \(stages.count) stages, not \(Self.strides.count)")
    }
    head = try FoldedConvolution(
      file, "_conv_head", norm: "_bn1", epsilon: Self.epsilon, inputs: channels, padding: .same)
    self.stages = stages
    self.size = size ?? Self.size(blocks: count, width: stages[2][0].outputs)
    self.name = name ?? file.path
  }

  /// Height and width that a network of the family was trained at, Lite0 to Lite4.
  private static func size(blocks: Int, width: Int) -> Int {
    switch (blocks, width) {
    case (21, ...40): 240
    case (21, _): 260
    case (24, _): 280
    case (30, _): 300
    default: 224
    }
  }

  public var preprocessing: String { "\(size)×\(size) bilinear, values in −1…1" }

  /// Activations at a 4th, 8th, 16th and 32nd of the size.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    var x = pictures.resizedBilinearly(height: size, width: size).coloured
    x = stem(x).relu6()
    var maps: [Tensor] = []
    for (index, stage) in stages.enumerated() {
      for block in stage { x = block(x) }
      if Self.scales.contains(index) { maps.append(x) }
    }
    return maps
  }

  /// Means over all positions of what the classifying layer sees.
  public func vectors(_ pictures: Tensor) -> Tensor {
    let maps = maps(pictures)
    return head(maps[maps.count - 1]).relu6().pooled
  }
}

/// A block that widens, convolves each channel alone and narrows again (Sandler et al. 2018).
private struct InvertedResidual: Sendable {
  private let expansion: FoldedConvolution?
  private let depthwise: FoldedConvolution
  private let projection: FoldedConvolution
  private let isResidual: Bool

  var outputs: Int { projection.outputs }

  init(
    _ file: any ArrayFile, _ name: String, inputs: Int, stride: Int, epsilon: Float
  ) throws {
    var width = inputs
    func layer(
      _ own: String, _ norm: String, stride: Int = 1, isDepthwise: Bool = false
    ) throws -> FoldedConvolution {
      try FoldedConvolution(
        file, "\(name).\(own)", norm: "\(name).\(norm)", epsilon: epsilon, inputs: width,
        stride: stride, padding: .same, isDepthwise: isDepthwise)
    }
    expansion =
      file.contains("\(name)._expand_conv.weight") ? try layer("_expand_conv", "_bn0") : nil
    width = expansion?.outputs ?? inputs
    depthwise = try layer("_depthwise_conv", "_bn1", stride: stride, isDepthwise: true)
    projection = try layer("_project_conv", "_bn2")
    isResidual = stride == 1 && projection.outputs == inputs
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let wide = expansion.map { $0(x).relu6() } ?? x
    let result = projection(depthwise(wide).relu6())
    return isResidual ? result + x : result
  }
}
