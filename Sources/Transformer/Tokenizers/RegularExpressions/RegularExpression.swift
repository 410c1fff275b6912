import TensorCore

/// A regular expression over Unicode scalars, in the part of Oniguruma's syntax that tokenizers use;
/// see `RegularExpressionParser`.
///
/// A backtracking matcher: the first alternative that leads to a match counts, as in the reference.
/// `Character` is a grapheme cluster, which none of the published rules knows, so Swift's own
/// expressions do not fit.
struct RegularExpression: Sendable {
  enum Instruction: Sendable {
    case set(Int)
    /// As many scalars of a set as there are, or as few as will do.
    case run(set: Int, least: Int, most: Int, isLazy: Bool)
    /// Goes on at the first place and, should that fail, at the second.
    case fork(Int, Int)
    case jump(Int)
    /// Remembers where a round of a loop began.
    case mark(slot: Int)
    /// Ends a loop whose round took nothing.
    case leaveIfStill(slot: Int, exit: Int)
    /// Tries the body, which lies behind; goes on at `exit` from where it was.
    case ahead(isNegated: Bool, exit: Int)
    /// Matches the body, which lies behind, once and for all; goes on at `exit`.
    case atomic(exit: Int)
    case anchor(RegularExpressionNode.Anchor)
    case end
  }

  let pattern: String
  private(set) var program: [Instruction] = []
  private(set) var sets: [ScalarSet] = []
  private(set) var slots = 0
  /// Parts that were compiled, repetitions counted.
  private var parts = 0

  /// - Throws: `UserError` at `place` for what is not known here.
  init(_ pattern: String, place: String) throws {
    self.pattern = pattern
    do throws(RegularExpressionParser.Fault) {
      try emit(RegularExpressionParser.parse(pattern))
      program.append(.end)
    } catch {
      throw UserError(
        "the regular expression \"\(pattern)\" \(error.problem)", at: place,
        remedy: "use the model's GGUF file, or token ids")
    }
  }

  private mutating func add(_ set: ScalarSet) -> Int {
    sets.append(set.prepared())
    return sets.count - 1
  }

  private mutating func emit(
    _ node: RegularExpressionNode
  ) throws(RegularExpressionParser.Fault) {
    parts += 1
    guard parts < 20_000 else {
      throw RegularExpressionParser.Fault(problem: "is too long")
    }
    switch node {
    case .set(let set): program.append(.set(add(set)))
    case .sequence(let parts): for part in parts { try emit(part) }
    case .anchor(let anchor): program.append(.anchor(anchor))
    case .alternatives(let branches):
      var exits: [Int] = []
      for branch in branches.dropLast() {
        let fork = hole()
        try emit(branch)
        exits.append(hole())
        program[fork] = .fork(fork + 1, program.count)
      }
      if let last = branches.last { try emit(last) }
      for exit in exits { program[exit] = .jump(program.count) }
    case .ahead(let body, let isNegated):
      let start = try enclosed(body)
      program[start] = .ahead(isNegated: isNegated, exit: program.count)
    case .atomic(let body):
      let start = try enclosed(body)
      program[start] = .atomic(exit: program.count)
    case .repeated(let body, let least, let most, .possessive):
      try emit(.atomic(.repeated(body, least, most, .greedy)))
    case .repeated(.set(let set), let least, let most, let greed):
      program.append(
        .run(set: add(set), least: least, most: most ?? .max, isLazy: greed == .lazy))
    case .repeated(let body, let least, let most, let greed):
      try emitLoop(body, least, most, isLazy: greed == .lazy)
    }
  }

  private mutating func emitLoop(
    _ body: RegularExpressionNode, _ least: Int, _ most: Int?, isLazy: Bool
  ) throws(RegularExpressionParser.Fault) {
    func fork(_ body: Int, _ exit: Int) -> Instruction {
      isLazy ? .fork(exit, body) : .fork(body, exit)
    }
    for _ in 0..<least { try emit(body) }
    guard let most else {
      let slot = slots
      slots += 1
      let start = hole()
      program.append(.mark(slot: slot))
      try emit(body)
      let still = hole()
      program.append(.jump(start))
      program[still] = .leaveIfStill(slot: slot, exit: program.count)
      program[start] = fork(start + 1, program.count)
      return
    }
    var forks: [Int] = []
    for _ in least..<max(most, least) {
      forks.append(hole())
      try emit(body)
    }
    for start in forks { program[start] = fork(start + 1, program.count) }
  }

  /// A place for an instruction that is known later.
  private mutating func hole() -> Int {
    program.append(.end)
    return program.count - 1
  }

  /// A hole, and behind it a body with an end of its own.
  private mutating func enclosed(
    _ body: RegularExpressionNode
  ) throws(RegularExpressionParser.Fault) -> Int {
    let start = hole()
    try emit(body)
    program.append(.end)
    return start
  }

  /// All matches in `text` from the left, none overlapping another, as ranges of scalars.
  ///
  /// - Throws: `UserError` where an expression tries so many ways that it would not end.
  func matches(in text: ClassifiedText) throws -> [Range<Int>] {
    var matcher = RegularExpressionMatcher(self, text)
    var matches: [Range<Int>] = []
    var position = 0
    var lastEnd = -1
    while position <= text.count {
      guard let end = try matcher.match(at: position) else {
        position += 1
        continue
      }
      // An empty match right behind another is none.
      if end > position || position != lastEnd { matches.append(position..<end) }
      lastEnd = end
      position = end > position ? end : position + 1
    }
    return matches
  }
}
