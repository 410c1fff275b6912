import Foundation
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct TaskCheckTests {
  private static func task(_ labels: String = #""labels": ["A", "B"]"#) throws -> RuleTask {
    try Fixtures.read(
      TinyLaboratory.categorization.replacingOccurrences(of: #""labels": ["A", "B"]"#, with: labels)
    )
  }

  private static let setting = TaskCheck.Setting(
    shots: [4, 0, 60], episodes: 20, seed: 3, beginToken: nil)

  /// Accuracies are those of the prompts by themselves.
  @Test func countsWhatTheModelAnswers() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let task = try Self.task()
    var watched: [Int] = []
    let result = try laboratory.check(task, setting: Self.setting, digest: "d") {
      watched.append($0)
    }
    #expect(watched == [0, 4, 60])
    #expect(result.points.map(\.shots) == [0, 4])
    #expect(result.leftOut.map(\.shots) == [60])
    #expect(result.leftOut[0].reason.contains("needed are 3"))
    for point in result.points {
      var (right, first) = (0, 0)
      for index in 0..<20 {
        let episode = try EpisodeSampler(task: task)
          .episode(index: index, split: .heldOut, demonstrations: point.shots, seed: 3)
        // Where the two whole texts part, that is what is asked.
        let whole = try [episode.right, episode.wrong].map {
          try laboratory.engine.model.tokenizer.encode(
            task.template.text(of: episode) + " \($0)\n")
        }
        let common = zip(whole[0], whole[1]).prefix { $0 == $1 }.count
        let logits = try #require(
          laboratory.engine.forward(
            ForwardRequest(
              tokens: Array(whole[0].prefix(common)), logits: LogitRequest(tokens: .all))
          ).logits.last?.logits)
        if logits[whole[0][common]] > logits[whole[1][common]] { right += 1 }
        if logits[whole[0][common]] == logits.max() { first += 1 }
      }
      #expect(point.right == right)
      #expect(point.first == first)
      #expect(point.candidates == 2)
    }
    #expect(result.passed == result.points.last?.passed)
  }

  @Test func answersAreCountedInTokens() throws {
    let laboratory = try TinyLaboratory.laboratory()
    /// Bytes with the space before each.
    let answers = try laboratory.answers(
      of: Self.task(#""labels": ["one", "two", "three", "x"]"#))
    #expect(answers.count == 4 && answers.fewestTokens == 2 && answers.mostTokens == 6)
    #expect(abs(answers.meanTokens - 4) < 1e-9 && !answers.areSingleTokens)
    // All begin with the byte of a space.
    #expect(answers.collisions == 4)
    let pairs = (1...6).map { "[\"a\($0)\", \"\($0 < 3 ? "x" : "y")\($0)\"]" }.joined(
      separator: ",")
    let mapping = try Fixtures.read(
      """
      {"name": "small", "title": "t", "description": "d", "kind": "mapping", "dummies": ["q", "r"],
       "template": {"demonstration": "{input}={label}\\n", "query": "{input}="}, "pairs": [\(pairs)]}
      """)
    #expect(try laboratory.answers(of: mapping).collisions == 6)
  }

  /// Exact tails of a binomial: 8 of 8 by guessing among 4 has a chance of 4⁻⁸; of 3 of 4, 13/256.
  @Test func chanceIsOneInAsManyLabels() {
    func point(_ right: Int, of episodes: Int, _ candidates: Int) -> TaskCheck.Point {
      TaskCheck.Point(shots: 4, episodes: episodes, candidates: candidates, right: right, first: 0)
    }
    #expect(point(3, of: 4, 4).passed == (13.0 / 256 <= 0.025))
    #expect(point(4, of: 4, 4).passed && !point(4, of: 4, 2).passed)
    // 1 + 2 · 5 of 3⁵ outcomes are 4 or more right of 5 among 3.
    #expect(point(4, of: 5, 3).passed == (11.0 / 243 <= 0.025))
    #expect(point(5, of: 5, 3).passed)
    // The gate counts alike: 12 of 20 is no proof against a coin, but against one in three.
    #expect(!point(12, of: 20, 2).passed && point(12, of: 20, 3).passed)
  }

  private func result(
    _ task: RuleTask, model: String = "m", episodes: Int = 8, right: Int = 8, seed: UInt64 = 0
  ) -> TaskCheck.Result {
    TaskCheck.Result(
      task: task.name, digest: task.digest, format: task.format.name, model: "tiny",
      modelDigest: model,
      setting: TaskCheck.Setting(
        shots: [4, 0], episodes: episodes, seed: seed, beginToken: episodes == 8 ? nil : 1),
      answers: TaskCheck.Answers(
        count: 2, fewestTokens: 1, mostTokens: 3, meanTokens: 1.5, collisions: 2),
      points: [
        TaskCheck.Point(shots: 4, episodes: episodes, candidates: 3, right: right, first: 2)
      ], leftOut: [TaskCheck.Result.LeftOut(shots: 9, reason: "too few")])
  }

  @Test func resultsComeBackFromTheirFile() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    #expect(try TaskCheck(folder: folder.path + "/none").results.isEmpty)
    let small = try Self.task()
    let formats = try Fixtures.read(FormatTests.text)
    let other = try formats.formatted(by: ["digits"])
    let kept = [
      result(small), result(small, episodes: 20, right: 3), result(small, episodes: 20, right: 9),
      result(small, model: "n", right: 1), result(other, right: 5),
    ]
    let text = kept.map { $0.json.text + "\n" }.joined() + "{\"version\": 1, \"ta"
    let file = folder.appendingPathComponent("tiny-m.jsonl")
    try Data(text.utf8).write(to: file)
    let check = try TaskCheck(folder: folder.path)
    #expect(check.results == kept)
    #expect(try TaskCheck(contentsOf: file.path).results == kept)
    // The most episodes, and of these the latest.
    #expect(check.result(task: small, model: "m") == kept[2])
    #expect(check.result(task: small, model: "n")?.points[0].right == 1)
    #expect(check.result(task: small, model: "o") == nil)
    #expect(check.result(task: other, model: "m") == kept[4])
    #expect(check.result(task: formats, model: "m") == nil)
    #expect(check.result(task: small, model: "m", setting: kept[0].setting) == kept[0])

    let older = kept[0].json.text.replacingOccurrences(of: "\"version\": 1", with: "\"version\": 0")
    try Data((older + "\n").utf8).write(to: file)
    #expect { try TaskCheck(folder: folder.path) } throws: {
      ($0 as? UserError)?.description.contains("tiny-m.jsonl:1: the result has version 0") == true
    }
    #expect(
      TaskCheck.fileName(model: "a b/c", digest: "0123456789abcdef") == "a-b-c-0123456789ab.jsonl")
  }
}
