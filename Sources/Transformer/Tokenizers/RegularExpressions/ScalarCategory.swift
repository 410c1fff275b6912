/// General categories of Unicode scalars, as a set of bits.
///
/// They are those of Unicode 16, which Oniguruma and thereby Hugging Face's tokenizers have: what
/// later versions add is unassigned, so that a text is cut as the reference cuts it.
struct ScalarCategory: OptionSet, Sendable {
  let rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The categories that `\p{name}` stands for: a letter for a whole kind, or two for one category.
  init?(named name: String) {
    let indices = Self.names.indices.filter {
      Self.names[$0] == name || (name.count == 1 && Self.names[$0].hasPrefix(name))
    }
    guard !indices.isEmpty else { return nil }
    self.init(rawValue: indices.reduce(0) { $0 | 1 << UInt32($1) })
  }

  private static let names = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
  ]

  static let letters = ScalarCategory(rawValue: 0b1_1111)
  static let marks = ScalarCategory(rawValue: 0b111 << 5)
  static let numbers = ScalarCategory(rawValue: 0b111 << 8)
  static let decimalNumber = ScalarCategory(rawValue: 1 << 8)
  static let connectors = ScalarCategory(rawValue: 1 << 11)
  static let unassigned = ScalarCategory(rawValue: 1 << 29)
  static let punctuation = ScalarCategory(rawValue: 0b111_1111 << 11)

  /// The category of `scalar`, as one bit.
  init(of scalar: Unicode.Scalar) {
    let value = Int(scalar.value)
    let index = value < Self.basic.count ? Self.basic[value] : Self.index(scalar)
    self.init(rawValue: 1 << UInt32(index))
  }

  /// Of the Basic Multilingual Plane: looking a property up takes much longer.
  private static let basic: [UInt8] = (0..<UInt32(0x10000)).map {
    Unicode.Scalar($0).map(index) ?? 27
  }

  private static func index(_ scalar: Unicode.Scalar) -> UInt8 {
    let properties = scalar.properties
    if let age = properties.age, age.major > 16 { return 29 }
    // The one letter whose category Unicode 17 changes.
    if scalar == "\u{295}" { return 1 }
    return switch properties.generalCategory {
    case .uppercaseLetter: 0
    case .lowercaseLetter: 1
    case .titlecaseLetter: 2
    case .modifierLetter: 3
    case .otherLetter: 4
    case .nonspacingMark: 5
    case .spacingMark: 6
    case .enclosingMark: 7
    case .decimalNumber: 8
    case .letterNumber: 9
    case .otherNumber: 10
    case .connectorPunctuation: 11
    case .dashPunctuation: 12
    case .openPunctuation: 13
    case .closePunctuation: 14
    case .initialPunctuation: 15
    case .finalPunctuation: 16
    case .otherPunctuation: 17
    case .mathSymbol: 18
    case .currencySymbol: 19
    case .modifierSymbol: 20
    case .otherSymbol: 21
    case .spaceSeparator: 22
    case .lineSeparator: 23
    case .paragraphSeparator: 24
    case .control: 25
    case .format: 26
    case .surrogate: 27
    case .privateUse: 28
    case .unassigned: 29
    @unknown default: 29
    }
  }
}

extension Unicode.Scalar {
  /// The White_Space property.
  var isWhiteSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      true
    default: false
    }
  }

  /// What `\w` matches inside brackets: letters, marks, decimal numbers, connectors, and what else is
  /// alphabetic.
  var isWord: Bool {
    let category = ScalarCategory(of: self)
    let word: ScalarCategory = [.letters, .marks, .decimalNumber, .connectors]
    if !category.isDisjoint(with: word) { return true }
    return !isASCII && category != .unassigned && properties.isAlphabetic
  }

  /// What `\w` matches outside of brackets, where Oniguruma adds six characters of Latin-1.
  var isWordOutsideBrackets: Bool {
    switch value {
    case 0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE: true
    default: isWord
    }
  }

  /// What `\w` matches in Rust's expressions, which find the ends of words for added tokens.
  var isWordOfRust: Bool { isWord || value == 0x200C || value == 0x200D }
}
