/// Spectral normalisation of weights (Miyato et al. 2018).
public struct SpectralNorm: Sendable {
  /// Left and right singular vectors as far as the power iteration has come, `[rows]` and `[columns]`
  /// of the weight seen as `[outputs, everything else]`.
  public var left: Tensor
  public var right: Tensor

  public init(left: Tensor, right: Tensor) {
    self.left = left
    self.right = right
  }

  /// One power iteration: `v = normalised(Wᵀu)`, then `u = normalised(W v)`.
  public mutating func iterate(_ weight: Tensor, epsilon: Float = 1e-12) {
    let matrix = weight.detached().reshaped([weight.shape[0], -1])
    func normalised(_ x: Tensor) -> Tensor {
      let norm = x.squared().sum()[0].squareRoot()
      return x.scaled(by: 1 / max(norm, epsilon))
    }
    right = normalised(Tensor.product(matrix, left.reshaped([-1, 1]), transposeA: true))
      .reshaped([-1])
    left = normalised(Tensor.product(matrix, right.reshaped([-1, 1]))).reshaped([-1])
  }

  /// `W / σ` with `σ = uᵀ W v`; `u` and `v` are constants for gradients.
  public func normalised(_ weight: Tensor) -> Tensor {
    let matrix = weight.reshaped([weight.shape[0], -1])
    let (u, v) = (left.detached().reshaped([1, -1]), right.detached().reshaped([-1, 1]))
    let sigma = Tensor.product(Tensor.product(u, matrix), v).reshaped([])
    return weight / sigma
  }
}
