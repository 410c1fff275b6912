import Foundation
import TensorCore

/// Tokens that end a text, a turn or a message, as far as a model's files name them.
///
/// Only generation asks for them, so that nothing wrong with them stops a run: what cannot be used is
/// left out with a note.
struct EndTokens: Equatable {
  private(set) var ids: Set<Int> = []
  /// What was left out and why, for people.
  private(set) var notes: [String] = []

  private mutating func add(_ id: Int, of vocabulary: Int, _ place: String) {
    guard (0..<vocabulary).contains(id) else {
      notes.append("\(place) is \(id), but there are \(vocabulary) tokens: ignored")
      return
    }
    ids.insert(id)
  }
}

extension EndTokens {
  /// `eos`, `eot` and `eom` of a GGUF file whose model has `vocabulary` tokens.
  init(_ file: GGUFFile, vocabulary: Int) {
    for name in ["eos", "eot", "eom"] {
      let key = "tokenizer.ggml.\(name)_token_id"
      do {
        if let id = try file.integer(key) { add(id, of: vocabulary, "\(file.path): \"\(key)\"") }
      } catch {
        notes.append("\(UserError(any: error).withoutRemedy): ignored")
      }
    }
  }

  /// `eos_token_id`, one id or a list, of a folder's `generation_config.json`, or else of the model's
  /// own configuration.
  init(folder: String, config: String, vocabulary: Int) {
    for name in ["generation_config.json", config] {
      let path = "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      do {
        let key = "eos_token_id"
        guard let reader = try HuggingFaceConfig(contentsOf: path).entries[key] else { continue }
        let isList = if case .array = reader.value { true } else { false }
        for entry in try isList ? reader.list() : [reader] { add(entry, of: vocabulary) }
        return
      } catch {
        notes.append("\(UserError(any: error).withoutRemedy): ignored")
      }
    }
  }

  private mutating func add(_ reader: JSONReader, of vocabulary: Int) {
    do {
      add(try reader.integer(), of: vocabulary, reader.place)
    } catch {
      notes.append("\(UserError(any: error).withoutRemedy): ignored")
    }
  }
}

extension UserError {
  /// The error without what to do about it, for a note that nobody need act on.
  fileprivate var withoutRemedy: UserError { UserError(problem, at: place) }
}
