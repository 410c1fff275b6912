import TensorCore

/// What of a prompt's interventions acts on the tokens that are generated behind it.
///
/// An entry acts on every new token if its positions, or a knockout's queries, are `"all"` or hold −1:
/// the new token is then the last. It takes the prompt's last row of a donor, a mean or a vector. Keys
/// of a knockout below 0 count from the new token. Entries at other positions act on the prompt alone.
public struct ContinuedInterventions: Sendable {
  private let entries: [(entry: InterventionFile.Entry, resolved: Intervention)]
  private let architecture: Architecture

  /// - Parameter resolved: the file's interventions on the prompt, one an entry.
  /// - Throws: `UserError` where no entry acts on new tokens, or one has a row of scores or weights,
  ///   which is as long as the prompt.
  public init(
    _ file: InterventionFile, resolved: [Intervention], architecture: Architecture
  ) throws {
    self.architecture = architecture
    entries = zip(file.entries, resolved).compactMap { entry, intervention in
      switch entry.entry {
      case .edit(_, _, let positions, _) where positions.holdsLast: (entry.entry, intervention)
      case .knockout(_, _, let queries, _) where queries.holdsLast: (entry.entry, intervention)
      default: nil
      }
    }
    guard !entries.isEmpty else {
      throw UserError(
        "no intervention acts on new tokens",
        remedy: "give one the positions \"all\" or -1, or leave out --every-token", status: .usage)
    }
    for (_, intervention) in entries {
      guard case .edit(let edit) = intervention,
        edit.hook.site == .scores || edit.hook.site == .pattern
      else { continue }
      switch edit.change {
      case .replace, .add:
        throw UserError(
          "a row of \(edit.hook.site == .scores ? "scores" : "weights") has the prompt's length and "
            + "does not fit new tokens", at: edit.hook.description,
          remedy: "use zero, scale or a knockout", status: .usage)
      case .scale, .zero: continue
      }
    }
  }

  /// The interventions on a new token.
  public func callAsFunction(at position: Int) -> [Intervention] {
    entries.compactMap { entry, resolved in
      switch (entry, resolved) {
      case (.knockout(_, _, _, let keys), .knockout(let edges)):
        knockout(edges, keys, at: position)
      case (_, .edit(let edit)): .edit(edit.last(at: position))
      default: nil
      }
    }
  }

  /// Nil where the token sees none of the keys.
  private func knockout(
    _ edges: EdgeKnockout, _ keys: InterventionFile.Selection, at position: Int
  ) -> Intervention? {
    let all = keys.values?.map { $0 < 0 ? position + 1 + $0 : $0 } ?? Array(0...position)
    let wanted = Set(all.filter { (0...position).contains($0) }).sorted()
    let isSeen = edges.layers.contains { layer in
      wanted.contains { $0 >= architecture.firstVisible(from: position, layer: layer) }
    }
    guard isSeen else { return nil }
    return .knockout(
      EdgeKnockout(layers: edges.layers, heads: edges.heads, queries: [position], keys: wanted))
  }
}

extension InterventionFile.Selection {
  /// Whether the last position is among these, whatever the length.
  fileprivate var holdsLast: Bool { values?.contains(-1) ?? true }
}

extension ActivationEdit {
  /// What it does to its last position, at another.
  fileprivate func last(at position: Int) -> ActivationEdit {
    func last(_ source: RowSource) -> RowSource {
      RowSource(source.tensor, rows: Array(source.rows.suffix(1)))
    }
    let change: Change =
      switch self.change {
      case .replace(let source): .replace(last(source))
      case .add(let source): .add(last(source))
      case .scale, .zero: self.change
      }
    return ActivationEdit(at: hook, positions: [position], heads: heads, change: change)
  }
}
