import Reports
import TensorCore

extension Grid {
  /// One cell over all prompts.
  private struct Cell {
    let site: GridSite
    let axis: GridAxis
    let layer: Int
    let column: String
    /// Changes of the logit difference, and the distances between the clean and the corrupted run.
    let effects: [Double]
    let gaps: [Double]
    let recovery: Interval
    /// Of a t test that the mean change is zero.
    let pValue: Double

    init(_ rows: [GridRow], _ first: GridRow) {
      site = first.site
      axis = first.axis
      layer = first.layer
      column = first.cell ?? first.head.map(String.init) ?? ""
      effects = rows.map { Double($0.patched) - Double($0.corrupted) }
      gaps = rows.map { Double($0.clean) - Double($0.corrupted) }
      recovery = RatioInterval.fieller(effects, over: gaps)
      pValue = StudentTest.pValue(effects)
    }

    var name: String {
      "\(site.rawValue), layer \(layer), \(axis == .role ? "" : axis.rawValue + " ")\(column)"
    }
  }

  /// The false discovery rate at which cells are marked.
  private static let rate = 0.05

  func section(_ records: [Record<GridRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let cells = cells(records.map(\.row))
    let found = BenjaminiHochberg.adjusted(cells.map(\.pValue)).map { $0 < Self.rate }
    let holm = Holm.adjusted(cells.map(\.pValue)).count { $0 < Claim.level }
    let prompts = Set(records.map(\.key)).count
    section.elements.append(
      .paragraph(
        "\(prompts) prompts, \(cells.count) cells, clean activations into the corrupted run. Of the cells "
          + "\(found.count(where: \.self)) have a mean effect that is not zero at a false discovery rate "
          + "of 5 % (Benjamini and Hochberg, t tests; these are marked), \(holm) at 5 % after Holm's "
          + "correction for all cells."))
    var panels: [(site: GridSite, axis: GridAxis)] = []
    for cell in cells where !panels.contains(where: { $0 == (cell.site, cell.axis) }) {
      panels.append((cell.site, cell.axis))
    }
    for (site, axis) in panels {
      let own = zip(cells, found).filter { $0.0.site == site && $0.0.axis == axis }
      section.elements.append(.figure(figure(site, axis, own.map { ($0.0, $0.1) }, findings)))
      if let spans = valuesOverTokens(site, axis, own.map(\.0), findings) {
        section.elements.append(.tokens(spans))
      }
    }
    let top = zip(cells, found).sorted { a, b in
      let (x, y) = (a.0.recovery.estimate.magnitude, b.0.recovery.estimate.magnitude)
      return x != y ? x > y : a.0.layer < b.0.layer
    }.prefix(20)
    section.answers = top.prefix(1).map { cell, _ in
      "Of \(cells.count) patched sites \(found.count(where: \.self)) have an effect; the largest is "
        + "\(cell.name), recovery \(cell.recovery.text)."
    }
    let headers = ["site", "layer", "where", "recovery", "p", "survives"]
    let rows = top.map { cell, isFound in
      [
        cell.site.rawValue, String(cell.layer), (cell.axis == .head ? "head " : "") + cell.column,
        cell.recovery.text, formattedPValue(cell.pValue), isFound ? "yes" : "no",
      ]
    }
    section.elements.append(
      .table(
        HTMLTable(
          headers: headers, rows: Array(rows),
          caption:
            "The largest effects. They were picked by their size on these very prompts, which makes "
            + "them look larger than they are; p values are of one cell, “survives” is Benjamini and "
            + "Hochberg's correction over all.")))
    section.headers = headers
    section.rows = Array(rows.prefix(10))
    for cell in cells {
      section.add(
        result: [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("site", .string(cell.site.rawValue)), ("layer", .integer(cell.layer)),
          ("positions", .string(cell.axis == .head ? "all" : cell.column)),
          ("head", cell.axis == .head ? Int(cell.column).map(JSONValue.integer) ?? .null : .null),
        ], metric: "recovery", cell.recovery, count: cell.effects.count)
    }
    section.summary = [
      ("prompts", .integer(prompts)), ("cells", .integer(cells.count)),
      ("found_benjamini_hochberg", .integer(found.count(where: \.self))),
      ("found_holm", .integer(holm)),
      (
        "top",
        .array(
          top.map { cell, isFound in
            [
              "site": .string(cell.site.rawValue), "layer": .integer(cell.layer),
              "where": .string(cell.column), "recovery": cell.recovery.json,
              "p": .number(cell.pValue), "survives": .bool(isFound),
            ]
          })
      ),
    ]
    return section
  }

  /// Recovery over the tokens of an example, at the layer of the largest effect of the site.
  private func valuesOverTokens(
    _ site: GridSite, _ axis: GridAxis, _ cells: [Cell], _ findings: Findings
  ) -> TokenSpans? {
    guard axis == .position, let example = findings.examples.first(where: { $0.name == "clean" }),
      let largest = cells.max(by: {
        $0.recovery.estimate.magnitude < $1.recovery.estimate.magnitude
      })
    else { return nil }
    let row = cells.filter { $0.layer == largest.layer }
    guard row.count == example.tokens.count else { return nil }
    return example.spans(
      caption:
        "An example of the clean prompts. Over each token stands the mean recovery by \(site.rawValue) at "
        + "its position at layer \(largest.layer), where the largest is.",
      valueNote: "recovery"
    ) { index, _ in row[index].recovery.estimate }
  }

  private func cells(_ rows: [GridRow]) -> [Cell] {
    struct Key: Hashable {
      let site: GridSite
      let axis: GridAxis
      let layer: Int
      let cell: String?
      let head: Int?
    }
    var order: [Key] = []
    var grouped: [Key: [GridRow]] = [:]
    for row in rows {
      let key = Key(
        site: row.site, axis: row.axis, layer: row.layer, cell: row.cell, head: row.head)
      if grouped[key] == nil { order.append(key) }
      grouped[key, default: []].append(row)
    }
    return order.compactMap { key in
      grouped[key].flatMap { rows in rows.first.map { Cell(rows, $0) } }
    }
  }

  private func figure(
    _ site: GridSite, _ axis: GridAxis, _ cells: [(cell: Cell, isFound: Bool)], _ findings: Findings
  ) -> Figure {
    let layers = Set(cells.map(\.cell.layer)).sorted()
    var columns: [String] = []
    for entry in cells where !columns.contains(entry.cell.column) {
      columns.append(entry.cell.column)
    }
    let found = Dictionary(
      cells.map { ([String($0.cell.layer), $0.cell.column], $0) },
      uniquingKeysWith: { first, _ in first })
    func cell(_ layer: Int, _ column: String) -> (cell: Cell, isFound: Bool)? {
      found[[String(layer), column]]
    }
    return Figure(
      name: "\(findings.stem)-\(site.rawValue)-by-\(axis.rawValue)",
      chart: Heatmap(
        title: "Recovery by patching \(site.rawValue)", xTitle: axis.rawValue, yTitle: "layer",
        columns: columns, rows: layers.map(String.init),
        values: layers.map { layer in
          columns.map { cell(layer, $0)?.cell.recovery.estimate ?? .nan }
        },
        intervals: layers.map { layer in columns.map { cell(layer, $0)?.cell.recovery } },
        marks: layers.map { layer in columns.map { cell(layer, $0)?.isFound ?? false } },
        markNote: "differs from 0 at a false discovery rate of 5 % over all cells",
        valueTitle: "recovery",
        notes: layers.map { layer in
          columns.map { cell(layer, $0).map { formattedPValue($0.cell.pValue) } ?? "" }
        }),
      caption:
        "Mean effect of one cell, from the clean run into the corrupted one, as a share of the mean "
        + "distance between the two.")
  }
}
