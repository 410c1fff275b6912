/// A tested sentence and what the data say about it.
public struct Callout: Sendable {
  public var verdict: Claim.Verdict
  /// The sentence tested.
  public var sentence: String
  /// The numbers behind the verdict.
  public var evidence: String

  public init(verdict: Claim.Verdict, sentence: String, evidence: String) {
    self.verdict = verdict
    self.sentence = sentence
    self.evidence = evidence
  }

  var markup: Markup {
    let mark = VerdictMark(verdict)
    let word = mark.word.prefix(1).uppercased() + mark.word.dropFirst()
    return .element(
      "div", ["class": "callout \(mark.rawValue)"],
      [
        .element("p", ["class": "verdict"], [.text("\(mark.sign) \(word)")]),
        .element("p", ["class": "sentence"], inline(sentence)),
        .element("p", [:], inline(evidence)),
      ])
  }
}
