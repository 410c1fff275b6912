import Foundation

/// Reads pickles as a machine that builds values and runs nothing: a class or function that the file
/// names stays a name, and one that files of weights do not need is refused.
public struct PickleReader {
  private let source: FileBytes
  private let place: String
  /// Where the next instruction begins, in `source`.
  public private(set) var position: Int
  private var start = 0
  private var pickle = Pickle()
  private var stack: [Pickle.Value] = []
  /// Heights of the stack at which marks lie.
  private var marks: [Int] = []
  private var memo: [Int: Pickle.Value] = [:]
  /// Bytes that texts were made into.
  private var encoded = 0

  /// Most instructions: hundreds of times as many as a large network has.
  private static let mostInstructions = 1 << 21

  /// - Parameters:
  ///   - position: where in `source` the pickle begins.
  ///   - place: what messages call it.
  public init(_ source: FileBytes, at position: Int = 0, place: String) {
    self.source = source
    self.position = position
    self.place = place
  }

  /// Reads one pickle; `position` lies behind it then.
  ///
  /// - Throws: `UserError` for what is damaged, and for a name that is not allowed.
  public mutating func read() throws -> Pickle {
    (pickle, stack, marks, memo, encoded) = (Pickle(), [], [], [:], 0)
    for _ in 0..<Self.mostInstructions {
      start = position
      let code = try byte()
      guard let instruction = PickleOpcode(rawValue: code) else {
        throw damaged("0x\(String(code, radix: 16)) is no instruction")
      }
      if instruction == .stop {
        pickle.root = try pop()
        return pickle
      }
      try run(instruction)
    }
    throw UserError(
      "has more than \(Self.mostInstructions) instructions", at: place,
      remedy: "convert the file to safetensors with the program that wrote it")
  }

  private mutating func run(_ instruction: PickleOpcode) throws {
    switch instruction {
    case .stop: break
    case .protocolNumber:
      let version = try byte()
      guard version <= 5 else { throw damaged("protocol \(version) is not known") }
    case .frame: _ = try bytes(8)
    case .mark: marks.append(stack.count)
    case .pop:
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .duplicate: stack.append(try top())
    case .none: stack.append(.none)
    case .newTrue: stack.append(.bool(true))
    case .newFalse: stack.append(.bool(false))
    case .integer, .long, .integer8, .integer16, .integer32, .long8, .long32, .float, .binaryFloat:
      stack.append(try number(instruction))
    case .string, .string8, .string32, .unicode, .unicode8, .unicode32, .unicode64:
      stack.append(.string(try text(instruction)))
    case .bytes8: stack.append(.bytes(try slice(length(1))))
    case .bytes32: stack.append(.bytes(try slice(length(4))))
    case .bytes64, .byteArray64: stack.append(.bytes(try slice(length(8))))
    case .emptyTuple: push(.tuple, [])
    case .tuple1: push(.tuple, try popped(1))
    case .tuple2: push(.tuple, try popped(2))
    case .tuple3: push(.tuple, try popped(3))
    case .tuple: push(.tuple, try popToMark())
    case .emptyList: push(.list, [])
    case .list: push(.list, try popToMark())
    case .emptySet: push(.set, [])
    case .frozenSet: push(.set, try popToMark())
    case .emptyDictionary: push(.dictionary, [])
    case .dictionary: push(.dictionary, try pairs(popToMark()))
    case .append: try add(popped(1), to: .list)
    case .appends: try add(popToMark(), to: .list)
    case .addItems: try add(popToMark(), to: .set)
    case .setItem: try add(popped(2), to: .dictionary)
    case .setItems: try add(pairs(popToMark()), to: .dictionary)
    case .putText, .put8, .put32, .memoize: memo[try slot(instruction)] = try top()
    case .getText, .get8, .get32:
      let index = try slot(instruction)
      guard let value = memo[index] else { throw damaged("nothing is kept under \(index)") }
      stack.append(value)
    case .global: stack.append(try global(line(), line()))
    case .stackGlobal:
      let names = try popped(2)
      guard let module = names[0].string, let name = names[1].string else {
        throw damaged("a name is no text")
      }
      stack.append(try global(module, name))
    case .reduce:
      let parts = try popped(2)
      try call(parts[0], pickle.elements(parts[1]))
    case .newObject:
      let parts = try popped(2)
      try call(parts[0], pickle.elements(parts[1]))
    case .newObjectKeywords:
      let parts = try popped(3)
      try call(parts[0], pickle.elements(parts[1]))
    case .instance: try call(global(line(), line()), popToMark())
    case .object:
      let parts = try popToMark()
      guard let first = parts.first else { throw damaged("an object has no class") }
      try call(first, Array(parts.dropFirst()))
    case .build:
      let state = try pop()
      guard case .node(let index) = try top(), case .object = pickle.nodes[index].kind else {
        throw damaged("a state is set on what is no object")
      }
      pickle.nodes[index].state = state
    case .persistent: push(.persistent, try popped(1))
    case .persistentText: push(.persistent, [.string(try line())])
    case .extension8, .extension16, .extension32, .nextBuffer, .readOnlyBuffer:
      throw UserError(
        "needs what lies outside the file (instruction \(instruction))", at: place,
        remedy: "convert the file to safetensors with the program that wrote it")
    }
  }
}

extension PickleReader {
  private func global(_ module: String, _ name: String) throws -> Pickle.Value {
    let joined = PickleNames.joined(module, name)
    guard PickleNames.allows(joined) else {
      throw UserError(
        "asks for \"\(joined.prefix(100))\", which is none of the classes of weights that are read "
          + "here; nothing of it was run", at: "\(place), byte \(start)",
        remedy: "convert it to safetensors where it was made, or save its state dictionary alone")
    }
    return .global(joined)
  }

  /// What a function or class would make of its arguments becomes an object of that name.
  private mutating func call(_ function: Pickle.Value, _ arguments: [Pickle.Value]?) throws {
    guard let name = function.global, let arguments else {
      throw damaged("what is called is no class, or its arguments no tuple")
    }
    switch name {
    case PickleNames.encode:
      // How protocols 0 to 2 keep bytes: each as the character of its number.
      guard let text = arguments.first?.string, arguments.count < 2 || isLatin(arguments[1]) else {
        throw damaged("bytes are no text of Latin letters")
      }
      // Each text once, so that a file that repeats one costs no more than its size.
      encoded += text.utf8.count
      guard encoded <= source.count else {
        throw damaged("it makes bytes of a text again and again")
      }
      let codes = text.unicodeScalars.map(\.value)
      guard codes.allSatisfy({ $0 < 256 }) else { throw damaged("a letter is no byte") }
      let file = MappedFile(copying: codes.map { UInt8($0) }, path: place)
      stack.append(.bytes(FileBytes(file)))
    case PickleNames.reconstructor, PickleNames.newObject:
      guard let type = arguments.first?.global else { throw damaged("an object has no class") }
      push(.object(type), [])
    default: push(.object(name), arguments)
    }
  }

  private func isLatin(_ value: Pickle.Value) -> Bool {
    ["latin1", "latin-1"].contains(value.string)
  }

  private mutating func push(_ kind: Pickle.Node.Kind, _ items: [Pickle.Value]) {
    stack.append(.node(pickle.nodes.count))
    pickle.nodes.append(Pickle.Node(kind: kind, items: items))
  }

  /// Puts values into the container on top of the stack.
  private mutating func add(_ values: [Pickle.Value], to kind: Pickle.Node.Kind) throws {
    guard case .node(let index) = try top() else { throw damaged("values have no container") }
    switch pickle.nodes[index].kind {
    case kind: pickle.nodes[index].items += values
    case .object where kind == .dictionary: pickle.nodes[index].entries += values
    default: throw damaged("values have no container of their kind")
    }
  }

  private func pairs(_ values: [Pickle.Value]) throws -> [Pickle.Value] {
    guard values.count % 2 == 0 else { throw damaged("a key has no value") }
    return values
  }

  private func top() throws -> Pickle.Value {
    guard let value = stack.last, marks.last != stack.count else {
      throw damaged("a value is missing")
    }
    return value
  }

  private mutating func pop() throws -> Pickle.Value {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popped(_ count: Int) throws -> [Pickle.Value] {
    guard stack.count - (marks.last ?? 0) >= count else { throw damaged("a value is missing") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws -> [Pickle.Value] {
    guard let mark = marks.popLast() else { throw damaged("a mark is missing") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }
}

extension PickleReader {
  private mutating func number(_ instruction: PickleOpcode) throws -> Pickle.Value {
    switch instruction {
    case .integer8: return .integer(Int(try byte()))
    case .integer16: return .integer(Int(try fixed(UInt16.self)))
    case .integer32: return .integer(Int(try fixed(Int32.self)))
    case .long8: return integer(try bytes(length(1)))
    case .long32: return integer(try bytes(length(4)))
    case .binaryFloat: return .float(Double(bitPattern: try fixed(UInt64.self).byteSwapped))
    case .float:
      guard let value = Double(try line()) else { throw damaged("a number cannot be read") }
      return .float(value)
    default:
      let text = try line()
      if instruction == .integer, text == "01" || text == "00" { return .bool(text == "01") }
      guard let value = Int(text.hasSuffix("L") ? String(text.dropLast()) : text) else {
        throw damaged("a whole number cannot be read")
      }
      return .integer(value)
    }
  }

  private func integer(_ range: Range<Int>) -> Pickle.Value {
    let bytes = source[range].array
    guard bytes.count <= 8 else { return .longInteger(bytes) }
    var value = (bytes.last ?? 0) & 0x80 == 0 ? UInt64(0) : .max
    for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
    return .integer(Int(bitPattern: UInt(value)))
  }

  private mutating func text(_ instruction: PickleOpcode) throws -> String {
    switch instruction {
    case .string:
      let quoted = try line()
      guard quoted.count >= 2, let quote = quoted.first, quote == quoted.last,
        quote == "'" || quote == "\"", !quoted.contains("\\")
      else { throw damaged("a text has no quotes, or characters that are written in code") }
      return String(quoted.dropFirst().dropLast())
    case .unicode:
      return try unescaped(lineBytes())
    case .string8, .unicode8: return try utf8(length(1))
    case .string32, .unicode32: return try utf8(length(4))
    default: return try utf8(length(8))
    }
  }

  private mutating func utf8(_ count: Int) throws -> String {
    let text = source[try bytes(count)]
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func slice(_ count: Int) throws -> FileBytes {
    source[try bytes(count)]
  }

  private mutating func slot(_ instruction: PickleOpcode) throws -> Int {
    switch instruction {
    case .memoize: return memo.count
    case .put8, .get8: return try length(1)
    case .put32, .get32: return try length(4)
    default:
      guard let index = Int(try line()) else { throw damaged("a number cannot be read") }
      return index
    }
  }

  /// A length in `size` bytes; one beyond the file is refused where it is used.
  private mutating func length(_ size: Int) throws -> Int {
    switch size {
    case 1: return Int(try byte())
    case 4: return Int(try fixed(UInt32.self))
    default: return Int(clamping: try fixed(UInt64.self))
    }
  }

  private mutating func fixed<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type
  ) throws -> Number {
    source.number(at: try bytes(MemoryLayout<Number>.size).lowerBound)
  }

  private mutating func line() throws -> String {
    String(decoding: try lineBytes(), as: UTF8.self)
  }

  private mutating func lineBytes() throws -> [UInt8] {
    let start = position
    guard let end = source.withBytes({ $0[start...].firstIndex(of: 0x0A) }) else {
      throw damaged("a line does not end")
    }
    position = end + 1
    return source[start..<end].array
  }

  /// Text of protocol 0: a byte a character, and others by their number, as `\u0000` or
  /// `\U00000000`.
  private func unescaped(_ bytes: [UInt8]) throws -> String {
    var scalars = String.UnicodeScalarView()
    var index = 0
    while index < bytes.count {
      let digits =
        index + 1 < bytes.count && bytes[index] == UInt8(ascii: "\\")
        ? [UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][bytes[index + 1]] : nil
      guard let digits else {
        scalars.append(Unicode.Scalar(bytes[index]))
        index += 1
        continue
      }
      let text = String(decoding: bytes[(index + 2)...].prefix(digits), as: UTF8.self)
      guard text.utf8.count == digits, let code = UInt32(text, radix: 16),
        let scalar = Unicode.Scalar(code)
      else { throw damaged("a character's number cannot be read") }
      scalars.append(scalar)
      index += 2 + digits
    }
    return String(scalars)
  }

  private mutating func byte() throws -> UInt8 { source.number(at: try bytes(1).lowerBound) }

  private mutating func bytes(_ count: Int) throws -> Range<Int> {
    guard count <= source.count - position else { throw damaged("it ends too early") }
    defer { position += count }
    return position..<position + count
  }

  private func damaged(_ problem: String) -> UserError {
    UserError(
      "is damaged or no pickle: \(problem)", at: "\(place), byte \(start)",
      remedy: "download or copy the file again")
  }
}
