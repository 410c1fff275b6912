import TensorCore

/// A list of merges as files write it.
enum PieceMerges: Sendable {
  /// `left right`, cut at the first space that has something before it.
  case lines([String])
  case pairs([(left: String, right: String)])

  var count: Int {
    switch self {
    case .lines(let lines): lines.count
    case .pairs(let pairs): pairs.count
    }
  }

  /// Appends the two pieces of merge `index` to `bytes`, which is empty.
  ///
  /// - Returns: the length of the left one; nil where a line is not two pieces.
  func join(_ index: Int, into bytes: inout [UInt8]) -> Int? {
    switch self {
    case .lines(let lines):
      bytes.append(contentsOf: lines[index].utf8)
      guard let space = bytes.dropFirst().firstIndex(of: 0x20) else { return nil }
      bytes.remove(at: space)
      return space
    case .pairs(let pairs):
      bytes.append(contentsOf: pairs[index].left.utf8)
      let length = bytes.count
      bytes.append(contentsOf: pairs[index].right.utf8)
      return length
    }
  }

  func error(_ index: Int, at place: String) -> UserError {
    let merge =
      switch self {
      case .lines(let lines): lines[index]
      case .pairs(let pairs): "\(pairs[index].left) \(pairs[index].right)"
      }
    return UserError(
      "merge \(index), \"\(merge)\", is not two pieces of the vocabulary that make a third",
      at: place, remedy: "get the model file again")
  }
}
