import TensorCore

/// The metrics of one run at the answer that is asked for.
public struct Measurement: Sendable, Equatable {
  /// logit(right) − logit(wrong), right and wrong under the donor's rule. With more than two labels
  /// the wrong one is that of the flipped rule, whatever the others' logits are: a difference of two
  /// logits stays what adds up.
  public var logitDifference: Float
  /// Probability of the right answer over the whole vocabulary.
  public var probability: Float
  /// Whether the right answer has the largest logit of all.
  public var isTop: Bool
  /// Whether the right answer beats every other candidate.
  public var isRight: Bool
  /// KL(donor ‖ this) over the vocabulary, in nats.
  public var divergence: Float?

  /// - Parameter isRight: nil where there are two candidates, and the logit difference says it.
  public init(
    logitDifference: Float, probability: Float, isTop: Bool, isRight: Bool? = nil,
    divergence: Float? = nil
  ) {
    self.logitDifference = logitDifference
    self.probability = probability
    self.isTop = isTop
    self.isRight = isRight ?? (logitDifference > 0)
    self.divergence = divergence
  }

  var columns: [(key: String, value: JSONValue)] {
    [
      ("logit_difference", .number(Double(logitDifference))),
      ("probability", .number(Double(probability))), ("top", .bool(isTop)),
      ("right", .bool(isRight)), ("divergence", divergence.map { .number(Double($0)) } ?? .null),
    ]
  }

  init(_ columns: Columns) throws {
    self.init(
      logitDifference: Float(try columns.number("logit_difference")),
      probability: Float(try columns.number("probability")), isTop: try columns.bool("top"),
      isRight: try columns.bool("right"),
      divergence: try columns.numberIfThere("divergence").map(Float.init))
  }
}

/// What a patched run measured, between the two runs that it stands between.
public struct Outcome: Sendable, Equatable {
  public var patched: Measurement
  /// Logit difference of the donor's own run, the value that full recovery reaches.
  public var donor: Float
  /// Logit difference of the recipient's own run, the value that no recovery keeps.
  public var recipient: Float
  /// The same patch and the same donor under the flipped rule, where both were run: half the
  /// difference of the two is free of what the model answers whatever the rule. Not a column.
  var flipped: Counterpart?

  struct Counterpart: Sendable, Equatable {
    let patched: Float
    let donor: Float
  }

  public init(patched: Measurement, donor: Float, recipient: Float) {
    self.patched = patched
    self.donor = donor
    self.recipient = recipient
  }

  /// Change of the logit difference against the unpatched recipient or, where there is a
  /// counterpart, half the change against that.
  var effect: Double {
    flipped.map { (Double(patched.logitDifference) - Double($0.patched)) / 2 }
      ?? Double(patched.logitDifference) - Double(recipient)
  }

  /// The same for the donor's own run: the effect that full recovery would have.
  var gap: Double {
    flipped.map { (Double(donor) - Double($0.donor)) / 2 } ?? Double(donor) - Double(recipient)
  }

  var columns: [(key: String, value: JSONValue)] {
    patched.columns + [
      ("logit_difference_donor", .number(Double(donor))),
      ("logit_difference_recipient", .number(Double(recipient))),
    ]
  }

  init(_ columns: Columns) throws {
    self.init(
      patched: try Measurement(columns),
      donor: Float(try columns.number("logit_difference_donor")),
      recipient: Float(try columns.number("logit_difference_recipient")))
  }
}
