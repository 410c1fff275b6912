import Foundation
import TensorCore

/// Which parameters stay as they are when a diffusion model becomes a one-step generator.
public enum Freezing: Sendable, Equatable, CustomStringConvertible {
  case none
  /// Levels 1 to 3 of D2O (Zheng & Yang 2025), by words in the names of the blocks' parameters: convolutions
  /// and attention projections; queries, keys and values too; projections of skip connections too.
  case convolutions, attention, skips
  /// Everything but norms and the embeddings' affine maps.
  case allButNormsAndAffines
  /// Everything whose name one of these patterns, with `*` and `?`, fits.
  case patterns([String])

  private static let named: [(word: String, rule: Freezing)] = [
    ("0", .none), ("1", .convolutions), ("2", .attention), ("3", .skips),
    ("norm-affine", .allButNormsAndAffines),
  ]

  /// The rule that `text` names: a level 0 to 3, `norm-affine`, or patterns with commas between.
  public init(parsing text: String) throws {
    if let rule = Self.named.first(where: { $0.word == text })?.rule {
      self = rule
    } else if Int(text) != nil || text.isEmpty {
      throw UserError(
        "there is no freeze level \(text)",
        remedy: "choose 0, 1, 2, 3, norm-affine or patterns of names",
        status: .usage)
    } else {
      self = .patterns(text.split(separator: ",").map(String.init))
    }
  }

  /// The rule as `init(parsing:)` reads it.
  public var description: String {
    if case .patterns(let patterns) = self { return patterns.joined(separator: ",") }
    return Self.named.first { $0.rule == self }?.word ?? ""
  }

  private static let places = ["block", "up", "down", "in"]

  /// - Parameter name: the whole name, `model.` included.
  public func freezes(_ name: String) -> Bool {
    func has(_ words: String...) -> Bool {
      Self.places.contains { name.contains($0) } && words.contains { name.contains($0) }
    }
    return switch self {
    case .none: false
    case .convolutions: has("conv", "proj")
    case .attention: has("conv", "proj", "qkv")
    case .skips: has("conv", "proj", "qkv", "skip")
    case .allButNormsAndAffines: !(name.contains("norm") || name.contains(".affine."))
    case .patterns(let patterns): patterns.contains { fnmatch($0, name, 0) == 0 }
    }
  }

  /// The names of `network` that training may change.
  ///
  /// - Throws: `UserError` for a pattern that fits no name, and if nothing is left to train.
  public func trainableNames(of network: UNet) throws -> [String] {
    let names = network.trainableNames
    if case .patterns(let patterns) = self {
      for pattern in patterns where !names.contains(where: { fnmatch(pattern, $0, 0) == 0 }) {
        throw UserError(
          "no parameter's name fits the pattern \"\(pattern)\"",
          remedy: "names look like \(names.first ?? "model.…")", status: .usage)
      }
    }
    let left = names.filter { !freezes($0) }
    guard !left.isEmpty else {
      throw UserError(
        "every parameter is frozen", remedy: "freeze less", status: .usage)
    }
    return left
  }
}
