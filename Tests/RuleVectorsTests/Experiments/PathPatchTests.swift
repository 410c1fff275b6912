import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct PathPatchTests {
  /// Path patching as its definition has it: whole runs without a base, every head that is not on the
  /// path replaced by name at every position.
  private struct Reference {
    let laboratory: Laboratory
    let pair: PatchedPair
    let freezesMLPs: Bool
    let inputs: [ReceiverInput]
    let layers: Int
    let answers: [Int]
    let last: Int
    let everywhere: [Int]
    let donorHeads: [Tensor]
    let heads: [Tensor]
    let mlps: [Tensor]

    init(
      _ laboratory: Laboratory, _ pair: PatchedPair, freezesMLPs: Bool, inputs: [ReceiverInput]
    ) throws {
      let layers = laboratory.engine.model.architecture.layers
      func all(_ prompt: RecordedPrompt, _ site: HookPoint.Site) throws -> [Tensor] {
        try laboratory.engine.forward(
          ForwardRequest(
            tokens: prompt.tokens,
            recordings: (0..<layers).map { Recording(HookPoint(site, layer: $0)) })
        ).recorded
      }
      self.laboratory = laboratory
      self.pair = pair
      self.freezesMLPs = freezesMLPs
      self.inputs = inputs
      self.layers = layers
      answers = pair.recipient.prompt.answerPositions
      last = pair.recipient.lastPosition
      everywhere = Array(pair.recipient.tokens.indices)
      donorHeads = try all(pair.donor, .headOutput)
      heads = try all(pair.recipient, .headOutput)
      mlps = try all(pair.recipient, .mlpOutput)
    }

    func put(
      _ site: HookPoint.Site, _ layer: Int, _ positions: [Int], from tensor: Tensor,
      rows: [Int]? = nil, heads: [Int]? = nil
    ) -> Intervention {
      .edit(
        ActivationEdit(
          at: HookPoint(site, layer: layer), positions: positions, heads: heads,
          change: .replace(RowSource(tensor, rows: rows ?? positions))))
    }

    /// Heads of all layers keep the recipient's outputs but where they are free.
    func frozen(_ isFree: (Int, Int) -> Bool) -> [Intervention] {
      (0..<layers).flatMap { layer -> [Intervention] in
        let positions = everywhere.filter { !isFree(layer, $0) }
        return positions.isEmpty
          ? [] : [put(.headOutput, layer, positions, from: heads[layer])]
      }
    }

    func frozenMLPs(_ positions: [Int]) -> [Intervention] {
      freezesMLPs ? (0..<layers).map { put(.mlpOutput, $0, positions, from: mlps[$0]) } : []
    }

    func write(_ senders: HeadSet, at positions: [Int], donor: [Int]) -> [Intervention] {
      senders.layers.map {
        put(
          .headOutput, $0, positions, from: donorHeads[$0], rows: donor,
          heads: senders.head.map { [$0] })
      }
    }

    func run(_ interventions: [Intervention]) throws -> Double {
      let contrast = pair.recipient.contrast
      let result = try laboratory.engine.forward(
        laboratory.request(
          pair.recipient.tokens, interventions: interventions, contrast: contrast))
      return Double(try laboratory.measure(result, contrast).logitDifference)
        - Double(pair.recipient.measurement.logitDifference)
    }

    func record(_ interventions: [Intervention], _ hooks: [HookPoint]) throws -> [Tensor] {
      try laboratory.engine.forward(
        ForwardRequest(
          tokens: pair.recipient.tokens, interventions: interventions,
          recordings: hooks.map { Recording($0) })
      ).recorded
    }

    /// Keys, then values of all layers where senders at `which` answers are patched and only their own
    /// columns go on.
    func columns(_ senders: HeadSet, _ which: [Int], freesOwnHeads: Bool) throws -> [Tensor] {
      let positions = which.map { answers[$0] }
      let donor = which.map { pair.donor.prompt.answerPositions[$0] }
      return try record(
        frozen { layer, position in freesOwnHeads && positions.contains(position) }
          + write(senders, at: positions, donor: donor) + frozenMLPs(positions),
        [HookPoint.Site.key, .value].flatMap { site in
          (0..<layers).map { HookPoint(site, layer: $0) }
        })
    }

    func put(
      _ columns: [Tensor], _ layer: Int, _ positions: [Int],
      _ inputs: [ReceiverInput] = ReceiverInput.allCases
    ) -> [Intervention] {
      inputs.map {
        $0 == .keys
          ? put(.key, layer, positions, from: columns[layer])
          : put(.value, layer, positions, from: columns[layers + layer])
      }
    }

    /// All positions but the last read changed keys and values; the last goes on by itself.
    func read(_ columns: [Tensor]) throws -> Double {
      try run(
        frozen { $1 == last }
          + (0..<layers).flatMap { put(columns, $0, everywhere.filter { $0 != last }) })
    }

    func effect(_ path: PathClass, _ senders: HeadSet, _ receivers: HeadSet?) throws -> Double {
      let donor = pair.donor.prompt.answerPositions
      let every = Array(answers.indices)
      switch path {
      case .total: return try run(write(senders, at: answers, donor: donor))
      case .direct: return try read(columns(senders, every, freesOwnHeads: false))
      case .ownHeads:
        var merged = try columns(senders, [0], freesOwnHeads: true)
        for answer in every.dropFirst() {
          let own = try columns(senders, [answer], freesOwnHeads: true)
          for index in merged.indices {
            var values = merged[index].values
            let width = merged[index].columns
            let range = answers[answer] * width..<(answers[answer] + 1) * width
            values.replaceSubrange(range, with: own[index].row(answers[answer]))
            merged[index] = Tensor(values, shape: merged[index].shape)
          }
        }
        return try read(merged)
      case .answers:
        return try run(
          frozen { answers.contains($1) || $1 == last }
            + write(senders, at: answers, donor: donor) + frozenMLPs(answers))
      case .lastToLogits:
        return try run(
          frozen { _, _ in false } + write(senders, at: [last], donor: [pair.donor.lastPosition])
            + frozenMLPs([last]))
      case .answerToLast, .answerToLaterAnswers:
        let sent = try columns(senders, every, freesOwnHeads: false)
        let readers = path == .answerToLast ? [last] : Array(answers.dropFirst())
        var edits: [Intervention] = []
        for layer in try #require(receivers).layers where layer > senders.layers.lowerBound {
          for reader in readers {
            let seen = everywhere.filter { $0 < reader }
            let written = try record(
              frozen { $0 == layer && $1 == reader } + put(sent, layer, seen, inputs),
              [HookPoint(.headOutput, layer: layer)])
            edits.append(
              put(
                .headOutput, layer, [reader], from: written[0], heads: receivers?.head.map { [$0] })
            )
          }
        }
        guard path == .answerToLaterAnswers else { return try run(edits) }
        return try run(frozen { $1 == last } + edits + frozenMLPs(answers))
      }
    }
  }

  private func patch(
    _ laboratory: Laboratory, _ donor: Donor = .swappedSlots, mlps: MLPTreatment = .recomputed,
    inputs: [ReceiverInput] = ReceiverInput.allCases, episode: Int = 0
  ) throws -> PathPatch {
    let task = try Fixtures.read(TinyLaboratory.categorization)
    let pair = try laboratory.pair(
      donor, laboratory.episode(task, episode, .heldOut), task)
    return try PathPatch(laboratory, pair, mlps: mlps, inputs: inputs)
  }

  private func windows(_ size: Int) -> [HeadSet] {
    (0...3 - size).map { HeadSet($0...$0 + size - 1) }
  }

  private let probe = #""window": 1"#

  @Test(arguments: [
    (1, MLPTreatment.recomputed, ReceiverInput.allCases), (2, .recomputed, [.values]),
    (1, .frozen, [.keys]), (2, .frozen, ReceiverInput.allCases),
  ])
  func everyPathIsWhatItsDefinitionSays(
    window: Int, mlps: MLPTreatment, inputs: [ReceiverInput]
  ) throws {
    let laboratory = try TinyLaboratory.laboratory()
    let patch = try patch(laboratory, mlps: mlps, inputs: inputs)
    let reference = try Reference(
      laboratory, patch.pair, freezesMLPs: mlps == .frozen, inputs: inputs)
    let rows = try experiment(PathPatching.self, probe)
      .windowRows(patch, windows(window), windows(window))
    var largest: [PathClass: Double] = [:]
    for row in rows {
      let expected = try reference.effect(row.path, row.senders, row.receivers)
      #expect(
        abs(row.outcome.effect - expected) < 2e-5,
        "\(row.path) \(row.senders) \(String(describing: row.receivers)): \(row.outcome.effect), \(expected)"
      )
      largest[row.path] = max(largest[row.path] ?? 0, abs(expected))
    }
    // Every class is there, and has something to find.
    for path in PathClass.allCases { #expect(try #require(largest[path]) > 2e-4, "\(path)") }
  }

  @Test func singleHeadsAreWhatTheirDefinitionSays() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let patch = try patch(laboratory, .clean, episode: 1)
    let reference = try Reference(
      laboratory, patch.pair, freezesMLPs: false, inputs: ReceiverInput.allCases)
    let pairs = [(0, 1, 1, 4), (0, 1, 2, 0), (1, 5, 2, 3), (0, 4, 1, 2)].map {
      (senders: HeadSet($0.0...$0.0, head: $0.1), receivers: HeadSet($0.2...$0.2, head: $0.3))
    }
    let rows = try experiment(PathPatching.self, probe).headRows(patch, pairs)
    #expect(rows.map(\.senders) == pairs.map(\.senders))
    for row in rows {
      let expected = try reference.effect(row.path, row.senders, row.receivers)
      #expect(abs(row.outcome.effect - expected) < 2e-5 && abs(expected) > 1e-6)
    }
  }

  /// Where one path is all that there is, the path is the total effect.
  @Test func allPathsAtOnceAreTheTotalEffect() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let patch = try patch(laboratory)
    let rows = try experiment(PathPatching.self, probe)
      .windowRows(patch, windows(1), windows(1))
    func effect(_ path: PathClass, _ sender: Int, _ receiver: Int? = nil) throws -> Double {
      try #require(
        rows.first {
          $0.path == path && $0.senders.layers == sender...sender
            && $0.receivers?.layers == receiver.map { $0...$0 }
        }
      ).outcome.effect
    }
    // From the last layer but one an answer reaches the last position in the last layer, and in no
    // other way.
    let total = try effect(.total, 1)
    #expect(abs(total) > 1e-3)
    for other in [
      try effect(.direct, 1), try effect(.ownHeads, 1), try effect(.answers, 1),
      try effect(.answerToLast, 1, 2),
    ] { #expect(abs(other - total) < 2e-5) }
    // Nor can what the last layer's heads write at the last position go anywhere but to the logits.
    let reference = try Reference(
      laboratory, patch.pair, freezesMLPs: false, inputs: ReceiverInput.allCases)
    let written = try reference.run(
      reference.write(
        HeadSet(2...2), at: [reference.last], donor: [patch.pair.donor.lastPosition]))
    #expect(abs(try effect(.lastToLogits, 2) - written) < 2e-5 && abs(written) > 1e-3)
    // One layer below, it is not all.
    #expect(abs(try effect(.direct, 0) - effect(.total, 0)) > 1e-4)
  }

  // MARK: - Known by construction

  @Test func onlyTheDirectPathIsFound() throws {
    let rows = try wired(.direct)
    for row in rows where row.senders.layers == 0...0 && row.path != .lastToLogits {
      let total = try #require(rows.first { $0.path == .total }).outcome.effect
      #expect(abs(total) > 0.5)
      switch row.path {
      case .total, .direct, .ownHeads, .answers:
        #expect(abs(row.outcome.effect / total - 1) < 0.01, "\(row.path)")
      case .answerToLast where row.receivers?.layers == 2...2:
        #expect(abs(row.outcome.effect / total - 1) < 0.01)
      default: #expect(abs(row.outcome.effect / total) < 0.01, "\(row.path)")
      }
    }
  }

  @Test func onlyThePathThroughLaterAnswersIsFound() throws {
    let rows = try wired(.throughLaterAnswers).filter { $0.senders.layers == 0...0 }
    func effect(_ path: PathClass, _ receiver: Int? = nil) throws -> Double {
      try #require(
        rows.first { $0.path == path && $0.receivers?.layers == receiver.map { $0...$0 } }
      ).outcome.effect
    }
    let total = try effect(.total)
    #expect(abs(total) > 0.5)
    for (path, receiver) in [(PathClass.direct, nil), (.answerToLast, 1), (.answerToLast, 2)] {
      #expect(abs(try effect(path, receiver) / total) < 0.01, "\(path)")
    }
    #expect(abs(try effect(.answers) / total - 1) < 0.01)
    // The heads in between read all answers up to their own, and pass on their sum: what they have of
    // earlier ones is what is left of their own.
    let later = try effect(.answers) - effect(.ownHeads)
    #expect(abs(later / total) > 0.1)
    #expect(abs(try effect(.answerToLaterAnswers, 1) / later - 1) < 0.01)
  }

  /// Labels hand the classes of their own words to the last position, whose head attends to labels of
  /// the query's class.
  @Test func whatLabelsHoldIsReadAtTheLastPosition() throws {
    let rows = try wired(.matching)
    func cell(_ path: PathClass, _ receiver: Int? = nil) throws -> Outcome {
      try #require(
        rows.first {
          $0.path == path && $0.senders.layers == 0...0
            && $0.receivers?.layers == receiver.map { $0...$0 }
        }
      ).outcome
    }
    // The model does the task, under the rule and under the flipped one.
    #expect(try cell(.total).donor > 1 && cell(.total).recipient < -1)
    for outcome in [
      try cell(.total), try cell(.direct), try cell(.ownHeads), try cell(.answers),
      try cell(.answerToLast, 2),
    ] { #expect(abs(outcome.effect / outcome.gap - 1) < 0.02) }
    for outcome in [try cell(.answerToLast, 1), try cell(.answerToLaterAnswers, 1)] {
      #expect(abs(outcome.effect / outcome.gap) < 0.02)
    }
    // At the last position the last layer alone writes to the logits.
    let ends = rows.filter { $0.path == .lastToLogits }
    #expect(ends.map { ($0.outcome.effect / $0.outcome.gap).rounded() } == [0, 0, 1])
  }

  private func wired(_ wiring: WiredModel) throws -> [PathPatchingRow] {
    let weights = try wiring.weights()
    let laboratory = try TinyLaboratory.laboratory(changing: { $1 = weights[$0] ?? $1 })
    return try experiment(PathPatching.self, probe)
      .windowRows(patch(laboratory), windows(1), windows(1))
  }
}
