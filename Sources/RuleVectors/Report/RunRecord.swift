import Foundation
import TensorCore

/// A prompt of a run, kept for the report.
public struct ExamplePrompt: Sendable {
  public struct Token: Sendable {
    public let text: String
    public let role: String
    public let demonstration: Int?
  }

  /// What the prompt is in the experiment: `clean`, `flipped-rule`, …
  public let name: String
  public let right: String
  public let wrong: String
  public let tokens: [Token]
}

extension ExamplePrompt {
  public var json: JSONValue {
    [
      "name": .string(name), "right": .string(right), "wrong": .string(wrong),
      "tokens": .array(
        tokens.map { token in
          [
            "text": .string(token.text), "role": .string(token.role),
            "demonstration": token.demonstration.map(JSONValue.integer) ?? .null,
          ]
        }),
    ]
  }

  init(_ reader: JSONReader) throws {
    let keys = try reader.object(required: ["name", "right", "wrong", "tokens"])
    name = try keys["name"]?.string() ?? ""
    right = try keys["right"]?.string() ?? ""
    wrong = try keys["wrong"]?.string() ?? ""
    tokens = try (keys["tokens"]?.list() ?? []).map { token in
      let keys = try token.object(required: ["text", "role", "demonstration"])
      let number = keys["demonstration"]
      return Token(
        text: try keys["text"]?.string() ?? "", role: try keys["role"]?.string() ?? "",
        demonstration: number?.value == .null ? nil : try number?.integer())
    }
  }
}

extension Laboratory {
  /// The prompts of the first held-out episode in the roles that experiments give them.
  public func examplePrompts(_ task: RuleTask) throws -> [ExamplePrompt] {
    let episode = try episode(task, 0, .heldOut)
    let sampler = sampler(task)
    var variants: [(String, Episode)] = [
      ("clean", episode), ("flipped-rule", try episode.flippedRule()),
    ]
    if task.family == .categorization {
      variants.append(("swapped-slots", try sampler.swappedSlots(of: episode)))
    }
    variants.append(("zero-shot", episode.zeroShot))
    // A task may have too few dummies; that is an error only for a probe that needs them.
    if let dummies = try? sampler.dummyDemonstrations(of: episode) {
      variants.append(("dummy-demonstrations", dummies))
    }
    return try variants.map { name, variant in
      let prompt = try prompt(variant, task)
      return ExamplePrompt(
        name: name, right: variant.right, wrong: variant.wrong,
        tokens: prompt.tokens.indices.map { index in
          ExamplePrompt.Token(
            text: engine.model.tokenizer.decode([prompt.tokens[index]]),
            role: prompt.roles[index].rawValue,
            demonstration: prompt.demonstrationIndices[index])
        })
    }
  }
}

/// A run's folder, read.
public struct RunRecord: Sendable {
  public enum Rows: Sendable {
    case patch(effects: [Effect], examples: [ExamplePrompt])
    case eval([ShotCurve.Row])
  }

  public let path: String
  public let manifest: JSONValue
  public let task: String
  public let rows: Rows

  /// - Throws: `UserError` where the folder is no run, or holds rows that cannot be read.
  public init(_ path: String) throws {
    self.path = path
    let manifestPath = path + "/manifest.json"
    guard FileManager.default.fileExists(atPath: manifestPath) else {
      throw UserError(
        "the folder holds no run: it has no manifest.json", at: path,
        remedy: "name a folder that icl-probe patch or eval wrote")
    }
    manifest = try JSONValue(contentsOf: manifestPath)
    let identity = JSONReader(manifest["identity"], place: "\(manifestPath), identity")
    task = try JSONReader(identity.value["task"], place: identity.place + ".task").string()
    let kind = JSONReader(identity.value["kind"], place: identity.place + ".kind")
    switch try kind.choice(of: ["patch", "eval"]) {
    case "eval":
      rows = .eval(try Self.lines(path + "/accuracy.jsonl").map { try ShotCurve.Row($0) })
    default:
      let examples = path + "/examples.json"
      rows = .patch(
        effects: try Self.lines(path + "/effects.jsonl").map { try Effect($0) },
        examples: FileManager.default.fileExists(atPath: examples)
          ? try JSONReader(contentsOf: examples).list().map { try ExamplePrompt($0) } : [])
    }
  }

  public var isFinished: Bool { manifest["finished"] != .null }

  /// The whole lines of a file of rows.
  public static func lines(_ path: String) throws -> [JSONReader] {
    let data = try Files.read(path)
    let whole = data.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return try data.prefix(whole).split(separator: 0x0A).enumerated().map { index, line in
      let place = "\(path):\(index + 1)"
      return JSONReader(try JSONValue(parsing: Data(line), place: place), place: place)
    }
  }
}
