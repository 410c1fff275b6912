import TensorCore

/// The trainable part of a projected discriminator at one scale (Sauer et al. 2021): halvings, each a
/// spectrally normalised 4×4 convolution, batch norm and leaky ReLU, and a 4×4 convolution without padding to the
/// logits: 4×4 logits of a map of 7×7.
///
/// The published heads halve maps of nominal 16, 32, 64 and 128 down to 8, so once at the coarsest scale and once more
/// at each finer one: of 224 pixels maps of 14 to 112 end at 7×7, and those of a VGG, twice as large, at 14×14 with
/// 11×11 logits. A map that needs no halving has one block of a 3×3 convolution here, which it has not there.
struct DiscriminatorHead: Sendable {
  private static let slope: Float = 0.2
  /// Sides above this are halved first.
  private static let side = 7

  private let name: String
  private let stem: SpectralConvolution?
  private let blocks: [SpectralConvolution]
  private let last: SpectralConvolution
  private let projection: ClassProjection?

  /// - Parameters:
  ///   - inputs: channels of the scale; side: its height and width.
  ///   - halvings: how often the map is halved; as often as it takes to 7×7 or less if nil.
  ///   - stem: channels of a 3×3 convolution without a norm in front, if any.
  ///   - style: its head channels are those behind the last halving; half as many before it, and so on.
  init(
    _ name: String, inputs: Int, side: Int, halvings: Int? = nil, stem: Int? = nil,
    style: ProjectedDiscriminator.Style
  ) {
    self.name = name
    let needed = sequence(first: side) { $0 / 2 }.prefix { $0 > Self.side }.count
    // No more than there is to halve.
    let halvings = min(halvings ?? needed, Int.bitWidth - 1 - side.leadingZeroBitCount)
    let coarsest = side >> halvings
    var (blocks, channels) = ([SpectralConvolution](), stem ?? inputs)
    func add(_ outputs: Int, kernel: Int, stride: Int) {
      blocks.append(
        SpectralConvolution(
          name: "\(name).conv\(blocks.count)", inputs: channels, outputs: outputs, kernel: kernel,
          stride: stride, padding: 1))
      channels = outputs
    }
    for left in (0..<halvings).reversed() {
      add(max(style.headChannels >> left, 1), kernel: 4, stride: 2)
    }
    if blocks.isEmpty { add(style.headChannels, kernel: 3, stride: 1) }
    self.blocks = blocks
    self.stem = stem.map {
      SpectralConvolution(
        name: "\(name).stem", inputs: inputs, outputs: $0, kernel: 3, padding: 1, hasBias: false)
    }
    projection = style.labels > 0 ? ClassProjection("\(name).classes", classes: style.labels) : nil
    last = SpectralConvolution(
      name: "\(name).logits", inputs: channels,
      outputs: style.labels > 0 ? ClassProjection.width : 1, kernel: min(coarsest, 4),
      hasBias: false)
  }

  private func norm(_ index: Int) -> String { "\(name).norm\(index)" }

  var parameters: [ParameterSpecification] {
    let norms = blocks.enumerated().flatMap { index, block in
      ParameterSpecification.norm(norm(index), block.outputs)
    }
    return (stem?.parameters ?? []) + blocks.flatMap(\.parameters) + norms + last.parameters
      + (projection?.parameters ?? [])
  }

  var stateSpecifications: [ParameterSpecification] {
    ((stem.map { [$0] } ?? []) + blocks + [last]).map(\.stateSpecification)
  }

  /// Logits `[batch, positions]` of the activations `[batch, inputs, side, side]`.
  func callAsFunction(
    _ x: Tensor, labels: Tensor?, _ weights: Parameters, state: inout Parameters
  ) -> Tensor {
    var x = x
    if let stem { x = stem(x, weights, state: &state).leakyReLU(slope: Self.slope) }
    for (index, block) in blocks.enumerated() {
      x =
        block(x, weights, state: &state)
        .batchNormalised(
          weight: weights["\(norm(index)).weight"], bias: weights["\(norm(index)).bias"]
        )
        .leakyReLU(slope: Self.slope)
    }
    let map = last(x, weights, state: &state)
    let logits = projection.map { $0(map, labels: labels, weights) } ?? map
    return logits.reshaped([x.shape[0], -1])
  }
}
