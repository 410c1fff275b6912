import TensorCore

/// A residual block with a change of resolution and self-attention where asked for, as in the EDM
/// code: DDPM++, NCSN++ and ADM differ in its settings alone.
struct UNetBlock: Sendable {
  /// What the blocks of one network have in common.
  struct Style: Sendable {
    let embeddingChannels: Int
    /// Channels of an attention head; all in one head if nil.
    let headChannels: Int?
    /// The sum of a residual connection is multiplied by this.
    let skipScale: Float
    let epsilon: Float
    let filter: ResampleFilter
    /// Whether a skip connection that changes resolution is also projected.
    let projectsResampling: Bool
    /// Whether the embedding scales and shifts the norm, or is added before it.
    let isAdaptive: Bool
    let dropout: Float
    let initial: LayerInitialisation
    let initialZero: LayerInitialisation
    let initialAttention: LayerInitialisation
  }

  let name: String
  let inputs: Int
  let outputs: Int
  let heads: Int
  let style: Style
  private let norm0: GroupNormLayer
  private let conv0: ConvolutionLayer
  private let affine: LinearLayer
  private let norm1: GroupNormLayer
  private let conv1: ConvolutionLayer
  let skip: ConvolutionLayer?
  private let norm2: GroupNormLayer
  private let qkv: ConvolutionLayer
  private let projection: ConvolutionLayer

  init(
    _ name: String, inputs: Int, outputs: Int, resampling: Resampling? = nil,
    attention: Bool = false, style: Style
  ) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.style = style
    heads = !attention ? 0 : style.headChannels.map { outputs / $0 } ?? 1
    func norm(_ part: String, _ channels: Int) -> GroupNormLayer {
      GroupNormLayer(name: "\(name).\(part)", channels: channels, epsilon: style.epsilon)
    }
    func convolution(
      _ part: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ initial: LayerInitialisation,
      _ resampling: Resampling? = nil
    ) -> ConvolutionLayer {
      ConvolutionLayer(
        name: "\(name).\(part)", inputs: inputs, outputs: outputs, kernel: kernel,
        resampling: resampling, filter: style.filter, initial: initial)
    }
    norm0 = norm("norm0", inputs)
    conv0 = convolution("conv0", inputs, outputs, 3, style.initial, resampling)
    affine = LinearLayer(
      name: "\(name).affine", inputs: style.embeddingChannels,
      outputs: style.isAdaptive ? 2 * outputs : outputs, initial: style.initial)
    norm1 = norm("norm1", outputs)
    conv1 = convolution("conv1", outputs, outputs, 3, style.initialZero)
    if inputs != outputs || resampling != nil {
      let isProjected = style.projectsResampling || inputs != outputs
      skip = convolution("skip", inputs, outputs, isProjected ? 1 : 0, style.initial, resampling)
    } else {
      skip = nil
    }
    norm2 = norm("norm2", outputs)
    qkv = convolution("qkv", outputs, 3 * outputs, 1, style.initialAttention)
    projection = convolution("proj", outputs, outputs, 1, style.initialZero)
  }

  var parameters: [ParameterSpecification] {
    norm0.parameters + conv0.parameters + affine.parameters + norm1.parameters + conv1.parameters
      + (skip?.parameters ?? [])
      + (heads > 0 ? norm2.parameters + qkv.parameters + projection.parameters : [])
  }

  /// What `observed` of a call gets, in this order.
  var residualNames: [String] { [conv1.name] + (heads > 0 ? [projection.name] : []) }

  /// - Parameters:
  ///   - x: `[batch, inputs, height, width]`; embedding: `[batch, embedding channels]`.
  ///   - dropout: makes the mask of this block's dropout, if it has any.
  ///   - observed: sees what each residual branch adds, by the name of its last layer, and gives what
  ///     is added in its place.
  func callAsFunction(
    _ x: Tensor, embedding: Tensor, _ weights: Parameters, dropout: Dropout?,
    observed: (_ name: String, _ residual: Tensor) -> Tensor = { $1 }
  ) -> Tensor {
    let parameters = affine(embedding, weights)
    var h = norm0(x, weights, silu: true)
    if style.isAdaptive {
      h = conv0(h, weights)
      h = norm1.adaptive(
        h, weights, scale: parameters.slice(1, 0..<outputs),
        shift: parameters.slice(1, outputs..<2 * outputs))
    } else {
      // Added to every position of a channel, so it may go along with the bias.
      h = conv0(h, weights, shift: parameters)
      h = norm1(h, weights, silu: true)
    }
    if let dropout, style.dropout > 0 { h = dropout(h, share: style.dropout, block: name) }
    h = observed(conv1.name, conv1(h, weights))
    let skipped = skip.map { $0(x, weights) } ?? x
    let sum = Tensor.scaledSum(h, skipped, factor: style.skipScale)
    return heads > 0 ? attended(sum, weights, observed) : sum
  }

  private func attended(
    _ x: Tensor, _ weights: Parameters, _ observed: (String, Tensor) -> Tensor
  ) -> Tensor {
    let (batch, positions) = (x.shape[0], x.shape[2] * x.shape[3])
    // Output channels of `qkv` are counted (head, channel, query | key | value), the last fastest.
    let parts = qkv(norm2(x, weights, silu: false), weights)
      .reshaped([batch * heads, outputs / heads, 3, positions])
    func part(_ index: Int) -> Tensor {
      parts.slice(2, index..<index + 1).reshaped([batch * heads, outputs / heads, positions])
    }
    let attention = Tensor.attention(query: part(0), key: part(1), value: part(2))
    let residual = observed(projection.name, projection(attention.reshaped(x.shape), weights))
    return Tensor.scaledSum(residual, x, factor: style.skipScale)
  }
}
