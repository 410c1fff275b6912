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
