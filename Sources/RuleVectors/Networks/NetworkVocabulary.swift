import TensorCore
import Transformer

/// The tokens of a network that knows the words of one categorization task: every byte, an arrow, every
/// word of the task with and without a space before it, every label with a space.
///
/// Any text can be cut; what is no word of the task is cut into bytes, which mean nothing.
public struct NetworkVocabulary: Sendable, Equatable {
  /// What a token means to the network.
  enum Meaning: Sendable, Equatable {
    /// None: a byte or an arrow.
    case nothing
    /// A word of a class, or of none: a dummy.
    case word(category: Int?)
    case label(Int)
  }

  /// By id; the alphabet of byte-level encodings, in which "Ġ" is a space.
  let tokens: [(text: String, meaning: Meaning)]
  let classes: Int
  let labels: Int

  public static func == (a: NetworkVocabulary, b: NetworkVocabulary) -> Bool {
    a.tokens.elementsEqual(b.tokens) { $0 == $1 }
  }

  /// - Throws: `UserError` for a task that is no categorization, or words that are not single words.
  public init(_ task: RuleTask) throws {
    guard case .categorization(let classes, let labels) = task.items else {
      throw UserError(
        "a mapping has no classes", at: task.place, remedy: "name a categorization task")
    }
    self.classes = classes.count
    self.labels = labels.count
    var tokens: [(text: String, meaning: Meaning)] = (0...255).map {
      (String(ByteLevelAlphabet.scalars[$0]), .nothing)
    }
    var seen = Set(tokens.map(\.text))
    func add(_ text: String, _ meaning: Meaning) throws {
      guard text.dropFirst(text.first == "Ġ" ? 1 : 0).allSatisfy({ $0.isASCII && $0.isLetter })
      else {
        throw UserError(
          "\"\(text)\" is not a word of ASCII letters", at: task.place,
          remedy: "use another word")
      }
      guard seen.insert(text).inserted else {
        throw UserError("\"\(text)\" has two meanings", at: task.place, remedy: "use another word")
      }
      tokens.append((text, meaning))
    }
    tokens.append(("Ġ->", .nothing))
    for (number, label) in labels.enumerated() { try add("Ġ" + label, .label(number)) }
    for (number, category) in classes.enumerated() {
      for word in category.words {
        try add(word, .word(category: number))
        try add("Ġ" + word, .word(category: number))
      }
    }
    for word in task.dummies {
      try add(word, .word(category: nil))
      try add("Ġ" + word, .word(category: nil))
    }
    self.tokens = tokens
  }

  /// A `tokenizer.json`: GPT-2's cutting into words; those of the vocabulary are whole tokens.
  var tokenizer: JSONValue {
    let bytes: JSONValue = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    return [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": [],
      "normalizer": .null, "pre_tokenizer": bytes, "post_processor": .null, "decoder": bytes,
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": true,
        "vocab": .object(
          tokens.enumerated().map { (key: $1.text, value: JSONValue.integer($0)) }),
        "merges": [],
      ],
    ]
  }
}
