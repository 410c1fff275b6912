import TensorCore

/// The arrays of a file of torch: a state dictionary, alone or among other things, or a whole network,
/// of which only the weights are taken.
public struct TorchFile: ArrayFile {
  public let path: String
  public let metadata: [String: String]
  private let tensors: [String: TorchTensor]

  /// Names of what training scripts keep a state dictionary under, the likeliest first.
  private static let wrappers = ["state_dict", "model_state_dict", "model", "net"]
  /// Names of what NVIDIA's training scripts keep their averaged network under.
  private static let networks = ["ema", "G_ema"]

  /// Numbers of all arrays for each byte of the file, where they share storages.
  private static let mostSharing = 8

  /// Whether a file begins as one that torch or NVIDIA's training scripts wrote.
  static func isThere(_ file: MappedFile) -> Bool {
    let head = file.bytes.prefix(4)
    // A zip archive; or a pickle from protocol 2 on.
    return head.elementsEqual([0x50, 0x4B, 0x03, 0x04])
      || head.count > 2 && head[0] == 0x80 && (2...5).contains(head[1]) && head[2] != 0
  }

  /// - Throws: `UserError` naming file and place, for damage, for classes that are not known, and for
  ///   a file without tensors.
  public init(_ file: MappedFile) throws {
    path = file.path
    var torch = try Self.pickle(in: file)
    var weights = TorchWeights()
    var metadata: [String: String] = [:]
    let root = torch.pickle.root
    if let entries = torch.pickle.entries(root) {
      if let network = Self.entry(of: entries, Self.networks) {
        if torch.pickle.object(network) != nil {
          metadata = try weights.addNetwork(network, of: &torch)
        } else {
          try weights.addStateDictionary(network, of: &torch)
        }
      } else if try !weights.addStateDictionary(root, of: &torch),
        let inner = Self.entry(of: entries, Self.wrappers)
      {
        try weights.addStateDictionary(inner, of: &torch)
      }
    } else if torch.pickle.object(root) != nil {
      metadata = try weights.addNetwork(root, of: &torch)
    }
    guard !weights.tensors.isEmpty else {
      let names = (torch.pickle.entries(root) ?? []).prefix(5).map(\.key)
      throw UserError(
        "holds no state dictionary"
          + (names.isEmpty ? "" : " (it has \(names.joined(separator: ", ")))"), at: path,
        remedy: "save the state dictionary of the network alone")
    }
    let numbers = weights.tensors.values.reduce(0) { $0 + $1.count }
    guard numbers <= Self.mostSharing * file.bytes.count else {
      throw UserError(
        "its arrays repeat each other's numbers (\(numbers) in \(file.bytes.count) bytes)",
        at: path,
        remedy: "save a state dictionary without views")
    }
    tensors = weights.unwrapped
    self.metadata = metadata
  }

  private static func pickle(in file: MappedFile) throws -> TorchPickle {
    if file.bytes.prefix(4).elementsEqual([0x50, 0x4B, 0x03, 0x04]) {
      return try TorchArchive.read(file)
    }
    let source = FileBytes(file)
    if LegacyTorchFile.isThere(source) {
      return try LegacyTorchFile.read(source, place: file.path)
    }
    var reader = PickleReader(source, place: file.path)
    return TorchPickle(try reader.read(), place: file.path) { key in
      throw UserError(
        "has no storage \"\(key)\"", at: file.path, remedy: "download or copy the file again")
    }
  }

  private static func entry(
    of entries: [(key: String, value: Pickle.Value)], _ names: [String]
  ) -> Pickle.Value? {
    for name in names {
      if let entry = entries.first(where: { $0.key == name }) { return entry.value }
    }
    return nil
  }

  public var names: [String] { tensors.keys.sorted() }

  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  public func shape(of name: String) throws -> [Int] { try tensor(name).shape }

  public func floats(_ name: String) throws -> [Float] {
    try tensor(name).floats(place: "\(path), \"\(name)\"")
  }

  public func integers(_ name: String) throws -> [Int] {
    try tensor(name).integers(place: "\(path), \"\(name)\"")
  }

  private func tensor(_ name: String) throws -> TorchTensor {
    guard let tensor = tensors[name] else {
      throw UserError(
        "has no array \"\(name)\"", at: path, remedy: "check that the file fits the model")
    }
    return tensor
  }
}
