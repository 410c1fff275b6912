import TensorCore

/// One of several shares of a run: every `count`-th unit in canonical order, from unit `index` on.
public struct Shard: Sendable, Equatable, CustomStringConvertible {
  /// From 1.
  public let index: Int
  public let count: Int
  /// The lowest task number of the Slurm array that the share was taken from; nil where a user named
  /// the share.
  public let arrayMinimum: Int?

  /// A run that is not shared.
  public static let whole = Shard(1, of: 1)

  /// - Precondition: `index` is in `1...count`.
  public init(_ index: Int, of count: Int, arrayMinimum: Int? = nil) {
    precondition((1...max(count, 1)).contains(index), "there is no share \(index) of \(count)")
    self.index = index
    self.count = count
    self.arrayMinimum = arrayMinimum
  }

  /// More shares than anybody has units for.
  static let most = 100_000

  /// - Parameter text: `I/N`.
  /// - Throws: `UserError` for anything else.
  public init(parsing text: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy(\.isNumber) }),
      let index = Int(parts[0]), let count = Int(parts[1]), (1...Self.most).contains(count),
      (1...count).contains(index)
    else {
      throw UserError(
        "option '--shard' must be a share I/N with I from 1 to N, not '\(text)'",
        remedy: "the third of seven shares is 3/7", status: .usage)
    }
    self.init(index, of: count)
  }

  /// The share of a task of a Slurm array; nil outside one.
  ///
  /// - Throws: `UserError` for an array with gaps or steps, whose tasks do not tell how many shares
  ///   there are.
  public init?(arrayTask environment: [String: String]) throws {
    guard let task = environment["SLURM_ARRAY_TASK_ID"] else { return nil }
    let remedy = "name the share with --shard I/N, or --shard 1/1 for the whole run"
    func number(_ name: String) throws -> Int {
      let key = "SLURM_ARRAY_TASK_\(name)"
      guard let text = environment[key], let number = Int(text) else {
        throw UserError(
          "\(key) is \(environment[key].map { "'\($0)'" } ?? "not set"), not a whole number",
          remedy: remedy, status: .usage)
      }
      return number
    }
    let (id, minimum, count) = (try number("ID"), try number("MIN"), try number("COUNT"))
    guard (1...Self.most).contains(count), (minimum..<minimum + count).contains(id) else {
      throw UserError(
        "task \(task) of a Slurm array from \(minimum) of \(count) tasks is no share: the array has gaps",
        remedy: remedy, status: .usage)
    }
    self.init(id - minimum + 1, of: count, arrayMinimum: minimum)
  }

  public var isWhole: Bool { count == 1 }

  /// `3/7`.
  public var description: String { "\(index)/\(count)" }

  /// What a manifest says of it.
  var json: JSONValue {
    [
      "index": .integer(index), "count": .integer(count),
      "array_minimum": arrayMinimum.map(JSONValue.integer) ?? .null,
    ]
  }

  /// Whether the unit at a place (from 0) of the canonical order is this share's.
  public func owns(_ place: Int) -> Bool { place % count == index - 1 }

  /// The share's own file: `rows-3-of-7.jsonl`, or `rows.jsonl` of a run that is not shared.
  public func file(_ name: String) -> String {
    guard !isWhole else { return name }
    let dot = name.lastIndex(of: ".") ?? name.endIndex
    return "\(name[..<dot])-\(index)-of-\(count)\(name[dot...])"
  }

  /// The share that a file is of; nil for another file, and for that of a run that is not shared.
  ///
  /// - Parameter whole: name of the file of a run that is not shared.
  init?(file: String, of whole: String) {
    let numbers = file.split(whereSeparator: { !$0.isNumber }).suffix(2).compactMap { Int($0) }
    guard numbers.count == 2, (2...Self.most).contains(numbers[1]),
      (1...numbers[1]).contains(numbers[0])
    else { return nil }
    self.init(numbers[0], of: numbers[1])
    guard self.file(whole) == file else { return nil }
  }
}

/// Numbers as `--array=` takes them: `3,5-7`.
func arrayList(_ numbers: [Int]) -> String {
  var ranges: [ClosedRange<Int>] = []
  for number in numbers.sorted() {
    if let last = ranges.last, last.upperBound + 1 == number {
      ranges[ranges.count - 1] = last.lowerBound...number
    } else {
      ranges.append(number...number)
    }
  }
  return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    .joined(separator: ",")
}
