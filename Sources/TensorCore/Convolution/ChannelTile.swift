/// `c + a · b` in one rounding where the processor has it; two elsewhere, since a call for each lane
/// would take tens of times as long.
@inline(__always)
func multiplyAdd(_ c: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
  #if FUSED_MULTIPLY_ADD
    c.addingProduct(a, b)
  #else
    c + a * b
  #endif
}

/// Where the sums of a few channels at two vectors of positions go.
struct ChannelTile {
  /// The first channel's plane, and the distance between planes.
  let out: UnsafeMutablePointer<Float>
  let plane: Int
  /// Channels that count.
  let channels: Int
  /// Columns of a vector that count.
  let valid: Int
  let first: Int
  let second: Int
  let bias: UnsafePointer<Float>?

  @inline(__always)
  func store(_ channel: Int, _ a: Lanes, _ b: Lanes) {
    guard channel < channels else { return }
    let bias = Lanes(repeating: bias.map { $0[channel] } ?? 0)
    let target = out + channel * plane
    if valid == 8 {
      target.store(a + bias, first)
      target.store(b + bias, second)
    } else {
      let (a, b) = (a + bias, b + bias)
      for lane in 0..<valid {
        target[first + lane] = a[lane]
        target[second + lane] = b[lane]
      }
    }
  }
}

/// Six channels at two vectors: twelve sums, which with the factors fill the sixteen registers of AVX2.
@inline(__always)
func sumSixByTwo(
  _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
  _ offsets: UnsafePointer<Int32>, steps: Int, into tile: ChannelTile
) {
  var (a0, a1, a2) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var (a3, a4, a5) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var (b0, b1, b2) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var (b3, b4, b5) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var weight = weights
  for step in 0..<steps {
    let offset = Int(offsets[step])
    let x = first.lanes(offset)
    let y = second.lanes(offset)
    var w = Lanes(repeating: weight[0])
    a0 = multiplyAdd(a0, w, x)
    b0 = multiplyAdd(b0, w, y)
    w = Lanes(repeating: weight[1])
    a1 = multiplyAdd(a1, w, x)
    b1 = multiplyAdd(b1, w, y)
    w = Lanes(repeating: weight[2])
    a2 = multiplyAdd(a2, w, x)
    b2 = multiplyAdd(b2, w, y)
    w = Lanes(repeating: weight[3])
    a3 = multiplyAdd(a3, w, x)
    b3 = multiplyAdd(b3, w, y)
    w = Lanes(repeating: weight[4])
    a4 = multiplyAdd(a4, w, x)
    b4 = multiplyAdd(b4, w, y)
    w = Lanes(repeating: weight[5])
    a5 = multiplyAdd(a5, w, x)
    b5 = multiplyAdd(b5, w, y)
    weight += 6
  }
  tile.store(0, a0, b0)
  tile.store(1, a1, b1)
  tile.store(2, a2, b2)
  tile.store(3, a3, b3)
  tile.store(4, a4, b4)
  tile.store(5, a5, b5)
}

/// Four channels at two vectors.
@inline(__always)
func sumFourByTwo(
  _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
  _ offsets: UnsafePointer<Int32>, steps: Int, into tile: ChannelTile
) {
  var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
  var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
  var weight = weights
  for step in 0..<steps {
    let offset = Int(offsets[step])
    let x = first.lanes(offset)
    let y = second.lanes(offset)
    var w = Lanes(repeating: weight[0])
    a0 = multiplyAdd(a0, w, x)
    b0 = multiplyAdd(b0, w, y)
    w = Lanes(repeating: weight[1])
    a1 = multiplyAdd(a1, w, x)
    b1 = multiplyAdd(b1, w, y)
    w = Lanes(repeating: weight[2])
    a2 = multiplyAdd(a2, w, x)
    b2 = multiplyAdd(b2, w, y)
    w = Lanes(repeating: weight[3])
    a3 = multiplyAdd(a3, w, x)
    b3 = multiplyAdd(b3, w, y)
    weight += 4
  }
  tile.store(0, a0, b0)
  tile.store(1, a1, b1)
  tile.store(2, a2, b2)
  tile.store(3, a3, b3)
}
