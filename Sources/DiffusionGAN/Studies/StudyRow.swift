import Foundation
import Reports
import TensorCore

/// A Fréchet distance with its jackknife standard error, where one is cheap.
public struct MeasuredDistance: Sendable, Equatable {
  public var value: Double
  public var standardError: Double?
  /// The distance without each part of the images in turn, from which the error of a difference follows; empty where it
  /// is not known.
  public var leaveOneOut: [Double]

  public init(_ value: Double, standardError: Double? = nil, leaveOneOut: [Double] = []) {
    self.value = value
    self.standardError = standardError
    self.leaveOneOut = leaveOneOut
  }

  init(_ found: FrechetInterval) {
    self.init(
      found.distance.value, standardError: found.standardError, leaveOneOut: found.leaveOneOut)
  }

  /// Its natural logarithm.
  var logarithm: MeasuredDistance {
    MeasuredDistance(
      log(value), standardError: standardError.map { $0 / value },
      leaveOneOut: leaveOneOut.map { log($0) })
  }
}

/// What was measured of one snapshot: a line of `results.jsonl`.
public struct StudyRow: Sendable, Equatable {
  /// Everything measured in one space of features.
  public struct Metric: Sendable, Equatable {
    public var name: String
    public var frechet: MeasuredDistance
    public var kernel: MeasuredDistance
    public var precision: Double
    public var recall: Double
    /// Nil in rows of earlier versions.
    public var density: Double? = nil
    public var coverage: Double? = nil
    /// Fréchet distance to each teacher's images, in the study's order.
    public var toTeachers: [MeasuredDistance] = []
  }

  public var cell: String
  public var role: StudyTask.Role
  public var seed: UInt64
  /// Nil where nothing was trained.
  public var learningRate: Double?
  /// Images that training had seen.
  public var images: Int
  /// The network that was measured.
  public var network: String
  /// Images that were drawn, and real ones that they were measured against.
  public var count: Int
  public var referenceCount: Int
  /// Of what those are: test images in rows of earlier versions.
  public var reference: DataSplit = .test
  public var metrics: [Metric]
  /// Total variation distance of the predicted labels; nil without a classifier.
  public var labelDistance: Double? = nil

  /// Whether a row is that of `task` after so many images.
  func isOf(_ task: StudyTask, images: Int) -> Bool {
    cell == task.cell.name && role == task.role && seed == task.seed && self.images == images
      && (!task.cell.method.isTrained || learningRate == task.learningRate)
  }
}

extension StudyRow {
  public static let kind = "snapshot"

  public var json: JSONValue {
    [
      "kind": .string(Self.kind), "cell": .string(cell), "role": .string(role.rawValue),
      "seed": .integer(Int(seed)), "learning_rate": learningRate.map(JSONValue.number) ?? .null,
      "images": .integer(images), "network": .string(network), "count": .integer(count),
      "reference_count": .integer(referenceCount), "reference": .string(reference.rawValue),
      "metrics": .array(metrics.map(\.json)),
      "label_total_variation": labelDistance.map(JSONValue.number) ?? .null,
    ]
  }

  /// - Throws: `UserError` naming the line and the key that is wrong.
  public init(_ reader: JSONReader) throws {
    let keys = try reader.object(
      required: [
        "kind", "cell", "role", "seed", "learning_rate", "images", "network", "count", "metrics",
        "label_total_variation",
      ], optional: ["reference_count", "reference"])
    func at(_ key: String) -> JSONReader { keys[key] ?? reader }
    let roles = StudyTask.Role.allCases.map(\.rawValue)
    let count = try at("count").integer(in: 0...Int.max)
    self.init(
      cell: try at("cell").string(),
      role: try StudyTask.Role(rawValue: at("role").choice(of: roles)) ?? .heldOut,
      seed: UInt64(try at("seed").integer(in: 0...Int.max)),
      learningRate: at("learning_rate").value == .null ? nil : try at("learning_rate").number(),
      images: try at("images").integer(in: 0...Int.max), network: try at("network").string(),
      count: count,
      // Rows of earlier versions do not tell it: as many as were drawn, if the data had them.
      referenceCount: try keys["reference_count"]?.integer(in: 0...Int.max) ?? count,
      reference: try keys["reference"].flatMap {
        DataSplit(rawValue: try $0.choice(of: DataSplit.allCases.map(\.rawValue)))
      } ?? .test,
      metrics: try at("metrics").list().map { try Metric($0) },
      labelDistance: try at("label_total_variation").optionalNumber())
  }
}

extension StudyRow.Metric {
  var json: JSONValue {
    let shares = [
      ("precision", precision), ("recall", recall), ("density", density), ("coverage", coverage),
    ].compactMap { key, value in value.map { (key, JSONValue.number($0)) } }
    return .object(
      [("name", .string(name)), ("frechet", frechet.json), ("kid", kernel.json)] + shares
        + [("frechet_to_teachers", .array(toTeachers.map(\.json)))])
  }

  init(_ reader: JSONReader) throws {
    let keys = try reader.object(
      required: ["name", "frechet", "kid", "precision", "recall", "frechet_to_teachers"],
      optional: ["density", "coverage"])
    func at(_ key: String) -> JSONReader { keys[key] ?? reader }
    self.init(
      name: try at("name").string(), frechet: try MeasuredDistance(at("frechet")),
      kernel: try MeasuredDistance(at("kid")), precision: try at("precision").number(),
      recall: try at("recall").number(), density: try keys["density"]?.number(),
      coverage: try keys["coverage"]?.number(),
      toTeachers: try at("frechet_to_teachers").list().map { try MeasuredDistance($0) })
  }
}

extension MeasuredDistance {
  var json: JSONValue {
    .object(
      [
        ("value", .number(value)),
        ("standard_error", standardError.map(JSONValue.number) ?? .null),
      ]
        + (leaveOneOut.isEmpty
          ? [] : [("leave_one_out", .array(leaveOneOut.map { .number($0) }))]))
  }

  init(_ reader: JSONReader) throws {
    let keys = try reader.object(
      required: ["value", "standard_error"], optional: ["leave_one_out"])
    self.init(
      try (keys["value"] ?? reader).number(),
      standardError: try (keys["standard_error"] ?? reader).optionalNumber(),
      leaveOneOut: try keys["leave_one_out"]?.list().map { try $0.number() } ?? [])
  }
}

extension JSONReader {
  func optionalNumber() throws -> Double? { value == .null ? nil : try number() }
}

extension UncertainValue {
  /// The mean over runs of what was measured of each.
  ///
  /// - Parameter origin: of the errors, where nothing is known of parts.
  init(_ measured: [MeasuredDistance], origin: ErrorOrigin = .shared) {
    let parts = measured.map(\.leaveOneOut)
    if let first = parts.first, !first.isEmpty, parts.allSatisfy({ $0.count == first.count }) {
      self.init(values: measured.map(\.value), leaveOneOut: parts)
    } else {
      self.init(
        values: measured.map(\.value), standardErrors: measured.map(\.standardError),
        origin: origin)
    }
  }
}
