import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct ConvergenceTests {
  // MARK: cosines

  @Test func cosinesByHand() {
    // cos((3, 4), (4, 3)) = 24 / 25; between: (3, 4) with (0, 1) is 4/5, (1, 0) with (4, 3) is 4/5.
    let cosines = VectorCosines(
      [(0, 1)], left: [[[3, 4], [4, 3]], [[1, 0], [0, 1]]],
      right: [[[3, 4], [4, 3]], [[1, 0], [0, 1]]])
    #expect(abs((cosines.within ?? 0) - 0.96) < 1e-12)
    #expect(abs((cosines.between ?? 0) - 0.8) < 1e-12)
    // (1, 2) with (2, 1): 4/5.
    #expect(abs((cosines.centred ?? 0) - 0.8) < 1e-12)
    #expect(VectorCosines.cosine([0, 0], [1, 2]) == nil)
    #expect(VectorCosines.cosine([2], [-3]) == -1)
    // What agrees but for rounding has no direction.
    #expect(VectorCosines.difference([1, 1], [1 + 1e-7, 1]) == nil)
    #expect(VectorCosines.difference([3, 1], [1, 1]) == [1, 0])
    let alone = VectorCosines([(0, 1)], left: [[[3, 4], [4, 3]]], right: [[[3, 4], [4, 3]]])
    #expect(alone.within != nil && alone.between == nil && alone.centred == nil)
  }

  /// The centred cosine is above zero exactly where inner products within exceed those between.
  @Test func centredIsWithinAgainstBetween() throws {
    for draw in 0..<50 as Range<UInt64> {
      let numbers = normals(24, 40, draw)
      let vectors = (0..<2).map { rule in
        (0..<2).map { i in (0..<6).map { numbers[12 * rule + 6 * i + $0] } }
      }
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      let within = dot(vectors[0][0], vectors[0][1]) + dot(vectors[1][0], vectors[1][1])
      let between = dot(vectors[0][0], vectors[1][1]) + dot(vectors[1][0], vectors[0][1])
      let centred = try #require(
        VectorCosines([(0, 1)], left: vectors, right: vectors).centred)
      #expect((centred > 0) == (within > between))
    }
  }

  @Test func fewCoordinatesDoNotDecide() {
    // Two coordinates are a thousand times the others and the same in all vectors.
    let vectors = (0..<4 as Range<UInt64>).map { [1000, -1000] + normals(40, 41, $0) }
    #expect(VectorCosines.largestCoordinates(2, of: vectors) == [0, 1])
    let rows = Convergence.rows(
      3, [(.otherAnswers, [(0, 1)])], otherRule: nil,
      local: [Array(vectors[..<2]), Array(vectors[2...])],
      global: [], leftOut: 2)
    let row = rows[0]
    #expect((row.whole.within ?? 0) > 0.99 && row.largestShare > 0.99)
    #expect(abs(row.rest.within ?? 1) < 0.5)
    let expected = VectorCosines.cosine(Array(vectors[0][2...]), Array(vectors[1][2...])) ?? 2
    #expect(abs((row.rest.within ?? 1) - expected) < 1e-12)
  }

  // MARK: worlds

  /// Vectors of a rule direction r, a label direction and noise, as an answer position and a global
  /// vector would hold them.
  ///
  /// - Returns: the rows of one episode.
  private func world(
    _ path: UInt64..., rule: [Double], label: Double, noise: Double = 1, hasGlobal: Bool = true,
    otherRule: String = "flipped"
  ) -> [ConvergenceRow] {
    let answers = ["A", "B", "A", "B"]
    let width = 40
    func vector(_ draw: [UInt64], _ parts: [(Int, Double)]) -> [Double] {
      var random = RandomStream(seed: 78, path: draw)
      // What all residual streams share.
      var vector = (0..<width).map { ($0 < 30 ? 5.0 : 0) + noise * Double(random.normal()) }
      for (index, value) in parts { vector[width - 1 - index] += value }
      return vector
    }
    return rule.enumerated().flatMap { layer, strength in
      let local = [1.0, -1].enumerated().map { number, sign in
        answers.enumerated().map { slot, answer in
          vector(
            path + [UInt64(layer), UInt64(number), UInt64(slot)],
            [(0, sign * strength), (1, sign * (answer == "A" ? label : -label))])
        }
      }
      let global = [1.0, -1].enumerated().map { number, sign in
        [vector(path + [UInt64(layer), UInt64(number), 9], [(0, hasGlobal ? 5 * sign : 0)])]
      }
      return Convergence.rows(
        layer, Convergence.pairs(of: answers), otherRule: otherRule, local: local, global: global,
        leftOut: 0)
    }
  }

  private func section(
    own: @escaping (UInt64) -> [ConvergenceRow],
    control: @escaping (UInt64) -> [ConvergenceRow] = { _ in [] },
    episodes: UInt64 = 12
  ) throws -> Section {
    let kind = try experiment(Convergence.self, #""development": 2, "controls": ["known"]"#)
    var stored: [StoredRow] = []
    for (task, rows) in [("small", own), ("known", control)] {
      for episode in 0..<episodes {
        let split = episode < 2 ? Split.development : .heldOut
        stored += RowFixtures.stored(
          Convergence.self, probe: "p", task: task, split: split, episode: Int(episode),
          rows(episode))
      }
    }
    return try kind.section(SectionFixtures.records(stored), RowFixtures.findings())
  }

  /// Labels alone: opposite between labels, alike within, and nothing towards the global vector.
  @Test func copiedLabelsAreNoRule() throws {
    let section = try section { self.world(1, $0, rule: [0, 0, 0], label: 8, hasGlobal: false) }
    let alike = try #require(section.claim("alike-within-rule"))
    #expect(alike.verdict == .contradicted && alike.difference < -0.5)
    #expect(try #require(section.claim("more-than-labels")).pValue > 0.05)
    #expect(try #require(section.claim("falls.small")).pValue > 0.05)
    #expect(try #require(section.claim("own-global.small")).pValue > 0.05)
    #expect(section.claims.filter { $0.paperClaim != nil }.map(\.name) == ["p.falls.small"])
  }

  @Test func aRuleIsFoundBesideLabels() throws {
    let section = try section { self.world(2, $0, rule: [0, 3, 9], label: 2) }
    let alike = try #require(section.claim("alike-within-rule"))
    #expect(alike.verdict == .supported && alike.sentence.contains("after layer 2"))
    #expect(try #require(section.claim("falls.small")).verdict == .contradicted)
    #expect(try #require(section.claim("more-than-labels")).verdict == .supported)
  }

  /// A rule that is weaker than the labels: slots with different labels point apart, and yet the
  /// vectors share more than their labels.
  @Test func aRuleBehindLabelsIsFound() throws {
    let section = try section { self.world(7, $0, rule: [4, 4], label: 7) }
    #expect(try #require(section.claim("alike-within-rule")).verdict == .contradicted)
    let balanced = try #require(section.claim("more-than-labels"))
    #expect(balanced.verdict == .supported)
    // r² / (r² + l² + σ²), the variance of half a difference being 40 · 1/2.
    #expect(abs(balanced.difference - 16.0 / (16 + 49 + 20)) < 0.05)
  }

  /// The knowledge task converges, this one does not.
  @Test func convergenceThereAndNotHere() throws {
    let section = try section(
      own: { self.world(3, $0, rule: [2, 2, 2], label: 2) },
      control: { episode in
        self.world(4, episode, rule: [0, 3, 9], label: 0, otherRule: "third").filter {
          $0.pairs != .sameAnswers
        }
      })
    let claim = try #require(section.claim("more-than-here.known"))
    #expect(claim.paperClaim == 4 && claim.difference > 0.2 && claim.pValue < 0.001)
    #expect(try #require(section.claim("falls.small")).pValue > 0.05)
    #expect(section.claims.compactMap(\.paperClaim) == [4, 4])
  }

  /// Both converge alike: the comparison keeps its level.
  @Test func bothConvergeAlike() throws {
    let simulations = 100
    let decided = try (0..<UInt64(simulations)).count { simulation in
      let section = try section(
        own: { self.world(5, simulation, $0, rule: [1, 4], label: 2) },
        control: { episode in
          self.world(6, simulation, episode, rule: [1, 4], label: 2, otherRule: "third")
            .filter { $0.pairs != .sameAnswers }
        }, episodes: 8)
      return try #require(section.claim("more-than-here")).pValue <= 0.05
    }
    #expect(Double(decided) / Double(simulations) <= 0.05 + threeErrors(0.05, simulations))
  }

  // MARK: models

  private func rows(_ laboratory: Laboratory) throws -> [ConvergenceRow] {
    let kind = try experiment(Convergence.self, #""donors": 2, "coordinates_left_out": 0"#)
    guard case .units(let units) = try kind.plan("p", TinyLaboratory.setting(laboratory)) else {
      return []
    }
    let unit = try #require(units.last)
    try unit.check(laboratory)
    return try unit.compute(laboratory, NeededRows(rows: [:])).compactMap {
      $0 as? ConvergenceRow
    }
  }

  /// Without attention an answer position knows its label and no rule, and the last position nothing
  /// of the demonstrations: by construction −1, 1 and no direction at all.
  @Test func aModelWithoutAttentionHasOnlyLabels() throws {
    let rows = try rows(
      TinyLaboratory.laboratory { name, values in
        if name.hasSuffix("o_proj.weight") { values = values.map { _ in 0 } }
      })
    #expect(rows.count == 9)
    for row in rows {
      switch row.pairs {
      case .otherAnswers: #expect(abs((row.whole.centred ?? 0) + 1) < 1e-5)
      case .sameAnswers: #expect(abs((row.whole.centred ?? 0) - 1) < 1e-5)
      case .global: #expect(row.whole.centred == nil && row.whole.within != nil)
      }
    }
    #expect(try self.rows(TinyLaboratory.laboratory()).allSatisfy { $0.whole.centred != nil })
  }

  /// Two knowledge tasks are one comparison; each of three has another.
  @Test func knowledgeTasksAreHeldAgainstEachOther() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let own = try TinyLaboratory.setting(laboratory, episodes: 1)
    func tasks(_ controls: String) throws -> [String] {
      let kind = try experiment(
        Convergence.self, "\"donors\": 2, \"development\": 1, \"controls\": [\(controls)]")
      let setting = Setting(
        subject: own.subject, episodes: 1, demonstrations: 4, architecture: own.architecture,
        tokenizer: own.tokenizer, tokens: own.tokens,
        findTask: { name in
          let pairs = (0..<24).map { "[\"\(name)\($0)\", \"r\($0)\"]" }.joined(separator: ", ")
          return try Fixtures.read(
            """
            {"name": "\(name)", "title": "T", "description": "D", "kind": "mapping",
             "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
             "pairs": [\(pairs)], "dummies": ["ma", "me"]}
            """)
        })
      guard case .units(let units) = try kind.plan("p", setting) else { return [] }
      return try units.filter { $0.key.split == .heldOut }.map { unit in
        let row = try unit.compute(laboratory, NeededRows(rows: [:])).first as? ConvergenceRow
        return "\(unit.key.task) \(row?.otherRule ?? "-")"
      }
    }
    #expect(try tasks("") == ["small flipped"])
    #expect(try tasks("\"a\"") == ["small flipped", "a -"])
    #expect(try tasks("\"a\", \"b\"") == ["small flipped", "a b"])
    #expect(try tasks("\"a\", \"b\", \"c\"") == ["small flipped", "a b", "b c", "c a"])
  }

  @Test func pairsAreOfTheirAnswers() {
    let pairs = Convergence.pairs(of: ["A", "B", "A"])
    #expect(pairs.map(\.0) == [.otherAnswers, .sameAnswers, .global])
    #expect(pairs[0].1.map { [$0.0, $0.1] } == [[0, 1], [1, 2]])
    #expect(pairs[1].1.map { [$0.0, $0.1] } == [[0, 2]])
    #expect(pairs[2].1.map { [$0.0, $0.1] } == [[0, 0], [1, 0], [2, 0]])
    #expect(Convergence.pairs(of: ["x", "y"]).map(\.0) == [.otherAnswers, .global])
  }

  @Test func rowsComeBack() throws {
    var cosines = VectorCosines([], left: [[]], right: [[]])
    cosines.within = 0.1
    var whole = cosines
    whole.centred = -0.3
    whole.between = 1e-9
    for pairs in Convergence.Pairs.allCases {
      let row = ConvergenceRow(
        pairs: pairs, otherRule: pairs == .global ? nil : "flipped", layer: 2, whole: whole,
        rest: cosines, largestShare: 0.25)
      #expect(try ConvergenceRow(Columns(row.columns, place: "row")) == row)
    }
  }

  @Test func wrongKeys() throws {
    #expect {
      _ = try experiment(Convergence.self, #""donors": 3"#)
    } throws: {
      "\($0)".contains("donors: found 3, allowed is an even number")
    }
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    #expect {
      _ = try experiment(Convergence.self, #""coordinates_left_out": 48"#).plan("p", setting)
    } throws: {
      "\($0)".contains("found 48 coordinates to leave out, allowed are fewer than the model's 48")
    }
  }
}
