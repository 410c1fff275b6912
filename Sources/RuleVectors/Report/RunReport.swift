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
      let reason = "The model does not do the task better than \(gate.chanceWords)."
      replaceClaims { $0.withheld(reason) }
    }
    if let failure = record.failure { replaceClaims { $0.withheld(failure) } }
  }

  public var claims: [Claim] { sections.flatMap(\.section.claims) }

  /// "multi-demo-rule (arrow/letters) on SmolLM2-135M": what every heading says.
  public var name: String {
    let format = record.format.flatMap { $0 == Format.unnamed ? nil : " (\($0))" } ?? ""
    return "\(record.task)\(format) on \(record.model)"
  }

  mutating func replaceClaims(_ change: (Claim) -> Claim) {
    for number in sections.indices {
      sections[number].section.elements = sections[number].section.elements.map { element in
        if case .claims(let claims) = element { .claims(claims.map(change)) } else { element }
      }
    }
  }

  /// What a run says of one of the paper's claims.
  struct PaperVerdict {
    enum Outcome {
      case supported, contradicted, mixed, undecided, notTested

      var mark: VerdictMark {
        switch self {
        case .supported: .supported
        case .contradicted: .contradicted
        case .mixed, .undecided: .undecided
        case .notTested: .notTested
        }
      }
    }

    let claim: PaperClaim
    /// Sentences that speak to it.
    let claims: [Claim]
    /// The sections that they stand in.
    let headings: [String]

    private func count(_ verdict: Claim.Verdict) -> Int { claims.count { $0.verdict == verdict } }

    /// Supported or contradicted where some sentences are and none says the opposite; mixed where some
    /// are the one and some the other.
    var outcome: Outcome {
      if claims.isEmpty { return .notTested }
      switch (count(.supported) > 0, count(.contradicted) > 0) {
      case (true, true): return .mixed
      case (true, false): return .supported
      case (false, true): return .contradicted
      case (false, false): return .undecided
      }
    }

    /// The outcome, and how many sentences of how many it rests on.
    var words: String {
      let all = claims.count
      switch outcome {
      case .notTested: return "not tested"
      case .supported: return "supported by \(count(.supported)) of \(all)"
      case .contradicted: return "contradicted by \(count(.contradicted)) of \(all)"
      case .mixed:
        return "mixed: \(count(.supported)) of \(all) support, \(count(.contradicted)) contradict"
      case .undecided: return "undecided"
      }
    }
  }

  func verdict(on claim: PaperClaim) -> PaperVerdict {
    let found = sections.map { entry in
      (entry.section.heading, entry.section.claims.filter { $0.paperClaim == claim.rawValue })
    }.filter { !$0.1.isEmpty }
    return PaperVerdict(claim: claim, claims: found.flatMap(\.1), headings: found.map(\.0))
  }

  /// "One vector or many?" in a few plain sentences.
  var answer: [String] {
    guard gate?.passed ?? true else { return [gate?.sentence ?? ""] }
    let one = verdict(on: .noGlobalVector).outcome
    let own = verdict(on: .ownAnswerPosition).outcome
    let spread = verdict(on: .distributed).outcome
    let head: String?
    switch (one, own, spread) {
    case (.notTested, .notTested, .notTested): head = nil
    case (.supported, .supported, .supported):
      head =
        "Many: each demonstration's answer position holds a part of the rule, and one vector does "
        + "not carry it."
    case (.supported, .supported, .mixed):
      head =
        "Many, in unequal parts: answer positions hold the rule, several bring some of it, some "
        + "bring much more than others, and one vector does not carry it."
    case (.supported, .supported, _):
      head =
        "Many positions hold the rule and one vector does not carry it; how they share it is not "
        + "decided."
    case (.contradicted, _, _): head = "One vector carries some of the rule."
    case (_, .supported, .supported), (_, .supported, .mixed):
      head = "Many positions hold the rule; whether one vector could carry it is not decided."
    case (_, .supported, _): head = "The answer positions hold the rule; the rest is not decided."
    case (_, .contradicted, _): head = "The rule is not at the answer positions."
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
        shared: rows.filter { $0.key.probe.hasPrefix(LayerChoice.prefix) },
        candidates: rows.first { $0.experiment == ShotCurve.kind && $0.key.task == task }
          .map { try ShotCurveRow($0.columns).candidates } ?? 2,
        stem: stem + name, seed: seed))
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
