import Reports
import TensorCore

extension FunctionVector {
  /// What one form did in one recipient of one task.
  private struct Result {
    let task: String
    let recipient: Recipient
    let form: Form
    /// Whether effects are half the difference between the vectors of both rules.
    let comparesRules: Bool
    let curve: LayerCurve
    /// Of the layer that development episodes chose; nil where these are not there yet.
    let point: LayerCurve.Point?
    /// The recipient without a vector, and the prompt with demonstrations, over the same episodes.
    let unpatched: [Outcome]
    let demonstrated: [Outcome]

    func finding(_ point: LayerCurve.Point) -> VectorFinding {
      VectorFinding(
        task: task, recipient: (recipient.rawValue, recipient.words), comparesRules: comparesRules,
        choice: "layer \(point.layer)", point: point, unpatched: unpatched,
        demonstrated: demonstrated)
    }
  }

  /// Indirect effects of all heads on one task, development episode by development episode.
  private struct HeadEffects {
    let task: String
    let effects: [Head: [Double]]
    let chosen: [Head]

    var layers: Int { (effects.keys.map(\.layer).max() ?? -1) + 1 }
    var heads: Int { (effects.keys.map(\.head).max() ?? -1) + 1 }
  }

  func section(_ records: [Record<FunctionVectorRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let tasks =
      [findings.task]
      + records.map(\.key.task).reduce(into: []) {
        if $1 != findings.task, !$0.contains($1) { $0.append($1) }
      }
    let effects = tasks.compactMap { task in
      headEffects(task, records.filter { $0.key.task == task })
    }
    let results = tasks.flatMap { task in
      let own = records.filter { $0.key.task == task }
      return recipients.flatMap { recipient in
        [Form.function, .mean].compactMap { result(task, recipient, $0, own) }
      }
    }
    let functions = results.filter { $0.form == .function }
    let claims = VectorClaims(
      topic: Self.kind, probe: findings.probe, vector: "The function vector", margin: margin,
      seed: findings.seed)
    let sentences = recipients.flatMap { recipient in
      claims(
        functions.filter { $0.recipient == recipient }.compactMap { result in
          result.point.map { result.finding($0) }
        }, task: findings.task)
    }
    let third = effects.first.map { Self.third(of: $0.layers) }
    section.answers = functions.filter { $0.task == findings.task }.compactMap { result in
      result.point.map {
        "The function vector in \(result.recipient.words) brings \($0.recovery.text) of the rule."
      }
    }
    if !sentences.isEmpty { section.elements.append(.claims(sentences)) }
    section.elements.append(.paragraph(method(effects)))
    section.elements += effects.map { .figure(figure($0, findings)) }
    for recipient in recipients {
      let own = results.filter { $0.recipient == recipient }
      let figures = RecoveryFigures(
        stem: "\(findings.stem)-\(recipient.rawValue)",
        curves: own.map { ("\($0.task), \($0.form.rawValue)", $0.curve) },
        title:
          "The function vector, and the mean residual, at the last position of \(recipient.words)",
        zero: "no rule", one: "with demonstrations",
        marker: third.map { ($0, "a third of the depth") },
        caption:
          "The function vector is added to the residual stream after a layer; the mean residual stream of "
          + "\(donors) donor episodes takes its place.",
        // Positive controls have two candidates.
        candidates: findings.candidates == 2 ? 2 : nil)
      section.elements += figures.all.map { .figure($0) }
    }
    section.elements.append(.table(table(results, third)))
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): recovery by layer", xTitle: "layer",
        series: functions.map {
          ("\($0.task), \($0.recipient.rawValue)", $0.curve.points(\.recovery))
        }, reference: 0)
    ]
    section.headers = ["vector into", "form", "layer", "recovery", "first of all", "n"]
    section.rows = results.compactMap { result in
      result.point.map { point in
        [
          "\(result.task), \(result.recipient.rawValue)", result.form.rawValue,
          String(point.layer), point.recovery.text, point.accuracy.text,
          String(point.outcomes.count),
        ]
      }
    }
    for result in results { add(result, to: &section, findings) }
    section.summary = [
      ("results", .array(results.map(json))), ("heads", .array(effects.map(json))),
    ]
    return section
  }

  private func headEffects(_ task: String, _ records: [Record<FunctionVectorRow>]) -> HeadEffects? {
    let own = records.filter { $0.key.part == Self.headPart }.sorted { $0.episode < $1.episode }
    guard Set(own.map(\.key)).count == development else { return nil }
    let comparesRules = own.contains { $0.row.isFlipped }
    var unpatched: [Int: Double] = [:]
    for record in own where record.row.form == nil {
      unpatched[record.episode] = Double(record.row.outcome.patched.probability)
    }
    var values: [Head: [Int: Double]] = [:]
    for record in own {
      guard let layer = record.row.layer, let head = record.row.head else { continue }
      let probability = Double(record.row.outcome.patched.probability)
      let part =
        comparesRules
        ? (record.row.isFlipped ? -probability : probability) / 2
        : probability - (unpatched[record.episode] ?? .nan)
      values[Head(layer: layer, head: head), default: [:]][record.episode, default: 0] += part
    }
    return HeadEffects(
      task: task,
      effects: values.mapValues { $0.sorted { $0.key < $1.key }.map(\.value) },
      chosen: Self.strongest(headCount(of: values.count), in: own.map(\.row)))
  }

  private func result(
    _ task: String, _ recipient: Recipient, _ form: Form, _ records: [Record<FunctionVectorRow>]
  ) -> Result? {
    func curve(isDevelopment: Bool) -> LayerCurve {
      LayerCurve(
        rules: records.filter {
          ($0.key.split == .development) == isDevelopment && $0.row.recipient == recipient
            && $0.row.form == form
        }.compactMap { record in
          record.row.layer.map { (record.episode, $0, record.row.isFlipped, record.row.outcome) }
        })
    }
    func reported(_ isWanted: (FunctionVectorRow) -> Bool) -> [Outcome] {
      records.filter { $0.key.split != .development && $0.row.form == nil && isWanted($0.row) }
        .sorted { $0.episode < $1.episode }.map(\.row.outcome)
    }
    let reportedCurve = curve(isDevelopment: false)
    guard !reportedCurve.episodes.isEmpty else { return nil }
    let choosing = curve(isDevelopment: true)
    let best =
      choosing.episodes.count == development
      ? choosing.points.min { a, b in
        (-effect(a), a.layer) < (-effect(b), b.layer)
      } : nil
    return Result(
      task: task, recipient: recipient, form: form,
      comparesRules: records.contains { $0.row.isFlipped }, curve: reportedCurve,
      point: reportedCurve.point(best?.layer),
      unpatched: reported { $0.recipient == recipient },
      demonstrated: reported { $0.recipient == nil && !$0.isFlipped })
  }

  private func effect(_ point: LayerCurve.Point) -> Double {
    point.outcomes.reduce(0) { $0 + $1.effect }
  }

  private func method(_ effects: [HeadEffects]) -> String {
    let count = effects.first.map { "\($0.chosen.count) of \($0.effects.count)" } ?? "the strongest"
    return
      "The mean output of every head at the last position, over \(donors) donor episodes of the rule "
      + "with other items, takes the head's place in the episode's prompt with its labels in random "
      + "order; the indirect effect is what the right answer's probability gains. The function vector is what "
      + "\(count) heads, those of the largest mean indirect effect on \(development) development "
      + "episodes, write to the residual stream on average; it is added after a layer that "
      + "development episodes chose. For tasks with two labels effects are half the difference between the "
      + "vectors of the rule and of the flipped rule, and full recovery half the difference between their "
      + "demonstrations; for knowledge tasks they are changes against the unpatched prompt. A "
      + "vector “brings little” if that is less than \(formattedPercent(margin)) of full recovery, a margin set in the "
      + "probe."
  }

  private func figure(_ effects: HeadEffects, _ findings: Findings) -> Figure {
    let chosen = Set(effects.chosen)
    func table<Value>(_ value: (Head) -> Value) -> [[Value]] {
      (0..<effects.layers).map { layer in
        (0..<effects.heads).map { value(Head(layer: layer, head: $0)) }
      }
    }
    func interval(_ head: Head) -> Interval { MeanInterval.student(effects.effects[head] ?? []) }
    return Figure(
      name: "\(findings.stem)-heads-\(effects.task)",
      chart: Heatmap(
        title: "Indirect effect of every head, \(effects.task)", xTitle: "head", yTitle: "layer",
        columns: (0..<effects.heads).map(String.init), rows: (0..<effects.layers).map(String.init),
        values: table { interval($0).estimate }, intervals: table { interval($0) },
        marks: table { chosen.contains($0) }, markNote: "a head of the function vector",
        valueTitle: "probability", digits: 3),
      caption:
        "Gain of the right answer's probability in the prompt with shuffled labels by the mean output of "
        + "one head; mean over development episodes, which chose the marked heads by it, so that these "
        + "look stronger than they are.")
  }

  private func table(_ results: [Result], _ third: Int?) -> HTMLTable {
    func row(_ result: Result, _ point: LayerCurve.Point, _ note: String) -> [String] {
      let finding = result.finding(point)
      return [
        result.task, result.recipient.rawValue, result.form.rawValue,
        "\(point.layer)\(note)", point.recovery.text,
        MeanInterval.student(point.outcomes.map(\.effect)).text, finding.change(\.isRight),
        finding.change(\.isTop),
      ]
    }
    return HTMLTable(
      headers: [
        "task", "recipient", "form", "layer", "recovery", "effect, logits",
        "first of two against unpatched", "first of all against unpatched",
      ],
      rows: results.flatMap { result in
        (result.point.map { [row(result, $0, "")] } ?? [])
          + (result.form == .function
            ? result.curve.point(third).map { [row(result, $0, ", a third up")] } ?? [] : [])
      },
      caption:
        "At the layer that development episodes chose for each row, and for the function vector at a "
        + "third of the depth; reported episodes. The last two columns are differences of shares of "
        + "episodes.")
  }

  private func add(_ result: Result, to section: inout Section, _ findings: Findings) {
    section.add(
      results: result.curve,
      of: [
        ("probe", .string(findings.probe)), ("task", .string(result.task)),
        ("donor", .string(result.form.rawValue)),
        ("recipient", .string(result.recipient.rawValue)), ("positions", "last"),
      ])
  }

  private func json(_ result: Result) -> JSONValue {
    [
      "task": .string(result.task), "recipient": .string(result.recipient.rawValue),
      "form": .string(result.form.rawValue),
      "chosen_layer": result.point.map { .integer($0.layer) } ?? .null,
      "episodes": .integer(result.curve.episodes.count),
      "points": .array(result.curve.points.map(\.json)),
    ]
  }

  private func json(_ effects: HeadEffects) -> JSONValue {
    [
      "task": .string(effects.task),
      "chosen": .array(
        effects.chosen.map { head in
          [
            "layer": .integer(head.layer), "head": .integer(head.head),
            "indirect_effect": MeanInterval.student(effects.effects[head] ?? []).json,
          ]
        }),
    ]
  }
}
