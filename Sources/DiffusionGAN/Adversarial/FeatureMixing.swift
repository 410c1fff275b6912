import TensorCore

/// Fixed random mixing of a feature network's maps (Sauer et al. 2021): across channels, so that no
/// head sees single channels, and from the coarsest scale up, so that every head sees all scales that
/// are coarser.
struct FeatureMixing: Sendable {
  /// Channels and sides of the mixed maps, the finest first.
  let scales: [(channels: Int, side: Int)]
  let weights: Parameters

  /// - Parameters:
  ///   - maps: shapes `[batch, channels, height, width]` of the maps, the finest first.
  ///   - channels: of the mixed maps, from the finest; the last one for all that are left.
  init(maps: [[Int]], channels: [Int], seed: UInt64, network: Int) {
    scales = maps.enumerated().map { index, shape in
      (channels[min(index, channels.count - 1)], shape[2])
    }
    var specifications: [ParameterSpecification] = []
    func add(_ name: String, _ inputs: Int, _ outputs: Int) {
      specifications.append(
        ParameterSpecification(
          name: name, shape: [outputs, inputs, 1, 1],
          initial: .kaimingNormal(fanIn: inputs, scale: 1)))
    }
    for (index, scale) in scales.enumerated() {
      add("across\(index)", maps[index][1], scale.channels)
      add("fuse\(index)", scale.channels, scale.channels)
      if index > 0 { add("up\(index)", scale.channels, scales[index - 1].channels) }
    }
    let ownSeed = RandomStream(
      seed: seed, path: [DiscriminatorStream.mixing.rawValue, UInt64(network)])
    var stream = ownSeed
    weights = specifications.tensors(seed: stream.next(), .mixing)
  }

  /// Mixed maps of `maps`, the finest first.
  func callAsFunction(_ maps: [Tensor]) -> [Tensor] {
    var mixed: [Tensor] = []
    var coarser: Tensor?
    for index in maps.indices.reversed() {
      var x = maps[index].convolved(weights["across\(index)"])
      if let from = coarser {
        let up = from.convolved(weights["up\(index + 1)"])
          .resizedBilinearly(height: x.shape[2], width: x.shape[3])
        x = Tensor.scaledSum(x, up, factor: Float(0.5).squareRoot())
      }
      x = x.convolved(weights["fuse\(index)"])
      mixed.append(x)
      coarser = x
    }
    return mixed.reversed()
  }
}
