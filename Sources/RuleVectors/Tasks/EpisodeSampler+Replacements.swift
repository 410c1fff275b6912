import TensorCore
import Transformer

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
    var roles = RoleCache(template: task.template, tokenizer: tokenizer)
    // All slots take items that fit before any slot takes one that another slot could have used.
    for (mustBeNew, mustFit) in [(true, true), (true, false), (false, true), (false, false)] {
      for (slot, model) in models.enumerated() where chosen[slot] == nil {
        let found = try pool.firstIndex { item in
          if mustBeNew && used.contains(input(item)) { return false }
          return try !mustFit || roles.agree(written(model, item), model)
        }
        if let found { chosen[slot] = pool.remove(at: found) }
      }
    }
    return chosen.compactMap { $0 }
  }
}

/// Token roles of demonstrations, each tokenised once: slots are compared with all of a pool.
private struct RoleCache {
  let template: Template
  let tokenizer: (any Tokenizer)?
  private var known: [String: [TokenRole]] = [:]

  init(template: Template, tokenizer: (any Tokenizer)?) {
    self.template = template
    self.tokenizer = tokenizer
  }

  /// Whether the two demonstrations have the same token roles; true where there is no tokenizer.
  mutating func agree(_ new: Demonstration, _ old: Demonstration) throws -> Bool {
    guard let tokenizer else { return true }
    return try roles(of: new, tokenizer) == roles(of: old, tokenizer)
  }

  private mutating func roles(
    of demonstration: Demonstration, _ tokenizer: any Tokenizer
  ) throws -> [TokenRole] {
    // Words hold no line break, so the joined key is unambiguous.
    let key = "\(demonstration.input)\n\(demonstration.answer)"
    if let roles = known[key] { return roles }
    let roles = try template.tokenRoles(of: demonstration, tokenizer: tokenizer)
    known[key] = roles
    return roles
  }
}
