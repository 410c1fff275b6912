import Foundation
import TensorCore

/// Which parameters stay as they are when a diffusion model becomes a one-step generator (D2O, Zheng &
/// Yang 2025): by words in their names.
public enum FreezeLevel: Int, Sendable, CaseIterable {
  case none = 0
  /// The convolutions and attention projections of all blocks.
  case convolutions = 1
  /// Queries, keys and values too.
  case attention = 2
  /// Projections of skip connections too.
  case skips = 3

  private static let places = ["block", "up", "down", "in"]

  private var words: [String] {
    switch self {
    case .none: []
    case .convolutions: ["conv", "proj"]
    case .attention: ["conv", "proj", "qkv"]
    case .skips: ["conv", "proj", "qkv", "skip"]
    }
  }

  /// - Parameter name: the whole name, `model.` included.
  public func freezes(_ name: String) -> Bool {
    Self.places.contains { name.contains($0) } && words.contains { name.contains($0) }
  }
}

/// Which parameters stay as they are, as a user says it.
public enum FreezeRule: Sendable, Equatable, CustomStringConvertible {
  case level(FreezeLevel)
  /// Everything but norms and the embeddings' affine maps.
  case allButNormsAndAffines
  /// Everything whose name one of these patterns, with `*` and `?`, fits.
  case patterns([String])

  /// The rule that `text` names: a level 0 to 3, `norm-affine`, or patterns with commas between.
  public init(parsing text: String) throws {
    if let number = Int(text) {
      guard let level = FreezeLevel(rawValue: number) else {
        throw UserError(
          "there is no freeze level \(number)", remedy: "choose 0, 1, 2 or 3", status: .usage)
      }
      self = .level(level)
    } else if text == "norm-affine" {
      self = .allButNormsAndAffines
    } else {
      self = .patterns(text.split(separator: ",").map(String.init))
    }
  }

  /// - Parameter name: the whole name, `model.` included.
  public func freezes(_ name: String) -> Bool {
    switch self {
    case .level(let level): level.freezes(name)
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

  /// The rule as `init(parsing:)` reads it.
  public var description: String {
    switch self {
    case .level(let level): "\(level.rawValue)"
    case .allButNormsAndAffines: "norm-affine"
    case .patterns(let patterns): patterns.joined(separator: ",")
    }
  }
}
