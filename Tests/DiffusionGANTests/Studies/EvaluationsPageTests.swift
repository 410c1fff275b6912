import Foundation
import TensorCore
import Testing

/// The tables of networks on docs/onestep's pages are those of `onestep evaluate --json` in docs/onestep/evaluations.
@Suite struct EvaluationsPageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../docs/onestep").standardized.path

  /// Evaluations of the networks that were trained to be shown; those of the study of rivals are quoted in its text.
  private static func evaluations() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/evaluations").sorted()
      .filter { $0.hasSuffix(".json") && !$0.hasPrefix("rivals-") }
  }

  /// Distance with its error, if the row has one, precision and recall in the space of a classifier, of pixels and of
  /// another network.
  private static func cells(_ file: String, of kind: String, precision: Bool) throws -> [String] {
    let spaces = try JSONReader(contentsOf: "\(folder)/evaluations/\(file)").at("features").list()
    let ordered = try [".safetensors", "pixels", "efficientnet-lite2@64"].map { name in
      try #require(
        spaces.first { try $0.at("name").string().contains(name) }, "\(file) has no \(name)")
    }
    return try ordered.flatMap { space in
      let quality = try space.at(kind)
      let distance = try quality.at("frechet").number()
      let error = try? quality.at("frechet_standard_error").number()
      let words =
        String(format: distance < 100 ? "%.2f" : "%.0f", distance)
        + (error.map { String(format: " ± %.2f", $0) } ?? "")
      let shares = try (precision ? ["precision", "recall"] : ["recall"]).map {
        String(format: "%.2f", try quality.at($0).number())
      }
      return [words] + shares
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
}
