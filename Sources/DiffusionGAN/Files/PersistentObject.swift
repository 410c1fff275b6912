import Foundation
import TensorCore

/// A network as NVIDIA's training scripts keep it: its class by name, that class's source, which is
/// passed over here, and its state.
///
/// Source of the protocol: `torch_utils/persistence.py` in NVlabs/edm.
struct PersistentObject {
  let className: String
  let state: Pickle.Value

  private static let version = 6
  /// The order in which EDM's preconditioned networks take their arguments.
  private static let positions = [
    "img_resolution", "img_channels", "label_dim", "use_fp16", "sigma_min", "sigma_max",
    "sigma_data", "model_type",
  ]
  private static let mostArguments = 1000

  /// nil for another object.
  ///
  /// - Throws: `UserError` for one of another version of the protocol.
  init?(_ value: Pickle.Value, of torch: TorchPickle) throws {
    guard let object = torch.pickle.object(value),
      object.constructor == PickleNames.rebuildPersistent
    else { return nil }
    guard let meta = object.arguments.first,
      torch.pickle.value("type", of: meta)?.string == "class",
      let name = torch.pickle.value("class_name", of: meta)?.string,
      let state = torch.pickle.value("state", of: meta)
    else { throw torch.damaged("a network does not tell its class and state") }
    let version = torch.pickle.value("version", of: meta)?.integer
    guard version == Self.version else {
      throw UserError(
        "its network is kept in version \(version.map(String.init) ?? "?"), readable is "
          + "\(Self.version)", at: torch.place, remedy: "convert it to safetensors")
    }
    (className, self.state) = (name, state)
  }

  /// The constructor's arguments under the keys that `NetworkFile` reads.
  ///
  /// - Throws: `UserError` for arguments that are neither numbers, texts nor lists of such.
  func metadata(of torch: TorchPickle) throws -> [String: String] {
    guard let state = torch.pickle.entries(state) else { return [:] }
    func value(_ key: String) -> Pickle.Value? { state.first { $0.key == key }?.value }
    var left = Self.mostArguments
    var arguments: [(key: String, value: JSONValue)] = [("class_name", .string(className))]
    let positional = value("_init_args").flatMap(torch.pickle.elements) ?? []
    let named = value("_init_kwargs").flatMap(torch.pickle.entries) ?? []
    for (key, value) in zip(Self.positions, positional).map({ ($0, $1) }) + named {
      // The range of noise levels, which has no end and changes no weight.
      if key == "sigma_min" || key == "sigma_max" { continue }
      // What is None has its default.
      if case .none = value { continue }
      arguments.append((key, try json(value, key, depth: 0, &left, torch)))
    }
    var metadata = [NetworkFile.configurationKey: JSONValue.object(arguments).text]
    if case .float(let deviation)? = value("sigma_data") {
      metadata[NetworkFile.sigmaKey] = "\(deviation)"
    } else if let deviation = value("sigma_data")?.integer {
      metadata[NetworkFile.sigmaKey] = "\(deviation)"
    }
    return metadata
  }

  private func json(
    _ value: Pickle.Value, _ key: String, depth: Int, _ left: inout Int, _ torch: TorchPickle
  ) throws -> JSONValue {
    left -= 1
    func refuse() -> UserError {
      UserError(
        "the network's argument \"\(key.prefix(100))\" cannot be read", at: torch.place,
        remedy: "convert it to safetensors")
    }
    guard left > 0, depth < 8 else { throw refuse() }
    switch value {
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .float(let value) where value.isFinite: return .number(value)
    case .string(let text): return .string(text)
    default: break
    }
    if let elements = torch.pickle.elements(value) {
      return .array(try elements.map { try json($0, key, depth: depth + 1, &left, torch) })
    }
    guard let entries = torch.pickle.entries(value) else { throw refuse() }
    return .object(
      try entries.map { ($0.key, try json($0.value, key, depth: depth + 1, &left, torch)) })
  }
}
