/// A set of Unicode scalars as a regular expression writes it: `[^\r\n\p{L}]`.
struct ScalarSet: Sendable {
  var categories: ScalarCategory = []
  var ranges: [ClosedRange<UInt32>] = []
  var hasWhiteSpace = false
  var hasWord = false
  /// `\w` outside of brackets, which is not quite the same.
  var hasWordOutsideBrackets = false
  /// Sets inside the brackets, such as `\S`.
  var parts: [ScalarSet] = []
  /// Sets behind `&&`, all of which must hold a scalar too.
  var others: [ScalarSet] = []
  var isNegated = false
  var ignoresCase = false
  /// The answers for ASCII, once all the rest is set.
  private var ascii: (UInt64, UInt64)?

  init() {}

  init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

  init(categories: ScalarCategory) { self.categories = categories }

  /// `.`: everything but a line feed.
  static let anything: ScalarSet = {
    var set = ScalarSet("\n")
    set.isNegated = true
    return set
  }()

  /// Works the answers for ASCII out beforehand.
  func prepared() -> ScalarSet {
    var set = self
    var bits: (UInt64, UInt64) = (0, 0)
    for value in UInt8(0)..<128 where computes(Unicode.Scalar(value)) {
      if value < 64 { bits.0 |= 1 << UInt64(value) } else { bits.1 |= 1 << UInt64(value - 64) }
    }
    set.ascii = bits
    return set
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    if let ascii, scalar.value < 128 {
      let bits = scalar.value < 64 ? ascii.0 : ascii.1
      return bits >> UInt64(scalar.value & 63) & 1 != 0
    }
    return computes(scalar)
  }

  private func computes(_ scalar: Unicode.Scalar) -> Bool {
    let isIn =
      ignoresCase
      ? scalar.caseVariants.contains(where: includes) : includes(scalar)
    return isIn != isNegated
  }

  private func includes(_ scalar: Unicode.Scalar) -> Bool {
    let isIn =
      !categories.isDisjoint(with: ScalarCategory(of: scalar))
      || ranges.contains { $0.contains(scalar.value) }
      || (hasWhiteSpace && scalar.isWhiteSpace) || (hasWord && scalar.isWord)
      || (hasWordOutsideBrackets && scalar.isWordOutsideBrackets)
      || parts.contains { $0.contains(scalar) }
    return isIn && others.allSatisfy { $0.contains(scalar) }
  }
}

extension Unicode.Scalar {
  /// The scalar and those that differ from it in case alone, U+017F ("ſ") being an s.
  fileprivate var caseVariants: [Unicode.Scalar] {
    func single(_ text: String) -> Unicode.Scalar {
      let scalars = text.unicodeScalars
      return scalars.count == 1 ? scalars.first ?? self : self
    }
    let lower = single(properties.lowercaseMapping)
    let upper = single(properties.uppercaseMapping)
    return [
      self, lower, upper, single(upper.properties.lowercaseMapping),
      single(lower.properties.uppercaseMapping),
    ]
  }
}
