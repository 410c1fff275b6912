/// What the splitting rules of byte-level BPE ask of a Unicode scalar.
enum ScalarClass: UInt8, Sendable {
  /// General category L*; marks (M*) are not letters.
  case letter
  /// General category N*: also superscripts, roman numerals and fractions.
  case number
  /// The White_Space property.
  case whitespace
  case other

  init(_ scalar: Unicode.Scalar) {
    if scalar.isASCII {
      self =
        switch scalar {
        case "a"..."z", "A"..."Z": .letter
        case "0"..."9": .number
        case " ", "\t"..."\r": .whitespace
        default: .other
        }
      return
    }
    let category = ScalarCategory(of: scalar)
    self =
      !category.isDisjoint(with: .letters)
      ? .letter
      : !category.isDisjoint(with: .numbers)
        ? .number : scalar.isWhiteSpace ? .whitespace : .other
  }
}

/// A UTF-8 text as Unicode scalars with their classes and places.
struct ClassifiedText {
  private(set) var classes: [ScalarClass] = []
  private var scalars: [Unicode.Scalar] = []
  /// Where each scalar begins, in bytes, and where the last one ends.
  private var offsets: [Int] = []

  /// - Parameter text: well-formed UTF-8, as Swift's strings always are.
  init(_ text: Span<UInt8>) {
    classes.reserveCapacity(text.count)
    scalars.reserveCapacity(text.count)
    offsets.reserveCapacity(text.count + 1)
    var position = 0
    while position < text.count {
      let (scalar, length) = text.scalar(at: position)
      classes.append(ScalarClass(scalar))
      scalars.append(scalar)
      offsets.append(position)
      position += length
    }
    offsets.append(text.count)
  }

  var count: Int { scalars.count }

  subscript(index: Int) -> Unicode.Scalar { scalars[index] }

  /// Where scalar `index` begins, in bytes.
  func offset(of index: Int) -> Int { offsets[index] }
}

extension Span<UInt8> {
  /// The scalar that begins at `position` of well-formed UTF-8, and its length in bytes.
  func scalar(at position: Int) -> (scalar: Unicode.Scalar, length: Int) {
    let lead = self[position]
    if lead < 0x80 { return (Unicode.Scalar(lead), 1) }
    let length = Swift.min(lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, count - position)
    var value = UInt32(lead) & (0x7F >> UInt32(length))
    for offset in 1..<length { value = value << 6 | UInt32(self[position + offset] & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  /// The scalar that ends at `position` of well-formed UTF-8, and its length in bytes.
  func scalar(before position: Int) -> (scalar: Unicode.Scalar, length: Int) {
    var start = position - 1
    while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(at: start)
  }
}
