import Foundation

/// What is done to gradients before the optimiser sees them.
extension Parameters {
  /// The square root of the sum of all squares.
  public var globalNorm: Float {
    var sum = 0.0
    for tensor in tensors { sum += Double(tensor.squared().sum()[0]) }
    return Float(sum.squareRoot())
  }

  /// These, scaled down so that the global norm is at most `limit` (Pascanu et al. 2013), and the
  /// norm before.
  public func clipped(toNorm limit: Float) -> (gradients: Parameters, norm: Float) {
    let norm = globalNorm
    guard norm > limit else { return (self, norm) }
    return (mapTensors { $0.scaled(by: limit / norm) }, norm)
  }

  /// The first name whose tensor holds NaN or an infinity.
  public var firstNotFinite: String? { pairs.first { !$0.tensor.isFinite }?.name }

  /// - Throws: `UserError` naming the first parameter whose tensor holds NaN or an infinity.
  public func checkFinite(_ what: String) throws {
    guard let name = firstNotFinite else { return }
    throw UserError(
      "\(what) of \"\(name)\" is not finite", remedy: "lower the learning rate or clip gradients")
  }

  /// These with numbers in place of what is not finite, as the EDM training code does: NaN becomes 0
  /// and infinities become ±`limit`.
  public func replacingNotFinite(limit: Float = 1e5) -> Parameters {
    mapTensors { tensor in
      guard !tensor.isFinite else { return tensor }
      let values = tensor.values.map {
        $0.isNaN ? 0 : $0.isFinite ? $0 : $0 > 0 ? limit : -limit
      }
      return Tensor(values, shape: tensor.shape)
    }
  }
}

extension Tensor {
  /// Whether no value is NaN or infinite.
  public var isFinite: Bool {
    let source = storage
    // 0 · x is 0 for finite x and NaN for others, and sums keep NaN.
    let parts = Compute.pool.map((count + Compute.grain - 1) / Compute.grain) { part in
      let range = part * Compute.grain..<min((part + 1) * Compute.grain, count)
      var lanes = Lanes.zero
      var index = range.lowerBound
      while index + 8 <= range.upperBound {
        lanes += source.pointer.lanes(index) * 0
        index += 8
      }
      var sum = lanes.sum()
      while index < range.upperBound {
        sum += source.pointer[index] * 0
        index += 1
      }
      return sum == 0
    }
    return parts.allSatisfy { $0 }
  }
}
