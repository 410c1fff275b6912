import Reports
import TensorCore

extension StudyReport {
  /// A Markdown page with its tables of studies written anew: `<!-- study NAME -->` of every cell at its last
  /// checkpoint, with 95 % intervals; `<!-- runs of NAME -->` of every run that was measured; `<!-- tests of NAME -->` of
  /// every sentence, its verdict and p.
  ///
  /// - Throws: `UserError` where a table does not end or is of a study that is not reported, and where there is none.
  public func page(filling path: String) throws -> String {
    var page = try MarkedPage(contentsOf: path)
    typealias Known = (result: StudyResults, claims: [Claim])
    let kinds: [(String, (Known) -> HTMLTable)] = [
      ("study", { Self.cells($0.result) }), ("runs of", { Self.runs($0.result) }),
      ("tests of", { Claim.table($0.claims) }),
    ]
    let present = kinds.filter { page.text.contains("<!-- \($0.0) ") }
    for (kind, table) in present.isEmpty ? Array(kinds.prefix(1)) : present {
      try page.fill(kind) { name in
        guard let known = claimsByStudy.last(where: { $0.result.study.name == name }) else {
          throw UserError(
            "there is no run of the study \(name)", at: path,
            remedy:
              "name its folder, beside \(claimsByStudy.map(\.result.path).joined(separator: " "))")
        }
        return table(known)
      }
    }
    return page.text
  }

  private static let measured: [(name: String, quantity: StudyQuantity)] = [
    ("Fréchet", .frechet), ("recall", .recall), ("coverage", .coverage),
  ]

  private static func headers(_ result: StudyResults) -> [String] {
    result.spaces.flatMap { space in
      let file = space.split(separator: "/").last.map(String.init) ?? space
      let shown = file.replacing(".safetensors", with: "")
      return ["\(measured[0].name), \(shown)"] + measured.dropFirst().map(\.name)
    }
  }

  private static func cells(_ result: StudyResults) -> HTMLTable {
    HTMLTable(
      headers: ["cell", "learning rate"] + headers(result),
      rows: result.study.cells.compactMap { cell in
        guard let images = result.checkpoints(of: cell).last else { return nil }
        let rate = result.rows.last { $0.cell == cell.name && $0.role == .heldOut }?.learningRate
        return ["`\(cell.name)`", rate.map { "\($0)" } ?? ""]
          + result.spaces.flatMap { space in
            measured.map {
              result.mean($0.quantity, in: space, of: cell, at: images)?.interval().text(digits: 2)
                ?? "–"
            }
          }
      })
  }

  private static func runs(_ result: StudyResults) -> HTMLTable {
    let rows = result.rows.filter { $0.role == .heldOut }
    return HTMLTable(
      headers: ["cell", "seed", "images"] + headers(result),
      rows: rows.map { row in
        ["`\(row.cell)`", "\(row.seed)", "\(row.images)"]
          + row.metrics.flatMap { metric in
            measured.map {
              $0.quantity.value(metric, of: row).map { formatted($0.value, digits: 3) } ?? "–"
            }
          }
      })
  }
}
