import Foundation
import TensorCore

/// What is done to a text before it is cut, as steps in their order.
struct Normalizer: Sendable {
  enum Step: Sendable {
    case unicode(UnicodeForm)
    case lowercase
    case strip(left: Bool, right: Bool)
    case stripAccents
    case replace(SplitPattern, with: [UInt8])
    case prepend([UInt8])
    /// SentencePiece's older cleaning: controls go, unusual spaces become spaces.
    case nmt
    /// Bytes become the characters of GPT-2's alphabet.
    case alphabet
  }

  enum UnicodeForm: String, Sendable {
    case composed = "NFC"
    case decomposed = "NFD"
    case compatiblyComposed = "NFKC"
    case compatiblyDecomposed = "NFKD"
  }

  var steps: [Step] = []

  func callAsFunction(_ text: [UInt8]) throws -> [UInt8] {
    try steps.reduce(text) {
      let result = try Self.apply($1, to: $0)
      try Self.checkGrowth(of: text.count, to: result.count)
      return result
    }
  }

  /// Steps that each double a text would soon fill all memory; no published tokenizer makes ten times
  /// as much of it.
  static func checkGrowth(of count: Int, to grown: Int) throws {
    guard grown > 4096 + 256 * count else { return }
    throw UserError(
      "the tokenizer makes \(grown) bytes of a text of \(count)",
      remedy: "use another tokenizer, or token ids")
  }

  private static func apply(_ step: Step, to text: [UInt8]) throws -> [UInt8] {
    switch step {
    case .unicode(let form): form(text)
    case .lowercase:
      scalars(text).flatMap { Array($0.properties.lowercaseMapping.utf8) }
    case .strip(let left, let right): stripped(text, left, right)
    case .stripAccents:
      scalars(text).filter { !$0.isAccent }.flatMap { Array(String($0).utf8) }
    case .replace(let pattern, let content): try replaced(text, pattern, content)
    case .prepend(let content): text.isEmpty ? text : content + text
    case .nmt: scalars(text).compactMap(\.nmtForm).flatMap { Array(String($0).utf8) }
    case .alphabet:
      text.flatMap { Array(String(ByteLevelAlphabet.scalars[Int($0)]).utf8) }
    }
  }

  private static func scalars(_ text: [UInt8]) -> String.UnicodeScalarView {
    String(decoding: text, as: UTF8.self).unicodeScalars
  }

  private static func stripped(_ text: [UInt8], _ left: Bool, _ right: Bool) -> [UInt8] {
    let span = text.span
    var start = 0
    var end = text.count
    while left, start < end {
      let (scalar, length) = span.scalar(at: start)
      guard scalar.isWhiteSpace else { break }
      start += length
    }
    while right, end > start {
      let (scalar, length) = span.scalar(before: end)
      guard scalar.isWhiteSpace else { break }
      end -= length
    }
    return Array(text[start..<end])
  }

  static func replaced(
    _ text: [UInt8], _ pattern: SplitPattern, _ content: [UInt8]
  ) throws -> [UInt8] {
    let scalars = ClassifiedText(text.span)
    var result: [UInt8] = []
    var start = 0
    let matches = try pattern.matches(in: scalars)
    let (added, overflow) = matches.count.multipliedReportingOverflow(by: content.count)
    try checkGrowth(of: text.count, to: overflow ? .max : added)
    for match in matches {
      result += text[start..<scalars.offset(of: match.lowerBound)] + content
      start = scalars.offset(of: match.upperBound)
    }
    return result + text[start...]
  }
}

extension Normalizer.UnicodeForm {
  /// The text in this form, as Unicode 9 has it: what later versions add stays as it is, which is
  /// what Hugging Face's tokenizers do.
  fileprivate func callAsFunction(_ text: [UInt8]) -> [UInt8] {
    // No scalar below U+0080 changes, nor composes with another of these.
    if text.allSatisfy({ $0 < 0x80 }) { return text }
    var result: [UInt8] = []
    var stretch = ""
    func finish() {
      let form =
        switch self {
        case .composed: stretch.precomposedStringWithCanonicalMapping
        case .decomposed: stretch.decomposedStringWithCanonicalMapping
        // Foundation's own leaves some pairs apart (U+FF8A U+FF9E).
        case .compatiblyComposed:
          stretch.decomposedStringWithCompatibilityMapping.precomposedStringWithCanonicalMapping
        case .compatiblyDecomposed: stretch.decomposedStringWithCompatibilityMapping
        }
      result += form.utf8
      stretch = ""
    }
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      if scalar.isInUnicode9 {
        stretch.unicodeScalars.append(scalar)
      } else {
        finish()
        result += String(scalar).utf8
      }
    }
    finish()
    return result
  }
}

extension Unicode.Scalar {
  fileprivate var isInUnicode9: Bool {
    value < 0x300 || properties.age.map { $0.major <= 9 } ?? true
  }

  /// A mark, as Unicode 9 has it.
  fileprivate var isAccent: Bool {
    isInUnicode9 && !ScalarCategory(of: self).isDisjoint(with: .marks)
  }

  fileprivate var nmtForm: Unicode.Scalar? {
    switch value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: nil
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
      " "
    default: self
    }
  }
}
