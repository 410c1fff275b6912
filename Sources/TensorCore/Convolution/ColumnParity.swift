/// Even and odd columns of a row taken apart and put together. Written out lane by lane, from memory to
/// memory, each is a load and two shuffles a vector; as loops they were single numbers below 41 columns.
enum ColumnParity {
  /// `even[i] = row[2i]`, `odd[i] = row[2i + 1]` for `i` below `count`.
  @inline(__always)
  static func separate(
    _ row: UnsafePointer<Float>, count: Int, even: UnsafeMutablePointer<Float>,
    odd: UnsafeMutablePointer<Float>
  ) {
    if count >= 8 {
      for column in stride(from: 0, to: count, by: 8) {
        let first = min(column, count - 8)
        let (a, b) = (row.lanes(2 * first), row.lanes(2 * first + 8))
        even.store(Lanes(a[0], a[2], a[4], a[6], b[0], b[2], b[4], b[6]), first)
        odd.store(Lanes(a[1], a[3], a[5], a[7], b[1], b[3], b[5], b[7]), first)
      }
    } else if count >= 4 {
      // The last four reach back over the first.
      take(row, even, odd)
      take(row + 2 * (count - 4), even + count - 4, odd + count - 4)
    } else {
      takeFew(row, count, even, odd)
    }
  }

  /// Apart, or the compiler prepares for more than three at the beginning of every row.
  @inline(never)
  private static func takeFew(
    _ row: UnsafePointer<Float>, _ count: Int, _ even: UnsafeMutablePointer<Float>,
    _ odd: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<count {
      even[column] = row[2 * column]
      odd[column] = row[2 * column + 1]
    }
  }

  @inline(__always)
  private static func take(
    _ row: UnsafePointer<Float>, _ even: UnsafeMutablePointer<Float>,
    _ odd: UnsafeMutablePointer<Float>
  ) {
    let a = row.lanes(0)
    store(SIMD4(a[0], a[2], a[4], a[6]), even)
    store(SIMD4(a[1], a[3], a[5], a[7]), odd)
  }

  /// `row[2i] = even[i]`, `row[2i + 1] = odd[i]` for `i` below `count`.
  @inline(never)
  static func interleave(
    _ even: UnsafePointer<Float>, _ odd: UnsafePointer<Float>, count: Int,
    into row: UnsafeMutablePointer<Float>
  ) {
    if count >= 8 {
      for column in stride(from: 0, to: count, by: 8) {
        let first = min(column, count - 8)
        let (a, b) = (even.lanes(first), odd.lanes(first))
        row.store(Lanes(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]), 2 * first)
        row.store(Lanes(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]), 2 * first + 8)
      }
    } else if count >= 4 {
      put(even, odd, into: row)
      put(even + count - 4, odd + count - 4, into: row + 2 * (count - 4))
    } else {
      putFew(even, odd, count, into: row)
    }
  }

  @inline(never)
  private static func putFew(
    _ even: UnsafePointer<Float>, _ odd: UnsafePointer<Float>, _ count: Int,
    into row: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<count {
      row[2 * column] = even[column]
      row[2 * column + 1] = odd[column]
    }
  }

  @inline(__always)
  private static func put(
    _ even: UnsafePointer<Float>, _ odd: UnsafePointer<Float>,
    into row: UnsafeMutablePointer<Float>
  ) {
    let (a, b) = (load(even), load(odd))
    row.store(Lanes(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]), 0)
  }

  @inline(__always)
  private static func load(_ x: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD4<Float>.self)
  }

  @inline(__always)
  private static func store(_ value: SIMD4<Float>, _ target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: value, as: SIMD4<Float>.self)
  }
}
