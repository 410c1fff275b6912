import Foundation
import Reports
import TensorCore

/// A study's run, read from its folder.
public struct StudyResults: Sendable {
  public let path: String
  public let study: Study
  public let manifest: JSONValue
  public let rows: [StudyRow]
  public let choices: [StudyChoice]
  /// Summaries of frequency analyses, by cell.
  public let spectra: [(cell: String, summary: JSONValue)]

  public static let rowsFile = "results.jsonl"

  public init(
    path: String, study: Study, manifest: JSONValue = .null, rows: [StudyRow],
    choices: [StudyChoice] = [], spectra: [(cell: String, summary: JSONValue)] = []
  ) {
    self.path = path
    self.study = study
    self.manifest = manifest
    self.rows = rows
    self.choices = choices
    self.spectra = spectra
  }

  /// - Throws: `UserError` where the folder is no study's run, or holds rows that cannot be read.
  public init(contentsOf path: String) throws {
    let reading = try RunDirectory.read(path: path, rowsFile: Self.rowsFile)
    if case .damaged(let error) = reading.condition { throw error }
    let manifest = reading.manifest
    let study = try Study(
      JSONReader(manifest["definition"], place: "\(path)/manifest.json, definition"), digest: "",
      preset: Self.preset(of: manifest, at: "\(path)/manifest.json"))
    var rows: [StudyRow] = []
    var choices: [StudyChoice] = []
    var spectra: [(cell: String, summary: JSONValue)] = []
    try reading.forEachRow { reader in
      switch try StudyRecord(reader) {
      case .snapshot(let row): rows.append(row)
      case .choice(let choice): choices.append(choice)
      case .spectrum(let cell, let summary): spectra.append((cell, summary))
      }
    }
    self.init(
      path: path, study: study, manifest: manifest, rows: rows, choices: choices,
      spectra: spectra)
  }

  /// A preset of a file's, as it was: the file may have changed or gone since, or lie elsewhere.
  private static func preset(of manifest: JSONValue, at place: String) throws -> Preset? {
    guard case .string(let path) = manifest["definition"]["preset"], path.hasSuffix(".json"),
      manifest["identity"]["preset"] != .null
    else { return nil }
    return try Preset(
      JSONReader(manifest["identity"]["preset"], place: "\(place), identity.preset"),
      name: Preset.stem(of: path))
  }

  /// Merges the shares in a run's folder, if there are any that are not merged yet.
  ///
  /// - Throws: `UserError` naming the shares that are missing.
  public static func mergeShares(in path: String) throws {
    try RunShards(path, rowsFile: rowsFile)?.merge(
      unit: { try StudyRecord($0).unit }, fields: { _ in [] })
  }

  public var isFinished: Bool { manifest["finished"] != .null }
}

/// A number that a row tells in a space of features.
public enum StudyQuantity: Sendable, Equatable {
  case frechet
  case recall
  case coverage
  case precision
  case kernel
  /// Fréchet distance to the images of a teacher, by its place in the study.
  case toTeacher(Int)

  /// What `row` tells in the space of `metric`. Shares have the standard error of a proportion, which
  /// leaves out that manifolds were drawn too.
  func value(_ metric: StudyRow.Metric, of row: StudyRow) -> MeasuredDistance? {
    func share(_ value: Double, of count: Int) -> MeasuredDistance {
      MeasuredDistance(
        value, standardError: (value * (1 - value) / Double(max(count, 1))).squareRoot())
    }
    return switch self {
    case .frechet: metric.frechet
    // A share of the reference images, as precision is one of the generated.
    case .recall: share(metric.recall, of: row.referenceCount)
    case .coverage: metric.coverage.map { share($0, of: row.referenceCount) }
    case .precision: share(metric.precision, of: row.count)
    case .kernel: metric.kernel
    case .toTeacher(let place):
      place < metric.toTeachers.count ? metric.toTeachers[place] : nil
    }
  }

  /// All cells and seeds of a study are measured against the same images; precision is a share of
  /// images that each draws for itself.
  var errorOrigin: UncertainValue.ErrorOrigin { self == .precision ? .eachRun : .shared }
}

extension StudyResults {
  /// Spaces of features, metric networks before pixels.
  public var spaces: [String] {
    (rows.first { $0.role == .heldOut } ?? rows.first)?.metrics.map(\.name) ?? []
  }

  public func cells(_ isWanted: (StudyCell) -> Bool) -> [StudyCell] { study.cells.filter(isWanted) }

  /// Numbers of images at which `cell` has held-out rows.
  public func checkpoints(of cell: StudyCell) -> [Int] {
    Set(rows.filter { $0.cell == cell.name && $0.role == .heldOut }.map(\.images)).sorted()
  }

  /// The largest number of images at which all of `cells` were measured, those that are not trained
  /// left out.
  public func commonBudget(of cells: [StudyCell]) -> Int? {
    let sets = cells.filter(\.method.isTrained).map { Set(checkpoints(of: $0)) }
    guard let first = sets.first else { return nil }
    return sets.dropFirst().reduce(first) { $0.intersection($1) }.max()
  }

  /// Values of the held-out seeds, one a row.
  func values(
    _ quantity: StudyQuantity, in space: String, of cell: StudyCell, at images: Int
  ) -> [MeasuredDistance] {
    rows.filter {
      $0.cell == cell.name && $0.role == .heldOut
        && $0.images == (cell.method.isTrained ? images : 0)
    }
    .compactMap { row in
      row.metrics.first { $0.name == space }.flatMap { quantity.value($0, of: row) }
    }
  }

  /// The mean over held-out seeds with what is known of its error; nil without rows.
  public func mean(
    _ quantity: StudyQuantity, in space: String, of cell: StudyCell, at images: Int
  ) -> UncertainValue? {
    let found = values(quantity, in: space, of: cell, at: images)
    guard !found.isEmpty else { return nil }
    return UncertainValue(found, origin: quantity.errorOrigin)
  }
}
