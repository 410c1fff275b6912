import TensorCore

extension Claim {
  /// For a terminal: the verdict as `mark` words it, the sentence, the evidence and p; for an
  /// undecided sentence also what would decide it.
  ///
  /// - Parameter word: what the test is over, in the plural, such as "episodes".
  public func text(samples word: String = "samples", mark: (Verdict) -> String) -> String {
    let outlook = outlook(samples: word).map { " \($0)" } ?? ""
    return "\(mark(verdict)): \(sentence)\n"
      + "  \(evidence) \(formattedPValue(adjustedPValue)) (Holm)\(outlook.isEmpty ? "" : ".")"
      + "\(outlook)\n"
  }

  /// For a page.
  ///
  /// - Parameters:
  ///   - samples: what the test is over, in the plural, such as "episodes".
  ///   - tests: how many tests p was adjusted for.
  public func callout(samples word: String, tests: Int) -> Callout {
    let outlook = outlook(samples: word).map { " \($0)" } ?? ""
    return Callout(
      verdict: verdict, sentence: sentence,
      evidence: evidence + effectText
        + " Over \(Self.counted(samples, word)) \(formattedPValue(pValue)), "
        + "adjusted for \(tests) tests \(formattedPValue(adjustedPValue)).\(outlook)")
  }

  /// For scripts.
  ///
  /// - Parameter word: the key under which the number of samples is told, such as "episodes"; how many
  ///   would decide the sentence is told as "episodes_to_decide".
  public func json(samples word: String) -> JSONValue {
    .object([
      ("name", .string(name)), ("topic", .string(topic)), ("sentence", .string(sentence)),
      ("paper_claim", paperClaim.map(JSONValue.integer) ?? .null),
      ("verdict", .string(verdict.rawValue)), ("evidence", .string(evidence)),
      ("difference", .number(difference)),
      (
        "effect",
        effect.map {
          ["estimate": .number($0.estimate), "low": .number($0.low), "high": .number($0.high)]
        } ?? .null
      ),
      ("unit", unit.map(JSONValue.string) ?? .null), ("p", .number(pValue)),
      ("p_adjusted", .number(adjustedPValue)), (word, .integer(samples)),
      ("\(word)_to_decide", samplesToDecide.map(JSONValue.integer) ?? .null),
    ])
  }

  /// A row for each claim, `sentences.csv` of a report: verdict, effect with its interval, p, evidence.
  ///
  /// - Parameters:
  ///   - claims: each with what it is of, such as its task, in the order of `context`.
  ///   - context: names of what the claims are of.
  ///   - word: as of `json`.
  public static func csv(
    _ claims: [(context: [String], claim: Claim)], context: [String], samples word: String
  ) -> CSV {
    CSV(
      header: context + [
        "name", "topic", "paper_claim", "verdict", "effect", "low", "high", "unit", "p",
        "p_adjusted", word, "sentence", "evidence",
      ],
      rows: claims.map { context, claim in
        context + [
          claim.name, claim.topic, claim.paperClaim.map(String.init) ?? "",
          claim.verdict.rawValue, CSV.number(claim.effect?.estimate),
          CSV.number(claim.effect?.low), CSV.number(claim.effect?.high), claim.unit ?? "",
          CSV.number(claim.pValue), CSV.number(claim.adjustedPValue), String(claim.samples),
          claim.sentence, claim.evidence,
        ]
      })
  }

  /// The same of claims that need no more than their names.
  public static func csv(_ claims: [Claim]) -> CSV {
    csv(claims.map { ([], $0) }, context: [], samples: "samples")
  }

  private var effectText: String {
    guard let effect, let unit else { return "" }
    return " Mean difference \(effect.text(digits: 3)) \(unit)."
  }

  /// Why a sentence is undecided and what would decide it; nil for a decided one or where nothing is
  /// known.
  private func outlook(samples word: String) -> String? {
    guard verdict == .undecided else { return nil }
    if pValue.isNaN { return "It could not be tested." }
    let needed = samplesToDecide.map {
      "About \(Self.rounded($0)) \(word) would decide it."
    }
    if difference == 0, standardDeviation == 0 {
      return "There is no difference in any of the \(word)."
    }
    if isTooSmall {
      let fewest = Self.fewestSamples(level: Self.level)
      return "A test over \(Self.counted(samples, word)) can decide nothing: it takes at least "
        + "\(fewest)." + (needed.map { " \($0)" } ?? "")
    }
    if needed == nil, standardDeviation != nil {
      return "At the effect found no practical number of \(word) would decide it."
    }
    return needed
  }

  private static func counted(_ count: Int, _ word: String) -> String {
    "\(count) " + (count == 1 && word.hasSuffix("s") ? String(word.dropLast()) : word)
  }

  /// Up to the next number of two digits: more would be a show of precision.
  static func rounded(_ count: Int) -> Int {
    var unit = 1
    while count / unit >= 100 { unit *= 10 }
    return (count + unit - 1) / unit * unit
  }

  /// A line that counts the verdicts of `claims`.
  public static func count(_ claims: [Claim]) -> String {
    func number(_ verdict: Verdict) -> Int { claims.count { $0.verdict == verdict } }
    return
      "Of \(claims.count) sentences \(number(.supported)) are supported, "
      + "\(number(.contradicted)) contradicted, \(number(.undecided)) undecided, at 5 % after "
      + "Holm's correction."
  }

  /// The claims as a table of sentences, verdicts and p values.
  public static func table(_ claims: [Claim], caption: String? = nil) -> HTMLTable {
    HTMLTable(
      headers: ["sentence", "verdict", "p, adjusted"],
      rows: claims.map {
        [
          $0.sentence, $0.verdict.rawValue,
          $0.adjustedPValue.isNaN ? "–" : formattedPValue($0.adjustedPValue),
        ]
      }, caption: caption)
  }
}
