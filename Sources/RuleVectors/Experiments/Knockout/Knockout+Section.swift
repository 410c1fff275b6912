import Reports
import TensorCore

extension Knockout {
  /// One class of edges in one window, episode by episode, beside its control.
  private struct Window {
    let layers: ClosedRange<Int>
    let cut: [KnockoutRow]
    let control: [KnockoutRow]

    var centre: Double { Double(layers.lowerBound + layers.upperBound) / 2 }
    var words: String { "layers \(layers.lowerBound) to \(layers.upperBound)" }
    var loss: Interval { MeanInterval.student(cut.map(\.loss)) }
    var controlLoss: Interval { MeanInterval.student(control.map(\.loss)) }
    /// Share of the clean run's logit difference that is lost.
    var share: Interval {
      RatioInterval.fieller(
        cut.map(\.loss), over: cut.map { Double($0.clean.logitDifference) })
    }
    /// Share of episodes that are no longer right, of two and over the vocabulary.
    var accuracyLost: Interval { lost(\.isRight) }
    var topLost: Interval { lost(\.isTop) }

    private func lost(_ isGood: (Measurement) -> Bool) -> Interval {
      PairedProportions.difference(cut.map { isGood($0.clean) }, cut.map { isGood($0.cut) })
    }
  }

  private func windows(
    _ records: [Record<KnockoutRow>], _ edges: EdgeClass, isDevelopment: Bool
  ) -> [Window] {
    let own = records.filter {
      $0.row.edges == edges && ($0.key.split == .development) == isDevelopment
    }.sorted { $0.episode < $1.episode }
    let layers = own.map(\.row.layers).reduce(into: [ClosedRange<Int>]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    return layers.sorted { $0.lowerBound < $1.lowerBound }.map { layers in
      let rows = own.map(\.row).filter { $0.layers == layers }
      return Window(
        layers: layers, cut: rows.filter { !$0.isControl }, control: rows.filter(\.isControl))
    }
  }

  func section(_ records: [Record<KnockoutRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let isChosen =
      Set(records.filter { $0.key.split == .development }.map(\.key)).count == development
    let results = classes.compactMap {
      edges -> (edges: EdgeClass, windows: [Window], best: Window?)? in
      let windows = windows(records, edges, isDevelopment: false)
      guard !windows.isEmpty else { return nil }
      // The window of the largest mean loss on development episodes, the earliest of equals.
      let best = self.windows(records, edges, isDevelopment: true).min { a, b in
        (-a.loss.estimate, a.layers.lowerBound) < (-b.loss.estimate, b.layers.lowerBound)
      }
      return (
        edges, windows, isChosen ? windows.first { $0.layers == best?.layers } : nil
      )
    }
    let claims = results.compactMap { edges, _, best in
      best.map { claim(edges, $0, findings) }
    }
    section.answers = results.filter { $0.edges == .inputToOwnAnswer || $0.edges == .answerToLast }
      .compactMap { edges, _, best in
        best.map {
          "Cutting attention \(edges.words) in \($0.words) costs \($0.share.text) of the logit "
            + "difference."
        }
      }
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(
      .paragraph(
        "Edges of the clean run are cut in windows of \(window) layers. Beside every class as many edges "
          + "of the same queries are cut that belong to none, drawn anew for every episode; none of them is to the "
          + "first position, where attention rests, or to the question itself. The window of a sentence is "
          + "that of the largest loss on \(development) development episodes."))
    section.elements.append(.figure(figure(results.map { ($0.edges, $0.windows) }, findings)))
    section.headers = [
      "edges", "layers", "logits lost", "by other edges", "share lost", "accuracy of two lost",
      "accuracy lost", "n",
    ]
    section.rows = results.compactMap { edges, _, best in
      best.map {
        [
          edges.rawValue, "\($0.layers.lowerBound)–\($0.layers.upperBound)", $0.loss.text,
          $0.controlLoss.text, $0.share.text, $0.accuracyLost.text, $0.topLost.text,
          String($0.cut.count),
        ]
      }
    }
    if !section.rows.isEmpty {
      section.elements.append(
        .table(
          HTMLTable(
            headers: section.headers, rows: section.rows,
            caption: "At the window that development episodes chose; reported episodes.")))
    }
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): logits lost by window", xTitle: "layer (middle of the window)",
        series: results.map { edges, windows, _ in
          (edges.rawValue, windows.map { ($0.centre, $0.loss.estimate) })
        }, reference: 0)
    ]
    for (edges, windows, _) in results {
      for window in windows {
        for (isControl, loss) in [(false, window.loss), (true, window.controlLoss)] {
          section.add(
            result: [
              ("probe", .string(findings.probe)), ("task", .string(findings.task)),
              ("positions", .string(edges.rawValue)), ("control", .bool(isControl)),
              ("layer", .integer(window.layers.lowerBound)),
              ("last_layer", .integer(window.layers.upperBound)),
            ], metric: "logits_lost", loss, count: window.cut.count)
        }
      }
    }
    section.summary = [
      (
        "classes",
        .array(
          results.map { edges, windows, best in
            [
              "edges": .string(edges.rawValue),
              "chosen_first_layer": best.map { .integer($0.layers.lowerBound) } ?? .null,
              "windows": .array(
                windows.map {
                  [
                    "first_layer": .integer($0.layers.lowerBound),
                    "last_layer": .integer($0.layers.upperBound), "logits_lost": $0.loss.json,
                    "control": $0.controlLoss.json, "share_lost": $0.share.json,
                  ]
                }),
            ]
          })
      )
    ]
    return section
  }

  private func claim(_ edges: EdgeClass, _ window: Window, _ findings: Findings) -> Claim {
    Claim(
      Self.kind, name: "\(findings.probe).\(edges.rawValue)",
      sentence:
        "In \(window.words) attention \(edges.words) matters: cutting it costs more than cutting as "
        + "many other edges of the same queries.",
      evidence:
        "\(window.loss.text) logits lost, \(window.controlLoss.text) by other edges; "
        + "\(window.share.text) of the clean logit difference, accuracy of two "
        + "\(window.accuracyLost.text) lower.",
      differences: zip(window.cut, window.control).map { $0.loss - $1.loss },
      resolution: Measurement.resolution, unit: "logits",
      paperClaim: edges.paperClaim, seed: findings.seed)
  }

  private func figure(
    _ results: [(edges: EdgeClass, windows: [Window])], _ findings: Findings
  ) -> Figure {
    func series(_ name: String, _ windows: [Window], _ value: (Window) -> Interval)
      -> LineChart.Series
    {
      LineChart.Series(
        name: name,
        points: windows.map { window in
          let loss = value(window)
          return LineChart.Point(
            x: window.centre, y: loss.estimate, low: loss.low, high: loss.high)
        })
    }
    return Figure(
      name: "\(findings.stem)-logits-lost",
      chart: LineChart(
        title: "What cutting attention edges costs", xTitle: "layer (middle of the window)",
        yTitle: "logits lost",
        series: results.map { series($0.edges.rawValue, $0.windows, \.loss) }
          + results.suffix(1).map {
            series("as many other edges as \($0.edges.rawValue)", $0.windows, \.controlLoss)
          },
        horizontalLines: [LineChart.HorizontalLine(y: 0, label: "uncut")],
        intervalNote: "Bands: 95 % t intervals over episodes."),
      caption:
        "Fall of the logit difference when edges between tokens of these roles are cut in a window of "
        + "\(window) layers of the clean run; the last line is the control of the last class.")
  }
}
