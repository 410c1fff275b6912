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
  /// Categorization: two classes and two labels are drawn. Half of the demonstrations come from
  /// either class, one more from a random one if `demonstrations` is odd, in random order; the query
  /// is of a random class. In even episodes the right label is the earlier of the two in the task
  /// file, in odd ones the later, so that a preference of the model for a letter averages out.
  /// Mapping: the pairs are drawn at random, and the wrong answer is that of a pair that the prompt
  /// does not show (or, if no other is left, of one that it shows).
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
    func stream(_ purpose: EpisodeStream) -> RandomStream {
      purpose.stream(seed: seed, split: split, index: index)
    }
    switch task.items {
    case .categorization(let classes, let labels):
      var random = stream(.rule)
      let two = random.sample(2, of: classes)
      let drawn = random.sample(2, of: Array(labels.indices)).sorted().map { labels[$0] }
      let asked = random.integer(below: 2)
      let extra = random.integer(below: 2)
      let (right, wrong) = index.isMultiple(of: 2) ? (drawn[0], drawn[1]) : (drawn[1], drawn[0])

      var items = stream(.items)
      var query = ""
      var shown: [Demonstration] = []
      for (i, category) in two.enumerated() {
        let count = demonstrations / 2 + (demonstrations % 2 == 1 && i == extra ? 1 : 0)
        var words = split.items(of: category.words)
        let needed = count + (i == asked ? 1 : 0)
        guard words.count >= needed else {
          throw tooFew(words.count, needed, split, "classes.\(category.name)")
        }
        items.shuffle(&words)
        if i == asked { query = words.removeFirst() }
        let label = i == asked ? right : wrong
        shown += words.prefix(count).map {
          Demonstration(input: $0, answer: label, category: category.name)
        }
      }
      var order = stream(.order)
      order.shuffle(&shown)
      return Episode(
        task: task.name, seed: seed, index: index, split: split, variant: .original,
        rule: .categorization(labels: [two[asked].name: right, two[1 - asked].name: wrong]),
        demonstrations: shown, query: query, queryCategory: two[asked].name, right: right,
        wrong: wrong)

    case .mapping(let all):
      var pairs = split.items(of: all)
      guard pairs.count > demonstrations else {
        throw tooFew(pairs.count, demonstrations + 1, split, "pairs")
      }
      var items = stream(.items)
      items.shuffle(&pairs)
      let query = pairs[0]
      let shown = Array(pairs[1...].prefix(demonstrations))
      return Episode(
        task: task.name, seed: seed, index: index, split: split, variant: .original, rule: .mapping,
        demonstrations: shown.map { Demonstration(input: $0.input, answer: $0.answer) },
        query: query.input, queryCategory: nil, right: query.answer,
        wrong: try wrongAnswer(among: pairs, query: query, shown: shown))
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
