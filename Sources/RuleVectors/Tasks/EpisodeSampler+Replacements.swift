import TensorCore

extension EpisodeSampler {
  /// Different items of `pool`, one for each of `models`, in random order.
  ///
  /// An item not yet used goes before one of the right token length, and that before the rest: a
  /// prompt of another length can still be patched by role, while a repeated item is no new one.
  ///
  /// - Parameters:
  ///   - models: the demonstrations to be replaced, whose token roles the new ones should have.
  ///   - used: inputs to be taken only when no others are left.
  ///   - never: inputs not to be taken at all.
  ///   - key: the key of the task file that the pool comes from, for the error.
  ///   - written: the demonstration that a model becomes with an item.
  ///   - input: the input of an item.
  func replacements<Item>(
    for models: [Demonstration], from pool: [Item], avoiding used: Set<String>, split: Split,
    key: String, random: inout RandomStream, written: (Demonstration, Item) -> Demonstration,
    input: (Item) -> String, never: Set<String> = []
  ) throws -> [Item] {
    var pool = pool.filter { !never.contains(input($0)) }
    guard pool.count >= models.count else { throw tooFew(pool.count, models.count, split, key) }
    random.shuffle(&pool)
    var chosen = [Item?](repeating: nil, count: models.count)
    // All slots take items that fit before any slot takes one that another slot could have used.
    for (mustBeNew, mustFit) in [(true, true), (true, false), (false, true), (false, false)] {
      for (slot, model) in models.enumerated() where chosen[slot] == nil {
        let found = try pool.firstIndex { item in
          if mustBeNew && used.contains(input(item)) { return false }
          return try !mustFit || fits(written(model, item), model)
        }
        if let found { chosen[slot] = pool.remove(at: found) }
      }
    }
    return chosen.compactMap { $0 }
  }

  /// Whether the two demonstrations have the same token roles; true where there is no tokenizer.
  private func fits(_ new: Demonstration, _ old: Demonstration) throws -> Bool {
    guard let tokenizer else { return true }
    return try task.template.tokenRoles(of: new, tokenizer: tokenizer)
      == task.template.tokenRoles(of: old, tokenizer: tokenizer)
  }
}
