import Foundation
import Reports
import TensorCore
import Transformer

/// What a sweep costs against its size: patches of the residual stream at layers and positions drawn
/// at random, two logits read.
enum SweepCost {
  /// One sweep, timed in a process of its own so that its peak memory is its own.
  struct Point {
    let variants: Int
    let tokens: Int
    let seconds: Double
    let peakMegabytes: Double

    var millisecondsPerVariant: Double { 1000 * seconds / Double(variants) }
  }

  private static let variants = [1, 10, 100, 1_000, 10_000]
  private static let lengths = [50, 100, 200, 400, 800]

  static func run(into results: inout Results, chart path: String, note: (String) -> Void) throws {
    let bySize = try variants.map { try measure(variants: $0, tokens: 80, note) }
    let byLength = try lengths.map { try measure(variants: 100, tokens: $0, note) }
    for point in bySize {
      results.set(
        "sweep.variants_\(point.variants).milliseconds_per_variant", point.millisecondsPerVariant)
      results.set("sweep.variants_\(point.variants).peak_rss_mb", point.peakMegabytes)
    }
    for point in byLength {
      results.set(
        "sweep.tokens_\(point.tokens).milliseconds_per_variant", point.millisecondsPerVariant)
    }
    try Files.write(
      Data(chart("Cost of a variant against the number of variants", bySize).svg.utf8),
      to: path + "-variants.svg")
    try Files.write(
      Data(lengthChart(byLength).svg.utf8), to: path + "-tokens.svg")
  }

  private static func measure(variants: Int, tokens: Int, _ note: (String) -> Void) throws -> Point
  {
    note("sweep of \(variants) variants, \(tokens) tokens")
    let (text, usage) = try Subprocess.run(
      try Subprocess.ownPath(), ["--time-sweep", String(variants), String(tokens)],
      capturesOutput: true)
    guard let seconds = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw UserError("the timing process printed \"\(text)\"")
    }
    return Point(
      variants: variants, tokens: tokens, seconds: seconds, peakMegabytes: usage.peakMegabytes)
  }

  private static func chart(_ title: String, _ points: [Point]) -> LineChart {
    LineChart(
      title: title, xTitle: "variants, as a power of ten", yTitle: "milliseconds a variant",
      series: [
        LineChart.Series(
          name: "prompt of 80 tokens",
          points: points.map {
            LineChart.Point(x: log10(Double($0.variants)), y: $0.millisecondsPerVariant)
          })
      ])
  }

  private static func lengthChart(_ points: [Point]) -> LineChart {
    LineChart(
      title: "Cost of a variant against the length of the prompt", xTitle: "tokens",
      yTitle: "milliseconds a variant",
      series: [
        LineChart.Series(
          name: "100 variants",
          points: points.map {
            LineChart.Point(x: Double($0.tokens), y: $0.millisecondsPerVariant)
          })
      ])
  }

  /// Seconds of one sweep; the median of several where it is short.
  static func time(variants: Int, tokens: Int, bench: Bench) throws -> Double {
    let runs = try bench.engine.record([
      bench.prompt(0, tokens: tokens), bench.prompt(1, tokens: tokens),
    ])
    var random = RandomStream(seed: 0, path: [0x5CA1E])
    let layers = bench.model.architecture.layers
    let requests = (0..<variants).map { _ in
      let layer = random.integer(below: layers)
      let position = random.integer(below: tokens)
      // Other rows of the donor, so that variants differ: equal ones would be computed once.
      let row = random.integer(below: tokens)
      return ForwardRequest(
        tokens: runs[1].tokens, base: runs[1],
        interventions: [
          .edit(
            ActivationEdit(
              at: HookPoint(.residualPost, layer: layer), positions: [position],
              change: .replace(
                RowSource(runs[0].residualPost(layer: layer, positions: [row])))))
        ], logits: LogitRequest(tokens: .some([17, 42])))
    }
    let repeats = variants <= 10 ? 9 : variants <= 100 ? 3 : 1
    return median(
      try (0..<repeats).map { _ in
        try benchmarks.time { _ = try bench.engine.forward(requests) }
      })
  }
}
