import Reports
import TensorCore

/// What a vector is put together from.
enum ReconstructionParts: String, Sendable, CaseIterable {
  /// The vectors of the prompt's single demonstrations, each before the same query.
  case oneShots = "one-shots"
  /// Their mean: one coefficient for all slots.
  case meanOneShot = "mean-one-shot"
  /// The single demonstrations under the flipped rule: the same query, items and labels.
  case flippedOneShots = "flipped-one-shots"
  /// The query alone.
  case zeroShot = "zero-shot"

  /// For sentences.
  var words: String {
    switch self {
    case .oneShots: "its single demonstrations"
    case .meanOneShot: "the mean over its single demonstrations"
    case .flippedOneShots: "the same demonstrations under the flipped rule"
    case .zeroShot: "the query alone"
    }
  }

  /// Nil where the vectors have no other rule.
  func parts(of vectors: ShotVectors, rule: Int) -> [[Double]]? {
    switch self {
    case .oneShots: vectors.oneShots[rule]
    case .meanOneShot: [LinearCombination.mean(vectors.oneShots[rule])]
    case .flippedOneShots: vectors.oneShots.count > 1 ? vectors.oneShots[1 - rule] : nil
    case .zeroShot: [vectors.zeroShot]
    }
  }
}

/// Last-position vectors of one episode after one layer; by rule, the own one first.
struct ShotVectors: Sendable, Equatable {
  /// Behind all demonstrations.
  let whole: [[Double]]
  /// By slot, behind one demonstration.
  let oneShots: [[[Double]]]
  /// Behind none.
  let zeroShot: [Double]
}

extension ShotVectors {
  /// Arrays of an activation store.
  static func name(_ layer: Int, _ role: String, rule: Int) -> String {
    ActivationStore.name(
      hook: "blocks.\(layer).hook_resid_post", role: "last.\(role)" + (rule > 0 ? ".flipped" : ""))
  }

  func tensors(_ layer: Int) -> [(name: String, tensor: Tensor)] {
    func tensor(_ rows: [[Double]]) -> Tensor {
      Tensor(rows.flatMap { $0.map(Float.init) }, shape: [rows.count, rows.first?.count ?? 0])
    }
    return whole.indices.flatMap { rule in
      [
        (Self.name(layer, "whole", rule: rule), tensor([whole[rule]])),
        (Self.name(layer, "one-shots", rule: rule), tensor(oneShots[rule])),
      ]
    } + [(Self.name(layer, "zero-shot", rule: 0), tensor([zeroShot]))]
  }

  /// - Throws: `UserError` where the store lacks them.
  init(
    _ store: ActivationStore, _ key: UnitKey, layer: Int, rules: Int, slots: Int, width: Int
  ) throws {
    var shapes = [Self.name(layer, "zero-shot", rule: 0): [1, width]]
    for rule in 0..<rules {
      shapes[Self.name(layer, "whole", rule: rule)] = [1, width]
      shapes[Self.name(layer, "one-shots", rule: rule)] = [slots, width]
    }
    let file = try store.tensors(for: key.description, shapes: shapes)
    func rows(_ role: String, _ rule: Int) throws -> [[Double]] {
      let values = try file.floats(Self.name(layer, role, rule: rule))
      return stride(from: 0, to: values.count, by: width).map { start in
        values[start..<start + width].map(Double.init)
      }
    }
    whole = try (0..<rules).map { try rows("whole", $0)[0] }
    oneShots = try (0..<rules).map { try rows("one-shots", $0) }
    zeroShot = try rows("zero-shot", 0)[0]
  }
}
