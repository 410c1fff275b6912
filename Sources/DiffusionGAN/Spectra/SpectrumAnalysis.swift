import Foundation
import Reports

/// What residual spectra say: maps with intervals over images, and tested sentences.
public struct SpectrumAnalysis: Sendable {
  /// The diffusion network's.
  public let pretrained: ResidualSpectra
  /// The one-step network's, on the same inputs; nil without one.
  public let oneStep: ResidualSpectra?
  /// Both in the call that the one-step network draws with: one level.
  private let calls: (pretrained: ResidualSpectra, oneStep: ResidualSpectra)?
  let bootstrap: Bootstrap

  /// Claims that this analysis speaks to.
  public static let topic = "frequency"

  /// - Parameter oneStep: the one-step network at the same levels, and both in its one call.
  public init(
    _ pretrained: ResidualSpectra,
    oneStep: (
      levels: ResidualSpectra, pretrainedCall: ResidualSpectra, ownCall: ResidualSpectra
    )? = nil, seed: UInt64
  ) {
    calls = oneStep.map { ($0.pretrainedCall, $0.ownCall) }
    let oneStep = oneStep?.levels
    precondition(
      oneStep.map {
        $0.layers == pretrained.layers && $0.sigmas == pretrained.sigmas
          && $0.images == pretrained.images && $0.bands == pretrained.bands
      } ?? true, "two networks measured differently")
    self.pretrained = pretrained
    self.oneStep = oneStep
    bootstrap = Bootstrap(samples: pretrained.images, resamples: 2_000, seed: seed)
  }

  /// A quantity of every branch at every noise level, `[layers][sigmas]`; less that of `other`, image by image, if it is
  /// given.
  func cells(
    _ quantity: ResidualSpectra.Quantity, of spectra: ResidualSpectra,
    less other: ResidualSpectra? = nil
  ) -> [[Interval]] {
    pretrained.layers.indices.map { layer in
      pretrained.sigmas.indices.map { level in
        let values = spectra.values(of: quantity, layer: layer, level: level)
        guard let other else { return bootstrap.mean(values) }
        return bootstrap.mean(
          zip(values, other.values(of: quantity, layer: layer, level: level)).map { $0 - $1 })
      }
    }
  }

  /// The sentences, not yet adjusted for their number.
  public func claims(seed: UInt64) -> [Claim] {
    var claims = noiseTrends(pretrained, "pretrained", seed)
    guard let oneStep, let calls else { return claims }
    claims += noiseTrends(oneStep, "one-step", seed)
    let sigma = calls.oneStep.sigmas[0]
    let call = "its one call, from noise of σ = \(SpectrumReport.short(sigma))"
    let (own, other) = (means(calls.oneStep, 0), means(calls.pretrained, 0))
    claims.append(
      Claim(
        Self.topic, name: "spectrum-shift",
        sentence:
          "In \(call), the one-step network's residuals hold higher frequencies than the pretrained "
          + "network's.",
        evidence:
          "Mean frequency over all branches \(text(own)) against \(text(other)), where 1 is the "
          + "highest frequency along an axis.",
        differences: zip(own, other).map { $0 - $1 }, seed: seed))
    // The level of the call is no other one.
    let others = pretrained.sigmas.indices.filter { abs(pretrained.sigmas[$0] / sigma - 1) > 1e-6 }
    guard !others.isEmpty else { return claims }
    let there = Self.movedShares(calls.pretrained, calls.oneStep, 0)
    let moved = others.map { Self.movedShares(pretrained, oneStep, $0) }
    let elsewhere = there.indices.map { image in
      moved.reduce(0) { $0 + $1[image] } / Double(moved.count)
    }
    claims.append(
      Claim(
        Self.topic, name: "shift-where-used",
        sentence:
          "Fine-tuning moved more of the residuals' energy to other bands in \(call), than at the "
          + "noise levels of the sampler on average.",
        evidence:
          "Share of energy that moved, mean over branches: \(text(there)) there, "
          + "\(text(elsewhere)) elsewhere.",
        differences: zip(there, elsewhere).map { $0 - $1 }, seed: seed))
    return claims
  }

  /// Whether branches work at higher frequencies when there is less noise: the slope over ln σ, in the
  /// upper and in the lower half of the levels. One slope over all of them would hide a peak between;
  /// halves are not chosen by where it lies.
  private func noiseTrends(_ spectra: ResidualSpectra, _ name: String, _ seed: UInt64) -> [Claim] {
    let order = spectra.sigmas.indices.sorted { spectra.sigmas[$0] > spectra.sigmas[$1] }
    let half = (order.count + 1) / 2
    guard half > 1 else { return [] }
    return [("upper", order.prefix(half)), ("lower", order.suffix(half))].compactMap { part, half in
      noiseTrend(spectra, name, part: part, Array(half), seed)
    }
  }

  /// - Parameter order: places of the part's levels, from the highest on.
  private func noiseTrend(
    _ spectra: ResidualSpectra, _ name: String, part: String, _ order: [Int], _ seed: UInt64
  ) -> Claim? {
    let levels = order.map { means(spectra, $0) }
    let sigmas = order.map { spectra.sigmas[$0] }
    let logs = sigmas.map { log($0) }
    let slopes = (0..<spectra.images).map { image in
      LinearFit(x: logs, y: levels.map { $0[image] })?.slope ?? .nan
    }
    guard let first = levels.first, let last = levels.last,
      let peak = levels.indices.max(by: { sum(levels[$0]) < sum(levels[$1]) })
    else { return nil }
    let words = sigmas.map { SpectrumReport.short($0) }
    return Claim(
      Self.topic, name: "finer-with-less-noise-\(part)-\(name)",
      sentence:
        "In the \(part) half of the noise levels the \(name) network's residuals hold higher "
        + "frequencies where there is less noise.",
      evidence:
        "Mean frequency over all branches \(text(first)) at σ = \(words[0]), \(text(last)) at "
        + "\(words[words.count - 1]), at most \(text(levels[peak])) at \(words[peak]); slope over "
        + "ln σ \(text(slopes)).",
      // Where nothing changes from level to level, a slope is rounding.
      differences: slopes.map { -$0 }, resolution: 1e-12, seed: seed)
  }

  /// Mean frequency over all branches, image by image.
  private func means(_ spectra: ResidualSpectra, _ level: Int) -> [Double] {
    let layers = spectra.layers.indices.map {
      spectra.values(of: .meanFrequency, layer: $0, level: level)
    }
    return (0..<spectra.images).map { image in
      layers.reduce(0) { $0 + $1[image] } / Double(layers.count)
    }
  }

  /// Total variation distance of both networks' shares, mean over branches, image by image.
  private static func movedShares(
    _ a: ResidualSpectra, _ b: ResidualSpectra, _ level: Int
  ) -> [Double] {
    (0..<a.images).map { image in
      let distances = a.layers.indices.map { layer in
        zip(b.shares[layer][level][image], a.shares[layer][level][image])
          .reduce(0) { $0 + abs($1.0 - $1.1) } / 2
      }
      return distances.reduce(0, +) / Double(distances.count)
    }
  }

  private func sum(_ values: [Double]) -> Double { values.reduce(0, +) }

  private func text(_ values: [Double]) -> String { bootstrap.mean(values).text(digits: 3) }
}
