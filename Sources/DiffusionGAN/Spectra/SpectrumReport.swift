import Foundation
import Reports
import TensorCore

/// The page, the figures and the summary of a frequency analysis.
public struct SpectrumReport: Sendable {
  /// A network of the analysis: what it is called, and what removing bands does to it.
  public struct Network: Sendable {
    public var name: String
    /// Where its weights came from.
    public var source: String
    public var removals: [BandRemoval]
  }

  public let analysis: SpectrumAnalysis
  public let pretrained: Network
  public let oneStep: Network?
  /// What was run, for the page and for scripts.
  public let facts: [(key: String, value: String)]
  /// Tested sentences, adjusted for their number.
  public let claims: [Claim]

  public init(
    _ analysis: SpectrumAnalysis, pretrained: Network, oneStep: Network? = nil,
    facts: [(key: String, value: String)], seed: UInt64
  ) {
    self.analysis = analysis
    self.pretrained = pretrained
    self.oneStep = oneStep
    self.facts = facts
    claims = Claim.adjusted(
      analysis.claims(seed: seed) + Self.removalClaims(pretrained, oneStep, seed: seed))
  }

  private var networks: [Network] { [pretrained] + (oneStep.map { [$0] } ?? []) }

  /// Whether a one-step picture hangs more on the upper bands than the pretrained network's one call.
  private static func removalClaims(_ a: Network, _ b: Network?, seed: UInt64) -> [Claim] {
    guard let first = a.removals.first(where: { $0.call.isGeneration }),
      let second = b?.removals.first(where: { $0.call.isGeneration })
    else { return [] }
    func upper(_ removal: BandRemoval) -> [Double] {
      let effects = removal.effects.filter { $0.band >= 4 }
      return (0..<removal.images).map { image in
        effects.reduce(0) { $0 + $1.changes[image] } / Double(max(effects.count, 1))
      }
    }
    let (old, new) = (upper(first), upper(second))
    let bootstrap = Bootstrap(samples: first.images, resamples: 2_000, seed: seed)
    return [
      Claim(
        SpectrumAnalysis.topic, name: "upper-bands-matter-more",
        sentence:
          "Taking one of the upper four bands out of a branch changes the one-step network's "
          + "picture more than that of the pretrained network's single call from the same noise.",
        evidence:
          "Squared change over squared size, mean over branches and bands: "
          + "\(bootstrap.mean(new).text(digits: 5)) against \(bootstrap.mean(old).text(digits: 5)).",
        differences: zip(new, old).map { $0 - $1 }, seed: seed)
    ]
  }

  public var page: HTMLPage {
    var page = HTMLPage(
      title: "In which frequencies do the layers work?",
      subtitle: "Residual branches of " + networks.map(\.name).joined(separator: " and "))
    page.add(.heading("What the tests say", level: 2))
    page.add(.paragraph(Claim.count(claims)))
    page.add(.table(Claim.table(claims)))
    for claim in claims {
      page.add(.callout(claim.callout(samples: "images", tests: claims.count)))
    }
    page.add(.heading("What was measured", level: 2))
    page.add(.keyValues(facts))
    page.add(
      .paragraph(
        "Each network sees picture + σ · noise. What a residual branch adds, before it is summed "
          + "with what skips it, is Fourier-transformed channel by channel, and its energy in "
          + "8 radial bands divided by the whole. `conv1` is the convolutional branch of a block, "
          + "`proj` that of its attention. Bands are relative to the branch's own resolution."))
    page.add(.heading("Mean frequency by layer and noise level", level: 2))
    for figure in frequencyFigures { page.add(.figure(figure)) }
    page.add(.heading("Band by band", level: 2))
    for band in 0..<analysis.pretrained.bands {
      page.add(
        .details(
          summary: "Band \(band + 1) of \(analysis.pretrained.bands)",
          shareFigures(band: band).map { .figure($0) }))
    }
    if networks.contains(where: { !$0.removals.isEmpty }) {
      page.add(.heading("Taking one band out", level: 2))
      page.add(
        .paragraph(
          "One band of one branch is projected away in every channel; everything behind it runs "
            + "on. Bands that have no frequency at a branch's resolution are missing. The tables "
            + "also hold the energy left in each band of the output, with intervals."))
      for figure in removalFigures { page.add(.figure(figure)) }
    }
    page.add(.heading("Limits of the method", level: 2))
    page.add(.list(Self.limits))
    return page
  }

  private static let limits = [
    "Samples are images. Intervals and tests say what would hold for other images and these "
      + "weights; another training run is another network.",
    "Shares are of a branch's own energy: a branch that adds next to nothing counts as much as "
      + "one that does the work. Taking bands out shows what matters to the output.",
    "A picture has one noise for all levels and both networks, so the comparison is paired.",
    "In the maps both networks see picture + σ · noise. A one-step network's own call has noise alone: the "
      + "sentences about it measure both networks there.",
  ]

  // MARK: - Figures

  private func map(
    _ name: String, _ title: String, _ cells: [[Interval]], _ valueTitle: String,
    isDiverging: Bool = false, range: ClosedRange<Double>? = nil, caption: String
  ) -> Figure {
    Figure(
      name: name,
      chart: Heatmap(
        title: title, xTitle: "noise level σ, first call to the left", yTitle: "",
        columns: analysis.pretrained.sigmas.map { Self.short($0) },
        rows: analysis.pretrained.layers, values: cells.map { $0.map(\.estimate) },
        intervals: cells, range: range, isDiverging: isDiverging, valueTitle: valueTitle),
      caption: caption)
  }

  private var frequencyFigures: [Figure] {
    figures(
      of: .meanFrequency, "frequency", words: ": mean frequency of residuals", shiftWords: "",
      "share of highest",
      note: "Mean over images; the table has bootstrap intervals over images.")
  }

  private func shareFigures(band: Int) -> [Figure] {
    let words = ": share of energy in band \(band + 1)"
    return figures(
      of: .share(band: band), "band-\(band + 1)", words: words, shiftWords: words, "share",
      note: "The table has bootstrap intervals over images.")
  }

  /// Maps of a quantity of each network, and of what lies between the two.
  private func figures(
    of quantity: ResidualSpectra.Quantity, _ name: String, words: String, shiftWords: String,
    _ valueTitle: String, note: String
  ) -> [Figure] {
    let first = analysis.cells(quantity, of: analysis.pretrained)
    let second = analysis.oneStep.map { analysis.cells(quantity, of: $0) }
    let range = Self.range(first + (second ?? []))
    var figures = [
      map(
        "\(name)-pretrained", pretrained.name + words, first, valueTitle, range: range,
        caption: note)
    ]
    if let oneStep, let second, let spectra = analysis.oneStep {
      let shifts = analysis.cells(quantity, of: spectra, less: analysis.pretrained)
      figures += [
        map(
          "\(name)-one-step", oneStep.name + words, second, valueTitle, range: range,
          caption: note),
        map(
          "\(name)-shift", "\(oneStep.name) less \(pretrained.name)\(shiftWords)", shifts,
          "difference", isDiverging: true, caption: note + " " + Self.countClear(shifts)),
      ]
    }
    return figures
  }

  private var removalFigures: [Figure] {
    networks.enumerated().flatMap { number, network in
      network.removals.map { removal in
        let bands = analysis.pretrained.bands
        let layers = analysis.pretrained.layers
        let (words, call) =
          switch removal.call {
          case .generation(let sigma):
            ("one call from noise, σ = \(Self.short(sigma))", "generation")
          case .denoising(let sigma):
            ("denoising at σ = \(Self.short(sigma))", "sigma-\(Self.short(sigma))")
          }
        let name = number == 0 ? "pretrained" : "one-step"
        let map = Heatmap(
          title: "\(network.name), \(words): change of the output",
          xTitle: "band that is taken out", yTitle: "", columns: (1...bands).map(String.init),
          rows: layers,
          values: layers.map { layer in
            (0..<bands).map { band in
              removal.effects.first { $0.layer == layer && $0.band == band }
                .map { log10(max($0.change.estimate, 1e-12)) } ?? .nan
            }
          }, isDiverging: false, valueTitle: "log₁₀ of squared change", digits: 1)
        return Figure(
          name: "removal-\(name)-\(call)", svg: map.svg, csv: Self.table(removal),
          caption:
            "Squared change of the output over its squared size, over \(removal.images) images; "
            + "0 would be a change as large as the output.")
      }
    }
  }

  private static func table(_ removal: BandRemoval) -> CSV {
    CSV(
      header: ["branch", "band", "quantity", "value", "low", "high"],
      rows: removal.effects.flatMap { effect -> [[String]] in
        let all =
          [("change", effect.change)]
          + effect.energies.enumerated().map { ("energy of band \($0.offset + 1)", $0.element) }
        return all.map { quantity, interval in
          [effect.layer, String(effect.band + 1), quantity]
            + [interval.estimate, interval.low, interval.high].map(CSV.number)
        }
      })
  }

  private static func range(_ cells: [[Interval]]) -> ClosedRange<Double>? {
    let values = cells.flatMap(\.self).map(\.estimate).filter(\.isFinite)
    guard let low = values.min(), let high = values.max(), low < high else { return nil }
    return low...high
  }

  /// How many cells have intervals on one side of zero; without correction for their number.
  private static func countClear(_ cells: [[Interval]]) -> String {
    let all = cells.flatMap(\.self)
    let clear = all.count { $0.low > 0 || $0.high < 0 }
    return
      "\(clear) of \(all.count) intervals leave out 0; \(all.count / 20) would by chance alone."
  }

  static func short(_ sigma: Double) -> String {
    String(format: sigma >= 9.95 ? "%.0f" : sigma >= 0.995 ? "%.1f" : "%.2g", sigma)
  }

  // MARK: - For scripts

  public var summary: JSONValue {
    [
      "kind": "spectrum",
      "facts": .object(facts.map { ($0.key, .string($0.value)) }),
      "claims": .array(claims.map { $0.json(samples: "images") }),
      "sigmas": .array(analysis.pretrained.sigmas.map { .number($0) }),
      "layers": .array(analysis.pretrained.layers.map { .string($0) }),
      "mean_frequency": Self.json(analysis.cells(.meanFrequency, of: analysis.pretrained)),
      "mean_frequency_one_step": analysis.oneStep.map {
        Self.json(analysis.cells(.meanFrequency, of: $0))
      } ?? .null,
      "mean_frequency_shift": analysis.oneStep.map {
        Self.json(analysis.cells(.meanFrequency, of: $0, less: analysis.pretrained))
      } ?? .null,
    ]
  }

  private static func json(_ cells: [[Interval]]) -> JSONValue {
    .array(cells.map { .array($0.map(\.json)) })
  }
}
