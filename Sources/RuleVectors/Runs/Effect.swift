import TensorCore

/// One row of a run: what one patch did to the answer of one episode.
public struct Effect: Sendable, Equatable {
  /// What was done to which prompt; unique within a run.
  public struct Condition: Sendable, Hashable {
    public var probe: String
    public var task: String
    public var split: Split
    public var episode: Int
    /// `clean`, `swapped-slots` or `global`.
    public var donor: String
    /// `flipped-rule`, `zero-shot` or `dummy-demonstrations`.
    public var recipient: String
    public var direction: Probe.Direction
    /// `answers`, `inputs`, `last`; `subset` for some of the answers; `none` for the unpatched run.
    public var positions: String
    /// Block whose output is patched; nil where nothing is.
    public var layer: Int?
    /// Demonstrations whose answer positions are patched, ascending; nil for whole groups.
    public var subset: [Int]?

    public init(
      probe: String, task: String, split: Split, episode: Int, donor: String, recipient: String,
      direction: Probe.Direction = .donorIntoRecipient, positions: String, layer: Int? = nil,
      subset: [Int]? = nil
    ) {
      self.probe = probe
      self.task = task
      self.split = split
      self.episode = episode
      self.donor = donor
      self.recipient = recipient
      self.direction = direction
      self.positions = positions
      self.layer = layer
      self.subset = subset
    }
  }

  public var condition: Condition
  /// Of the patched run.
  public var measurement: Measurement
  /// Logit difference of the donor's own run, the value that full recovery reaches.
  public var donorLogitDifference: Float
  /// Logit difference of the recipient's own run, the value that no recovery keeps.
  public var recipientLogitDifference: Float

  public init(
    condition: Condition, measurement: Measurement, donorLogitDifference: Float,
    recipientLogitDifference: Float
  ) {
    self.condition = condition
    self.measurement = measurement
    self.donorLogitDifference = donorLogitDifference
    self.recipientLogitDifference = recipientLogitDifference
  }
}

/// The metrics of one run at the answer that is asked for.
public struct Measurement: Sendable, Equatable {
  /// logit(right) − logit(wrong), right and wrong under the donor's rule.
  public var logitDifference: Float
  /// Probability of the right answer over the whole vocabulary.
  public var probability: Float
  /// Whether the right answer has the largest logit of all.
  public var isTop: Bool
  /// KL(donor ‖ this) over the vocabulary, in nats.
  public var divergence: Float?

  /// Whether the right answer beats the wrong one.
  public var isRight: Bool { logitDifference > 0 }

  public init(
    logitDifference: Float, probability: Float, isTop: Bool, divergence: Float? = nil
  ) {
    self.logitDifference = logitDifference
    self.probability = probability
    self.isTop = isTop
    self.divergence = divergence
  }
}

extension Effect {
  /// The row as it stands in `effects.jsonl`.
  public var json: JSONValue {
    .object([
      ("probe", .string(condition.probe)), ("task", .string(condition.task)),
      ("split", .string(condition.split.rawValue)), ("episode", .integer(condition.episode)),
      ("donor", .string(condition.donor)), ("recipient", .string(condition.recipient)),
      ("direction", .string(condition.direction.rawValue)),
      ("positions", .string(condition.positions)),
      ("layer", condition.layer.map(JSONValue.integer) ?? .null),
      ("subset", condition.subset.map { .array($0.map(JSONValue.integer)) } ?? .null),
      ("logit_difference", .number(Double(measurement.logitDifference))),
      ("logit_difference_donor", .number(Double(donorLogitDifference))),
      ("logit_difference_recipient", .number(Double(recipientLogitDifference))),
      ("probability", .number(Double(measurement.probability))),
      ("top", .bool(measurement.isTop)), ("right", .bool(measurement.isRight)),
      ("divergence", measurement.divergence.map { .number(Double($0)) } ?? .null),
    ])
  }

  /// - Throws: `UserError` for a row that this version did not write.
  public init(_ reader: JSONReader) throws {
    let keys = try reader.object(required: [
      "probe", "task", "split", "episode", "donor", "recipient", "direction", "positions",
      "layer", "subset", "logit_difference", "logit_difference_donor",
      "logit_difference_recipient", "probability", "top", "right", "divergence",
    ])
    func key(_ name: String) throws -> JSONReader {
      guard let value = keys[name] else {
        throw UserError("the key \"\(name)\" is missing", at: reader.place)
      }
      return value
    }
    func optional<Value>(_ name: String, _ read: (JSONReader) throws -> Value) throws -> Value? {
      let value = try key(name)
      return value.value == .null ? nil : try read(value)
    }
    func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws -> Word
    where Word.RawValue == String {
      let value = try key(name)
      guard let word = Word(rawValue: try value.choice(of: Word.allCases.map(\.rawValue))) else {
        throw UserError("the value is not known", at: value.place)
      }
      return word
    }
    condition = Condition(
      probe: try key("probe").string(), task: try key("task").string(),
      split: try word("split"), episode: try key("episode").integer(),
      donor: try key("donor").string(), recipient: try key("recipient").string(),
      direction: try word("direction"), positions: try key("positions").string(),
      layer: try optional("layer") { try $0.integer() },
      subset: try optional("subset") { try $0.list().map { try $0.integer() } })
    measurement = Measurement(
      logitDifference: Float(try key("logit_difference").number()),
      probability: Float(try key("probability").number()), isTop: try key("top").bool(),
      divergence: try optional("divergence") { Float(try $0.number()) })
    donorLogitDifference = Float(try key("logit_difference_donor").number())
    recipientLogitDifference = Float(try key("logit_difference_recipient").number())
  }
}
