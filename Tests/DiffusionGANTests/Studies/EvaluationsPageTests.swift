import Foundation
import TensorCore
import Testing

/// The tables of networks on docs/onestep's pages are those of `onestep evaluate --json` in docs/onestep/evaluations.
@Suite struct EvaluationsPageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../docs/onestep").standardized.path

  /// Evaluations of the networks that were trained to be shown in three spaces; those of levers are on their page,
  /// those of stacked garments in a table of their own.
  private static func evaluations() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/evaluations").sorted()
      .filter { $0.hasSuffix(".json") && !$0.hasPrefix("levers-") && !$0.hasPrefix("stacked32") }
      .map { String($0.dropLast(".json".count)) }
  }

  /// What an evaluation says in the first space whose name has `word` in it.
  private static func space(_ word: String, in name: String) throws -> JSONReader {
    let path = "\(folder)/evaluations/\(name).json"
    return try #require(
      JSONReader(contentsOf: path).at("features").list()
        .first { try $0.at("name").string().contains(word) }, "\(name) has no \(word)")
  }

  private static let spaces = [".safetensors", "pixels", "efficientnet-lite2@64"]

  private static func words(_ reader: JSONReader, _ keys: [String]) throws -> [String] {
    try keys.map { String(format: "%.2f", try reader.at($0).number()) }
  }

  /// Distance with its error, if the row has one, precision and recall in the space of a classifier, of pixels and of
  /// another network.
  private static func cells(_ name: String, of kind: String, precision: Bool) throws -> [String] {
    try spaces.flatMap { space in
      let quality = try Self.space(space, in: name).at(kind)
      let distance = try quality.at("frechet").number()
      let error = try? quality.at("frechet_standard_error").number()
      return [
        String(format: distance < 100 ? "%.2f" : "%.0f", distance)
          + (error.map { String(format: " ± %.2f", $0) } ?? "")
      ] + (try words(quality, precision ? ["precision", "recall"] : ["recall"]))
    }
  }

  @Test(arguments: [("README.md", false), ("studies.md", true)])
  func tablesAreOfTheEvaluations(page: String, precision: Bool) throws {
    var (floors, networks) = (Set<[String]>(), Set<[String]>())
    for file in try Self.evaluations() {
      floors.insert(try Self.cells(file, of: "floor", precision: precision))
      networks.insert(try Self.cells(file, of: "generated", precision: precision))
    }
    let width = precision ? 9 : 6
    let text = try String(contentsOfFile: "\(Self.folder)/\(page)", encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }.filter { ["1", "35", ""].contains($0[1]) && $0.count >= 2 + width && $0[2].contains(".") }
      .map { (calls: $0[1], cells: Array($0[2..<2 + width])) }
    #expect(!rows.isEmpty)
    for row in rows {
      #expect((row.calls.isEmpty ? floors : networks).contains(row.cells), "\(page): \(row.cells)")
    }
    let shown = Set(rows.map(\.cells))
    for cells in networks { #expect(shown.contains(cells), "\(page) lacks \(cells)") }
  }

  /// Coverage and density of every network.
  @Test func coverageIsOfTheEvaluations() throws {
    let text = try String(contentsOfFile: "\(Self.folder)/README.md", encoding: .utf8)
    for name in try Self.evaluations() {
      let cells = try Self.spaces.flatMap {
        try Self.words(Self.space($0, in: name).at("generated"), ["coverage", "density"])
      }
      let row = "| `\(name)` | \(cells.joined(separator: " | ")) |"
      #expect(text.contains(row), "\(row)")
    }
  }

  /// Where a distance in so many features has no error, the sentences stand on KID, which has.
  @Test func kernelDistancesAreOfTheEvaluations() throws {
    func kernel(_ name: String) throws -> (value: Double, error: Double) {
      let quality = try Self.space("efficientnet", in: name).at("generated")
      return (try quality.at("kid").number(), try quality.at("kid_standard_error").number())
    }
    func words(_ value: Double) -> String { String(format: "%.3f", value) }
    let seeds = try ["", "-seed-1", "-seed-2"].map { try kernel("fashion16-onestep\($0)") }
    let values = seeds.map(\.value)
    let (teacher, classes, teacherOfClasses) = try (
      kernel("fashion16"), kernel("fashion16-cond-onestep"), kernel("fashion16-cond")
    )
    let text = try String(contentsOfFile: "\(Self.folder)/README.md", encoding: .utf8)
    let without =
      "KID there \(words(values.min() ?? 0)) to \(words(values.max() ?? 0)) ± "
      + "\(words(seeds.map(\.error).max() ?? 0)) against \(words(teacher.value)) ± \(words(teacher.error))"
    #expect(text.contains(without), "\(without)")
    let with =
      "KID \(words(classes.value)) ± \(words(classes.error)) against "
      + "\(words(teacherOfClasses.value)) ± \(words(teacherOfClasses.error))"
    #expect(text.contains(with), "\(with)")
    // How far noise alone moves real images there.
    let noise = try ["0", "0.06"].map {
      String(
        format: "%.0f",
        try Self.space("efficientnet", in: "levers-noise-real-\($0)").at("generated")
          .at("frechet").number())
    }
    #expect(text.contains("from \(noise[0]) to \(noise[1]) there"), "\(noise)")
  }

  /// Recall class by class of one call, of 35 and of training images, and how many of each are recognised.
  @Test func classesAreOfTheEvaluations() throws {
    func classes(_ name: String, _ space: String) throws -> [JSONReader] {
      try Self.space(space, in: name).at("classes").list()
    }
    func percent(_ reader: JSONReader, _ kind: String) throws -> String {
      let share =
        try reader.at("\(kind)_recognised").number() / (try reader.at(kind).number())
      return String(format: "%.0f", 100 * share)
    }
    let (one, many) = ("fashion16-cond-onestep", "fashion16-cond")
    let spaces = try [".safetensors", "pixels"].map { space in
      try (one: classes(one, space), many: classes(many, space))
    }
    let text = try String(contentsOfFile: "\(Self.folder)/README.md", encoding: .utf8)
    #expect(spaces[0].one.count == 10)
    for (index, reader) in spaces[0].one.enumerated() {
      let recalls = try spaces.flatMap { space in
        try Self.words(space.one[index], ["recall"]) + Self.words(space.many[index], ["recall"])
          + Self.words(space.one[index], ["floor_recall"])
      }
      let recognised = [
        try percent(reader, "generated"), try percent(spaces[0].many[index], "generated"),
        try percent(reader, "reference"),
      ]
      let row = ([try reader.at("name").string()] + recalls + recognised).joined(separator: " | ")
      #expect(text.contains("| \(row) |"), "\(row)")
    }
  }

  /// Combinations of garments found, and how far they are from the data.
  @Test func combinationsAreOfTheEvaluations() throws {
    func row(_ name: String, _ file: String, _ kind: String, _ coverage: String) throws -> String {
      let ordered = try ["@channels", "pixels"].map { try Self.space($0, in: file) }
      let found = try ordered[0].at("labels").at(coverage)
      func number(_ key: String) throws -> Double { try found.at(key).number() }
      let modes = [
        String(
          format: "%.0f ± %.1f", try number("classes_found"),
          try number("classes_found_standard_error")),
        String(
          format: "%.3f ± %.3f", try number("divergence"), try number("divergence_standard_error")),
      ]
      let qualities = try ordered.flatMap { space in
        let quality = try space.at(kind)
        let error = try? quality.at("frechet_standard_error").number()
        return [
          String(format: "%.2f", try quality.at("frechet").number())
            + (error.map { String(format: " ± %.2f", $0) } ?? "")
        ] + (try Self.words(quality, ["recall", "coverage"]))
      }
      return "| \(name) | " + (modes + qualities).joined(separator: " | ") + " |"
    }
    let text = try String(contentsOfFile: "\(Self.folder)/README.md", encoding: .utf8)
    for row in try [
      row("training images (floor)", "stacked32", "floor", "floor_coverage"),
      row("`stacked32`, 35 calls", "stacked32", "generated", "coverage"),
      row("`stacked32-onestep`, 1 call", "stacked32-onestep", "generated", "coverage"),
    ] { #expect(text.contains(row), "\(row)") }
  }

  /// The distances of pictures as drawn and cut off, and after more images.
  @Test func leversAreOfTheEvaluations() throws {
    let text = try String(contentsOfFile: "\(Self.folder)/levers.md", encoding: .utf8)
    let rows = text.split(separator: "\n").filter {
      line in ["as drawn", "cut off", "60,000", "200,000"].contains { line.hasPrefix("| \($0) |") }
    }.map(String.init)
    #expect(rows.count == 8)
    func row(_ kind: String, _ files: [String]) throws -> String {
      let seeds = try files.map { try Self.cells($0, of: "generated", precision: true) }
      return "| \(kind) | "
        + [0, 2, 3, 5, 6, 7, 8].map { column in
          seeds.map { String($0[column].split(separator: " ")[0]) }.joined(separator: ", ")
        }.joined(separator: " | ") + " |"
    }
    let expected = try [
      row("as drawn", ["levers-as-drawn-40k-seed-100"]),
      row("cut off", ["levers-cut-off-40k-seed-100"]),
      row("as drawn", (0...2).map { "levers-as-drawn-200k-seed-\($0)" }),
      row("cut off", ["", "-seed-1", "-seed-2"].map { "fashion16-onestep\($0)" }),
      row("as drawn", ["levers-regression-as-drawn-20k-seed-100"]),
      row("cut off", ["levers-regression-cut-off-20k-seed-100"]),
      row("60,000", (0...2).map { "levers-28-60k-seed-\($0)" }),
      row("200,000", ["", "-seed-1", "-seed-2"].map { "fashion28-onestep\($0)" }),
    ]
    for row in expected { #expect(rows.contains(row), "\(row)") }
  }

  /// Recall, density and coverage of pictures with noise of their own: in pixels that raises the recall of real ones.
  @Test func noiseRaisesRecallInPixels() throws {
    func row(_ words: String, _ file: String) throws -> String {
      let cells = try Self.spaces.flatMap {
        try Self.words(
          Self.space($0, in: "levers-noise-\(file)").at("generated"),
          ["recall", "density", "coverage"])
      }
      return "| \(words) | \(cells.joined(separator: " | ")) |"
    }
    let text = try String(contentsOfFile: "\(Self.folder)/levers.md", encoding: .utf8)
    for (words, file) in [
      ("training images", "real"), ("`fashion16-onestep`", "student"),
    ] {
      for noise in ["0", "0.06", "0.1"] {
        let row = try row("\(words), noise \(noise)", "\(file)-\(noise)")
        #expect(text.contains(row), "\(row)")
      }
    }
    #expect(text.contains(try row("`fashion16`, 35 calls", "teacher-0")))
  }
}
