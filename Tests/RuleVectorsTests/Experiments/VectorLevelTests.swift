import Reports
import Testing

@testable import RuleVectors

/// How often the sentences of knockout, sequence, transfer and convergence are decided where what they say holds only
/// just.
@Suite struct VectorLevelTests {
  private func section<Kind: Experiment>(
    _ kind: Kind, _ rows: [StoredRow]
  ) throws -> Section {
    try kind.section(SectionFixtures.records(rows), RowFixtures.findings())
  }

  /// What is cut costs as much as random edges do, in two windows of which noise chooses one on other episodes.
  @Test(arguments: Level.sizes) func cutsThatCostWhatRandomOnesDo(count: Int) throws {
    let names = ["input-own-answer", "answer-last"]
    let kind = try experiment(
      Knockout.self,
      "\"edges\": [\(names.map { "\"\($0)\"" }.joined(separator: ", "))], \"window\": 1, "
        + "\"development\": 3")
    let decided = try Level.decided(count, names) { simulation in
      let rows = [(Split.development, 3), (.heldOut, count)].flatMap { split, episodes in
        (0..<episodes).flatMap { episode -> [StoredRow] in
          let draws = normals(
            9, 80, simulation, split == .development ? 1 : 0, UInt64(episode))
          let clean = RowFixtures.measurement(8 + draws[8])
          var rows: [KnockoutRow] = []
          for (number, edges) in kind.classes.enumerated() {
            for layer in 0..<2 {
              for isControl in [false, true] {
                let draw = draws[4 * number + 2 * layer + (isControl ? 1 : 0)]
                rows.append(
                  KnockoutRow(
                    edges: edges, isControl: isControl, layers: layer...layer, count: 4,
                    clean: clean,
                    cut: RowFixtures.measurement(
                      Double(clean.logitDifference) - 1 - draw)))
              }
            }
          }
          return RowFixtures.stored(
            Knockout.self, probe: "p", split: split, episode: episode, rows)
        }
      }
      return try section(kind, rows)
    }
    Level.expect(count, names, decided)
  }

  /// Vectors bring nothing whatever they are taken behind, and slots lose nothing.
  @Test(arguments: Level.sizes) func vectorsThatOweNothing(count: Int) throws {
    let others: [Predecessors] = [.otherItems, .flippedRule, .none]
    let names = others.map { "over-\($0.rawValue)" } + ["local", "later-slots"]
    let kind = try experiment(
      DemonstrationSequence.self, "\"donor\": \"swapped-slots\", \"layer\": 1")
    let decided = try Level.decided(count, names) { simulation in
      let rows = (0..<count).flatMap { episode -> [StoredRow] in
        let gap = 8 + 2 * normals(1, 81, simulation, UInt64(episode))[0]
        var rows: [SequenceRow] = []
        for (number, predecessors) in ([.own] + others).enumerated() {
          let draws = normals(5, 82, simulation, UInt64(episode), UInt64(number))
          for (draw, slot) in zip(draws, [nil, 0, 1, 2, 3]) {
            rows.append(
              SequenceRow(
                donor: .swappedSlots, predecessors: predecessors, slot: slot, layer: 1, shift: 0,
                outcome: RowFixtures.outcome(effect: 2 * draw, gap: gap),
                flipped: RowFixtures.flipped(effect: 2 * draw)))
          }
        }
        return RowFixtures.stored(
          DemonstrationSequence.self, probe: "p", episode: episode, rows)
      }
      return try section(kind, rows)
    }
    Level.expect(count, names, decided)
  }

  /// Vectors of another format bring as much as those of the same one.
  @Test(arguments: Level.sizes) func formatsThatBringTheSame(count: Int) throws {
    let names = ["less.template", "less.labels"]
    let kind = try experiment(Transfer.self, "\"donor\": \"swapped-slots\", \"layer\": 1")
    let decided = try Level.decided(count, names) { simulation in
      let rows = (0..<count).flatMap { episode -> [StoredRow] in
        let gap = 8 + 2 * normals(1, 83, simulation, UInt64(episode))[0]
        var rows: [TransferRow] = []
        for (number, change) in [FormatChange.nothing, .template, .labels].enumerated() {
          let draws = normals(2, 84, simulation, UInt64(episode), UInt64(number))
          for isFlipped in [false, true] {
            let sign: Double = isFlipped ? -1 : 1
            rows.append(
              TransferRow(
                donor: .swappedSlots, change: change, format: change.rawValue,
                isFlipped: isFlipped, layer: 1, own: Float(sign * gap),
                outcome: RowFixtures.outcome(
                  effect: sign * gap / 2 + 2 * draws[isFlipped ? 1 : 0], gap: gap)))
          }
        }
        return RowFixtures.stored(Transfer.self, probe: "p", episode: episode, rows)
      }
      return try section(kind, rows)
    }
    Level.expect(count, names, decided)
  }

  /// Cosines of unrelated vectors: they neither fall nor rise, and are alike in nothing. Noise chooses the layer, on
  /// other episodes.
  @Test(arguments: Level.sizes) func vectorsThatAreUnrelated(count: Int) throws {
    let names = [
      "falls.small", "own-global.small", "alike-within-rule", "more-than-labels", "rise.known",
      "own-global.known",
    ]
    let kind = try experiment(Convergence.self, "\"controls\": [\"known\"], \"development\": 3")
    let decided = try Level.decided(count, names) { simulation in
      var rows: [StoredRow] = []
      for (place, task) in ["small", "known"].enumerated() {
        for (split, episodes) in [(Split.development, 3), (.heldOut, count)] {
          for episode in 0..<episodes {
            let path = [UInt64(place), split == .development ? 1 : 0, UInt64(episode)]
            let pairs: [Convergence.Pairs] =
              task == "small" ? [.otherAnswers, .sameAnswers, .global] : [.global]
            let own = pairs.enumerated().flatMap { number, pairs in
              let draws = normals(6, 85, simulation, path[0], path[1], path[2], UInt64(number))
              return draws.enumerated().map { layer, draw in
                var cosines = VectorCosines([], left: [[]], right: [[]])
                (cosines.within, cosines.between) = (0.5, 0.5)
                cosines.centred = draw / 10
                return ConvergenceRow(
                  pairs: pairs, otherRule: task == "small" ? "flipped" : "other", layer: layer,
                  whole: cosines, rest: cosines, largestShare: 0)
              }
            }
            rows += RowFixtures.stored(
              Convergence.self, probe: "p", task: task, split: split, episode: episode, own)
          }
        }
      }
      return try section(kind, rows)
    }
    Level.expect(count, names, decided)
  }
}
