import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// What `onestep evaluate` prints.
struct EvaluationReport {
  private let sets: EvaluationSets
  private let dimension: Int
  private let generated: SampleQuality
  private let floor: SampleQuality
  private let duplicateShare: Double
  private let copyShare: Double
  /// Nil where either set has no labels.
  private let labelDistance: Double?

  init(_ sets: EvaluationSets, train: ImageDataset, seed: UInt64, pool: ThreadPool) throws {
    self.sets = sets
    let reference = sets.reference.pixelFeatures
    dimension = reference.columns
    generated = try SampleQuality(
      generated: sets.generated.pixelFeatures, reference: reference, seed: seed, pool: pool)
    floor = try SampleQuality(
      generated: sets.floor.pixelFeatures, reference: reference, seed: seed, pool: pool)
    duplicateShare = Duplicates.share(in: sets.generated)
    copyShare = Duplicates.share(of: sets.generated, in: train)
    labelDistance = Self.labelDistance(sets.generated, sets.reference)
  }

  private static func labelDistance(_ a: ImageDataset, _ b: ImageDataset) -> Double? {
    guard a.labels != nil, b.labels != nil else { return nil }
    let classes = max(a.classCount, b.classCount)
    let padded = { (sizes: [Int]) in sizes + [Int](repeating: 0, count: classes - sizes.count) }
    return LabelHistogram.totalVariation(padded(a.classSizes), padded(b.classSizes))
  }

  var json: JSONValue {
    var fakes = Self.json(generated)
    fakes.append(("duplicate_share", .number(duplicateShare)))
    fakes.append(("copies_of_train_share", .number(copyShare)))
    fakes.append(("label_total_variation", labelDistance.map(JSONValue.number) ?? .null))
    return [
      "features": "pixels", "dimension": .integer(dimension),
      "data": .string(sets.reference.name),
      "reference": [
        "from": .string(sets.origins.reference), "images": .integer(sets.reference.count),
      ],
      "generated": .object(fakes),
      "floor": .object([("from", .string(sets.origins.floor))] + Self.json(floor)),
    ]
  }

  private static func json(_ quality: SampleQuality) -> [(key: String, value: JSONValue)] {
    [
      ("images", .integer(quality.count)),
      ("frechet", .number(quality.frechet.distance.value)),
      (
        "frechet_standard_error",
        quality.frechet.standardError.map(JSONValue.number) ?? .null
      ),
      ("kid", .number(quality.kernel.value)),
      ("kid_standard_error", .number(quality.kernel.standardError)),
      ("kid_subset_mean", .number(quality.subsetKernel.mean)),
      ("kid_subset_standard_error", .number(quality.subsetKernel.standardError)),
      ("precision", .number(quality.coverage.precision)),
      ("recall", .number(quality.coverage.recall)),
    ]
  }

  func text(_ device: TerminalDevice) -> String {
    let reference =
      "\(sets.reference.count) images of \(sets.reference.name) (\(sets.origins.reference))"
    let table = TextTable(
      headers: ["images", "n", "Fréchet", "KID", "precision", "recall"],
      rows: [
        Self.row("generated", generated), Self.row("floor (\(sets.origins.floor))", floor),
      ], alignments: [.left, .right, .right, .right, .right, .right])
    var text = "against \(reference), in \(dimension) raw pixel values\n\n"
    text += table.text(usesUnicode: device.usesUnicode, style: device.style)
    text += String(
      format: "\nduplicates among generated images: %.2f %%, copies of training images: %.2f %%\n",
      100 * duplicateShare, 100 * copyShare)
    if let labelDistance {
      text += String(format: "label histograms, total variation: %.4f\n", labelDistance)
    }
    if min(generated.count, sets.reference.count) <= dimension {
      text += "fewer images than features: Fréchet distances are much too large\n"
    }
    return text
  }

  private static func row(_ name: String, _ quality: SampleQuality) -> [String] {
    let frechet = String(format: "%.4f", quality.frechet.distance.value)
    let error = quality.frechet.standardError.map { String(format: " ± %.4f", $0) } ?? ""
    return [
      name, "\(quality.count)", frechet + error,
      String(format: "%.5f ± %.5f", quality.kernel.value, quality.kernel.standardError),
      String(format: "%.4f", quality.coverage.precision),
      String(format: "%.4f", quality.coverage.recall),
    ]
  }
}
