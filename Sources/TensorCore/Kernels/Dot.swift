/// Inner product of two rows of `count` values.
public func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
  var first = Lanes.zero
  var second = Lanes.zero
  var index = 0
  while index + 16 <= count {
    first += a.lanes(index) * b.lanes(index)
    second += a.lanes(index + 8) * b.lanes(index + 8)
    index += 16
  }
  var total = (first + second).sum()
  while index < count {
    total += a[index] * b[index]
    index += 1
  }
  return total
}
