import Foundation
import Transformer

/// Models of three layers without MLPs whose weights are written down here, for the tiny task of
/// `TinyLaboratory`. The residual stream has a large constant, so that norms scale everything alike.
enum WiredModel {
  /// A head of layer 0 writes the mean class of the words so far; one of layer 2 reads that at labels "A"
  /// and gives it to the logits.
  case direct
  /// The same, but a head of layer 1 writes, at every position, the mean over the labels so far, and
  /// layer 2 reads that.
  case throughLaterAnswers
  /// Does the task: in layer 0 two heads give each label, and the last token, the class of its own word;
  /// in layer 2 the last token attends to labels that have its class and copies them.
  case matching

  /// What a value of the residual stream means.
  private enum Column {
    static let constant = 0
    static let word = 1
    static let label = 2
    static let kind = 3
    static let fromWords = 4
    static let passed = 5
    static let out = 6
  }

  private typealias Entry = (row: Int, column: Int, value: Float)

  private static let width = 48
  private static let vocabulary = 300
  private static let small: Float = 0.01
  /// Of every head's eight values the fourth and the eighth turn least with the position.
  private static let steady = 3

  private static func matrix(_ rows: Int, _ entries: [Entry]) -> [Float] {
    var values = [Float](repeating: 0, count: rows * width)
    for entry in entries { values[entry.row * width + entry.column] = entry.value }
    return values
  }

  /// By name, all arrays that are not as in the random model.
  func weights() throws -> [String: [Float]] {
    let (width, small) = (Self.width, Self.small)
    var weights = try Self.vocabularyWeights()
    weights["model.norm.weight"] = [Float](repeating: 1, count: width)
    for layer in 0..<3 {
      let prefix = "model.layers.\(layer)."
      for norm in ["input_layernorm", "post_attention_layernorm"] {
        weights["\(prefix)\(norm).weight"] = [Float](repeating: 1, count: width)
      }
      weights["\(prefix)mlp.down_proj.weight"] = [Float](repeating: 0, count: width * 80)
      let head = heads[layer]
      weights["\(prefix)self_attn.q_proj.weight"] = Self.matrix(48, head.query)
      weights["\(prefix)self_attn.k_proj.weight"] = Self.matrix(16, head.key)
      weights["\(prefix)self_attn.v_proj.weight"] = Self.matrix(16, [(0, head.from, 1)])
      weights["\(prefix)self_attn.o_proj.weight"] = Self.matrix(
        width, head.to.map { to in (0..<head.count).map { (to, 8 * $0, 20 * small) } } ?? [])
    }
    return weights
  }

  private static func vocabularyWeights() throws -> [String: [Float]] {
    let tokenizer = try TinyLaboratory.model().tokenizer
    func token(_ text: String) throws -> Int { try tokenizer.encode(text)[0] }
    var embedding: [Entry] = (0..<vocabulary).map { ($0, Column.constant, 1) }
    for (letters, value) in [("bdf", small), ("ghk", -small)] {
      for letter in letters {
        let id = try token(String(letter))
        embedding.append((id, Column.word, value))
      }
    }
    let a = try token(" A")
    let b = try token(" B")
    for (token, kind) in [(a, small), (b, -small)] {
      embedding += [(token, Column.label, small), (token, Column.kind, kind)] as [Entry]
    }
    return [
      "model.embed_tokens.weight": matrix(vocabulary, embedding),
      "lm_head.weight": matrix(vocabulary, [(a, Column.out, 2000), (b, Column.out, -2000)]),
    ]
  }

  /// What the connected heads of a layer attend by, read and write; one that writes nowhere is not
  /// connected.
  private struct Wiring {
    var query: [Entry] = []
    var key: [Entry] = []
    let from: Int
    let to: Int?
    var count = 1
  }

  private var heads: [Wiring] {
    // Attends to what has this column, from everywhere.
    func seeking(_ column: Int, from: Int, to: Int?) -> Wiring {
      Wiring(
        query: [(Self.steady, Column.constant, 10)], key: [(Self.steady, column, 30)], from: from,
        to: to)
    }
    let mean = Wiring(from: Column.word, to: Column.fromWords)
    switch self {
    case .direct:
      return [
        mean, seeking(Column.label, from: Column.fromWords, to: nil),
        seeking(Column.kind, from: Column.fromWords, to: Column.out),
      ]
    case .throughLaterAnswers:
      return [
        mean, seeking(Column.label, from: Column.fromWords, to: Column.passed),
        seeking(Column.kind, from: Column.passed, to: Column.out),
      ]
    case .matching:
      return [
        Wiring(
          query: Self.back(3, head: 0) + Self.back(2, head: 1),
          key: [(0, Column.constant, 2.5), (1, Column.constant, 2.5)], from: Column.word,
          to: Column.fromWords, count: 2), Wiring(from: Column.word, to: nil),
        // Of labels alone: the first words' tokens cannot look back, and have their own class.
        Wiring(
          query: [(Self.steady, Column.fromWords, 100), (2, Column.constant, 10)],
          key: [(Self.steady, Column.fromWords, 100), (2, Column.label, 60)],
          from: Column.kind, to: Column.out),
      ]
    }
  }

  /// Attends to the token so many before: queries behind the keys by as many turns of the two fastest
  /// rotations.
  private static func back(_ distance: Int, head: Int) -> [Entry] {
    [1, 0.1].enumerated().flatMap { pair, frequency -> [Entry] in
      let angle = Float(frequency) * Float(distance)
      return [
        (8 * head + pair, Column.constant, 2.5 * cos(angle)),
        (8 * head + pair + 4, Column.constant, -2.5 * sin(angle)),
      ]
    }
  }
}
