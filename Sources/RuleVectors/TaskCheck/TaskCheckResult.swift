import TensorCore

extension TaskCheck {
  /// What was found about one task in one format.
  public struct Result: Sendable, Equatable {
    static let version = 1

    public let task: String
    /// SHA-256 of the task.
    public let digest: String
    /// Names of template, label set and language.
    public let format: String
    public let model: String
    /// SHA-256 of the model.
    public let modelDigest: String
    public let setting: Setting
    /// Nil where the model's tokenizer does not allow the prompts.
    public let answers: Answers?
    /// Ascending.
    public let points: [Point]
    /// Numbers of demonstrations that could not be asked, with the reason.
    public let leftOut: [LeftOut]

    public struct LeftOut: Sendable, Equatable {
      public let shots: Int
      public let reason: String
    }

    /// Whether the model does the task, at the largest number of demonstrations that was asked; nil
    /// where nothing could be.
    public var passed: Bool? { points.last?.passed }
  }
}

extension TaskCheck.Result {
  public var json: JSONValue {
    [
      "version": .integer(Self.version), "task": .string(task), "digest": .string(digest),
      "format": .string(format), "model": .string(model), "model_digest": .string(modelDigest),
      "episodes": .integer(setting.episodes), "seed": .integer(Int(setting.seed)),
      "begin_token": setting.beginToken.map(JSONValue.integer) ?? .null,
      "shots": .array(setting.shots.map(JSONValue.integer)),
      "answers": answers.map { answers in
        [
          "count": .integer(answers.count), "fewest_tokens": .integer(answers.fewestTokens),
          "most_tokens": .integer(answers.mostTokens),
          "mean_tokens": .number(answers.meanTokens),
          "single_tokens": .bool(answers.areSingleTokens),
          "first_token_collisions": .integer(answers.collisions),
        ]
      } ?? .null,
      "points": .array(
        points.map { point in
          [
            "shots": .integer(point.shots), "episodes": .integer(point.episodes),
            "candidates": .integer(point.candidates), "right": .integer(point.right),
            "first": .integer(point.first),
            "candidate_accuracy": point.candidateAccuracy.json, "accuracy": point.accuracy.json,
            "passed": .bool(point.passed),
          ]
        }),
      "left_out": .array(
        leftOut.map { ["shots": .integer($0.shots), "reason": .string($0.reason)] }),
      "passed": passed.map(JSONValue.bool) ?? .null,
    ]
  }

  /// - Throws: `UserError` for a result of another version.
  init(_ reader: JSONReader) throws {
    let columns = try Columns(reader)
    let version = try columns.integer("version")
    guard version == Self.version else {
      throw UserError(
        "the result has version \(version), readable is \(Self.version)", at: reader.place,
        remedy: "remove the file and check the tasks again")
    }
    func list(_ key: String) throws -> [JSONReader] {
      try JSONReader(reader.value[key], place: "\(reader.place), \(key)").list()
    }
    task = try columns.text("task")
    digest = try columns.text("digest")
    format = try columns.text("format")
    model = try columns.text("model")
    modelDigest = try columns.text("model_digest")
    setting = TaskCheck.Setting(
      shots: try list("shots").map { try $0.integer() }, episodes: try columns.integer("episodes"),
      seed: UInt64(clamping: try columns.integer("seed")),
      beginToken: try columns.integerIfThere("begin_token"))
    answers =
      reader.value["answers"] == .null
      ? nil
      : try TaskCheck.Answers(
        Columns(JSONReader(reader.value["answers"], place: "\(reader.place), answers")))
    points = try list("points").map { try TaskCheck.Point(Columns($0)) }
    leftOut = try list("left_out").map {
      let own = try Columns($0)
      return LeftOut(shots: try own.integer("shots"), reason: try own.text("reason"))
    }
  }
}

extension TaskCheck.Point {
  fileprivate init(_ columns: Columns) throws {
    shots = try columns.integer("shots")
    episodes = try columns.integer("episodes")
    candidates = try columns.integer("candidates")
    right = try columns.integer("right")
    first = try columns.integer("first")
  }
}

extension TaskCheck.Answers {
  fileprivate init(_ columns: Columns) throws {
    count = try columns.integer("count")
    fewestTokens = try columns.integer("fewest_tokens")
    mostTokens = try columns.integer("most_tokens")
    meanTokens = try columns.number("mean_tokens")
    collisions = try columns.integer("first_token_collisions")
  }
}
