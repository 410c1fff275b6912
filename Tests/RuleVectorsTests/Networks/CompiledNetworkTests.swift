import Foundation
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

/// That the compiled networks do what their files say, whatever any experiment says of them.
@Suite struct CompiledNetworkTests {
  private static let repository = URL(fileURLWithPath: Fixtures.tasksFolder)
    .deletingLastPathComponent().path

  /// `make rule-networks` writes what is committed, byte for byte.
  @Test(arguments: CompiledNetwork.Kind.allCases)
  func committedAsWritten(_ kind: CompiledNetwork.Kind) throws {
    let folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try CompiledNetwork(kind, CompiledLaboratory.vocabulary()).write(to: folder)
    let committed = "\(Self.repository)/networks/\(kind.rawValue)"
    let files = try FileManager.default.contentsOfDirectory(atPath: committed).sorted()
    #expect(files == ["config.json", "model.safetensors", "tokenizer.json"])
    for file in files {
      #expect(
        try Files.read("\(committed)/\(file)") == Files.read("\(folder)/\(file)"),
        "\(file) differs: run make rule-networks")
    }
  }

  /// Every word, label and separator of the task is one token, wherever it stands.
  @Test func wordsAreTokens() throws {
    let task = try Fixtures.task("multi-demo-rule")
    let tokenizer = try CompiledLaboratory.model(.single).tokenizer
    guard case .categorization(let classes, let labels) = task.items else {
      Issue.record("no categorization")
      return
    }
    for word in classes.flatMap(\.words) + task.dummies {
      let lengths = try [word, " " + word, "\(word) -> \(labels[0])\n"].map {
        try tokenizer.encode($0).count
      }
      #expect(lengths == [1, 1, 4])
    }
    // What is no word is bytes, and comes back.
    let text = "Zürich -> 7 dogs\n"
    let ids = try tokenizer.encode(text)
    #expect(String(decoding: ids.flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self) == text)
  }

  /// 32 logits ahead with as many demonstrations of either class, ahead from two on, and no preference
  /// at all without any.
  @Test(arguments: CompiledNetwork.Kind.allCases)
  func followsTheRule(_ kind: CompiledNetwork.Kind) throws {
    let laboratory = try CompiledLaboratory.laboratory(kind)
    let task = try Fixtures.task("multi-demo-rule")
    for shots in [0, 1, 2, 3, 5, 8, 16, 24] {
      let episodes = try (0..<6).map {
        try laboratory.episode(task, $0, .heldOut, demonstrations: shots)
      }
      for episode in episodes {
        let measured = try laboratory.record([episode], task, question: episode)[0].measurement
        let flipped = try laboratory.record(
          [episode.flippedRule()], task, question: episode)[0].measurement
        switch shots {
        case 0: #expect(abs(measured.logitDifference) < 1e-3 && measured.probability < 0.01)
        case 1: #expect(measured.logitDifference > -1e-3)
        default:
          #expect(measured.isTop && flipped.logitDifference < 0)
          if shots.isMultiple(of: 2) {
            #expect(abs(measured.logitDifference - 32) < 0.01)
            #expect(abs(flipped.logitDifference + 32) < 0.01)
            #expect(measured.probability > 0.99)
          }
        }
      }
    }
  }

  /// A rule vector at each answer position, and nowhere else: exactly one of the 48 is 1.
  @Test(arguments: CompiledNetwork.Kind.allCases)
  func answersHoldRuleVectors(_ kind: CompiledNetwork.Kind) throws {
    let laboratory = try CompiledLaboratory.laboratory(kind)
    let task = try Fixtures.task("multi-demo-rule")
    guard case .categorization(let classes, let labels) = task.items else { return }
    let stream = CompiledNetwork(kind, try CompiledLaboratory.vocabulary()).stream
    let episode = try laboratory.episode(task, 1, .heldOut, demonstrations: 6)
    let prompt = try laboratory.record([episode], task, question: episode)[0]
    let positions = Array(prompt.tokens.indices)
    let residual = prompt.run.residualPost(layer: 0, positions: positions)
    for position in positions {
      var expected = [Float](repeating: 0, count: stream.rules.count)
      if let slot = prompt.prompt.answerPositions.firstIndex(of: position) {
        let shown = episode.demonstrations[slot]
        let category = try #require(classes.firstIndex { $0.name == shown.category })
        let label = try #require(labels.firstIndex(of: shown.answer))
        expected[stream.rule(category, label) - stream.rules.lowerBound] = 1
      }
      residual.withPointer { values in
        for (index, coordinate) in stream.rules.enumerated() {
          let value = values[position * stream.width + coordinate]
          #expect(abs(value - expected[index]) < 1e-4)
        }
        // The mean is zero, so that layer norm has nothing to subtract.
        let row = (0..<stream.width).map { Double(values[position * stream.width + $0]) }
        #expect(abs(row.reduce(0, +)) < 1e-2)
      }
    }
  }

  /// What tells the kinds apart, without any experiment: exchange the labels of one demonstration.
  @Test func oneDemonstrationOfEight() throws {
    let task = try Fixtures.task("multi-demo-rule")
    for kind in CompiledNetwork.Kind.allCases {
      let laboratory = try CompiledLaboratory.laboratory(kind)
      let episode = try laboratory.episode(task, 2, .heldOut)
      for slot in episode.demonstrations.indices {
        var changed = episode
        let label = episode.demonstrations[slot].answer
        changed.demonstrations[slot].answer =
          label == episode.right ? episode.wrong : episode.right
        let difference = try laboratory.record([changed], task, question: episode)[0].measurement
          .logitDifference
        switch kind {
        // The first decides; others change how often labels are shown, 8 logits of 32.
        case .single: #expect((difference < 0) == (slot == 0))
        // One of four of its class, of which the other half says the same.
        case .distributed: #expect(abs(difference - 24) < 0.01)
        // One of four of the query's class; the other class is not asked for.
        case .global:
          let isAsked = episode.demonstrations[slot].category == episode.queryCategory
          #expect(abs(difference - (isAsked ? 16 : 32)) < 0.01)
        }
      }
    }
  }

  @Test func onlyCategorizations() throws {
    #expect {
      try NetworkVocabulary(Fixtures.task("country-capital"))
    } throws: { "\($0)".contains("a mapping has no classes") }
    #expect {
      try NetworkVocabulary(
        Fixtures.read(Fixtures.taskText(changing: "\"hamster\"", to: "\"guinea pig\"")))
    } throws: { "\($0)".contains("\"guinea pig\" is not a word of ASCII letters") }
  }
}
