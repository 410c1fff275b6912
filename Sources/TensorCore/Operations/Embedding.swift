/// Rows by number, and the adjoint.
extension Tensor {
  /// Rows `indices` of a table `[rows, width]`, as `[indices, width]`.
  public func gathered(_ indices: [Int]) -> Tensor {
    precondition(shape.count == 2, "rows of a tensor of shape \(shape)")
    let (total, width) = (shape[0], shape[1])
    for index in indices {
      precondition((0..<total).contains(index), "row \(index) of a table of shape \(shape)")
    }
    let source = storage
    return Tensor(shape: [indices.count, width]) { out in
      for (row, index) in indices.enumerated() {
        (out + row * width).update(from: source.pointer + index * width, count: width)
      }
    }.recorded(Pullback(self) { $0.scattered(indices, rows: total) })
  }

  /// A table of `rows` rows in which row `indices[i]` is the sum of the rows `i` of this tensor.
  func scattered(_ indices: [Int], rows: Int) -> Tensor {
    let width = shape[1]
    let source = storage
    var table = Tensor(zeros: [rows, width])
    table.withMutablePointer { out in
      for (row, index) in indices.enumerated() {
        let target = out + index * width
        mapLanes(target, source.pointer + row * width, count: width, into: target) { $0 + $1 }
      }
    }
    return table.recorded(Pullback(self) { $0.gathered(indices) })
  }
}
