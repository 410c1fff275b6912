/// What a regular expression is made of.
indirect enum RegularExpressionNode {
  enum Greed {
    case greedy, lazy
    /// Never gives back what it took (`++`).
    case possessive
  }

  enum Anchor {
    case textStart, textEnd, textEndOrLastLine, lineStart, lineEnd, wordEdge, noWordEdge
  }

  case set(ScalarSet)
  case sequence([RegularExpressionNode])
  case alternatives([RegularExpressionNode])
  case repeated(RegularExpressionNode, Int, Int?, Greed)
  case ahead(RegularExpressionNode, isNegated: Bool)
  case atomic(RegularExpressionNode)
  case anchor(Anchor)
}

/// Reads the part of Oniguruma's syntax (Ruby's) that tokenizers use: literals, classes with `\p{}`
/// and `&&`, groups, alternatives, quantifiers, look-ahead, anchors, `(?i:…)`. Anything else is an
/// error that names it.
struct RegularExpressionParser {
  struct Fault: Error {
    let problem: String
  }

  private let pattern: [Unicode.Scalar]
  private var index = 0
  private var ignoresCase = false
  private var depth = 0

  static func parse(_ pattern: String) throws(Fault) -> RegularExpressionNode {
    var parser = RegularExpressionParser(pattern: Array(pattern.unicodeScalars))
    let node = try parser.alternatives()
    guard parser.next == nil else { throw Fault(problem: "has a \")\" too many") }
    return node
  }

  private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

  private var next: Unicode.Scalar? { index < pattern.count ? pattern[index] : nil }

  private mutating func take(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    guard pattern[index...].starts(with: scalars) else { return false }
    index += scalars.count
    return true
  }

  private mutating func advance() throws(Fault) -> Unicode.Scalar {
    guard let scalar = next else { throw Fault(problem: "ends too early") }
    index += 1
    return scalar
  }

  private mutating func alternatives() throws(Fault) -> RegularExpressionNode {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else { throw Fault(problem: "is nested more than 100 deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws(Fault) -> RegularExpressionNode {
    var parts: [RegularExpressionNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let part = try atom()
      parts.append(try quantified(part))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func quantified(
    _ atom: RegularExpressionNode
  ) throws(Fault) -> RegularExpressionNode {
    var node = atom
    var quantifiers = 0
    while let (least, most, isInterval) = try quantifier() {
      quantifiers += 1
      guard quantifiers < 20 else { throw Fault(problem: "repeats a repetition too often") }
      if case .anchor = node { throw Fault(problem: "repeats an anchor") }
      var greed = RegularExpressionNode.Greed.greedy
      if take("?") {
        greed = .lazy
      } else if !isInterval, take("+") {
        // In this syntax "+" behind {n,m} is one more quantifier.
        greed = .possessive
      }
      node = .repeated(node, least, most, greed)
    }
    return node
  }

  private mutating func quantifier() throws(Fault) -> (Int, Int?, Bool)? {
    if take("*") { return (0, nil, false) }
    if take("+") { return (1, nil, false) }
    if take("?") { return (0, 1, false) }
    let start = index
    guard take("{") else { return nil }
    let least = number()
    let hasComma = take(",")
    let most = number()
    guard take("}"), least != nil || most != nil else {
      index = start
      return nil
    }
    let bounds = (least ?? 0, hasComma ? most : least)
    guard bounds.0 <= bounds.1 ?? .max, max(bounds.0, bounds.1 ?? 0) <= 1000 else {
      throw Fault(problem: "repeats more than 1000 times or backwards")
    }
    return (bounds.0, bounds.1, true)
  }

  private mutating func number() -> Int? {
    let start = index
    while let scalar = next, ("0"..."9").contains(scalar), index - start < 6 { index += 1 }
    return Int(String(String.UnicodeScalarView(pattern[start..<index])))
  }

  private mutating func atom() throws(Fault) -> RegularExpressionNode {
    let scalar = try advance()
    switch scalar {
    case "(": return try group()
    case "[": return .set(try bracket(depth: 0))
    case ".": return .set(.anything)
    case "^": return .anchor(.lineStart)
    case "$": return .anchor(.lineEnd)
    case "*", "+", "?": throw Fault(problem: "has a \"\(scalar)\" with nothing before it")
    case "\\": return try escape()
    default: return .set(literal(scalar))
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
    var set = ScalarSet(scalar)
    set.ignoresCase = ignoresCase
    return set
  }

  private mutating func group() throws(Fault) -> RegularExpressionNode {
    let outer = ignoresCase
    defer { ignoresCase = outer }
    func close(_ parser: inout Self) throws(Fault) -> RegularExpressionNode {
      let body = try parser.alternatives()
      guard parser.take(")") else { throw Fault(problem: "has a group that does not end") }
      return body
    }
    guard take("?") else { return try close(&self) }
    if take(":") { return try close(&self) }
    if take("=") { return .ahead(try close(&self), isNegated: false) }
    if take("!") { return .ahead(try close(&self), isNegated: true) }
    if take(">") { return .atomic(try close(&self)) }
    if take("i:") {
      ignoresCase = true
      return try close(&self)
    }
    if take("-i:") {
      ignoresCase = false
      return try close(&self)
    }
    throw Fault(
      problem: "has a group \"(?\(next.map(String.init) ?? "")…\", which is not known here")
  }

  private mutating func escape() throws(Fault) -> RegularExpressionNode {
    let start = index
    switch try advance() {
    case "A": return .anchor(.textStart)
    case "z": return .anchor(.textEnd)
    case "Z": return .anchor(.textEndOrLastLine)
    case "b": return .anchor(.wordEdge)
    case "B": return .anchor(.noWordEdge)
    default:
      index = start
      var set = try escapedSet()
      set.ignoresCase = ignoresCase
      set.hasWordOutsideBrackets = set.hasWord
      set.hasWord = false
      return .set(set)
    }
  }

  /// What a backslash and the scalars behind it stand for, in brackets or outside.
  private mutating func escapedSet() throws(Fault) -> ScalarSet {
    var set = ScalarSet()
    let scalar = try advance()
    switch scalar {
    case "s", "S": set.hasWhiteSpace = true
    case "w", "W": set.hasWord = true
    case "d", "D": set.categories = .decimalNumber
    case "h", "H": set.ranges = [0x30...0x39, 0x41...0x46, 0x61...0x66]
    case "p", "P": set = try property()
    case "r": return ScalarSet("\r")
    case "n": return ScalarSet("\n")
    case "t": return ScalarSet("\t")
    case "f": return ScalarSet("\u{C}")
    case "v": return ScalarSet("\u{B}")
    case "x", "u": return ScalarSet(try codePoint(digits: scalar == "x" ? 2 : 4))
    case "a"..."z", "A"..."Z", "0"..."9":
      throw Fault(problem: "has \"\\\(scalar)\", which is not known here")
    default: return ScalarSet(scalar)
    }
    if ("A"..."Z").contains(scalar) { set.isNegated.toggle() }
    return set
  }

  private mutating func property() throws(Fault) -> ScalarSet {
    guard take("{") else { throw Fault(problem: "has \"\\p\" without braces") }
    let isNegated = take("^")
    var name = ""
    while let scalar = next, scalar != "}" {
      name.unicodeScalars.append(scalar)
      index += 1
    }
    guard take("}"), let categories = ScalarCategory(named: name) else {
      throw Fault(problem: "has \"\\p{\(name)}\", which is not known here")
    }
    var set = ScalarSet(categories: categories)
    set.isNegated = isNegated
    return set
  }

  private mutating func codePoint(digits: Int) throws(Fault) -> Unicode.Scalar {
    var text = ""
    let isBraced = take("{")
    while text.count < (isBraced ? 6 : digits), let scalar = next,
      scalar.properties.isASCIIHexDigit
    {
      text.unicodeScalars.append(scalar)
      index += 1
    }
    guard !isBraced || take("}"), let value = UInt32(text, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw Fault(problem: "has a code point that is none") }
    return scalar
  }

  /// The set behind a `[`.
  private mutating func bracket(depth: Int) throws(Fault) -> ScalarSet {
    guard depth < 20 else { throw Fault(problem: "has brackets more than 20 deep") }
    var set = ScalarSet()
    set.ignoresCase = ignoresCase
    set.isNegated = take("^")
    var isFirst = true
    while isFirst || next != "]" {
      if take("&&") {
        var rest = try bracket(depth: depth + 1)
        rest.ignoresCase = ignoresCase
        set.others.append(rest)
        // The inner call has taken the bracket that ends both.
        return set
      }
      let scalar = try advance()
      isFirst = false
      if scalar == "[" {
        if next == ":" {
          throw Fault(problem: "has a POSIX bracket \"[:\", which is not known here")
        }
        set.parts.append(try bracket(depth: depth + 1))
        continue
      }
      let low = scalar == "\\" ? try escapedSet() : ScalarSet(scalar)
      guard let first = low.single, next == "-", index + 1 < pattern.count,
        pattern[index + 1] != "]"
      else {
        set.parts.append(low)
        continue
      }
      index += 1
      let end = try advance()
      let high = end == "\\" ? try escapedSet() : ScalarSet(end)
      guard let last = high.single, first <= last else {
        throw Fault(problem: "has a range in brackets that goes backwards")
      }
      set.ranges.append(first...last)
    }
    index += 1
    set.flatten()
    return set
  }
}

extension ScalarSet {
  /// The scalar's value, if the set is written as one scalar.
  fileprivate var single: UInt32? {
    guard let range = ranges.first, ranges.count == 1, range.count == 1, categories.isEmpty,
      parts.isEmpty, !hasWhiteSpace, !hasWord, !isNegated
    else { return nil }
    return range.lowerBound
  }

  /// Takes plain parts into the set itself.
  fileprivate mutating func flatten() {
    var rest: [ScalarSet] = []
    for part in parts {
      if part.isNegated || part.ignoresCase || !part.others.isEmpty || !part.parts.isEmpty {
        rest.append(part)
        continue
      }
      categories.formUnion(part.categories)
      ranges += part.ranges
      hasWhiteSpace = hasWhiteSpace || part.hasWhiteSpace
      hasWord = hasWord || part.hasWord
    }
    parts = rest
  }
}
