import Foundation
import TensorCore

/// A JSON list of interventions, as `--interventions FILE` takes it.
///
/// An entry changes activations at a hook point,
/// `{"hook": "blocks.10.hook_resid_post", "positions": [3, -1], "edit": "zero"}`, or takes edges out
/// of the attention, `{"knockout": {"layers": [4, 8], "queries": [9], "keys": [2, 5]}}`. Positions
/// below 0 count from the end; `"all"` stands for every position or head. Entries at one hook point act
/// in the order of the list. A knockout is a change of `attn.hook_attn_scores`, to −∞: it takes its
/// place among the edits there, and a later one that sets these scores undoes it. Keys that a query
/// does not see are not touched by `"zero"` and `"scale"`; a donor or mean that gives them weight is an
/// error.
///
/// Edits are `"zero"`, `"mean"`, `{"scale": x}`, `{"add": [..]}`, or
/// `{"add": {"file": "v.safetensors", "tensor": "name", "scale": x}}` with a path from the list's own
/// folder, and `{"donor": {"tokens": [..], "positions": [..]}}` or `{"donor": {"text": ".."}}`, a text
/// that becomes tokens as the prompt does. `"mean"` puts in the mean over all positions of
/// the same sequence's run without interventions, so that nothing of the other entries leaks into
/// it. In residual streams position 0 carries massive activations, and such a mean is mostly a
/// fraction of that one position; prefer `attn_out`, `mlp_out` or `z` for mean ablation.
public struct InterventionFile: Sendable {
  /// Places in a sequence, or heads, as the file names them.
  struct Selection: Sendable {
    /// Nil for all.
    let values: [Int]?
    let place: String
  }

  enum Edit: Sendable {
    case zero
    case mean
    case scale(Float)
    case add([Float])
    case donor(Donor)
  }

  /// Another sequence, whose run gives its activations.
  struct Donor: Sendable {
    enum Sequence: Sendable {
      case tokens([Int])
      case text(String)
    }

    let sequence: Sequence
    /// Nil for those of the recipient as the file names them: −1 is the donor's last.
    let positions: Selection?
    /// Where it stands in the file.
    let place: String
  }

  enum Entry: Sendable {
    case edit(Edit, hook: HookPoint, positions: Selection, heads: Selection)
    case knockout(layers: ClosedRange<Int>, heads: Selection, queries: Selection, keys: Selection)
  }

  /// What the file holds, and where each entry stands.
  let entries: [(entry: Entry, place: String)]

  /// Reads and checks everything that needs neither the model nor the sequence.
  ///
  /// - Throws: `UserError` that names the file, the key, what was found and what is allowed.
  public init(contentsOf path: String) throws {
    try self.init(
      JSONReader(contentsOf: path), folder: URL(fileURLWithPath: path).deletingLastPathComponent())
  }

  /// - Parameter folder: where the paths of vectors begin.
  init(_ reader: JSONReader, folder: URL = URL(fileURLWithPath: ".")) throws {
    entries = try reader.list().map { (try Self.entry($0, folder), $0.place) }
    guard !entries.isEmpty else {
      throw UserError(
        "the list has no interventions", at: reader.place,
        remedy: "write at least one, or leave out --interventions")
    }
  }

  private static func entry(_ reader: JSONReader, _ folder: URL) throws -> Entry {
    let keys = try reader.entries().map(\.0)
    if keys.contains("knockout") {
      return try knockout(Fields(reader, required: ["knockout"], optional: [])["knockout"])
    }
    guard keys.contains("hook") else {
      throw UserError(
        "the entry has neither \"hook\" nor \"knockout\"", at: reader.place,
        remedy: "write {\"hook\": …, \"positions\": …, \"edit\": …} or {\"knockout\": …}")
    }
    let fields = try Fields(reader, required: ["hook", "positions", "edit"], optional: ["heads"])
    let name = try fields["hook"]
    let hook = try HookPoint(parsing: name.string(), place: name.place)
    return .edit(
      try edit(fields["edit"], folder), hook: hook, positions: try selection(fields["positions"]),
      heads: try selection(fields.optional("heads"), place: reader.place))
  }

  private static func knockout(_ reader: JSONReader) throws -> Entry {
    let fields = try Fields(reader, required: ["layers"], optional: ["heads", "queries", "keys"])
    let layers = try fields["layers"].list().map { try $0.integer(in: 0...Int.max) }
    guard layers.count == 2, layers[0] <= layers[1] else {
      throw UserError(
        "found \(layers), allowed are the first and the last layer", at: try fields["layers"].place,
        remedy: "write [first, last], both taken along")
    }
    func selection(_ key: String) throws -> Selection {
      try self.selection(fields.optional(key), place: reader.place)
    }
    return .knockout(
      layers: layers[0]...layers[1], heads: try selection("heads"),
      queries: try selection("queries"), keys: try selection("keys"))
  }

  /// `[..]`, `"all"` or, where the key is left out, all.
  private static func selection(_ reader: JSONReader?, place: String = "") throws -> Selection {
    guard let reader else { return Selection(values: nil, place: place) }
    if case .string = reader.value {
      _ = try reader.choice(of: ["all"])
      return Selection(values: nil, place: reader.place)
    }
    return Selection(values: try reader.list().map { try $0.integer() }, place: reader.place)
  }

  private static func edit(_ reader: JSONReader, _ folder: URL) throws -> Edit {
    if case .string = reader.value {
      return try reader.choice(of: ["zero", "mean"]) == "zero" ? .zero : .mean
    }
    let fields = try reader.object(required: [], optional: ["scale", "add", "donor"])
    guard fields.count == 1, let (name, value) = fields.first else {
      throw UserError(
        "found \(fields.count) edits, allowed is one of scale, add and donor", at: reader.place,
        remedy: "write one entry for each edit")
    }
    switch name {
    case "scale": return .scale(try float(value))
    case "add": return .add(try vector(value, folder))
    default: return .donor(try donor(value))
    }
  }

  private static func donor(_ reader: JSONReader) throws -> Donor {
    let fields = try Fields(reader, required: [], optional: ["tokens", "text", "positions"])
    let positions = try fields.optional("positions").map { try selection($0) }
    switch (fields.optional("tokens"), fields.optional("text")) {
    case (let tokens?, nil):
      let ids = try tokens.list().map { try $0.integer(in: 0...Int.max) }
      guard !ids.isEmpty else {
        throw UserError(
          "the donor has no tokens", at: tokens.place, remedy: "give at least one")
      }
      return Donor(sequence: .tokens(ids), positions: positions, place: tokens.place)
    case (nil, let text?):
      return Donor(sequence: .text(try text.string()), positions: positions, place: text.place)
    case (let tokens, _):
      throw UserError(
        tokens == nil
          ? "the donor has neither \"tokens\" nor \"text\", one is missing"
          : "the donor has both \"tokens\" and \"text\"",
        at: reader.place, remedy: "give one of them")
    }
  }

  /// Numbers, or those of an array in a safetensors file.
  private static func vector(_ reader: JSONReader, _ folder: URL) throws -> [Float] {
    guard case .object = reader.value else { return try reader.list().map(float) }
    let fields = try Fields(reader, required: ["file", "tensor"], optional: ["scale"])
    let path = try fields["file"].string()
    let scale = try fields.optional("scale").map(float) ?? 1
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(URL(fileURLWithPath: path, relativeTo: folder).path)
    } catch let error as UserError {
      throw UserError(
        "\(error.place ?? path): \(error.problem)", at: try fields["file"].place,
        remedy: error.remedy)
    }
    let name = try fields["tensor"].string()
    guard file.contains(name) else {
      throw UserError(
        "\(file.path) has no array \"\(name)\"", at: try fields["tensor"].place,
        remedy: "it has \(file.names.prefix(8).joined(separator: ", "))")
    }
    let values = try file.floats(name).map { $0 * scale }
    guard values.allSatisfy(\.isFinite) else {
      throw UserError(
        "the array \"\(name)\" of \(file.path), scaled, is not finite", at: reader.place,
        remedy: "use another")
    }
    return values
  }

  private static func float(_ reader: JSONReader) throws -> Float {
    let value = Float(try reader.number())
    guard value.isFinite else {
      throw UserError(
        "the number is too large for 32-bit arithmetic", at: reader.place,
        remedy: "use a smaller one")
    }
    return value
  }
}

/// An object's readers: those that must be there, and those that may.
private struct Fields {
  let readers: [String: JSONReader]
  let place: String

  init(_ reader: JSONReader, required: [String], optional: [String]) throws {
    readers = try reader.object(required: required, optional: optional)
    place = reader.place
  }

  subscript(key: String) -> JSONReader {
    get throws {
      guard let reader = readers[key] else {
        throw UserError("the key \"\(key)\" is missing", at: place, remedy: "add it")
      }
      return reader
    }
  }

  func optional(_ key: String) -> JSONReader? { readers[key] }
}
