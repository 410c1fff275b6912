import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct NamedMetricTests {
  private static let pool = ThreadPool(count: 2)

  /// Of the 500 and 500 reference features, all of which a metric takes.
  @Test func agreesWithTheReference() throws {
    let real = try Golden.tensor("real", of: "metrics.safetensors")
    let fake = try Golden.tensor("fake", of: "metrics.safetensors")
    let numbers = try Golden.json("metrics.json")
    func number(_ keys: String...) throws -> Double {
      try keys.reduce(numbers) { try $0.at($1) }.number()
    }
    func figures(_ metric: NamedMetric) throws -> NamedMetric.Figures {
      try metric(generated: fake, real: real, by: PixelFeatures(), seed: 0, pool: Self.pool)
    }
    // Covariances over n, those of the reference over n − 1.
    let n = Double(real.rows)
    #expect(fake.rows == real.rows)
    let traces =
      try number("frechet", "trace_s1") + number("frechet", "trace_s2")
      - 2 * number("frechet", "trace_sqrt")
    let expected = try number("frechet", "mean_term") + (n - 1) / n * traces
    for metric in [NamedMetric.fid50kFull, .fid10kFull] {
      let found = try figures(metric)
      #expect(found.results.map(\.name) == [metric.rawValue])
      #expect(abs(found.results[0].value / expected - 1) < 1e-8)
      #expect(found.reference == 500)
      #expect(try #require(found.standardError) > 0)
    }
    let kid = try figures(.kid50kFull)
    #expect(kid.results.map(\.name) == ["kid50k_full"])
    // Each subset is everything.
    #expect(abs(kid.results[0].value / (try number("kid", "value")) - 1) < 1e-9)
    let coverage = try figures(.pr50k3Full)
    #expect(coverage.results.map(\.name) == ["pr50k3_full_precision", "pr50k3_full_recall"])
    let reference = PrecisionRecall(
      real: RealManifold(real, pool: Self.pool), generated: fake, pool: Self.pool)
    #expect(coverage.results.map(\.value) == [reference.precision, reference.recall])
    #expect(coverage.standardError == nil)
    expectUserError("is50k", "Inception of 2015", "pixels") { _ = try figures(.is50k) }
  }

  /// Two parts of sure images: k equally frequent classes score k; of images that are all alike, 1.
  @Test func inceptionScore() {
    func sure(_ classes: [Int]) -> Tensor {
      Tensor(
        classes.flatMap { label in (0..<4).map { $0 == label ? 1 : 0 } }, shape: [classes.count, 4])
    }
    let score = InceptionScore(sure([0, 1, 2, 3, 0, 1, 0, 1]), parts: 2)
    #expect(abs(score.mean - 3) < 1e-12 && abs(score.deviation - 1) < 1e-12)
    let alike = InceptionScore(
      Tensor([Float](repeating: 0.25, count: 40), shape: [10, 4]), parts: 10)
    #expect(abs(alike.mean - 1) < 1e-12 && alike.deviation < 1e-12)
    // One part of two images: exp(½ Σ p log(p/m)) by hand, shares (0.9, 0.1) and (0.5, 0.5).
    let two = InceptionScore(Tensor([0.9, 0.1, 0.5, 0.5], shape: [2, 2]), parts: 1)
    let divergence =
      (0.9 * log(0.9 / 0.7) + 0.1 * log(0.1 / 0.3) + 0.5 * log(0.5 / 0.7) + 0.5 * log(0.5 / 0.3))
      / 2
    #expect(abs(two.mean - exp(divergence)) < 1e-6)
  }

  /// Of a narrow Inception's classes, with the softmax in f64.
  @Test func inceptionScoreByName() throws {
    let scratch = try Scratch()
    let path = scratch.file("inception.safetensors")
    try InceptionTests.write(classes: 1008, to: path)
    let network = try FeatureNetworkFile.load(path)
    let features = Tensor(
      (0..<20 * 128).map { Float(3 * sin(Double($0 * $0) * 0.01)) }, shape: [20, 128])
    let found = try NamedMetric.is50k(
      generated: features, real: features, by: network, seed: 0, pool: Self.pool)
    #expect(found.results.map(\.name) == ["is50k_mean", "is50k_std"] && found.reference == 0)
    var shares: [[Double]] = []
    for row in 0..<20 {
      var logits = [Double](repeating: 0, count: 1008)
      for label in 0..<1008 {
        for column in 0..<128 {
          let weight = 0.1 * sin(0.37 * Double(label) + 1.3 * Double(column))
          logits[label] += weight * Double(features[row * 128 + column])
        }
      }
      let sum = logits.reduce(0) { $0 + exp($1) }
      shares.append(logits.map { exp($0) / sum })
    }
    // Ten parts of two images each: exp of half the sum of p log(p/m).
    var scores: [Double] = []
    for first in stride(from: 0, to: 20, by: 2) {
      var sum = 0.0
      for (p, q) in zip(shares[first], shares[first + 1]) {
        let both = (p + q) / 2
        sum += p * log(p / both) + q * log(q / both)
      }
      scores.append(exp(sum / 2))
    }
    let mean = scores.reduce(0, +) / 10
    let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 10
    #expect(mean > 1.01)
    #expect(abs(found.results[0].value - mean) < 1e-4)
    #expect(abs(found.results[1].value - variance.squareRoot()) < 1e-4)
  }

  @Test func names() throws {
    #expect(
      try NamedMetric.named(["kid50k_full", "is50k", "kid50k_full"]) == [.kid50kFull, .is50k])
    expectUserError("ppl2_wend", "not measured here", "latent space", "fid50k_full") {
      _ = try NamedMetric.named(["fid50k_full", "ppl2_wend"])
    }
    expectUserError("no metric 'fid5k'", "fid50k_full, fid10k_full") {
      _ = try NamedMetric.named(["fid5k"])
    }
    #expect(NamedMetric.allCases.map(\.generated) == [50_000, 10_000, 50_000, 50_000, 50_000])
  }

  /// The first million for KID, 200,000 at random for precision and recall, all for the others.
  @Test func largestReferences() throws {
    #expect(NamedMetric.fid50kFull.reference(of: 2_000_000, seed: 0) == nil)
    #expect(NamedMetric.kid50kFull.reference(of: 1_000_000, seed: 0) == nil)
    #expect(NamedMetric.kid50kFull.reference(of: 1_000_001, seed: 0) == Array(0..<1_000_000))
    let chosen = try #require(NamedMetric.pr50k3Full.reference(of: 200_010, seed: 1))
    #expect(Set(chosen).count == 200_000 && chosen.allSatisfy { (0..<200_010).contains($0) })
    #expect(chosen != NamedMetric.pr50k3Full.reference(of: 200_010, seed: 2))
  }

  @Test func whatDiffersFromPublishedValuesIsTold() throws {
    let scratch = try Scratch()
    let path = scratch.file("inception.safetensors")
    var networks: [any FeatureNetwork] = []
    for classes in [1008, 1000] {
      try InceptionTests.write(classes: classes, to: path)
      networks.append(try FeatureNetworkFile.load(path))
    }
    func deviations(_ metric: NamedMetric, _ network: Int?, _ dimension: Int = 2048) -> [String] {
      metric.deviations(by: network.map { networks[$0] } ?? PixelFeatures(), dimension: dimension)
    }
    for metric in NamedMetric.allCases where metric != .pr50k3Full {
      #expect(deviations(metric, 0).isEmpty)
      for found in [deviations(metric, 1), deviations(metric, nil), deviations(metric, 0, 128)] {
        #expect(found.count == 1 && found[0].contains("Inception of 2015"))
      }
    }
    #expect(deviations(.pr50k3Full, 0).first?.contains("VGG-16") == true)
    try NamedMetric.is50k.check(networks[0])
    expectUserError("is50k") { try NamedMetric.is50k.check(networks[1]) }
  }

  private func record(_ network: String?, from folder: String?) -> JSONValue {
    let figures = NamedMetric.Figures(
      results: [("fid50k_full", 1.5)], standardError: nil, reference: 60_000)
    return MetricRecord.json(
      .fid50kFull, figures, seconds: 62.4, timestamp: 1_700_000_000.25, network: network,
      from: folder, names: ("a", "b"), seed: 3, features: PixelFeatures(), deviations: ["c"])
  }

  @Test func linesHaveStyleGANsKeys() throws {
    let json = record("/data/runs/x/net.safetensors", from: "/data/runs/y")
    #expect(
      json.pairs.map(\.key).prefix(7) == [
        "results", "metric", "total_time", "total_time_str", "num_gpus", "snapshot_pkl",
        "timestamp",
      ])
    #expect(json["results"].pairs.map(\.key) == ["fid50k_full"])
    #expect(json["snapshot_pkl"] == "../x/net.safetensors" && json["total_time_str"] == "1m 02s")
    #expect(json["reference"]["images"] == 60_000 && json["generated"]["images"] == 50_000)
    #expect(json["deviations"] == ["c"])
    #expect(record(nil, from: nil)["snapshot_pkl"] == .null)
    #expect(MetricRecord.path(of: .fid50kFull, in: "a") == "a/metric-fid50k_full.jsonl")
  }

  /// Values of `dnnlib.util.format_time` and `os.path.relpath`.
  @Test func timesAndPaths() {
    let times = [
      (0.4, "0s"), (59.4, "59s"), (59.6, "1m 00s"), (11_045, "3h 04m 05s"), (183_845, "2d 03h 04m"),
    ]
    for (seconds, text) in times { #expect(MetricRecord.text(ofSeconds: seconds) == text) }
    let paths = [
      ("/a/b/c", "/a", "b/c"), ("/a/b", "/a/c/d", "../../b"), ("x/../n.pkl", "runs", "../n.pkl"),
      ("./runs/n.pkl", "runs/", "n.pkl"),
    ]
    for (path, folder, expected) in paths {
      #expect(MetricRecord.path(path, from: folder) == expected)
    }
  }
}
