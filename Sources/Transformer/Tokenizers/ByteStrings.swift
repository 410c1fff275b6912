/// Byte strings numbered from 0, end to end in one array: the pieces of a vocabulary.
///
/// One allocation for a vocabulary of a quarter of a million pieces, where an array of arrays would
/// make a quarter of a million.
struct ByteStrings: Sendable {
  private var bytes: [UInt8] = []
  /// Where string `i` begins; its end is where the next begins.
  private var starts: [Int] = [0]

  init(capacity: Int) {
    bytes.reserveCapacity(capacity * 8)
    starts.reserveCapacity(capacity + 1)
  }

  var count: Int { starts.count - 1 }
  var indices: Range<Int> { 0..<count }

  /// Adds `byte` to the string under construction.
  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  /// Adds bytes to the string under construction.
  mutating func append(contentsOf some: some Sequence<UInt8>) { bytes.append(contentsOf: some) }

  /// Ends the string under construction, which gets the next number.
  mutating func finish() { starts.append(bytes.count) }

  /// The bytes of string `index`; empty where there is none.
  subscript(index: Int) -> ArraySlice<UInt8> {
    guard index >= 0, index < count else { return [] }
    return bytes[starts[index]..<starts[index + 1]]
  }

  /// Whether string `index` holds exactly the bytes of `other`.
  func matches(_ index: Int, _ other: Span<UInt8>) -> Bool {
    let start = starts[index]
    guard starts[index + 1] - start == other.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      other.withUnsafeBufferPointer { other in
        other.indices.allSatisfy { bytes[start + $0] == other[$0] }
      }
    }
  }
}

/// Finds byte strings by their contents: an open-addressing hash table of their numbers.
///
/// Swift's dictionary of strings compares by canonical equivalence, which would take two different
/// pieces for one, and normalises every key on the way.
struct ByteStringTable: Sendable {
  let strings: ByteStrings
  /// Number of a string by slot, or -1; the length is a power of two.
  private var slots: [Int32]

  private let isIncluded: [Bool]

  /// Indexes the strings that `isIncluded` accepts, but no empty ones; the first of equal strings is
  /// found.
  init(_ strings: ByteStrings, where isIncluded: (Int) -> Bool = { _ in true }) {
    self.strings = strings
    let flags = strings.indices.map { isIncluded($0) && !strings[$0].isEmpty }
    self.isIncluded = flags
    let included = strings.indices.filter { flags[$0] }
    var capacity = 16
    while capacity < included.count * 2 { capacity *= 2 }
    slots = Array(repeating: -1, count: capacity)
    for index in included {
      let slot = strings[index].withUnsafeBufferPointer { Self.slot($0.span, strings, slots) }
      if slots[slot] < 0 { slots[slot] = Int32(truncatingIfNeeded: index) }
    }
  }

  /// Whether string `index` is among those that are indexed.
  func holds(_ index: Int) -> Bool { isIncluded[index] }

  /// The number of the string that holds exactly `bytes`.
  ///
  /// - Parameter guess: a number to try before looking it up.
  func index(of bytes: Span<UInt8>, guess: Int? = nil) -> Int? {
    if let guess, guess < strings.count, isIncluded[guess], strings.matches(guess, bytes) {
      return guess
    }
    let index = slots[Self.slot(bytes, strings, slots)]
    return index < 0 ? nil : Int(index)
  }

  /// The slot of `bytes`, or the free slot where they belong.
  private static func slot(_ bytes: Span<UInt8>, _ strings: ByteStrings, _ slots: [Int32]) -> Int {
    // FNV-1a, then a multiplication whose high bits depend on all of it.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    bytes.withUnsafeBufferPointer { bytes in
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while slots[slot] >= 0, !strings.matches(Int(slots[slot]), bytes) { slot = (slot + 1) & mask }
    return slot
  }
}
