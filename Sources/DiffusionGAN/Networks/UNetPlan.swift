import TensorCore

/// The stages that a configuration asks for.
struct UNetPlan {
  private let configuration: NetworkConfiguration
  let style: UNetBlock.Style

  init(_ configuration: NetworkConfiguration) {
    self.configuration = configuration
    let width = configuration.baseChannels * configuration.embeddingMultiplier
    switch configuration.architecture {
    case .song:
      let initial = LayerInitialisation(mode: .xavierUniform)
      var (zero, attention) = (initial, initial)
      zero.weight = 1e-5
      attention.weight = 0.2.squareRoot()
      style = UNetBlock.Style(
        embeddingChannels: width, headChannels: nil, skipScale: Float(0.5.squareRoot()),
        epsilon: 1e-6, filter: ResampleFilter(configuration.filter), projectsResampling: true,
        isAdaptive: false, dropout: configuration.dropout, initial: initial, initialZero: zero,
        initialAttention: attention)
    case .dhariwal:
      let initial = LayerInitialisation.torch
      style = UNetBlock.Style(
        embeddingChannels: width, headChannels: 64, skipScale: 1, epsilon: 1e-5,
        filter: ResampleFilter([1, 1]), projectsResampling: false, isAdaptive: true,
        dropout: configuration.dropout, initial: initial,
        initialZero: LayerInitialisation(mode: .kaimingUniform, weight: 0),
        initialAttention: initial)
    }
  }

  func stages() -> (encoder: [UNet.Stage], decoder: [UNet.Stage]) {
    let encoder = encoderStages()
    var skips = encoder.skips
    let inputs = channels(configuration.multipliers.count - 1)
    return (encoder.stages, decoderStages(&skips, inputs: inputs))
  }

  private func channels(_ level: Int) -> Int {
    configuration.baseChannels * configuration.multipliers[level]
  }

  private func resolution(_ level: Int) -> String {
    let size = configuration.resolution >> level
    return "\(size)x\(size)"
  }

  private func hasAttention(_ level: Int) -> Bool {
    configuration.attentionResolutions.contains(configuration.resolution >> level)
  }

  private func layer(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, _ resampling: Resampling? = nil,
    isFused: Bool = false, initial: LayerInitialisation? = nil
  ) -> ConvolutionLayer {
    ConvolutionLayer(
      name: name, inputs: inputs, outputs: outputs, kernel: kernel, resampling: resampling,
      filter: style.filter, isFused: isFused, initial: initial ?? style.initial)
  }

  /// The encoder, and the channels of every activation that the decoder will want.
  private func encoderStages() -> (stages: [UNet.Stage], skips: [Int]) {
    var stages: [UNet.Stage] = []
    var skips: [Int] = []
    let isSong = configuration.architecture == .song
    // A network of Song et al. begins with the base, ADM with the first level's channels.
    var current = isSong ? configuration.baseChannels : channels(0)
    var auxiliary = configuration.imageChannels
    for level in configuration.multipliers.indices {
      let name = "model.enc.\(resolution(level))"
      if level == 0 {
        stages.append(
          .convolution(layer("\(name)_conv", configuration.imageChannels, current, kernel: 3)))
      } else {
        stages.append(
          .block(
            UNetBlock(
              "\(name)_down", inputs: current, outputs: current, resampling: .down, style: style)))
        switch configuration.encoder {
        case _ where !isSong: break
        case .standard: break
        case .skip:
          stages.append(
            .auxiliaryDown(layer("\(name)_aux_down", auxiliary, auxiliary, kernel: 0, .down)))
          stages.append(.auxiliarySkip(layer("\(name)_aux_skip", auxiliary, current, kernel: 1)))
        case .residual:
          stages.append(
            .auxiliaryResidual(
              layer("\(name)_aux_residual", auxiliary, current, kernel: 3, .down, isFused: true)))
          auxiliary = current
        }
      }
      skips.append(current)
      for index in 0..<configuration.blocks {
        stages.append(
          .block(
            UNetBlock(
              "\(name)_block\(index)", inputs: current, outputs: channels(level),
              attention: hasAttention(level), style: style)))
        current = channels(level)
        skips.append(current)
      }
    }
    return (stages, skips)
  }

  private func decoderStages(_ skips: inout [Int], inputs: Int) -> [UNet.Stage] {
    var stages: [UNet.Stage] = []
    var current = inputs
    let isSong = configuration.architecture == .song
    let pictures = configuration.imageChannels
    for level in configuration.multipliers.indices.reversed() {
      let name = "model.dec.\(resolution(level))"
      func block(
        _ part: String, _ inputs: Int, _ resampling: Resampling? = nil, attention: Bool = false
      ) {
        stages.append(
          .block(
            UNetBlock(
              "\(name)_\(part)", inputs: inputs, outputs: current, resampling: resampling,
              attention: attention, style: style)))
      }
      if level == configuration.multipliers.count - 1 {
        block("in0", current, attention: true)
        block("in1", current)
      } else {
        block("up", current, .up)
      }
      for index in 0...configuration.blocks {
        let inputs = current + skips.removeLast()
        current = channels(level)
        let isLast = index == configuration.blocks
        block(
          "block\(index)", inputs, attention: hasAttention(level) && (isLast || !isSong))
      }
      if isSong, configuration.decoder == .skip || level == 0 {
        if configuration.decoder == .skip, level < configuration.multipliers.count - 1 {
          stages.append(
            .auxiliaryUp(layer("\(name)_aux_up", pictures, pictures, kernel: 0, .up)))
        }
        stages.append(output("\(name)_aux_norm", "\(name)_aux_conv", current))
      }
    }
    if !isSong { stages.append(output("model.out_norm", "model.out_conv", current)) }
    return stages
  }

  private func output(_ norm: String, _ convolution: String, _ channels: Int) -> UNet.Stage {
    .auxiliaryOutput(
      GroupNormLayer(name: norm, channels: channels, epsilon: style.epsilon),
      layer(
        convolution, channels, configuration.imageChannels, kernel: 3, initial: style.initialZero))
  }
}
