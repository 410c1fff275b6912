import TensorCore

/// Collects named tensors from what torch has pickled.
struct TorchWeights {
  private(set) var tensors: [String: TorchTensor] = [:]
  /// Modules looked at, so that a file that names one of them often costs no more than its size.
  private var modules = 0

  /// Deepest nesting of modules, and longest name of an array, of all networks that are known by far.
  private static let deepest = 32
  private static let longestName = 1000

  /// The names without what wrappers put before all of them.
  var unwrapped: [String: TorchTensor] {
    for prefix in ["module.", "_orig_mod."] where tensors.keys.allSatisfy({ $0.hasPrefix(prefix) })
    {
      return Dictionary(
        tensors.map { (String($0.key.dropFirst(prefix.count)), $0.value) },
        uniquingKeysWith: { first, _ in first })
    }
    return tensors
  }

  /// Adds the tensors of a dictionary; what else is in it is no array.
  ///
  /// - Returns: whether there was any.
  @discardableResult
  mutating func addStateDictionary(
    _ value: Pickle.Value, of torch: inout TorchPickle
  ) throws -> Bool {
    guard let entries = torch.pickle.entries(value) else { return false }
    return try add(entries, prefix: "", of: &torch)
  }

  /// Adds parameters and buffers of a network and of the networks inside it, by their places.
  ///
  /// - Returns: what the network was made with, as files of this program tell it; empty where it is
  ///   not told.
  mutating func addNetwork(
    _ value: Pickle.Value, of torch: inout TorchPickle
  ) throws -> [String: String] {
    try addModule(value, prefix: "", depth: 0, of: &torch)
    guard let network = try PersistentObject(value, of: torch) else { return [:] }
    return try network.metadata(of: torch)
  }

  private mutating func addModule(
    _ value: Pickle.Value, prefix: String, depth: Int, of torch: inout TorchPickle
  ) throws {
    modules += 1
    guard depth < Self.deepest, modules <= torch.pickle.nodes.count else {
      throw torch.damaged("its networks are nested too deeply, or contain themselves")
    }
    guard
      let state = try PersistentObject(value, of: torch)?.state
        ?? torch.pickle.object(value)?.state,
      let entries = torch.pickle.entries(state)
    else { throw torch.damaged("\"\(prefix.prefix(100))\" is no network with a state") }
    func part(_ name: String) -> [(key: String, value: Pickle.Value)] {
      entries.first { $0.key == name }.flatMap { torch.pickle.entries($0.value) } ?? []
    }
    let (parameters, buffers, children) = (part("_parameters"), part("_buffers"), part("_modules"))
    let temporary = Self.texts(
      ofSet: entries.first { $0.key == "_non_persistent_buffers_set" }?.value, torch.pickle)
    try add(parameters, prefix: prefix, of: &torch)
    try add(buffers.filter { !temporary.contains($0.key) }, prefix: prefix, of: &torch)
    for (name, child) in children {
      if case .none = child { continue }
      try addModule(child, prefix: "\(prefix)\(name).", depth: depth + 1, of: &torch)
    }
  }

  private static func texts(ofSet value: Pickle.Value?, _ pickle: Pickle) -> Set<String> {
    guard let node = value.flatMap(pickle.node) else { return [] }
    // Before protocol 4, a set is made of a list.
    let items = node.kind == .set ? node.items : node.items.first.flatMap(pickle.elements) ?? []
    return Set(items.compactMap(\.string))
  }

  @discardableResult
  private mutating func add(
    _ entries: [(key: String, value: Pickle.Value)], prefix: String, of torch: inout TorchPickle
  ) throws -> Bool {
    var isAny = false
    for (key, value) in entries {
      guard let tensor = try torch.tensor(value) else { continue }
      let name = prefix + key
      guard name.utf8.count <= Self.longestName else {
        throw torch.damaged("an array's name has \(name.utf8.count) bytes")
      }
      tensors[name] = tensor
      isAny = true
    }
    return isAny
  }
}
