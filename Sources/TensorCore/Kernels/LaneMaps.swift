/// `out = function(x)` value by value; `out` may be `x`.
///
/// The last values, fewer than a register, go through the same function as the others, so a value's
/// bits do not depend on where it stands.
@inline(__always)
func mapLanes(
  _ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>,
  _ function: (Lanes) -> Lanes
) {
  var index = 0
  while index + 8 <= count {
    out.store(function(x.lanes(index)), index)
    index += 8
  }
  guard index < count else { return }
  var tail = Lanes.zero
  for lane in 0..<count - index { tail[lane] = x[index + lane] }
  let value = function(tail)
  for lane in 0..<count - index { out[index + lane] = value[lane] }
}

/// `out = function(x, y)` value by value; `out` may be either input.
@inline(__always)
func mapLanes(
  _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int,
  into out: UnsafeMutablePointer<Float>, _ function: (Lanes, Lanes) -> Lanes
) {
  var index = 0
  while index + 8 <= count {
    out.store(function(x.lanes(index), y.lanes(index)), index)
    index += 8
  }
  guard index < count else { return }
  var tail = Lanes.zero
  var otherTail = Lanes.zero
  for lane in 0..<count - index {
    tail[lane] = x[index + lane]
    otherTail[lane] = y[index + lane]
  }
  let value = function(tail, otherTail)
  for lane in 0..<count - index { out[index + lane] = value[lane] }
}

/// As `mapLanes`, for functions of many instructions: there is one call, so that it is compiled into
/// the loop.
@inline(__always)
func mapLongLanes(
  _ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>,
  _ function: (Lanes) -> Lanes
) {
  var index = 0
  while index < count {
    let rest = count - index
    let value = function(rest >= 8 ? x.lanes(index) : firstLanes(x + index, rest))
    if rest >= 8 {
      out.store(value, index)
    } else {
      for lane in 0..<rest { out[index + lane] = value[lane] }
    }
    index += 8
  }
}

/// The first `count` values, fewer than a register, and zeros.
@inline(never)
func firstLanes(_ x: UnsafePointer<Float>, _ count: Int) -> Lanes {
  var lanes = Lanes.zero
  for lane in 0..<count { lanes[lane] = x[lane] }
  return lanes
}
