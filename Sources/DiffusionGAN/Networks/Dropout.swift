import TensorCore

/// Dropout (Srivastava et al. 2014) whose masks depend on the sample, not on its batch.
public struct Dropout: Sendable {
  /// A stream for each sample of the batch.
  let streams: [UInt64]
  let seed: UInt64

  /// - Parameters:
  ///   - samples: a number for each sample of the batch, different for each time it is seen.
  public init(seed: UInt64, samples: [Int]) {
    self.seed = seed
    streams = samples.map { UInt64($0) }
  }

  /// `x` with a share of its values 0 and the others scaled up.
  func callAsFunction(_ x: Tensor, share: Float, block: String) -> Tensor {
    let name = block.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    let size = x.count / max(streams.count, 1)
    let mask = Tensor(shape: x.shape) { out in
      for (sample, number) in streams.enumerated() {
        var stream = RandomStream(seed: seed, path: [number, name])
        for index in 0..<size {
          out[sample * size + index] = stream.uniform() < share ? 0 : 1 / (1 - share)
        }
      }
    }
    return x * mask
  }
}
