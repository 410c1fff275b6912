import TensorCore
import Transformer

/// Draws episodes of a task. Every draw is a pure function of its arguments: the same in any order,
/// in any batch, on any thread.
public struct EpisodeSampler: Sendable {
  public let task: RuleTask
  /// With a tokenizer, donors are drawn so that their prompts are as long as the original's, token
  /// role by token role, wherever the task has items for it.
  let tokenizer: (any Tokenizer)?

  public init(task: RuleTask, tokenizer: (any Tokenizer)? = nil) {
    self.task = task
    self.tokenizer = tokenizer
  }

  /// Episode `index` of a seed.
  ///
  /// Categorization: as many classes as the task says and as many labels are drawn. All classes have
  /// equally many demonstrations, some one more where it does not come out even, in random order; the
  /// query is of a random class. Right labels take turns over episodes in the order of the task file,
  /// so that a preference of the model for a letter averages out; with fixed labels nothing is left
  /// to draw. Mapping: the pairs are drawn at random, and the wrong answer is that of a pair that the
  /// prompt does not show (or, if no other is left, of one that it shows). Bijection: the same with
  /// half of the pairs turned round, one more or less at random; the query's direction takes turns.
  /// Linear: the rule and the other one that takes its place where it is flipped are drawn.
  ///
  /// Rule, query and candidates do not depend on the number of demonstrations, so that curves over
  /// it compare like with like.
  ///
  /// - Throws: `UserError` if the split has too few items.
  public func episode(index: Int, split: Split, demonstrations: Int, seed: UInt64) throws -> Episode
  {
    guard demonstrations >= 0 else {
      throw UserError(
        "found \(demonstrations) demonstrations, allowed is 0 or more", at: task.place)
    }
    let drawing = Drawing(
      task: task, index: index, split: split, demonstrations: demonstrations, seed: seed)
    switch task.items {
    case .categorization(let classes, let labels):
      return try categorization(drawing, classes, labels)
    case .mapping(let pairs): return try mapping(drawing, pairs)
    case .bijection(let pairs): return try bijection(drawing, pairs)
    case .linear(let numbers): return try linear(drawing, numbers)
    }
  }

  /// The answer of a pair from the end of the shuffled `pairs` that is right nowhere in the prompt,
  /// or failing that, not right for the query.
  func wrongAnswer(among pairs: [RuleTask.Pair], query: RuleTask.Pair, shown: [RuleTask.Pair])
    throws -> String
  {
    let taken = Set(shown.map(\.answer) + [query.answer])
    if let pair = pairs.last(where: { !taken.contains($0.answer) }) { return pair.answer }
    if let pair = pairs.last(where: { $0.answer != query.answer }) { return pair.answer }
    throw UserError(
      "all answers are \"\(query.answer)\"", at: "\(task.place), pairs",
      remedy: "add pairs with other answers")
  }

  func tooFew(_ found: Int, _ needed: Int, _ split: Split, _ key: String) -> UserError {
    UserError(
      "found \(found) \(split.rawValue) items, needed are \(needed)", at: "\(task.place), \(key)",
      remedy: "use fewer demonstrations or add items")
  }
}
