extension StoredMatrix {
  /// Some of the rows, in the same memory.
  public func slice(_ range: Range<Int>) -> StoredMatrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
    return StoredMatrix(rowsOf: self, range)
  }
}
