import TensorCore

/// Donors and recipients that need further items of the task. `draw` numbers independent draws for
/// the same episode.
extension EpisodeSampler {
  /// Same rule and, in every slot, same label or direction, with other items and another query.
  ///
  /// Items are new wherever the split has enough of them; where it has not, some of the episode's own
  /// demonstrations return, but never its query, nor, in a mapping, a pair with the query's answer.
  /// No query is a demonstration.
  ///
  /// - Parameter queryOfOtherClass: whether the query is of the class whose label is the episode's
  ///   wrong answer: a donor that has the rule but not the answer.
  public func otherItems(
    than episode: Episode, draw: Int = 0, queryOfOtherClass: Bool = false
  ) throws -> Episode {
    var random = episode.stream(.otherItems, draw: draw)
    let split = episode.split
    var donor = episode
    donor.variant = .otherItems
    let used = Set(episode.demonstrations.map(\.input) + [episode.query])
    let query = Demonstration(
      input: episode.query, answer: episode.right, category: episode.queryCategory)

    switch task.items {
    case .categorization(let classes, _):
      if queryOfOtherClass {
        guard case .categorization(let labels) = episode.rule else { break }
        donor.queryCategory = labels.first { $0.value == episode.wrong }?.key
        (donor.right, donor.wrong) = (episode.wrong, episode.rule.turned(episode.wrong))
      }
      for category in classes {
        let slots = episode.demonstrations.indices.filter {
          episode.demonstrations[$0].category == category.name
        }
        let asked = donor.queryCategory == category.name
        // The query goes first so that it is the last to fall back on a word already used.
        var models = asked ? [query] : []
        models += slots.map { episode.demonstrations[$0] }
        guard !models.isEmpty else { continue }
        let words = try replacements(
          for: models, from: split.items(of: category.words), avoiding: used, split: split,
          key: "classes.\(category.name)", random: &random,
          written: { Demonstration(input: $1, answer: $0.answer) }, input: { $0 },
          never: [episode.query])
        if asked { donor.query = words[0] }
        for (slot, word) in zip(slots, words.dropFirst(asked ? 1 : 0)) {
          donor.demonstrations[slot].input = word
        }
      }

    case .mapping(let all):
      let pairs = split.items(of: all).filter { $0.answer != episode.right }
      let chosen = try replacements(
        for: [query] + episode.demonstrations, from: pairs, avoiding: used, split: split,
        key: "pairs", random: &random,
        written: { Demonstration(input: $1.input, answer: $1.answer) }, input: { $0.input },
        never: [episode.query])
      donor.query = chosen[0].input
      donor.right = chosen[0].answer
      donor.demonstrations = chosen.dropFirst().map {
        Demonstration(input: $0.input, answer: $0.answer)
      }
      var rest = pairs
      random.shuffle(&rest)
      donor.wrong = try wrongAnswer(
        among: rest, query: chosen[0], shown: Array(chosen.dropFirst()))

    case .bijection(let all):
      let own = [episode.query, episode.right]
      let pairs = split.items(of: all).filter {
        !own.contains($0.input) && !own.contains($0.answer)
      }
      let slots = [query] + episode.demonstrations
      let shown = Set(slots.flatMap { [$0.input, $0.answer] })
      let directions = slots.map { Direction(rawValue: $0.category ?? "") ?? .forward }
      // Each direction by itself, so that a slot takes a pair that fits as it is turned there.
      var rest = pairs
      var chosen: [RuleTask.Pair?] = slots.map { _ in nil }
      for direction in Direction.allCases {
        let places = slots.indices.filter { directions[$0] == direction }
        let found = try replacements(
          for: places.map { slots[$0] }, from: rest.map(direction.turned), avoiding: shown,
          split: split, key: "pairs", random: &random,
          written: { Demonstration(input: $1.input, answer: $1.answer) }, input: { $0.input })
        let taken = Set(found.map(\.input))
        rest.removeAll { taken.contains(direction.turned($0).input) }
        for (place, pair) in zip(places, found) { chosen[place] = pair }
      }
      let turned = chosen.compactMap { $0 }
      donor.query = turned[0].input
      donor.right = turned[0].answer
      donor.demonstrations = zip(turned, slots).dropFirst().map {
        Demonstration(input: $0.input, answer: $0.answer, category: $1.category)
      }
      var others = pairs.map(directions[0].turned)
      random.shuffle(&others)
      donor.wrong = try wrongAnswer(
        among: others, query: turned[0],
        shown: zip(turned, directions).dropFirst().map {
          $1 == directions[0] ? $0 : RuleTask.Pair(input: $0.answer, answer: $0.input)
        })

    case .linear(let numbers):
      guard case .linear(let rule, let other) = episode.rule else { break }
      let chosen = try replacements(
        for: [query] + episode.demonstrations, from: split.items(of: numbers.inputs),
        avoiding: used, split: split, key: "inputs", random: &random,
        written: { Demonstration(input: String($1), answer: String(rule($1))) },
        input: { String($0) }, never: [episode.query])
      donor.query = String(chosen[0])
      (donor.right, donor.wrong) = (String(rule(chosen[0])), String(other(chosen[0])))
      donor.demonstrations = chosen.dropFirst().map {
        Demonstration(input: String($0), answer: String(rule($0)))
      }
    }
    return donor
  }

  /// The same demonstrations of a mapping or bijection with another query, in the same direction and of
  /// the same token length where the task has one, which none of them shows: what a grid corrupts a
  /// knowledge task by.
  func otherQuery(than episode: Episode) throws -> Episode {
    let all: [RuleTask.Pair]
    switch task.items {
    case .mapping(let pairs): all = pairs
    case .bijection(let pairs):
      all = pairs.map((Direction(rawValue: episode.queryCategory ?? "") ?? .forward).turned)
    default: throw UserError("another query is for mappings and bijections", at: task.place)
    }
    var random = episode.stream(.otherQuery)
    var shown = Set(episode.demonstrations.map(\.input) + [episode.query])
    // The inverse of what is asked would give the answer away.
    if task.kind == .bijection { shown.formUnion(episode.demonstrations.map(\.answer)) }
    let pairs = episode.split.items(of: all)
      .filter { !shown.contains($0.input) && $0.answer != episode.right }
    let model = Demonstration(input: episode.query, answer: episode.right)
    let chosen = try replacements(
      for: [model], from: pairs, avoiding: [], split: episode.split, key: "pairs", random: &random,
      written: { Demonstration(input: $1.input, answer: $0.answer) }, input: { $0.input })
    var other = episode
    other.variant = .otherQuery
    other.query = chosen[0].input
    (other.right, other.wrong) = (chosen[0].answer, episode.right)
    return other
  }

  /// A donor against label copying: the original rule, but every slot holds a new item of the class
  /// that has the slot's label of the flipped rule. So slot by slot its labels are those of
  /// `flippedRule`, and patching either of them predicts the same by copying and the opposite by
  /// following the rule. The query stays.
  ///
  /// - Throws: `UserError` for a task without classes, or if the split has too few items.
  public func swappedSlots(of episode: Episode, draw: Int = 0) throws -> Episode {
    guard case .categorization(let classes, _) = task.items,
      case .categorization(let labels) = episode.rule
    else {
      throw UserError(
        "swapped slots need classes, which a \(task.kind.rawValue) task has not", at: task.place,
        remedy: "use a categorization task")
    }
    var random = episode.stream(.swappedSlots, draw: draw)
    var donor = episode
    donor.variant = .swappedSlots
    let used = Set(episode.demonstrations.map(\.input) + [episode.query])
    for category in classes {
      guard let label = labels[category.name] else { continue }
      let slots = episode.demonstrations.indices.filter {
        episode.rule.turned(episode.demonstrations[$0].answer) == label
      }
      let words = try replacements(
        for: slots.map { Demonstration(input: episode.demonstrations[$0].input, answer: label) },
        from: episode.split.items(of: category.words), avoiding: used, split: episode.split,
        key: "classes.\(category.name)", random: &random,
        written: { Demonstration(input: $1, answer: $0.answer) }, input: { $0 },
        never: [episode.query])
      for (slot, word) in zip(slots, words) {
        donor.demonstrations[slot] = Demonstration(
          input: word, answer: label, category: category.name)
      }
    }
    return donor
  }

  /// A recipient without a rule: as many demonstrations with the task's dummy words as inputs.
  ///
  /// Categorization: all candidate labels equally often (some one more where it does not come out
  /// even), in random order. Otherwise the answers are further dummy words, so that not even the kind
  /// of the answers hints at the relation; this takes two dummies for each demonstration.
  public func dummyDemonstrations(of episode: Episode, draw: Int = 0) throws -> Episode {
    var random = episode.stream(.dummies, draw: draw)
    var dummy = episode
    dummy.variant = .dummyDemonstrations
    let count = episode.demonstrations.count
    let hasLabels = task.kind == .categorization
    let needed = hasLabels ? count : 2 * count
    guard task.dummies.count >= needed else {
      throw UserError(
        "found \(task.dummies.count) dummies, needed are \(needed) for \(count) demonstrations",
        at: "\(task.place), dummies", remedy: "use fewer demonstrations or add dummies")
    }
    let answers: [String]
    var pool = task.dummies
    if hasLabels {
      var candidates = episode.candidates
      random.shuffle(&candidates)
      var labels = (0..<count).map { candidates[$0 % candidates.count] }
      random.shuffle(&labels)
      answers = labels
    } else {
      random.shuffle(&pool)
      answers = Array(pool.suffix(count))
      pool.removeLast(count)
    }
    let models = zip(episode.demonstrations, answers).map {
      Demonstration(input: $0.input, answer: $1)
    }
    let words = try replacements(
      for: models, from: pool, avoiding: [], split: episode.split, key: "dummies",
      random: &random, written: { Demonstration(input: $1, answer: $0.answer) }, input: { $0 })
    dummy.demonstrations = zip(words, answers).map { Demonstration(input: $0, answer: $1) }
    return dummy
  }
}
