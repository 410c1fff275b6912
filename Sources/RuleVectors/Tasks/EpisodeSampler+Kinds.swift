import TensorCore

/// What an episode is drawn from.
struct Drawing {
  let task: RuleTask
  let index: Int
  let split: Split
  let demonstrations: Int
  let seed: UInt64

  func stream(_ purpose: EpisodeStream) -> RandomStream {
    purpose.stream(seed: seed, split: split, index: index)
  }

  func episode(
    _ rule: Rule, _ shown: [Demonstration], query: String, category: String? = nil, right: String,
    wrong: String
  ) -> Episode {
    Episode(
      task: task.name, seed: seed, index: index, split: split, variant: .original, rule: rule,
      demonstrations: shown, query: query, queryCategory: category, right: right, wrong: wrong)
  }
}

/// The draws of each kind of task. Their order is part of what a seed means.
extension EpisodeSampler {
  func categorization(
    _ drawing: Drawing, _ classes: [RuleTask.ItemClass], _ labels: [String]
  ) throws -> Episode {
    let (index, count) = (drawing.index, task.classCount)
    var random = drawing.stream(.rule)
    let chosen = random.sample(count, of: classes)
    let drawn = random.sample(count, of: Array(labels.indices)).sorted().map { labels[$0] }
    let asked = random.integer(below: count)
    let extra = random.integer(below: count)

    var rule: [String: String] = [:]
    if task.hasFixedLabels {
      let own = Dictionary(
        zip(classes.map(\.name), labels), uniquingKeysWith: { first, _ in first })
      for category in chosen { rule[category.name] = own[category.name] }
    } else {
      // The shuffle of a single label draws nothing: two classes draw what they always drew.
      let right = drawn[index % count]
      var rest = drawn.filter { $0 != right }
      random.shuffle(&rest)
      for (i, category) in chosen.enumerated() {
        rule[category.name] = i == asked ? right : rest.removeLast()
      }
    }

    var items = drawing.stream(.items)
    var query = ""
    var shown: [Demonstration] = []
    for (i, category) in chosen.enumerated() {
      let isExtra = (i - extra + count) % count < drawing.demonstrations % count
      let own = drawing.demonstrations / count + (isExtra ? 1 : 0)
      var words = drawing.split.items(of: category.words)
      let needed = own + (i == asked ? 1 : 0)
      guard words.count >= needed else {
        throw tooFew(words.count, needed, drawing.split, "classes.\(category.name)")
      }
      items.shuffle(&words)
      if i == asked { query = words.removeFirst() }
      shown += words.prefix(own).map {
        Demonstration(input: $0, answer: rule[category.name] ?? "", category: category.name)
      }
    }
    var order = drawing.stream(.order)
    order.shuffle(&shown)
    let right = rule[chosen[asked].name] ?? ""
    return drawing.episode(
      .categorization(labels: rule), shown, query: query, category: chosen[asked].name,
      right: right, wrong: Rule.categorization(labels: rule).turned(right))
  }

  func mapping(_ drawing: Drawing, _ all: [RuleTask.Pair]) throws -> Episode {
    let pairs = try shuffled(all, drawing, "pairs")
    let query = pairs[0]
    let shown = Array(pairs[1...].prefix(drawing.demonstrations))
    return drawing.episode(
      .mapping, shown.map { Demonstration(input: $0.input, answer: $0.answer) },
      query: query.input, right: query.answer,
      wrong: try wrongAnswer(among: pairs, query: query, shown: shown))
  }

  func bijection(_ drawing: Drawing, _ all: [RuleTask.Pair]) throws -> Episode {
    let pairs = try shuffled(all, drawing, "pairs")
    var random = drawing.stream(.rule)
    let extra = random.integer(below: 2)
    let asked = Direction.allCases[drawing.index % 2]
    var directions = (0..<drawing.demonstrations).map { Direction.allCases[($0 + extra) % 2] }
    var order = drawing.stream(.order)
    order.shuffle(&directions)
    let query = asked.turned(pairs[0])
    let shown = Array(pairs[1...].prefix(drawing.demonstrations))
    return drawing.episode(
      .bijection,
      zip(shown, directions).map { pair, direction in
        let turned = direction.turned(pair)
        return Demonstration(
          input: turned.input, answer: turned.answer, category: direction.rawValue)
      }, query: query.input, category: asked.rawValue, right: query.answer,
      wrong: try wrongAnswer(
        among: pairs.map(asked.turned), query: query, shown: shown.map(asked.turned)))
  }

  func linear(_ drawing: Drawing, _ numbers: RuleTask.Numbers) throws -> Episode {
    var random = drawing.stream(.rule)
    let rules = numbers.rules
    let rule = rules[random.integer(below: rules.count)]
    // A task has another for each rule: a file without is refused.
    let others = numbers.rules(apartFrom: rule)
    let other = others[random.integer(below: others.count)]
    let inputs = try shuffled(numbers.inputs, drawing, "inputs")
    return drawing.episode(
      .linear(rule, other: other),
      inputs[1...].prefix(drawing.demonstrations).map {
        Demonstration(input: String($0), answer: String(rule($0)))
      }, query: String(inputs[0]), right: String(rule(inputs[0])), wrong: String(other(inputs[0])))
  }

  /// The split's items in random order: the query first, then the demonstrations.
  private func shuffled<Item>(_ all: [Item], _ drawing: Drawing, _ key: String) throws -> [Item] {
    var items = drawing.split.items(of: all)
    guard items.count > drawing.demonstrations else {
      throw tooFew(items.count, drawing.demonstrations + 1, drawing.split, key)
    }
    var random = drawing.stream(.items)
    random.shuffle(&items)
    return items
  }

  /// Which way round a pair of a bijection is shown; the word is the category of its demonstration.
  enum Direction: String, CaseIterable {
    case forward
    case inverse

    func turned(_ pair: RuleTask.Pair) -> RuleTask.Pair {
      self == .forward ? pair : RuleTask.Pair(input: pair.answer, answer: pair.input)
    }
  }
}
