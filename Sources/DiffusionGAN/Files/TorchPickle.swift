import TensorCore

/// A pickle with the storages that lie outside of it, and what its values are to torch.
struct TorchPickle {
  let pickle: Pickle
  let place: String
  /// The bytes of the storage that the pickle knows under a key.
  private let contents: (String) throws -> FileBytes
  /// What was found under keys, so that a storage of many tensors is looked for once.
  private var found: [String: FileBytes] = [:]
  /// Storages that are pickles of their own, by where they lie.
  private var nested: [NestedPlace: TorchStorage] = [:]

  private struct NestedPlace: Hashable {
    let file: ObjectIdentifier
    let start: Int
  }

  /// How a pickle refers to a storage: `("storage", class, key, device, count, view)`.
  struct StorageName: Sendable {
    let type: SafetensorsFile.NumberType
    let key: String
    /// Numbers of the storage.
    let count: Int
    /// First number and numbers of the part that is meant, where it is a part.
    let view: Range<Int>?
  }

  init(
    _ pickle: Pickle, place: String, contents: @escaping (_ key: String) throws -> FileBytes
  ) {
    self.pickle = pickle
    self.place = place
    self.contents = contents
  }

  /// The tensor or parameter that a value is; nil for any other value.
  mutating func tensor(_ value: Pickle.Value) throws -> TorchTensor? {
    try tensor(value, depth: 0)
  }

  private mutating func tensor(_ value: Pickle.Value, depth: Int) throws -> TorchTensor? {
    guard depth < 4, let object = pickle.object(value) else { return nil }
    let arguments = object.arguments
    switch object.constructor {
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      return try arguments.first.flatMap { try tensor($0, depth: depth + 1) }
    case "torch._tensor._rebuild_from_type_v2":
      guard arguments.count >= 3, arguments[0].global == "torch._utils._rebuild_tensor_v2",
        let own = pickle.elements(arguments[2])
      else { throw damaged("a tensor is made in an unknown way") }
      return try tensor(of: own)
    case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
      return try tensor(of: arguments)
    default: return nil
    }
  }

  private mutating func tensor(of arguments: [Pickle.Value]) throws -> TorchTensor {
    guard arguments.count >= 4, let offset = arguments[1].integer,
      let shape = integers(arguments[2]), let strides = integers(arguments[3])
    else { throw damaged("a tensor's arguments are incomplete") }
    return try TorchTensor(
      storage(arguments[0]), offset: offset, shape: shape, strides: strides, place: place)
  }

  private func integers(_ value: Pickle.Value) -> [Int]? {
    var value = value
    if let object = pickle.object(value), object.constructor == "torch.Size" {
      value = object.arguments.first ?? .none
    }
    guard let elements = pickle.elements(value) else { return nil }
    let numbers = elements.compactMap(\.integer)
    return numbers.count == elements.count ? numbers : nil
  }

  /// The storage that a value is.
  mutating func storage(_ value: Pickle.Value) throws -> TorchStorage {
    if let name = try storageName(value) {
      let bytes = try found[name.key] ?? contents(name.key)
      found[name.key] = bytes
      return try name.storage(in: bytes, place: place)
    }
    guard let object = pickle.object(value),
      object.constructor == "torch.storage._load_from_bytes",
      let bytes = object.arguments.first?.bytes
    else { throw damaged("a tensor has no storage") }
    let key = NestedPlace(file: ObjectIdentifier(bytes.file), start: bytes.range.lowerBound)
    if let known = nested[key] { return known }
    let storage = try LegacyTorchFile.storage(in: bytes, place: place)
    nested[key] = storage
    return storage
  }

  /// What a reference to a storage says; nil for a value that is none.
  func storageName(_ value: Pickle.Value) throws -> StorageName? {
    guard let node = pickle.node(value), node.kind == .persistent else { return nil }
    guard let parts = node.items.first.flatMap(pickle.elements), parts.count >= 5,
      parts[0].string == "storage", let type = parts[1].global, let count = parts[4].integer,
      count >= 0, let key = parts[2].string ?? parts[2].integer.map(String.init)
    else { throw damaged("a reference to a storage is incomplete") }
    let last = type.split(separator: ".").last.map(String.init) ?? type
    guard let numbers = TorchStorage.type(ofStorage: last) else {
      throw UserError(
        "has numbers of the class \(type), which are not read here", at: place,
        remedy: "convert them to torch.float32")
    }
    var view: Range<Int>?
    if parts.count > 5, let part = pickle.elements(parts[5]) {
      guard part.count == 3, let start = part[1].integer, let size = part[2].integer, start >= 0,
        size >= 0, size <= count, start <= count - size
      else { throw damaged("a reference to a part of a storage is incomplete") }
      view = start..<start + size
    }
    return StorageName(type: numbers, key: key, count: count, view: view)
  }

  func damaged(_ problem: String) -> UserError {
    UserError("is damaged: \(problem)", at: place, remedy: "download or copy the file again")
  }
}

extension TorchPickle.StorageName {
  /// The storage in the bytes that were found for it.
  func storage(in found: FileBytes, place: String) throws -> TorchStorage {
    let (size, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow, found.count == size else {
      throw UserError(
        "is damaged: the storage \"\(key)\" has \(found.count) bytes, not \(count) numbers of "
          + type.rawValue, at: place, remedy: "download or copy the file again")
    }
    let part = view ?? 0..<count
    return TorchStorage(
      bytes: found[part.lowerBound * type.size..<part.upperBound * type.size], type: type)
  }
}
