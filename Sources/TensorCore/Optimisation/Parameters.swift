/// Named tensors in a fixed order: the weights of a network, their gradients, an optimiser's moments.
public struct Parameters: Sendable {
  /// Names, in order.
  public private(set) var names: [String] = []
  private var values: [Tensor] = []
  private var places: [String: Int] = [:]

  public init() {}

  public init(_ pairs: [(name: String, tensor: Tensor)]) {
    for (name, tensor) in pairs { self[name] = tensor }
  }

  public var count: Int { names.count }

  public func contains(_ name: String) -> Bool { places[name] != nil }

  /// The tensor called `name`. A new name goes to the end.
  ///
  /// - Precondition: when read, there is one.
  public subscript(name: String) -> Tensor {
    get {
      guard let place = places[name] else { preconditionFailure("no parameter \"\(name)\"") }
      return values[place]
    }
    set {
      if let place = places[name] {
        values[place] = newValue
      } else {
        places[name] = names.count
        names.append(name)
        values.append(newValue)
      }
    }
  }

  public var pairs: [(name: String, tensor: Tensor)] {
    zip(names, values).map { (name: $0, tensor: $1) }
  }

  /// Those whose name `isIncluded` accepts.
  public func filter(_ isIncluded: (String) -> Bool) -> Parameters {
    Parameters(pairs.filter { isIncluded($0.name) })
  }

  /// These, with the tensors of `other` in place of those of the same name.
  public func replacing(_ other: Parameters) -> Parameters {
    var result = self
    for (name, tensor) in other.pairs { result[name] = tensor }
    return result
  }

  /// The same names, each tensor through `transform`.
  public func map(_ transform: (_ name: String, _ tensor: Tensor) throws -> Tensor) rethrows
    -> Parameters
  {
    Parameters(try pairs.map { (name: $0.name, tensor: try transform($0.name, $0.tensor)) })
  }

  /// Replaces a tensor, which `change` gets without a second owner, so that it is changed in place.
  mutating func update(_ name: String, _ change: (inout Tensor) -> Void) {
    guard let place = places[name] else { preconditionFailure("no parameter \"\(name)\"") }
    change(&values[place])
  }
}

extension Parameters: TensorTree {
  public func mapTensors(_ transform: (Tensor) -> Tensor) -> Parameters {
    var result = self
    for index in values.indices { result.values[index] = transform(values[index]) }
    return result
  }
}

extension Parameters {
  /// The floating-point arrays of a file whose names begin with `prefix`, which is taken
  /// off, in the order of their names.
  public init(_ file: any ArrayFile, prefix: String = "") throws {
    self.init(
      try file.names.filter { $0.hasPrefix(prefix) }.map { name in
        (String(name.dropFirst(prefix.count)), try Tensor(file, name))
      })
  }

  /// Name, shape and numbers of each, as `Safetensors.write` takes them.
  public func arrays(
    prefix: String = ""
  ) -> [(name: String, shape: [Int], values: [Float])] {
    pairs.map { (prefix + $0.name, $0.tensor.shape, $0.tensor.values) }
  }
}

extension Tensor {
  /// A floating-point array of a file.
  public init(_ file: any ArrayFile, _ name: String) throws {
    self.init(try file.floats(name), shape: try file.shape(of: name))
  }
}
