/// What a pickle holds, as plain data: nothing that it names is looked up or run.
///
/// Containers and objects are nodes of a list and refer to each other by number, as a pickle's may
/// contain themselves; whoever walks them must bound depth and steps.
public struct Pickle: Sendable {
  /// A value; what has parts is a node.
  public enum Value: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number beyond 64 bits, two's complement, the lowest byte first.
    case longInteger([UInt8])
    case float(Double)
    case string(String)
    case bytes(FileBytes)
    /// A class or function by its module and name, joined by a full stop.
    case global(String)
    case node(Int)
  }

  /// A value with parts.
  public struct Node: Sendable {
    public enum Kind: Sendable, Equatable {
      case tuple
      case list
      case set
      /// `items` are keys and values in turn.
      case dictionary
      /// What a class or function makes of `items`, its arguments.
      case object(String)
      /// What the file keeps outside the pickle, under the name that is the only item.
      case persistent
    }

    public let kind: Kind
    public internal(set) var items: [Value] = []
    /// An object's, as it was given to be set.
    public internal(set) var state: Value = .none
    /// Keys and values, in turn, that were put into an object that is a dictionary.
    public internal(set) var entries: [Value] = []
  }

  public internal(set) var root: Value = .none
  public internal(set) var nodes: [Node] = []
}

extension Pickle {
  public func node(_ value: Value) -> Node? {
    guard case .node(let index) = value else { return nil }
    return nodes[index]
  }

  /// Elements of a tuple or list.
  public func elements(_ value: Value) -> [Value]? {
    guard let node = node(value), node.kind == .tuple || node.kind == .list else { return nil }
    return node.items
  }

  /// Keys and values, in order, of a dictionary whose keys are texts.
  public func entries(_ value: Value) -> [(key: String, value: Value)]? {
    guard let node = node(value) else { return nil }
    let flat: [Value]
    switch node.kind {
    case .dictionary: flat = node.items
    case .object(let name) where Self.dictionaries.contains(name):
      // Before protocol 2, pairs were the constructor's argument.
      let pairs = node.items.first.flatMap(elements) ?? []
      flat = pairs.flatMap { elements($0) ?? [] } + node.entries
    default: return nil
    }
    guard flat.count % 2 == 0 else { return nil }
    var places: [String: Int] = [:]
    var result: [(key: String, value: Value)] = []
    for index in stride(from: 0, to: flat.count, by: 2) {
      guard case .string(let key) = flat[index] else { return nil }
      if let place = places[key] {
        result[place].value = flat[index + 1]
      } else {
        places[key] = result.count
        result.append((key, flat[index + 1]))
      }
    }
    return result
  }

  /// The value under a key of a dictionary.
  public func value(_ key: String, of value: Value) -> Value? {
    entries(value)?.first { $0.key == key }?.value
  }

  /// What makes an object, and of which arguments.
  public func object(_ value: Value) -> (constructor: String, arguments: [Value], state: Value)? {
    guard let node = node(value), case .object(let name) = node.kind else { return nil }
    return (name, node.items, node.state)
  }

  /// Classes whose objects are dictionaries.
  private static let dictionaries: Set = [
    "collections.OrderedDict", "builtins.dict", "dnnlib.util.EasyDict",
  ]
}

extension Pickle.Value {
  public var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var global: String? {
    if case .global(let name) = self { name } else { nil }
  }

  public var bytes: FileBytes? {
    if case .bytes(let value) = self { value } else { nil }
  }
}
