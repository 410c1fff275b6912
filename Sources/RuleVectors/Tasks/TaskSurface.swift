import TensorCore

/// Everything that a task can be written in: its templates, label sets and languages.
struct TaskSurface: Sendable, Equatable {
  struct Named<Value: Sendable & Equatable>: Sendable, Equatable {
    let name: String
    let value: Value
  }

  /// What a language writes: everything but labels.
  enum Words: Sendable, Equatable {
    case classes([RuleTask.ItemClass])
    case pairs([RuleTask.Pair])
    case numbers(RuleTask.Numbers)

    /// Whether both are the same items in the same order: as many words a class, or as many pairs with
    /// equal answers at the same places.
    func isParallel(to other: Words) -> Bool {
      func places(_ pairs: [RuleTask.Pair]) -> [Int] {
        var first: [String: Int] = [:]
        return pairs.enumerated().map { index, pair in
          defer { if first[pair.answer] == nil { first[pair.answer] = index } }
          return first[pair.answer] ?? index
        }
      }
      switch (self, other) {
      case (.classes(let a), .classes(let b)):
        return a.map(\.name) == b.map(\.name) && a.map(\.words.count) == b.map(\.words.count)
      case (.pairs(let a), .pairs(let b)): return places(a) == places(b)
      default: return self == other
      }
    }

    /// Every text of an input or answer.
    var texts: [String] {
      switch self {
      case .classes(let classes): classes.flatMap(\.words)
      case .pairs(let pairs): pairs.flatMap { [$0.input, $0.answer] }
      case .numbers(let numbers): numbers.inputs.map(String.init)
      }
    }
  }

  let templates: [Named<Template>]
  /// One empty set for tasks whose answers are their own.
  let labelSets: [Named<[String]>]
  let languages: [Named<Words>]
  let classCount: Int
  let hasFixedLabels: Bool
  private let kind: RuleTask.Kind

  init(_ fields: TaskFields) throws {
    kind = fields.kind
    templates = try fields.templates()
    languages = try fields.languages()
    guard fields.kind == .categorization else {
      (labelSets, classCount, hasFixedLabels) = ([Named(name: Format.unnamed, value: [])], 2, false)
      try fields.checkNames(of: self)
      return
    }
    classCount = try fields.classCount()
    var classes: [String] = []
    if case .classes(let found) = languages[0].value { classes = found.map(\.name) }
    let sets = try fields.labelSets(of: classes, atLeast: classCount)
    labelSets = sets.sets
    hasFixedLabels = sets.areFixed
    try fields.checkNames(of: self)
  }

  /// Every text that is an input, an answer or a label.
  var texts: Set<String> {
    Set(languages.flatMap(\.value.texts) + labelSets.flatMap(\.value))
  }

  var formats: [Format] {
    templates.flatMap { template in
      labelSets.flatMap { labels in
        languages.map {
          Format(template: template.name, labels: labels.name, language: $0.name)
        }
      }
    }
  }

  /// - Throws: `UserError` where the task has no such template, label set or language.
  func form(_ format: Format, place: String) throws -> (Template, RuleTask.Items) {
    func find<Value>(_ name: String, _ what: String, _ list: [Named<Value>]) throws -> Value {
      guard let found = list.first(where: { $0.name == name }) else {
        throw UserError(
          "the task has no \(what) \"\(name)\"; it has "
            + list.map { "\"\($0.name)\"" }.joined(separator: ", "), at: place,
          remedy: "name one of these")
      }
      return found.value
    }
    let template = try find(format.template, "template", templates)
    let labels = try find(format.labels, "label set", labelSets)
    let words = try find(format.language, "language", languages)
    let items: RuleTask.Items =
      switch words {
      case .classes(let classes): .categorization(classes: classes, labels: labels)
      case .pairs(let pairs): kind == .bijection ? .bijection(pairs: pairs) : .mapping(pairs: pairs)
      case .numbers(let numbers): .linear(numbers)
      }
    return (template, items)
  }

  /// The default but for what `names` says: names differ over all three lists.
  func format(naming names: [String], place: String) throws -> Format {
    var chosen: (template: String?, labels: String?, language: String?) = (nil, nil, nil)
    for name in names {
      func take<Value>(_ list: [Named<Value>], _ slot: inout String?) -> Bool {
        guard slot == nil, list.contains(where: { $0.name == name }) else { return false }
        slot = name
        return true
      }
      guard
        take(templates, &chosen.template) || take(labelSets, &chosen.labels)
          || take(languages, &chosen.language)
      else {
        let known = templates.map(\.name) + labelSets.map(\.name) + languages.map(\.name)
        throw UserError(
          names.count(where: { $0 == name }) > 1
            ? "the format names \"\(name)\" twice"
            : "the task has no template, label set or language \"\(name)\"; it has "
              + known.filter { $0 != Format.unnamed }.joined(separator: ", "), at: place,
          remedy: "name at most one of each, as in arrow/letters")
      }
    }
    return Format(
      template: chosen.template ?? templates[0].name, labels: chosen.labels ?? labelSets[0].name,
      language: chosen.language ?? languages[0].name)
  }
}
