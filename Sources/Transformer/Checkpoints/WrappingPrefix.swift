/// What a wrapper has put before the names of all of a model's tensors: `_orig_mod.` (a compiled
/// model), `module.` (a parallel one), `base_model.model.` (an adapter's), `language_model.` (the text
/// part of a multimodal one).
enum WrappingPrefix {
  /// The prefix under which most tensors have names that the model expects, or nil where most have
  /// them without any.
  ///
  /// - Parameters:
  ///   - names: of the tensors that are there; others than the model's may be among them.
  ///   - expected: all names that the model may ask for.
  static func find(_ names: some Sequence<String>, expected: Set<String>) -> String? {
    var counts: [String: Int] = [:]
    for name in names {
      if let prefix = prefix(of: name, expected) { counts[prefix, default: 0] += 1 }
    }
    // Of as frequent ones the first in order, so that the answer does not hang on hashing.
    let best = counts.min { ($1.value, $0.key) < ($0.value, $1.key) }
    return best.flatMap { $0.key.isEmpty ? nil : $0.key }
  }

  /// The shortest beginning of `name`, up to a dot, behind which an expected name is left.
  private static func prefix(of name: String, _ expected: Set<String>) -> String? {
    if expected.contains(name) { return "" }
    return name.indices.first { index in
      name[index] == "." && expected.contains(String(name[name.index(after: index)...]))
    }.map { String(name[...$0]) }
  }
}
