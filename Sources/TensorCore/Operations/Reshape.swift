extension Tensor {
  /// The same values in another shape of the same count; one extent may be −1, which the others
  /// decide.
  public func reshaped(_ target: [Int]) -> Tensor {
    var shape = target
    if let open = target.firstIndex(of: -1) {
      let rest = target.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
      precondition(
        rest > 0 && count % rest == 0, "reshape: \(self.shape) does not fit \(target)")
      shape[open] = count / rest
    }
    precondition(
      shape.reduce(1, *) == count, "reshape: \(self.shape) does not fit \(target)")
    let source = self.shape
    return Tensor(sharing: self, shape: shape).recorded(Pullback(self) { $0.reshaped(source) })
  }
}
