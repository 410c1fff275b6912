import TensorCore

/// Runs a regular expression's program over a text, with what is left to try on a stack.
struct RegularExpressionMatcher {
  private enum Choice {
    case state(Int, position: Int)
    /// A run that may end anywhere from `least` up to here.
    case shorter(Int, position: Int, least: Int)
    /// A run of `set` that may go on up to `most`.
    case longer(Int, position: Int, most: Int, set: Int)
    case restore(slot: Int, value: Int)
  }

  private let expression: RegularExpression
  private let text: ClassifiedText
  private var stack: [Choice] = []
  private var slots: [Int]
  private var steps = 0
  private let mostSteps: Int

  init(_ expression: RegularExpression, _ text: ClassifiedText) {
    self.expression = expression
    self.text = text
    slots = Array(repeating: -1, count: expression.slots)
    mostSteps = 20_000 + 1_000 * text.count
  }

  /// Where the match that begins at `position` ends, or nil.
  mutating func match(at position: Int) throws -> Int? { try run(0, position) }

  private mutating func run(_ start: Int, _ from: Int) throws -> Int? {
    let base = stack.count
    defer { stack.removeSubrange(base...) }
    var counter = start
    var position = from
    while true {
      steps += 1
      guard steps < mostSteps else {
        throw UserError(
          "the regular expression \"\(expression.pattern)\" does not come to an end on a text of "
            + "\(text.count) characters", remedy: "use another tokenizer, or token ids")
      }
      var holds = true
      switch expression.program[counter] {
      case .set(let set):
        holds = position < text.count && expression.sets[set].contains(text[position])
        position += 1
        counter += 1
      case .run(let set, let least, let most, let isLazy):
        let limit = isLazy ? least : most
        var end = position
        while end < text.count, end - position < limit, expression.sets[set].contains(text[end]) {
          end += 1
        }
        holds = end - position >= least
        counter += 1
        if holds, isLazy, least < most {
          let last = most < text.count ? min(position + most, text.count) : text.count
          stack.append(.longer(counter, position: end, most: last, set: set))
        } else if holds, end > position + least {
          stack.append(.shorter(counter, position: end, least: position + least))
        }
        steps += (end - position) / 16
        position = end
      case .fork(let first, let second):
        stack.append(.state(second, position: position))
        counter = first
      case .jump(let target): counter = target
      case .mark(let slot):
        stack.append(.restore(slot: slot, value: slots[slot]))
        slots[slot] = position
        counter += 1
      case .leaveIfStill(let slot, let exit):
        counter = slots[slot] == position ? exit : counter + 1
      case .ahead(let isNegated, let exit):
        holds = (try run(counter + 1, position) == nil) == isNegated
        counter = exit
      case .atomic(let exit):
        let end = try run(counter + 1, position)
        holds = end != nil
        position = end ?? position
        counter = exit
      case .anchor(let anchor):
        holds = isAt(anchor, position)
        counter += 1
      case .end: return position
      }
      if !holds {
        guard let next = resume(above: base) else { return nil }
        (counter, position) = next
      }
    }
  }

  /// The latest state that is left to try.
  private mutating func resume(above base: Int) -> (Int, Int)? {
    while stack.count > base, let choice = stack.popLast() {
      switch choice {
      case .state(let counter, let position): return (counter, position)
      case .shorter(let counter, let position, let least):
        if position - 1 > least {
          stack.append(.shorter(counter, position: position - 1, least: least))
        }
        return (counter, position - 1)
      case .longer(let counter, let position, let most, let set):
        guard position < most, expression.sets[set].contains(text[position]) else { continue }
        stack.append(.longer(counter, position: position + 1, most: most, set: set))
        return (counter, position + 1)
      case .restore(let slot, let value): slots[slot] = value
      }
    }
    return nil
  }

  private func isAt(_ anchor: RegularExpressionNode.Anchor, _ position: Int) -> Bool {
    let isLast = position == text.count
    switch anchor {
    case .textStart: return position == 0
    case .textEnd: return isLast
    case .textEndOrLastLine:
      return isLast || (position == text.count - 1 && text[position] == "\n")
    case .lineStart: return position == 0 || (text[position - 1] == "\n" && !isLast)
    case .lineEnd: return isLast || text[position] == "\n"
    case .wordEdge, .noWordEdge:
      let before = position > 0 && text[position - 1].isWordOutsideBrackets
      let after = !isLast && text[position].isWordOutsideBrackets
      return (before != after) == (anchor == .wordEdge)
    }
  }
}
