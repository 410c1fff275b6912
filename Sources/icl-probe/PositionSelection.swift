import RuleVectors
import TensorCore
import Terminal

/// Which positions of each prompt `icl-probe record` takes.
struct PositionSelection {
  /// Those below 0 counted from the end; nil for all.
  let positions: [Int]?
  let roles: Set<TokenRole>?

  init(_ parsed: ParsedCommand) throws {
    positions = parsed.string("positions") == "all" ? nil : try parsed.integers("positions")
    roles = try parsed.list("roles").map { names in
      Set(
        try names.map { name in
          guard let role = TokenRole(rawValue: name) else {
            throw UserError(
              "unknown role '\(name)'", at: "option '--roles'",
              remedy: "use \(TokenRole.allCases.map(\.rawValue).joined(separator: ", "))",
              status: .usage)
          }
          return role
        })
    }
    guard positions == nil || roles == nil else {
      throw UserError(
        "--positions and --roles are both given", remedy: "leave out one of them", status: .usage)
    }
  }

  /// Ascending, each once.
  func positions(of prompt: PromptSource) throws -> [Int] {
    let length = prompt.tokens.count
    if let roles, let known = prompt.roles {
      return known.indices.filter { roles.contains(known[$0]) }
    }
    guard let positions else { return Array(0..<length) }
    return Set(
      try positions.map { position in
        guard -length..<length ~= position else {
          throw UserError(
            "position \(position) is out of range", at: "option '--positions'",
            remedy: "a prompt has \(length) tokens: use 0 to \(length - 1), or -1 to \(-length)",
            status: .usage)
        }
        return position < 0 ? position + length : position
      }
    ).sorted()
  }
}
