import TensorCore

/// Files of `torch.save` from before version 1.6, and what it writes of a storage inside a pickle:
/// pickles of a number, a version, facts of the machine, the object and the storages' keys; then each
/// storage's count and numbers.
///
/// Source: `_legacy_save` in `torch/serialization.py`.
enum LegacyTorchFile {
  /// 0x1950a86a20f9469cfc6c, the lowest byte first.
  private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

  /// Whether the bytes begin as such a file.
  static func isThere(_ source: FileBytes) -> Bool {
    guard source.count > 14 else { return false }
    // A protocol, and the instruction for a whole number of so many bytes.
    let head = source[0..<4].array
    return head[0] == 0x80 && head[2...] == [0x8A, 10] && source[4..<14].array == magic
  }

  static func read(_ source: FileBytes, place: String) throws -> TorchPickle {
    var reader = PickleReader(source, place: place)
    func damaged(_ problem: String) -> UserError {
      UserError("is damaged: \(problem)", at: place, remedy: "download or copy the file again")
    }
    guard case .longInteger(let number) = try reader.read().root, number == magic else {
      throw damaged("it is no file of torch.save")
    }
    guard try reader.read().root.integer == 1001 else {
      throw damaged("its version is not 1001")
    }
    let machine = try reader.read()
    if case .bool(false)? = machine.value("little_endian", of: machine.root) {
      throw UserError(
        "has its numbers in the order of another processor", at: place,
        remedy: "save it again on a little-endian machine")
    }
    let pickle = try reader.read()
    let list = try reader.read()
    guard let keys = list.elements(list.root)?.map({ $0.string ?? "" }) else {
      throw damaged("the list of storages is none")
    }
    // What the object says of each storage, which stands before its numbers.
    var names: [String: TorchPickle.StorageName] = [:]
    let outer = TorchPickle(pickle, place: place) { _ in throw damaged("a storage is missing") }
    for index in pickle.nodes.indices {
      if let name = try outer.storageName(.node(index)) { names[name.key] = name }
    }
    var found: [String: FileBytes] = [:]
    var position = reader.position
    for key in keys {
      guard let name = names[key], position <= source.count - 8 else {
        throw damaged("the storage \"\(key)\" is missing")
      }
      let count = source.number(at: position, Int64.self)
      position += 8
      guard count >= 0, count <= (source.count - position) / name.type.size else {
        throw damaged("the storage \"\(key)\" is cut short")
      }
      let end = position + Int(count) * name.type.size
      found[key] = source[position..<end]
      position = end
    }
    return TorchPickle(pickle, place: place) { [found] key in
      guard let bytes = found[key] else { throw damaged("the storage \"\(key)\" is missing") }
      return bytes
    }
  }

  /// The one storage that such a file inside a pickle is.
  static func storage(in bytes: FileBytes, place: String) throws -> TorchStorage {
    var file = try read(bytes, place: place)
    // Another such file inside this one would make the depth the file's choice.
    guard try file.storageName(file.pickle.root) != nil else {
      throw file.damaged("what is saved inside of it is no storage")
    }
    return try file.storage(file.pickle.root)
  }
}
