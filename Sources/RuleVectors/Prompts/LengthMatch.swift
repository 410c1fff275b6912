import TensorCore

/// Patching position by position needs a donor whose tokens have the recipient's roles. Patching
/// between lists of positions (answer position i to answer position i) does not.
extension Prompt {
  /// Whether the prompts have the same roles and demonstrations, token by token.
  public func isLengthMatched(with other: Prompt) -> Bool {
    roles == other.roles && demonstrationIndices == other.demonstrationIndices
  }

  /// - Throws: `UserError` that tells where the prompts first differ.
  public func requireLengthMatch(with other: Prompt) throws {
    guard !isLengthMatched(with: other) else { return }
    let count = min(tokens.count, other.tokens.count)
    let first =
      (0..<count).first {
        roles[$0] != other.roles[$0] || demonstrationIndices[$0] != other.demonstrationIndices[$0]
      } ?? count
    throw UserError(
      "the prompts differ at token \(first): \(place(first)) in \(episode.variant.rawValue) "
        + "(\(tokens.count) tokens), \(other.place(first)) in \(other.episode.variant.rawValue) "
        + "(\(other.tokens.count) tokens)",
      at: "\(template.place), episode \(episode.index)",
      remedy: "patch by role, or use items of one token length")
  }

  private func place(_ token: Int) -> String {
    guard roles.indices.contains(token) else { return "nothing" }
    let role = roles[token].rawValue
    return demonstrationIndices[token].map { "\(role) of demonstration \($0)" } ?? role
  }
}
