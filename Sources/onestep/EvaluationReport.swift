import DiffusionGAN
import Foundation
import Reports
import TensorCore
import Terminal

/// What `onestep evaluate` prints.
struct EvaluationReport {
  private let sets: EvaluationSets
  private let comparisons: [FeatureComparison]
  private let duplicateShare: Double
  private let copyShare: Double
  /// How much generated images differ from one another, as a share of how much the reference's do;
  /// nil where it has no meaning.
  private let spread: Double?

  /// Most classes that have a row each.
  private static let mostRows = 100
  /// The share below which they are one image.
  private static let leastSpread = 0.05
  /// Nil where either set has no labels.
  private let labelDistance: Double?

  /// - Parameters:
  ///   - comparisons: one for each space of features, one at least.
  ///   - train: where copies are looked for.
  init(_ sets: EvaluationSets, _ comparisons: [FeatureComparison], train: ImageDataset) {
    self.sets = sets
    self.comparisons = comparisons
    duplicateShare = Duplicates.share(in: sets.generated)
    copyShare = Duplicates.share(of: sets.generated, in: train)
    labelDistance = Self.labelDistance(sets.generated, sets.reference)
    let real = PictureSpread.deviation(of: sets.reference)
    spread =
      real > 0 && sets.generated.count > 1
      ? PictureSpread.deviation(of: sets.generated) / real : nil
  }

  private static func labelDistance(_ a: ImageDataset, _ b: ImageDataset) -> Double? {
    guard a.labels != nil, b.labels != nil else { return nil }
    let classes = max(a.classCount, b.classCount)
    let padded = { (sizes: [Int]) in sizes + [Int](repeating: 0, count: classes - sizes.count) }
    return LabelHistogram.totalVariation(padded(a.classSizes), padded(b.classSizes))
  }

  /// What makes the other figures say little.
  private var warning: String? {
    guard let spread, spread < Self.leastSpread else { return nil }
    return String(
      format: "all generated images are one image: they differ from one another by %.2f %% of what "
        + "\(sets.origins.reference) images do, so precision and duplicates say nothing",
      100 * spread)
  }

  var json: JSONValue {
    [
      "data": .string(sets.reference.name),
      "reference": [
        "from": .string(sets.origins.reference), "images": .integer(sets.reference.count),
      ],
      "floor": ["from": .string(sets.origins.floor), "images": .integer(sets.floor.count)],
      "generated": [
        "from": .string(sets.generated.name), "images": .integer(sets.generated.count),
        "images_given": .integer(sets.given),
        "duplicate_share": .number(duplicateShare), "copies_of_train_share": .number(copyShare),
        "label_total_variation": labelDistance.map(JSONValue.number) ?? .null,
        "spread": spread.map(JSONValue.number) ?? .null,
        "warning": warning.map(JSONValue.string) ?? .null,
      ],
      "features": .array(comparisons.map(json)),
    ]
  }

  private func json(_ comparison: FeatureComparison) -> JSONValue {
    [
      "name": .string(comparison.name), "preprocessing": .string(comparison.preprocessing),
      "dimension": .integer(comparison.dimension),
      "generated": Self.json(comparison.generated), "floor": Self.json(comparison.floor),
      "labels": comparison.labels.map(json) ?? .null,
      "classes": .array(comparison.classes.map(json)),
    ]
  }

  private func json(_ labels: PredictedLabels) -> JSONValue {
    let counts: [JSONValue] = labels.generated.indices.map { index in
      [
        "label": .integer(index),
        "name": (labels.areOfTheData ? className(index) : nil).map(JSONValue.string) ?? .null,
        "generated": .integer(labels.generated[index]),
        "reference": .integer(labels.reference[index]),
      ]
    }
    return [
      "total_variation": .number(labels.totalVariation), "classes": .array(counts),
      "coverage": Self.json(labels.coverage), "floor_coverage": Self.json(labels.floorCoverage),
    ]
  }

  private static func json(_ coverage: ModeCoverage) -> JSONValue {
    [
      "classes_found": .integer(Int(coverage.found.value)),
      "classes_found_standard_error": .number(coverage.found.standardError),
      "divergence": coverage.divergence.map { .number($0.value) } ?? .null,
      "divergence_standard_error": coverage.divergence.map { .number($0.standardError) } ?? .null,
    ]
  }

  private func json(_ quality: ClassQuality) -> JSONValue {
    [
      "label": .integer(quality.label),
      "name": className(quality.label).map(JSONValue.string) ?? .null,
      "generated": .integer(quality.counts.generated),
      "reference": .integer(quality.counts.reference), "floor": .integer(quality.counts.floor),
      "precision": quality.coverage.map { .number($0.precision) } ?? .null,
      "recall": quality.coverage.map { .number($0.recall) } ?? .null,
      "floor_precision": quality.floor.map { .number($0.precision) } ?? .null,
      "floor_recall": quality.floor.map { .number($0.recall) } ?? .null,
      "generated_recognised": quality.recognised.map { .integer($0.generated) } ?? .null,
      "reference_recognised": quality.recognised.map { .integer($0.reference) } ?? .null,
    ]
  }

  private static func json(_ quality: SampleQuality) -> JSONValue {
    [
      "images": .integer(quality.count),
      "frechet": .number(quality.frechet.distance.value),
      "frechet_standard_error": quality.frechet.standardError.map(JSONValue.number) ?? .null,
      "kid": .number(quality.kernel.value),
      "kid_standard_error": .number(quality.kernel.standardError),
      "kid_subset_mean": .number(quality.subsetKernel.mean),
      "kid_subset_standard_error": .number(quality.subsetKernel.standardError),
      "precision": .number(quality.manifolds.precision),
      "recall": .number(quality.manifolds.recall),
      "density": .number(quality.balls.density), "coverage": .number(quality.balls.coverage),
    ]
  }

  private func className(_ index: Int) -> String? {
    let names = sets.reference.classNames
    return names.indices.contains(index) ? names[index] : nil
  }

  func text(_ device: TerminalDevice) -> String {
    var text =
      "against \(sets.reference.count) images of \(sets.reference.name) "
      + "(\(sets.origins.reference))\n"
    if sets.generated.count < sets.given {
      text +=
        "\(sets.generated.count) of the \(sets.given) generated images, as many as of the floor\n"
    }
    for comparison in comparisons {
      text +=
        "\n\(device.style.bold(comparison.name)), \(comparison.dimension) values an image "
        + "(\(comparison.preprocessing))\n"
      let table = TextTable(
        headers: [
          "images", "n", "Fréchet", "KID", "precision", "recall", "density", "coverage",
        ],
        rows: [
          Self.row("generated", comparison.generated),
          Self.row("floor (\(sets.origins.floor))", comparison.floor),
        ], alignments: [.left] + [TextTable.Alignment](repeating: .right, count: 7))
      text += table.text(on: device)
      if min(comparison.generated.count, sets.reference.count) <= comparison.dimension {
        text += "fewer images than features: Fréchet distances are much too large\n"
      }
      if let labels = comparison.labels {
        text += "\n" + self.text(labels, device)
        if !labels.areOfTheData {
          text +=
            "most real images have no label, or another by this network: its classes go by number\n"
        }
      }
      if !comparison.classes.isEmpty { text += "\n" + self.text(comparison.classes, device) }
    }
    text += String(
      format: "\nduplicates among generated images: %.2f %%, copies of training images: %.2f %%\n",
      100 * duplicateShare, 100 * copyShare)
    if let warning { text += "warning: \(warning)\n" }
    if let labelDistance {
      text += String(format: "label histograms, total variation: %.4f\n", labelDistance)
    }
    return text
  }

  /// What the classifier took the images for.
  private func text(_ labels: PredictedLabels, _ device: TerminalDevice) -> String {
    let variation = String(
      format: "predicted labels, total variation: %.4f\n", labels.totalVariation)
    guard labels.generated.count <= Self.mostRows else {
      return coverage(labels, device) + variation
    }
    func share(_ counts: [Int], _ index: Int) -> String {
      String(format: "%.2f %%", 100 * Double(counts[index]) / Double(counts.reduce(0, +)))
    }
    let table = TextTable(
      headers: ["predicted label", "generated", sets.origins.reference],
      rows: labels.generated.indices.map { index in
        [
          (labels.areOfTheData ? className(index) : nil) ?? "\(index)",
          share(labels.generated, index),
          share(labels.reference, index),
        ]
      }, alignments: [.left, .right, .right])
    return table.text(on: device) + variation
  }

  /// Of so many classes that a row for each would be no table: how many there are among the images.
  private func coverage(_ labels: PredictedLabels, _ device: TerminalDevice) -> String {
    func row(_ name: String, _ coverage: ModeCoverage) -> [String] {
      [
        name, String(format: "%.0f ± %.1f", coverage.found.value, coverage.found.standardError),
        coverage.divergence.map { String(format: "%.4f ± %.4f", $0.value, $0.standardError) }
          ?? "-",
      ]
    }
    return TextTable(
      headers: [
        "images", "classes found, of \(labels.generated.count)", "KL(images ‖ data)",
      ],
      rows: [
        row("generated", labels.coverage),
        row("floor (\(sets.origins.floor))", labels.floorCoverage),
      ], alignments: [.left, .right, .right]
    ).text(on: device)
  }

  /// The classes of a conditional network, one by one.
  private func text(_ classes: [ClassQuality], _ device: TerminalDevice) -> String {
    /// A share and its binomial standard error.
    func share(_ value: Double?, of count: Int) -> String {
      guard let value, count > 0 else { return "-" }
      return String(
        format: "%.3f ± %.3f", value, (value * (1 - value) / Double(count)).squareRoot())
    }
    func share(_ part: Int?, of count: Int) -> String {
      share(part.map { Double($0) / Double(max(count, 1)) }, of: count)
    }
    return TextTable(
      headers: [
        "class", "n", "precision", "recall", "recall of the floor", "taken for it",
        "\(sets.origins.reference) images",
      ],
      rows: classes.map { quality in
        [
          className(quality.label) ?? "\(quality.label)",
          "\(quality.counts.generated)",
          share(quality.coverage?.precision, of: quality.counts.generated),
          share(quality.coverage?.recall, of: quality.counts.reference),
          share(quality.floor?.recall, of: quality.counts.reference),
          share(quality.recognised?.generated, of: quality.counts.generated),
          share(quality.recognised?.reference, of: quality.counts.reference),
        ]
      }, alignments: [.left] + [TextTable.Alignment](repeating: .right, count: 6)
    ).text(on: device)
  }

  private static func row(_ name: String, _ quality: SampleQuality) -> [String] {
    let frechet = String(format: "%.4f", quality.frechet.distance.value)
    let error = quality.frechet.standardError.map { String(format: " ± %.4f", $0) } ?? ""
    return [
      name, "\(quality.count)", frechet + error,
      "\(formatted(quality.kernel.value, digits: 5)) ± "
        + "\(formatted(quality.kernel.standardError, digits: 5))",
      String(format: "%.4f", quality.manifolds.precision),
      String(format: "%.4f", quality.manifolds.recall),
      String(format: "%.4f", quality.balls.density),
      String(format: "%.4f", quality.balls.coverage),
    ]
  }
}
