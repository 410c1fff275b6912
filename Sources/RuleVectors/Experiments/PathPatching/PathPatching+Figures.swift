import Reports
import TensorCore

/// Pictures, tables and numbers of a section.
extension PathPatching {
  static func middle(_ set: HeadSet) -> Double {
    Double(set.layers.lowerBound + set.layers.upperBound) / 2
  }

  private static let edgeTitles: [(PathClass, String)] = [
    (.answerToLast, "From heads at the answers to heads at the last position"),
    (
      .answerToLaterAnswers,
      "From heads at the answers to heads at later answers to the last position"
    ),
  ]

  func figures(_ results: Results, _ findings: Findings) -> [Figure] {
    guard !results.cells.isEmpty else { return [] }
    let rate = 0.05
    let edges = results.cells.filter(\.path.hasReceivers)
    let found = BenjaminiHochberg.adjusted(edges.map(\.pValue)).map { $0 < rate }
    let maps = Self.edgeTitles.map { path, title -> Figure in
      let own = zip(edges, found).filter { $0.0.path == path }
      let senders = own.map(\.0.senders).reduce(into: [HeadSet]()) {
        if !$0.contains($1) { $0.append($1) }
      }.sorted { $0.layers.lowerBound < $1.layers.lowerBound }
      let receivers = Set(own.compactMap(\.0.receivers)).sorted {
        $0.layers.lowerBound < $1.layers.lowerBound
      }
      func table<Value>(_ value: (Cell, Bool) -> Value, _ missing: Value) -> [[Value]] {
        senders.map { sender in
          receivers.map { receiver in
            own.first { $0.0.senders == sender && $0.0.receivers == receiver }.map(value) ?? missing
          }
        }
      }
      return Figure(
        name: "\(findings.stem)-\(path.rawValue)",
        chart: Heatmap(
          title: title, xTitle: "layers of the heads that read",
          yTitle: "layers of the heads that write",
          columns: receivers.map(\.label), rows: senders.map(\.label),
          values: table({ cell, _ in cell.recovery.estimate }, .nan),
          intervals: table({ cell, _ in cell.recovery }, nil),
          marks: table({ _, isFound in isFound }, false),
          markNote: "not zero at a false discovery rate of 5 %", valueTitle: "recovery"),
        caption: caption(path))
    }
    return [parts(results, findings)] + maps + [ends(results, findings)]
  }

  private func caption(_ path: PathClass) -> String {
    let way =
      path == .answerToLast
      ? "Heads of the row write at the answers; heads of the column read it at the last position, and "
        + "everything behind them is recomputed."
      : "Heads of the row write at the answers; heads of the column read it at later answers and write "
        + "there; only heads at the last position read that."
    return way
      + " Recovery is the share of the way from the flipped run's to the donor run's mean logit "
      + "difference. Crossed out where no head of the column is above one of the row."
  }

  private func parts(_ results: Results, _ findings: Findings) -> Figure {
    func series(_ name: String, _ value: (Decomposition) -> Interval) -> LineChart.Series {
      LineChart.Series(
        name: name,
        points: results.splits.map { split in
          let interval = value(split)
          return LineChart.Point(
            x: Self.middle(split.senders), y: interval.estimate, low: interval.low,
            high: interval.high)
        })
    }
    let names = results.splits.first?.parts.map(\.name) ?? []
    return Figure(
      name: "\(findings.stem)-parts",
      chart: LineChart(
        title: "Which way what heads write at the answers reaches the answer",
        xTitle: "layer of the heads that write (middle of the window)", yTitle: "recovery",
        series: [series("all paths") { $0.total.recovery }]
          + names.indices.map { part in series(names[part]) { $0.recovery(part) } },
        horizontalLines: [LineChart.HorizontalLine(y: 0, label: "flipped run")],
        verticalLines: results.split.map {
          [
            LineChart.VerticalLine(
              x: Self.middle($0.senders), label: "chosen on development: \($0.senders.label)")
          ]
        } ?? [],
        intervalNote: "Bands: 95 % intervals of the ratio of means (Fieller) over episodes."),
      caption:
        "The four parts add up to all paths. Each part leaves more heads free than the one before, so "
        + "what two ways bring only together counts for the later one.")
  }

  private func ends(_ results: Results, _ findings: Findings) -> Figure {
    Figure(
      name: "\(findings.stem)-\(PathClass.lastToLogits.rawValue)",
      chart: BarChart(
        title: "From heads at the last position to the logits, through no other head",
        xTitle: "layers of the heads that write", yTitle: "recovery",
        bars: results.cells.filter { $0.path == .lastToLogits }.map { cell in
          let recovery = cell.recovery
          return BarChart.Bar(
            label: cell.senders.label, value: recovery.estimate,
            low: recovery.low.isFinite ? recovery.low : nil,
            high: recovery.high.isFinite ? recovery.high : nil)
        },
        intervalNote: "Whiskers: 95 % intervals of the ratio of means (Fieller) over episodes."),
      caption:
        "Heads write at the last position what they wrote in the donor's run; all later heads keep the "
        + "flipped run's outputs.")
  }

  // MARK: - Tables

  func row(_ cell: Cell) -> [String] {
    [
      cell.path.rawValue, cell.name, cell.recovery.text(digits: 3), cell.logits.text(digits: 3),
      String(cell.outcomes.count),
    ]
  }

  /// The parts of a whole effect, for the terminal.
  func rows(_ split: Decomposition) -> [[String]] {
    split.parts.indices.map { part in
      [
        split.parts[part].name, split.senders.label, split.recovery(part).text(digits: 3),
        MeanInterval.student(split.parts[part].effects).text(digits: 3),
        String(split.total.count),
      ]
    }
  }

  func tables(_ results: Results) -> [HTMLTable] {
    var tables: [HTMLTable] = []
    if let split = results.split {
      tables.append(
        HTMLTable(
          headers: ["way", "share of all paths", "recovery", "logits"],
          rows: split.parts.indices.map { part in
            [
              split.parts[part].name, split.share(part).text, split.recovery(part).text(digits: 3),
              MeanInterval.student(split.parts[part].effects).text(digits: 3),
            ]
          },
          caption: "What heads of \(split.senders.words) write at the answers; reported episodes."))
    }
    let headers = ["path", "heads", "recovery", "logits", "n"]
    for (path, title) in Self.edgeTitles {
      let top = results.cells.filter { $0.path == path }.sorted {
        $0.recovery.estimate.magnitude > $1.recovery.estimate.magnitude
      }.prefix(10)
      guard !top.isEmpty else { continue }
      tables.append(
        HTMLTable(
          headers: headers, rows: top.map(row),
          caption:
            "\(title): the largest of \(results.cells.count { $0.path == path }). They were picked by "
            + "their size on these very episodes, which makes them look larger than they are; the one "
            + "that a sentence speaks of was not."))
    }
    if let edge = results.directEdge, !results.heads.isEmpty {
      tables.append(
        HTMLTable(
          headers: headers, rows: results.heads.map(row),
          caption:
            "Single heads (layer.head) of the edge \(edge.name), the \(results.heads.count) pairs of the "
            + "largest mean effect on development episodes, in that order; reported episodes."))
    }
    return tables
  }

  func summary(_ results: Results) -> [(key: String, value: JSONValue)] {
    func json(_ cell: Cell) -> JSONValue {
      [
        "path": .string(cell.path.rawValue), "senders": .string(cell.senders.label),
        "receivers": cell.receivers.map { .string($0.label) } ?? .null,
        "recovery": cell.recovery.json, "logits": cell.logits.json,
        "p": .number(cell.pValue),
      ]
    }
    func edge(_ cell: Cell?) -> JSONValue { cell.map { .string($0.name) } ?? .null }
    return [
      ("chosen_senders", results.split.map { .string($0.senders.label) } ?? .null),
      ("chosen_direct_edge", edge(results.directEdge)),
      ("chosen_turned_edge", edge(results.turnedEdge)),
      (
        "parts",
        .array(
          results.splits.map { split in
            [
              "senders": .string(split.senders.label), "total": split.total.recovery.json,
              "parts": .array(
                split.parts.indices.map { part in
                  [
                    "way": .string(split.parts[part].name), "share": split.share(part).json,
                    "recovery": split.recovery(part).json,
                  ]
                }),
            ]
          })
      ),
      ("edges", .array(results.cells.filter(\.path.hasReceivers).map(json))),
      ("last_to_logits", .array(results.cells.filter { $0.path == .lastToLogits }.map(json))),
      ("heads", .array(results.heads.map(json))),
    ]
  }
}
