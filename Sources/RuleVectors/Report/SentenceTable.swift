import Reports
import TensorCore

/// A table of chosen sentences by model, for a page that people write around it.
///
///     {"models": {"SmolLM2-135M-Instruct.Q4_1": "SmolLM2 135M"},
///      "rows": [{"heading": "**2. At the answers**"},
///               {"label": "all answer positions", "task": "multi-demo-rule",
///                "sentence": "label-copy.more-than-label-copy"}]}
///
/// A cell has the verdict's sign and the first interval of the sentence's evidence, or with `"interval": 2` the second, or
/// with `"effect": true` the tested difference, in `digits`. With `"claim": 1` the sign of a sentence that does not
/// count for that claim of the paper is in brackets.
struct SentenceTable {
  private struct Row {
    let label: String
    /// Nil for a heading.
    let sentence: (task: String, name: String)?
    let interval: Int
    let isEffect: Bool
    let digits: Int
    let claim: PaperClaim?
  }

  private let models: [(name: String, shown: String)]
  private let rows: [Row]

  /// - Throws: `UserError` in one line: file, key, what was found and what is allowed.
  init(_ reader: JSONReader) throws {
    let keys = try reader.object(required: ["models", "rows"])
    models = try keys["models"]?.entries().map { ($0, try $1.string()) } ?? []
    rows =
      try keys["rows"]?.list().map { reader in
        if try reader.entries().contains(where: { $0.0 == "heading" }) {
          let text = try reader.object(required: ["heading"])["heading"]?.string() ?? ""
          return Row(
            label: text, sentence: nil, interval: 1, isEffect: false, digits: 2, claim: nil)
        }
        let keys = try reader.object(
          required: ["label", "task", "sentence"],
          optional: ["interval", "effect", "digits", "claim"])
        return Row(
          label: try keys["label"]?.string() ?? "",
          sentence: (try keys["task"]?.string() ?? "", try keys["sentence"]?.string() ?? ""),
          interval: try keys["interval"]?.integer(in: 1...9) ?? 1,
          isEffect: try keys["effect"]?.bool() ?? false,
          digits: try keys["digits"]?.integer(in: 0...6) ?? 2,
          claim: try keys["claim"].flatMap { PaperClaim(rawValue: try $0.integer(in: 1...6)) })
      } ?? []
  }

  /// The table of the sentences of `report`.
  func table(of report: Report) -> HTMLTable {
    HTMLTable(
      headers: [""] + models.map(\.shown),
      rows: rows.map { row in [row.label] + models.map { cell(row, report, $0.name) } })
  }

  private func cell(_ row: Row, _ report: Report, _ model: String) -> String {
    guard let (task, name) = row.sentence else { return "" }
    let runs = report.runs.filter { run in
      run.record.task == task && run.record.model == model
        && run.record.probes.contains { name.hasPrefix("\($0.name).") }
    }
    let able = runs.filter { $0.gate?.passed ?? true }
    guard let claim = able.lazy.flatMap(\.claims).first(where: { $0.name == name }) else {
      if able.count < runs.count { return "gate not passed" }
      return able.isEmpty ? "not run" : "not asked"
    }
    let sign = VerdictMark(claim.verdict).sign
    let counts = row.claim.map { claim.paperClaim == $0.rawValue } ?? true
    return "\(counts ? sign : "(\(sign))") \(value(row, claim))"
  }

  private func value(_ row: Row, _ claim: Claim) -> String {
    if row.isEffect { return claim.effect?.text(digits: row.digits) ?? "–" }
    let found = claim.evidence.matches(of: /−?[0-9.]+ \[−?[0-9.∞]+, −?[0-9.∞]+\]( of [0-9]+)?/)
    return found.count >= row.interval ? String(found[row.interval - 1].output.0) : "–"
  }
}

extension Report {
  /// A Markdown page with its tables of sentences, `<!-- sentences ROWS.json -->`, written anew.
  ///
  /// - Parameter path: of the page; files of rows are found from its folder.
  /// - Throws: `UserError` where a table does not end, there is none, or its rows cannot be read.
  public func page(filling path: String) throws -> String {
    var page = try MarkedPage(contentsOf: path)
    try page.fill("sentences") { name in
      try SentenceTable(JSONReader(contentsOf: "\(Files.folder(of: path))/\(name)"))
        .table(of: self)
    }
    return page.text
  }
}
