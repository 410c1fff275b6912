import Reports
import TensorCore

extension Decoding {
  static let overEpisodes = "Bands: 95 % t intervals over episodes."
  static let notUse =
    "That something can be decoded does not say that the model uses it: in later work on the same "
    + "question tasks could be decoded at many positions, and only vectors at a few of them carried "
    + "anything over when patched (Just-in-time representations, arXiv 2509.04466)."

  func pictures(_ results: DecodingResults, chosen: Int?, _ findings: Findings) -> [Figure] {
    [
      besidePatching(results, chosen, findings), rule(results, chosen, findings),
      otherTargets(results, chosen, findings), forms(results, chosen, findings),
      slots(results, chosen, findings), similarity(results, chosen, findings),
      variance(results, chosen, findings),
    ].compactMap(\.self)
  }

  private func chart(
    _ title: String, _ yTitle: String, _ series: [LineChart.Series], _ chosen: Int?,
    lines: [LineChart.HorizontalLine], xTitle: String = "layer (block output; −1 is the embedding)",
    range: ClosedRange<Double>? = nil, note: String? = nil
  ) -> LineChart? {
    let wanted = series.filter { !$0.points.isEmpty }
    guard !wanted.isEmpty else { return nil }
    return LineChart(
      title: title, xTitle: xTitle, yTitle: yTitle, series: wanted, horizontalLines: lines,
      verticalLines: chosen.map {
        [LineChart.VerticalLine(x: Double($0), label: "chosen on development: \($0)")]
      } ?? [], yRange: range, intervalNote: note ?? Self.overEpisodes)
  }

  private static let coin = [LineChart.HorizontalLine(y: 0.5, label: "coin toss")]

  private func besidePatching(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings)
    -> Figure?
  {
    let decoded = results.accuracy(.rule, .answers, results.strictest)
    let patched = donors.map { donor in
      (donor: donor, curve: results.curve(donor))
    }.filter { !$0.curve.episodes.isEmpty }
    guard
      let chart = chart(
        "What can be read at the answer positions, and what they bring", "share",
        [decoded.series("decoded: 2 · accuracy − 1") { 2 * $0 - 1 }]
          + patched.map {
            $0.curve.series(
              $0.donor == .clean ? "patched: recovery" : "patched, same labels: recovery",
              \.recovery)
          }, chosen,
        lines: [
          LineChart.HorizontalLine(y: 0, label: "nothing"),
          LineChart.HorizontalLine(y: 1, label: "all"),
        ],
        note: "Bands: 95 % intervals over episodes (t; ratios of means, Fieller).")
    else { return nil }
    return Figure(
      name: "\(findings.stem)-beside-patching", chart: chart,
      caption:
        "The same episodes and layers twice: how much better than a coin a ridge decoder tells the rule "
        + "from the flipped one, on \(results.strictest?.words ?? "held-out words"), and the share of "
        + "the logit difference that comes back when the answer positions of the flipped prompt get the "
        + "vectors of a run under the rule. " + Self.notUse)
  }

  private func rule(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings) -> Figure? {
    let strict = results.strictest
    let answers = results.accuracy(.rule, .answers, strict)
    let easier = DecodingDesign.HeldOut.allCases.filter { $0 != strict }
    guard
      let chart = chart(
        "How often the rule is told from the flipped one", "share right, of two",
        [answers.series("answers"), answers.chance("answers, permuted")]
          + easier.map {
            results.accuracy(.rule, .answers, $0).series("answers, other \($0.rawValue) only")
          } + [
            results.accuracy(.rule, .answers, strict, decoder: "logistic")
              .series("answers, logistic"),
            results.accuracy(.rule, .answers, strict, decoder: "demixed")
              .series("answers, demixed axes"),
            results.accuracy(.rule, .inputs, strict).series("inputs"),
          ], chosen, lines: Self.coin, range: 0...1)
    else { return nil }
    return Figure(
      name: "\(findings.stem)-rule-by-layer", chart: chart,
      caption:
        "Given the vectors of one slot in a prompt and in the same prompt under the flipped rule, which is "
        + "which? The label and the class of the slot, added, say nothing of it: only what depends on "
        + "both together does, or on the prompt before. The permuted band is the middle 95 % when "
        + "whole episodes change sign.")
  }

  private func otherTargets(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings)
    -> Figure?
  {
    let strict = results.strictest
    guard
      let chart = chart(
        "Labels and classes", "share right, of two",
        [DecodingTarget.label, .category].flatMap { target in
          DecodingVectors.sites.map { site in
            results.accuracy(target, site, strict).series("\(target.rawValue), \(site.rawValue)")
          }
        }, chosen, lines: Self.coin, range: 0...1)
    else { return nil }
    return Figure(
      name: "\(findings.stem)-labels-and-classes", chart: chart,
      caption:
        "At an answer the label is the token itself, and decoding it is trivial. At an input it has not "
        + "been shown: what is decoded there is the label that the rule gives the word. Prompts show both "
        + "labels equally often, so the labels shown so far tell a little of the next one whatever the "
        + "rule; this curve is no evidence of it.")
  }

  private func forms(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings) -> Figure? {
    let strict = results.strictest
    guard !results.otherForms.isEmpty,
      let chart = chart(
        "Across surface forms", "share right, of two",
        [results.accuracy(.rule, .answers, strict).series("\(results.firstForm), own decoder")]
          + results.otherForms.flatMap { form in
            [
              results.accuracy(.rule, .answers, strict, tested: form)
                .series("\(form), decoder of \(results.firstForm)"),
              results.accuracy(.rule, .answers, strict, trained: form, tested: form)
                .series("\(form), own decoder"),
            ]
          }, chosen, lines: Self.coin, range: 0...1)
    else { return nil }
    return Figure(
      name: "\(findings.stem)-forms-by-layer", chart: chart,
      caption:
        "The rule at answer positions, in a form that the decoder has not seen, and by a decoder of that "
        + "form. Labels of two sets correspond by their order in the task file, which is a convention: "
        + "a decoder may fail on another set although both hold the rule alike.")
  }

  private func slots(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings) -> Figure? {
    guard let chosen else { return nil }
    let series = DecodingVectors.sites.map { site in
      LineChart.Series(
        name: site.rawValue,
        points: results.slots(site, layer: chosen).map {
          LineChart.Point(
            x: Double(($0.slot ?? 0) + 1), y: $0.interval.estimate, low: $0.interval.low,
            high: $0.interval.high)
        })
    }
    guard
      let chart = chart(
        "The rule, demonstration by demonstration", "share right, of two", series, nil,
        lines: Self.coin, xTitle: "demonstration", range: 0...1,
        note: "Bands: 95 % Wilson intervals over episodes.")
    else { return nil }
    return Figure(
      name: "\(findings.stem)-rule-by-demonstration", chart: chart,
      caption:
        "After layer \(chosen), by the same decoders. At the first input both prompts are still the same, "
        + "so that only a coin toss is left; at the first answer nothing but the demonstration's own "
        + "class and label can be known.")
  }

  private func similarity(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings)
    -> Figure?
  {
    guard
      let chart = chart(
        "Is the geometry the same?", "rank correlation of distances",
        ([results.firstForm] + results.otherForms).flatMap { form in
          Geometry.allCases.map { geometry in
            results.figures(.similarity, geometry.rawValue, tested: form)
              .series("\(geometry.rawValue), \(form)")
          }
        }, chosen, lines: [LineChart.HorizontalLine(y: 0, label: "none")],
        note: "Bands: 95 % intervals over weightings of episodes (Bayesian bootstrap).")
    else { return nil }
    return Figure(
      name: "\(findings.stem)-similarity-by-layer", chart: chart,
      caption:
        "Spearman's correlation between distances of classes in \(results.firstForm) and in each form, "
        + "over episodes that share no word; classes: mean vectors; bindings: how a class' vector "
        + "changes with its label. Classes are compared within leagues of four.")
  }

  private func variance(_ results: DecodingResults, _ chosen: Int?, _ findings: Findings)
    -> Figure?
  {
    guard
      let chart = chart(
        "What the variance of answer vectors belongs to", "share of variance",
        Marginalisation.allCases.map {
          results.figures(.variance, $0.rawValue).series($0.rawValue)
        } + [results.figures(.variance, Marginalisation.rule.rawValue).chance("rule, permuted")],
        chosen, lines: [],
        note: "Bands: 95 % jackknife intervals over episodes.")
    else { return nil }
    return Figure(
      name: "\(findings.stem)-variance-by-layer", chart: chart,
      caption:
        "Marginalisations of demixed PCA (Kobak et al. 2016): rule × slot × label, of which rule × label is "
        + "the category. What is left belongs to the episode, to its words, or to more than two of "
        + "these at once.")
  }
}
