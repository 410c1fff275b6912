import TensorCore

/// Fixed random mixing of a feature network's maps (Sauer et al. 2021): across channels, so that no
/// head sees single channels, and from the coarsest scale up, so that every head sees all scales that
/// are coarser.
///
/// As in the published code: a 1×1 convolution of each map to twice the channels of the next finer; the coarser
/// scale's result, enlarged, is added; a 1×1 convolution to half the channels (all of them at the finest). There
/// the results are twice the size of their maps. Convolutions have biases and begin as torch's do,
/// uniform in ±1 / √fanIn.
struct FeatureMixing: Sendable {
  /// Channels and sides of the mixed maps, the finest first.
  let scales: [(channels: Int, side: Int)]
  var weights: Parameters
  private let enlargement: Int

  /// - Parameters:
  ///   - maps: shapes `[batch, channels, height, width]` of the maps, the finest first.
  ///   - channels: of the finest mixed map; twice as many at each coarser one before they are halved.
  ///   - enlarges: whether the results are twice the size of their maps.
  init(maps: [[Int]], channels: Int, enlarges: Bool, seed: UInt64, network: Int) {
    let enlargement = enlarges ? 2 : 1
    self.enlargement = enlargement
    scales = maps.enumerated().map { index, shape in
      (channels << max(index - 1, 0), shape[2] * enlargement)
    }
    var specifications: [ParameterSpecification] = []
    for (index, scale) in scales.enumerated() {
      let width = channels << index
      specifications +=
        ParameterSpecification.layer("across\(index)", [width, maps[index][1], 1, 1], .torch)
        + ParameterSpecification.layer("fuse\(index)", [scale.channels, width, 1, 1], .torch)
    }
    var stream = RandomStream(
      seed: seed, path: [InitialStream.mixing.rawValue, UInt64(network)])
    weights = specifications.initialParameters(seed: stream.next(), .mixing)
  }

  /// Mixed maps of `maps`, the finest first.
  func callAsFunction(_ maps: [Tensor]) -> [Tensor] {
    var mixed: [Tensor] = []
    for index in maps.indices.reversed() {
      var x = convolved(maps[index], "across\(index)")
      if let coarser = mixed.last { x = x + enlarged(coarser, toSizeOf: x) }
      // A 1×1 convolution and an enlargement may change places; this is the cheaper order.
      x = convolved(x, "fuse\(index)")
      if enlargement > 1 {
        x = x.resizedBilinearly(
          height: enlargement * x.shape[2], width: enlargement * x.shape[3], corners: .aligned)
      }
      mixed.append(x)
    }
    return mixed.reversed()
  }

  private func convolved(_ x: Tensor, _ name: String) -> Tensor {
    x.convolved(weights["\(name).weight"], bias: weights["\(name).bias"])
  }

  private func enlarged(_ x: Tensor, toSizeOf other: Tensor) -> Tensor {
    let (height, width) = (other.shape[2], other.shape[3])
    guard x.shape[2] != height || x.shape[3] != width else { return x }
    return x.resizedBilinearly(height: height, width: width, corners: .aligned)
  }
}
