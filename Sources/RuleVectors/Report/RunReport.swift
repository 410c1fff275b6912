import Reports
import TensorCore

/// What one run says: its gate and its probes' sections, with claims corrected over the whole report.
public struct RunReport: Sendable {
  public let record: RunRecord
  /// Nil where the run measured no unpatched prompts.
  public let gate: Gate?
  public internal(set) var sections: [(probe: Probe, section: Section)]

  /// - Parameter stem: begins the names of figures, where a report has several runs.
  init(_ record: RunRecord, stem: String, seed: UInt64) throws {
    self.record = record
    gate = try Gate(record.rows, task: record.task, demonstrations: record.demonstrations)
    sections = try record.probes.compactMap { probe in
      try probe.section(
        of: record.rows, task: record.task, model: record.model, examples: record.examples,
        stem: stem, seed: seed
      ).map { (probe, $0) }
    }
    if let gate, !gate.passed {
      let reason = "The model does not do the task better than a coin toss."
      replaceClaims { $0.withheld(reason) }
    }
    if let failure = record.failure { replaceClaims { $0.withheld(failure) } }
  }

  public var claims: [Claim] { sections.flatMap(\.section.claims) }

  /// "multi-demo-rule on SmolLM2-135M": what every heading says.
  public var name: String { "\(record.task) on \(record.model)" }

  mutating func replaceClaims(_ change: (Claim) -> Claim) {
    for number in sections.indices {
      sections[number].section.elements = sections[number].section.elements.map { element in
        if case .claims(let claims) = element { .claims(claims.map(change)) } else { element }
      }
    }
  }

  /// The verdict on one of the paper's claims.
  struct PaperVerdict {
    let claim: PaperClaim
    /// Nil where nothing was tested.
    let verdict: Claim.Verdict?
    /// Sentences that speak to it.
    let claims: [Claim]
    /// The sections that they stand in.
    let headings: [String]
  }

  /// A claim is supported where all its sentences are, and contradicted where one is.
  func verdict(on claim: PaperClaim) -> PaperVerdict {
    let found = sections.map { entry in
      (entry.section.heading, entry.section.claims.filter { $0.paperClaim == claim.rawValue })
    }.filter { !$0.1.isEmpty }
    let claims = found.flatMap(\.1)
    let verdicts = Set(claims.map(\.verdict))
    return PaperVerdict(
      claim: claim,
      verdict: claims.isEmpty
        ? nil
        : verdicts.contains(.contradicted)
          ? .contradicted : verdicts == [.supported] ? .supported : .undecided,
      claims: claims, headings: found.map(\.0))
  }

  /// "One vector or many?" in a few plain sentences.
  var answer: [String] {
    guard gate?.passed ?? true else { return [gate?.sentence ?? ""] }
    let one = verdict(on: .noGlobalVector).verdict
    let own = verdict(on: .ownAnswerPosition).verdict
    let spread = verdict(on: .distributed).verdict
    let head: String?
    switch (one, own, spread) {
    case (.supported, .supported, .supported):
      head =
        "Many: each demonstration's answer position holds a part of the rule, and one vector does "
        + "not carry it."
    case (.contradicted, _, _): head = "One vector carries some of the rule."
    case (_, .supported, .supported):
      head = "Many positions hold the rule; whether one vector could carry it is not decided."
    case (_, .contradicted, _): head = "Not at the answer positions."
    case (nil, nil, nil): head = nil
    default: head = "Not decided by this run."
    }
    return ((head.map { [$0] } ?? []) + (gate.map { [$0.sentence] } ?? []))
      + sections.flatMap { $0.section.answers }
  }
}

extension Probe {
  /// What the probe's rows among `rows` say; nil where there are none.
  public func section(
    of rows: [StoredRow], task: String, model: String, examples: [ExamplePrompt] = [],
    stem: String = "", seed: UInt64 = 0
  ) throws -> Section? {
    let own = rows.filter { $0.key.probe == name }
    guard !own.isEmpty else { return nil }
    return try experiment.section(
      own,
      Findings(
        probe: name, title: title, task: task, model: model, examples: examples,
        shared: rows.filter { $0.key.probe.hasPrefix(LayerChoice.prefix) }, stem: stem + name,
        seed: seed))
  }
}

extension Claim {
  /// The sentence untested, and why.
  fileprivate func withheld(_ reason: String) -> Claim {
    Claim(
      topic, name: name, sentence: sentence, evidence: "Not interpreted: \(reason) \(evidence)",
      difference: .nan, pValue: .nan, samples: samples, unit: unit, paperClaim: paperClaim)
  }
}
