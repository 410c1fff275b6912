import Foundation
import Reports
import Testing

@testable import DiffusionGAN

/// The runs of docs/onestep/studies, and the intervals that the pages beside them quote.
@Suite struct StudiesPageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../docs/onestep").standardized
  private static let names = [
    "ability", "freezing", "frequency", "larger", "levers", "levers-further", "levers-seen",
    "minima", "rivals",
  ]

  private static func results() throws -> [StudyResults] {
    try names.map(results)
  }

  private static func results(_ name: String) throws -> StudyResults {
    try StudyResults(contentsOf: folder.appendingPathComponent("studies/\(name)").path)
  }

  /// A page without its tables.
  private static func prose(of page: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(page), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("|") }.joined(separator: "\n")
  }

  /// Every run can be read, its rows are those of its manifest, and the report of all is made of them.
  @Test func everyRunIsWhole() throws {
    let results = try Self.results()
    for result in results { #expect(result.isFinished, "\(result.path)") }
    #expect(results.map(\.study.name) == Self.names)
    let report = StudyReport(results)
    #expect(!report.claims.isEmpty && report.page.html.contains("What the tests say"))
  }

  /// `0.77 [0.49, 1.04]` on a page is a distance (to the data or a teacher), a recall or a coverage of a cell
  /// at a checkpoint; in a row of a table of that cell.
  @Test(arguments: ["studies.md", "README.md"])
  func intervalsOfThePagesAreOfTheRows(page: String) throws {
    var (known, ofCells) = (Set<String>(), [String: Set<String>]())
    for result in try Self.results() {
      for cell in result.study.cells {
        for images in result.checkpoints(of: cell) {
          for space in result.spaces {
            let teachers = result.study.teachers.indices.map { StudyQuantity.toTeacher($0) }
            for quantity in [.frechet, .recall, .coverage] + teachers {
              guard let mean = result.mean(quantity, in: space, of: cell, at: images) else {
                continue
              }
              let text = mean.interval().text(digits: 2)
              known.insert(text)
              ofCells[cell.name, default: []].insert(text)
            }
          }
        }
      }
    }
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent(page), encoding: .utf8)
    var quoted = 0
    for line in text.split(separator: "\n") {
      let cell = line.firstMatch(of: /^\| `([^`]+)` \|/).flatMap { ofCells[String($0.1)] }
      for interval in line.matches(of: /[−0-9.]+ \[[−0-9.]+, [−0-9.]+\]/) {
        #expect((cell ?? known).contains(String(interval.output)), "\(page): \(interval.output)")
        quoted += 1
      }
    }
    #expect(quoted > 0)
  }

  /// `p = 0.027` on a page is the adjusted p of a sentence of a study, with one or two digits.
  @Test(arguments: ["studies.md", "README.md"])
  func probabilitiesOfThePagesAreOfTheSentences(page: String) throws {
    var known: Set<String> = []
    for p in StudyReport(try Self.results()).claims.map(\.adjustedPValue) where p.isFinite && p > 0
    {
      let places = Int((-log10(p)).rounded(.down))
      known.formUnion((1...2).map { String(format: "%.\(max(places + $0, 0))f", p) })
      known.insert(p > 0.995 ? "1" : String(format: "%.2f", p))
    }
    // Of the study as it was first run, as the page says.
    known.insert("0.009")
    let text = try Self.prose(of: page)
    var quoted = 0
    for found in text.matches(of: /p = ([0-9]+(?:\.[0-9]+)?)(?: (?:and|to) ([0-9]+(?:\.[0-9]+)?))?/)
    {
      for number in [found.1, found.2].compactMap(\.self) {
        #expect(known.contains(String(number)), "\(page): \(found.0)")
        quoted += 1
      }
    }
    #expect(quoted > 8)
  }

  /// How far students are from their 18-step teacher's pictures, which the pages tell without intervals.
  @Test func distancesToTheTeacherAreOfTheRows() throws {
    func distance(_ study: String, _ cell: String, _ space: Int, _ images: Int) throws -> String {
      let result = try StudyResults(
        contentsOf: Self.folder.appendingPathComponent("studies/\(study)").path)
      let found = try #require(result.study.cells.first { $0.name == cell })
      let mean = try #require(
        result.mean(
          .toTeacher(result.study.teachers.count - 1), in: result.spaces[space], of: found,
          at: images))
      return String(format: "%.2f", mean.estimate)
    }
    func minima(_ cell: String, _ space: Int) throws -> String {
      try distance("minima", cell, space, 20_000)
    }
    let near = try (0...1).map { space in
      try ["regression-9", "regression-18"].map { try minima($0, space) }
        .joined(separator: " and ")
    }
    let far = try (
      minima("consistency-18", 0), minima("trajectory-18", 0), minima("trajectory-18", 1),
      minima("regression-5", 1)
    )
    let larger = try ["level-0", "regression-18", "level-1"].map {
      try distance("larger", $0, 0, 40_000)
    }
    for (page, words) in [
      ("studies.md", "at \(near[0]), in pixels at \(near[1])"),
      ("studies.md", "against \(far.0) to \(far.1)), in pixels three"),
      ("studies.md", "against \(far.2) to \(far.3))"),
      ("studies.md", "(\(larger[0]) against \(larger[1]), p < 0.0001)"),
      ("studies.md", "undecided (\(larger[2]))"), ("README.md", "(\(near[0]))"),
      ("README.md", "are at \(far.0) to \(far.1)"),
      ("README.md", "(\(larger[0]) against \(larger[1]))"),
    ] {
      let text = try String(contentsOf: Self.folder.appendingPathComponent(page), encoding: .utf8)
      #expect(text.contains(words), "\(page): \(words)")
    }
  }

  /// What the rule of `studies/levers.json` takes is what the page says, also by images that were learned from. A change
  /// that it takes is tried over three seeds.
  @Test func leversAreTakenByTheRule() throws {
    let page = try Self.prose(of: "levers.md")
    func said(_ words: Regex<(Substring, Substring)>) throws -> [String] {
      try #require(page.firstMatch(of: words)).1.matches(of: /`([^`]+)`/).map { String($0.1) }
    }
    #expect(try said(/By the rule taken: ([^.*]+)/) == Self.taken(in: "levers"))
    let seen = try Self.taken(in: "levers-seen")
    #expect(try said(/it would take ([^.*]+)/) == seen)
    let further = try Self.results("levers-further").study.cells.map(\.name)
    #expect(Set(try Self.taken(in: "levers")).isSubset(of: further))
  }

  /// Cells that the rule takes.
  private static func taken(in study: String) throws -> [String] {
    /// The numbers of a row by space, the smaller the better.
    func numbers(_ row: StudyRow) -> [[Double]] {
      row.metrics.map { [$0.frechet.value, -$0.recall, -($0.coverage ?? .nan)] }
    }
    let rows = try results(study).rows.filter { $0.role == .heldOut }
    func cell(_ name: String) -> [[[Double]]] { rows.filter { $0.cell == name }.map(numbers) }
    let (preset, longer) = (cell("as-preset"), cell("as-preset-longer").first)
    let length = try #require(rows.first).images
    #expect(preset.count == 3)
    func overSeeds(_ found: ([Double]) -> Double) -> [[Double]] {
      (0..<2).map { space in
        (0..<3).map { number in found(preset.map { $0[space][number] }) }
      }
    }
    let mean = overSeeds { $0.reduce(0, +) / Double($0.count) }
    let spread = overSeeds { ($0.max() ?? .nan) - ($0.min() ?? .nan) }
    return try rows.filter { row in
      guard !row.cell.hasPrefix("as-preset") else { return false }
      let (own, standard) = (numbers(row), row.images == length ? mean : try #require(longer))
      func gain(_ space: Int, _ number: Int) -> Double {
        standard[space][number] - own[space][number]
      }
      let isNearer = (0..<2).allSatisfy { gain($0, 0) > spread[$0][0] }
      let recallsMore = (0..<2).contains { gain($0, 1) >= 0.01 }
      let losesNothing = (0..<2).allSatisfy { space in
        (0..<3).allSatisfy { gain(space, $0) >= -spread[space][$0] }
      }
      return isNearer || (recallsMore && losesNothing)
    }.map(\.cell)
  }

  /// Numbers of three digits in the prose on levers are of rows, of means over seeds or of how far the preset's differ.
  @Test func leversOfThePageAreOfTheRows() throws {
    // The learning rate, and how much nearer the same runs are to images that were learned from.
    var known: Set<String> = ["0.001"]
    for differences in try Self.distancesOfLevers().map({ zip($0.kept, $0.seen).map(-) }) {
      let mean = differences.reduce(0, +) / Double(differences.count)
      let largest = differences.map(abs).max() ?? .nan
      for number in [mean, largest] { known.insert(String(format: "%.3f", number)) }
    }
    for name in ["levers", "levers-further", "levers-seen"] {
      let result = try Self.results(name)
      let presets = try #require(result.study.cells.first)
      for cell in result.study.cells {
        let images = try #require(result.checkpoints(of: cell).last)
        for space in result.spaces {
          for quantity in [StudyQuantity.frechet, .recall, .coverage] {
            func values(_ cell: StudyCell) -> [Double] {
              result.values(quantity, in: space, of: cell, at: images).map(\.value)
            }
            let own = values(cell)
            let mean = own.reduce(0, +) / Double(own.count)
            let preset = values(presets)
            let standard = preset.reduce(0, +) / Double(preset.count)
            let spread = (own.max() ?? .nan) - (own.min() ?? .nan)
            for number in own + [mean, mean - standard, spread] {
              known.insert(String(format: "%.3f", number))
            }
          }
        }
      }
    }
    let section = try #require(
      try Self.prose(of: "levers.md").components(separatedBy: "\n## ").first {
        $0.hasPrefix("Tried alone")
      })
    let quoted = section.matches(of: /\b[0-9]\.[0-9]{3}\b/).map { String($0.output) }
    #expect(quoted.count > 40)
    for number in quoted { #expect(known.contains(number), "\(number)") }
  }

  /// Distances in each space of the runs of `levers`, to images that were kept back and to some that were learned from.
  private static func distancesOfLevers() throws -> [(kept: [Double], seen: [Double])] {
    let rows = try ["levers", "levers-seen"].map { name in
      try results(name).rows.sorted { ($0.network, $0.seed) < ($1.network, $1.seed) }
    }
    #expect(rows[0].map(\.network) == rows[1].map(\.network) && rows[0].count == 29)
    return (0..<2).map { space in
      let found = rows.map { $0.map { $0.metrics[space].frechet.value } }
      return (found[0], found[1])
    }
  }

  /// The two sets of real images rank the runs as the page says.
  @Test func rankCorrelationsOfThePageAreOfTheRows() throws {
    let correlations = try Self.distancesOfLevers().map {
      RankCorrelation.spearman($0.kept, $0.seen)
    }
    let text = correlations.map { String(format: "%.2f", $0) }
    #expect(
      try Self.prose(of: "levers.md").contains(
        "of the distances is \(text[0]) by classifier and \(text[1]) in pixels"))
  }

  /// What the levels of freezing leave as it is, in percent of the parameters.
  @Test func levelsFreezeWhatThePageSays() throws {
    let path = Self.folder.appendingPathComponent("../../networks/fashion16.safetensors").path
    let weights = try NetworkFile(contentsOf: path).weights
    let shares = try ["1", "2", "3"].map { level in
      let rule = try Freezing(parsing: level)
      let frozen = weights.filter { rule.freezes($0) }.scalarCount
      return String(format: "%.0f", 100 * Double(frozen) / Double(weights.scalarCount))
    }
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent("README.md"), encoding: .utf8)
    let words = "freeze \(shares[0]), \(shares[1]) and \(shares[2]) % of the parameters"
    #expect(text.contains(words), "\(words)")
  }

  /// Numbers of three digits and more in the section on frequencies are of the evidence of its sentences.
  @Test func frequenciesOfThePageAreOfTheSentences() throws {
    let results = try StudyResults(
      contentsOf: Self.folder.appendingPathComponent("studies/frequency").path)
    let evidence = StudyClaims(results).all.map(\.evidence).joined(separator: " ")
    let known = evidence.matches(of: /[0-9]+\.[0-9]+/).map { String($0.output) }
    let text = try Self.prose(of: "studies.md")
    let section = try #require(text.components(separatedBy: "\n### (d)").dropFirst().first)
      .components(separatedBy: "\n### ")[0]
    let quoted = section.matches(of: /\b0\.[0-9]{3,}/).map { String($0.output) }
      .filter { $0 != "0.002" && $0 != "0.0001" }
    #expect(quoted.count > 8)
    for number in quoted {
      #expect(known.contains { $0.hasPrefix(number) }, "\(number)")
    }
  }

  /// The tables of the pages are what `onestep report --fill` writes.
  @Test(arguments: ["studies.md", "levers.md"])
  func tablesOfThePagesAreOfTheRows(page: String) throws {
    let path = Self.folder.appendingPathComponent(page).path
    let filled = try StudyReport(Self.results()).page(filling: path)
    #expect(try filled == String(contentsOfFile: path, encoding: .utf8))
    for table in filled.components(separatedBy: "<!-- end -->").dropLast() {
      #expect(table.matches(of: /\n\|/).count > 3)
    }
  }
}
