/// Ascending positions of one sequence: a range where they are consecutive, a list otherwise.
enum Positions: Equatable, Sendable {
  case range(Range<Int>)
  case list([Int])

  static let none = Positions.range(0..<0)

  /// Sorted, without repeats; as a range where possible.
  init(_ sorted: [Int]) {
    guard let first = sorted.first, let last = sorted.last else {
      self = .none
      return
    }
    self = last - first + 1 == sorted.count ? .range(first..<last + 1) : .list(sorted)
  }

  var count: Int {
    switch self {
    case .range(let range): range.count
    case .list(let list): list.count
    }
  }

  var isEmpty: Bool { count == 0 }

  var first: Int? { isEmpty ? nil : self[0] }
  var last: Int? { isEmpty ? nil : self[count - 1] }

  subscript(index: Int) -> Int {
    switch self {
    case .range(let range): range.lowerBound + index
    case .list(let list): list[index]
    }
  }

  /// Where `position` stands among these, or nil.
  func index(of position: Int) -> Int? {
    switch self {
    case .range(let range):
      return range.contains(position) ? position - range.lowerBound : nil
    case .list(let list):
      var low = 0
      var high = list.count
      while low < high {
        let middle = (low + high) / 2
        if list[middle] < position { low = middle + 1 } else { high = middle }
      }
      return low < list.count && list[low] == position ? low : nil
    }
  }

  func contains(_ position: Int) -> Bool { index(of: position) != nil }

  var array: [Int] {
    switch self {
    case .range(let range): Array(range)
    case .list(let list): list
    }
  }

  /// Positions in either.
  func union(_ other: Positions) -> Positions {
    if isEmpty { return other }
    if other.isEmpty || self == other { return self }
    if case .range(let a) = self, case .range(let b) = other,
      a.lowerBound <= b.upperBound, b.lowerBound <= a.upperBound
    {
      return .range(min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound))
    }
    return Positions(Set(array).union(other.array).sorted())
  }

  /// Positions in both.
  func intersection(_ other: Positions) -> Positions {
    if case .range(let a) = self, case .range(let b) = other {
      return .range(a.clamped(to: b))
    }
    return Positions(array.filter(other.contains))
  }

  /// Positions in this that are not in `other`.
  func subtracting(_ other: Positions) -> Positions {
    if other.isEmpty || isEmpty { return self }
    return Positions(array.filter { !other.contains($0) })
  }
}
