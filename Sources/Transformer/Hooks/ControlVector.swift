import TensorCore

/// A steering vector for several blocks, as llama.cpp's `--control-vector` reads it: a GGUF file with
/// tensors `direction.N`, each added to the residual stream after block N.
///
/// N begins at 1: llama.cpp never steers block 0.
public struct ControlVector: Sendable {
  /// Block and what is added after it, `[width]`, by block.
  public let directions: [(layer: Int, vector: [Float])]

  /// - Throws: `UserError` for a file that is no control vector.
  public init(contentsOf path: String, scale: Float = 1) throws {
    let file = try GGUFFile(path)
    let kind = try file.string("general.architecture") ?? "none"
    guard kind == "controlvector" else {
      throw UserError(
        "is no control vector: its architecture is \(kind)", at: path,
        remedy: "name a file with the architecture controlvector")
    }
    directions = try file.tensors.keys.map { name in
      guard name.hasPrefix("direction."), let layer = Int(name.dropFirst(10)), layer >= 1 else {
        throw UserError(
          "the tensor \"\(name)\" is no direction", at: path,
          remedy: "name tensors direction.N with a block N from 1 on")
      }
      let vector = try file.vector(name).map { $0 * scale }
      guard vector.allSatisfy(\.isFinite) else {
        throw UserError("\"\(name)\" is not finite", at: path, remedy: "use another")
      }
      return (layer, vector)
    }.sorted { $0.layer < $1.layer }
    guard !directions.isEmpty else {
      throw UserError("has no directions", at: path, remedy: "use a complete file")
    }
  }
}

extension InterventionFile {
  /// The additions of a control vector at all positions.
  ///
  /// - Parameter place: what errors call it.
  public init(_ vector: ControlVector, place: String) {
    entries = vector.directions.map { layer, vector in
      let place = "\(place), direction.\(layer)"
      let all = Selection(values: nil, place: place)
      return (
        .edit(
          .add(vector), hook: HookPoint(.residualPost, layer: layer), positions: all, heads: all),
        place
      )
    }
  }

  /// The entries of several lists, one list after the other.
  public init(joining files: [InterventionFile]) { entries = files.flatMap(\.entries) }
}
