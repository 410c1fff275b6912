import TensorCore
import Terminal
import Transformer

/// The changes to the forward pass that a command line asks for.
enum InterventionOptions {
  static let interventions = OptionSpecification(
    long: "interventions", valueName: "FILE", help: "JSON list of changes to the forward pass.")
  static let controlVector = OptionSpecification(
    long: "control-vector", valueName: "FILE[:SCALE]",
    help: "GGUF control vector to add at all positions.", repeats: true)

  /// The entries of all files, control vectors last; nil where none is named.
  static func file(_ parsed: ParsedCommand) throws -> InterventionFile? {
    let list = try parsed.string("interventions").map { try InterventionFile(contentsOf: $0) }
    let vectors = try parsed.strings("control-vector").map { text in
      let (path, scale) = scaled(text)
      return InterventionFile(
        try ControlVector(contentsOf: path, scale: scale), place: "option '--control-vector'")
    }
    let files = (list.map { [$0] } ?? []) + vectors
    return files.isEmpty ? nil : InterventionFile(joining: files)
  }

  /// A path and, behind a last colon, a factor.
  private static func scaled(_ text: String) -> (path: String, scale: Float) {
    guard let colon = text.lastIndex(of: ":"),
      let scale = Float(text[text.index(after: colon)...]), scale.isFinite
    else { return (text, 1) }
    return (String(text[..<colon]), scale)
  }
}
