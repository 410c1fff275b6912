import Reports
import TensorCore

extension Attribution {
  private enum Method: String, CaseIterable {
    case firstOrder = "first order"
    case integrated = "integrated gradients"

    func estimate(_ row: AttributionRow) -> Double {
      self == .firstOrder ? row.estimate : row.integrated
    }

    func isTop(_ row: AttributionRow) -> Bool {
      self == .firstOrder ? row.rank : row.rankIntegrated
    }
  }

  /// How well estimates and true patches agree, prompt by prompt.
  private struct Agreement {
    let patches: Int
    /// Spearman's correlation within each prompt.
    let correlations: [Double]
    /// Slope of true effects on estimates, through 0, within each prompt.
    let slopes: [Double]

    init(_ rows: [[AttributionRow]], _ method: Method) {
      patches = rows.reduce(0) { $0 + $1.count }
      // What is below the resolution is rounding: its ranks and its slope would be noise.
      func resolved(_ x: Double) -> Double { x.magnitude < Measurement.resolution ? 0 : x }
      let pairs = rows.map { prompt in
        prompt.compactMap { row in
          row.exact.map { (x: resolved(method.estimate(row)), y: resolved($0)) }
        }
      }
      correlations = pairs.map { RankCorrelation.spearman($0.map(\.x), $0.map(\.y)) }
      slopes = pairs.map { pairs in
        pairs.reduce(0) { $0 + $1.x * $1.y } / pairs.reduce(0) { $0 + $1.x * $1.x }
      }
    }

    var correlation: Interval { MeanInterval.student(correlations.filter(\.isFinite)) }
    var slope: Interval { MeanInterval.student(slopes.filter(\.isFinite)) }
  }

  func section(_ records: [Record<AttributionRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let prompts = Dictionary(grouping: records, by: \.episode).sorted { $0.key < $1.key }
      .map { $0.value.map(\.row) }
    let random = prompts.map { $0.filter { $0.drawn == .random } }
    let cells = AttributionCells(records.map(\.row)).cells
    let gap = MeanInterval.student(prompts.compactMap { $0.first?.gap })
    var panels: [(site: GridSite, axis: GridAxis)] = []
    for cell in cells where !panels.contains(where: { $0 == (cell.cell.site, cell.cell.axis) }) {
      panels.append((cell.cell.site, cell.cell.axis))
    }

    let claims = claims(random, findings)
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(
      .paragraph(
        "\(prompts.count) prompts, \(cells.count) cells, clean activations into the corrupted run; the two runs are "
          + "\(gap.text) logits apart. Estimates take one backward pass a prompt, integrated ones \(steps). "
          + "Each cell was also patched in \(sampleSize(of: prompts.count)) prompts drawn for it at random, and in each "
          + "prompt the \(top) cells that either estimate calls largest."))

    section.headers = [
      "cells", "patched", "estimate", "rank correlation", "slope of effects", "n",
    ]
    for method in Method.allCases {
      let largest = prompts.map { $0.filter(method.isTop) }
      let groups =
        [("all sites", "at random", random), ("all sites", "its largest", largest)]
        + panels.map { site, axis in
          (
            "\(site.rawValue) by \(axis.rawValue)", "at random",
            random.map { $0.filter { $0.cell.site == site && $0.cell.axis == axis } }
          )
        }
      for (name, how, rows) in groups {
        let agreement = Agreement(rows, method)
        guard agreement.patches > 0 else { continue }
        section.rows.append([
          name, how, method.rawValue, agreement.correlation.text, agreement.slope.text,
          String(agreement.patches),
        ])
        for (metric, value) in [
          ("rank_correlation", agreement.correlation), ("slope", agreement.slope),
        ] {
          section.add(
            result: [
              ("probe", .string(findings.probe)), ("task", .string(findings.task)),
              ("site", .string(name)), ("positions", .string(how)),
              ("method", .string(method.rawValue)),
            ], metric: metric, value, count: prompts.count)
        }
      }
    }
    section.elements.append(
      .table(
        HTMLTable(
          headers: section.headers, rows: section.rows,
          caption:
            "Estimates beside true patches, less than \(formattedShort(Measurement.resolution)) logits counted as none: Spearman's "
            + "correlation within a prompt and the slope of true effects on "
            + "estimates through 0 (1 where estimates are right), means over prompts with t intervals. The largest "
            + "cells are chosen by the estimate, which is where it is most often too large.")))
    if share > 0 { addSavings(cells, panels, prompts, findings, to: &section) }
    for (site, axis) in panels {
      section.elements.append(
        .figure(
          figure(
            site, axis, cells.filter { $0.cell.site == site && $0.cell.axis == axis }, findings)))
    }
    let all = Agreement(random, .integrated)
    section.answers =
      all.patches == 0
      ? []
      : [
        "Of patches at random, integrated gradients give the rank with correlation \(all.correlation.text)."
      ]
    section.summary += [
      ("prompts", .integer(prompts.count)), ("cells", .integer(cells.count)),
      (
        "effects",
        .array(
          cells.map { cell in
            [
              "site": .string(cell.cell.site.rawValue), "layer": .integer(cell.cell.layer),
              "where": .string(cell.cell.place), "estimate": .number(cell.estimate),
              "integrated": .number(cell.integrated),
              "effect": cell.mean.map { $0.interval().json } ?? .null,
            ]
          })
      ),
    ]
    return section
  }

  private func claims(_ random: [[AttributionRow]], _ findings: Findings) -> [Claim] {
    let (first, integrated) = (Agreement(random, .firstOrder), Agreement(random, .integrated))
    guard first.patches > 0 else { return [] }
    let pairs = zip(integrated.correlations, first.correlations)
      .filter { $0.isFinite && $1.isFinite }
    return [
      Claim(
        Self.kind, name: "\(findings.probe).integrated-ranks-better",
        sentence:
          "Integrated gradients rank patches at random better than first-order estimates do.",
        evidence:
          "Rank correlation \(integrated.correlation.text), first order \(first.correlation.text).",
        differences: pairs.map { $0 - $1 }, unit: "rank correlation", seed: findings.seed)
    ]
  }

  /// What the control variates are worth, by site.
  private func addSavings(
    _ cells: [AttributionCells.Cell], _ panels: [(site: GridSite, axis: GridAxis)],
    _ prompts: [[AttributionRow]], _ findings: Findings, to section: inout Section
  ) {
    let made = sampleSize(of: prompts.count)
    // Cells share prompts, and neighbouring ones their effects: what is independent is a prompt.
    let leftOut = prompts.indices.map { left in
      AttributionCells(prompts.indices.filter { $0 != left }.flatMap { prompts[$0] }).cells
    }
    func interval(
      _ isOwn: (GridCell) -> Bool, _ value: ([AttributionCells.Cell]) -> Double
    ) -> Interval {
      func own(_ cells: [AttributionCells.Cell]) -> [AttributionCells.Cell] {
        cells.filter { isOwn($0.cell) }
      }
      return Jackknife.interval(of: value(own(cells)), leftOut: leftOut.map { value(own($0)) })
    }
    var rows: [[String]] = []
    let all: (String, (GridCell) -> Bool) = ("all", { _ in true })
    for (name, isOwn) in [all]
      + panels.map({ site, axis in
        ("\(site.rawValue) by \(axis.rawValue)", { $0.site == site && $0.axis == axis })
      })
    {
      let found = (
        saving: interval(isOwn, AttributionCells.saving),
        rest: interval(isOwn, AttributionCells.rest)
      )
      let count = cells.count { isOwn($0.cell) }
      rows.append([
        name, String(count), String(made), (found.saving * Double(made)).text,
        found.rest.text,
      ])
      for (metric, value) in [
        ("patches_without_per_patch", found.saving), ("variance_left", found.rest),
      ] {
        section.add(
          result: [
            ("probe", .string(findings.probe)), ("task", .string(findings.task)),
            ("site", .string(name)),
          ], metric: metric, value, count: count)
      }
    }
    section.elements.append(
      .table(
        HTMLTable(
          headers: [
            "site", "cells", "exact patches a cell", "needed without estimates", "variance left",
          ], rows: rows,
          caption:
            "What estimates save as control variates. Plain means would need the third number of exact patches a "
            + "cell for intervals as wide as those of the figures; with estimates of many more prompts it shrinks to "
            + "the share in the last column. Variances are added over cells; intervals are jackknives "
            + "over prompts.")))
  }

  private func figure(
    _ site: GridSite, _ axis: GridAxis, _ cells: [AttributionCells.Cell], _ findings: Findings
  ) -> Figure {
    let layers = Set(cells.map(\.cell.layer)).sorted()
    var columns: [String] = []
    func column(_ cell: GridCell) -> String { cell.head.map(String.init) ?? cell.label ?? "" }
    for cell in cells where !columns.contains(column(cell.cell)) {
      columns.append(column(cell.cell))
    }
    let found = Dictionary(
      cells.map { ([String($0.cell.layer), column($0.cell)], $0) },
      uniquingKeysWith: { first, _ in first })
    func map<Value>(_ value: (AttributionCells.Cell?) -> Value) -> [[Value]] {
      layers.map { layer in columns.map { value(found[[String(layer), $0]]) } }
    }
    return Figure(
      name: "\(findings.stem)-\(site.rawValue)-by-\(axis.rawValue)",
      chart: Heatmap(
        title: "Effect of patching \(site.rawValue), from estimates and few patches",
        xTitle: axis.rawValue, yTitle: "layer", columns: columns, rows: layers.map(String.init),
        values: map { $0?.mean?.estimate ?? $0?.integrated ?? .nan },
        intervals: map { $0?.mean?.interval() }, valueTitle: "logits",
        notes: map { cell in
          cell.map { "estimates \($0.estimate.short) and \($0.integrated.short)" } ?? ""
        }),
      caption:
        "Mean change of the logit difference by one cell. Each is the mean of the integrated estimates, scaled by "
        + "their slope in other cells, and corrected by the true patches of this cell, which makes it unbiased; "
        + "intervals are Student's.")
  }
}

extension Interval {
  fileprivate static func * (interval: Interval, factor: Double) -> Interval {
    Interval(
      estimate: interval.estimate * factor, low: interval.low * factor,
      high: interval.high * factor, level: interval.level)
  }
}

extension Double {
  fileprivate var short: String { formattedShort(self, digits: 3) }
}
