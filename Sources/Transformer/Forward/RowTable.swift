/// Rows of several requests, one request after the other.
struct RowTable: Equatable, Sendable {
  let sets: [Positions]
  /// First row of each request, and the number of all rows.
  let offsets: [Int]

  var count: Int { offsets[sets.count] }

  init(_ sets: [Positions]) {
    self.sets = sets
    var offsets = [0]
    offsets.reserveCapacity(sets.count + 1)
    for set in sets { offsets.append(offsets[offsets.count - 1] + set.count) }
    self.offsets = offsets
  }

  static func == (a: RowTable, b: RowTable) -> Bool {
    a.count == b.count && a.sets == b.sets
  }

  /// Row of `position` of `request`, or nil where it is not among the rows.
  func row(_ request: Int, _ position: Int) -> Int? {
    sets[request].index(of: position).map { offsets[request] + $0 }
  }

  /// Position of every row.
  var positions: [Int32] {
    var flat: [Int32] = []
    flat.reserveCapacity(count)
    for set in sets {
      for index in 0..<set.count { flat.append(Int32(set[index])) }
    }
    return flat
  }
}
