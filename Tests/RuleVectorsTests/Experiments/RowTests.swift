import TensorCore
import Testing

@testable import RuleVectors

@Suite struct RowTests {
  static let outcome = Outcome(
    patched: Measurement(
      logitDifference: 0.1, probability: 1e-30, isTop: false, divergence: 3.402_823e38),
    donor: -7.25, recipient: 1.1754944e-38)

  private func expectSame<Kind: RowKind>(
    _ kind: Kind.Type, _ rows: [Kind.Row], sourceLocation: SourceLocation = #_sourceLocation
  ) throws where Kind.Row: Equatable {
    for stored in RowFixtures.stored(
      kind, probe: "p", split: .development, episode: 7, part: "x", rows)
    {
      let again = try RowFixtures.readAgain(stored)
      #expect(again.key == stored.key, sourceLocation: sourceLocation)
      #expect(again.experiment == Kind.kind && again.version == Kind.version)
      #expect(again.model == "tiny" && again.unitRows == rows.count)
      #expect(again.episode == stored.episode, sourceLocation: sourceLocation)
      #expect(again.json.text == stored.json.text, sourceLocation: sourceLocation)
      let (a, b) = (try Record<Kind.Row>(stored), try Record<Kind.Row>(again))
      #expect(a.row == b.row && rows.contains(b.row), sourceLocation: sourceLocation)
    }
  }

  /// Bit by bit through the text of a file.
  @Test func rowsComeBackAsTheyWere() throws {
    let outcome = Self.outcome
    try expectSame(
      LayerSweep.self,
      Donor.allCases.flatMap { donor in
        PositionGroup.allCases.map {
          LayerSweepRow(donor: donor, positions: $0, layer: 2, outcome: outcome)
        }
      })
    try expectSame(
      LayerChoiceRows.self,
      [LayerSweepRow(donor: .clean, positions: .answers, layer: 0, outcome: outcome)])
    try expectSame(
      Aggregation.self,
      Direction.allCases.flatMap { direction in
        [
          Coalition(players: [0], permutation: nil, order: []),
          Coalition(players: [0, 3], permutation: 1, order: [3, 0, 2, 1]),
        ].map {
          AggregationRow(
            donor: .swappedSlots, direction: direction, layer: 1, coalition: $0, slots: [0, 5],
            outcome: outcome)
        }
      })
    try expectSame(
      GlobalVector.self,
      [
        GlobalVectorRow(
          recipient: .zeroShot, form: .dummyQuery, isFlipped: true, layer: 0, outcome: outcome),
        GlobalVectorRow(
          recipient: .dummyDemonstrations, form: nil, isFlipped: false, layer: nil,
          outcome: outcome),
        GlobalVectorRow(
          recipient: nil, form: nil, isFlipped: true, layer: nil, outcome: outcome),
      ])
    try expectSame(
      ShotCurve.self,
      [
        ShotCurveRow(episode: 9, shots: 4, measurement: outcome.patched),
        ShotCurveRow(
          episode: 10, shots: 4,
          measurement: Measurement(logitDifference: 1, probability: 0, isTop: true)),
      ])
    try expectSame(
      Grid.self,
      [
        GridRow(
          site: .headOutput, axis: .head, layer: 1, cell: nil, head: 3, patched: 0.1, clean: 2,
          corrupted: -0.3),
        GridRow(
          site: .residualPre, axis: .role, layer: 1, cell: "answer", head: nil, patched: 0.1,
          clean: 2, corrupted: -0.3),
      ])
  }

  /// A unit of several episodes keeps its own address.
  @Test func ownEpisodeIsNotTheUnits() throws {
    let row = try #require(RowFixtures.baseline(episodes: 3, right: 3).last)
    #expect(row.episode == 2 && row.key.episode == 0)
    let again = try RowFixtures.readAgain(row)
    #expect(again.episode == 2 && again.key == row.key)
    #expect(again.json["unit"] == "baseline/small/held-out/0/4-shots")
    // Once only: a reader of the file would find one of two.
    #expect(row.json.pairs.count == Set(row.json.pairs.map(\.key)).count)
  }

  @Test func everyColumnIsFlat() throws {
    let coalition = Coalition(players: [0, 3], permutation: 1, order: [3, 0, 2, 1])
    let rows = RowFixtures.stored(
      Aggregation.self, probe: "p", episode: 0,
      [
        AggregationRow(
          donor: .clean, direction: .donorIntoRecipient, layer: 1, coalition: coalition,
          slots: [0, 5], outcome: Self.outcome)
      ])
    for (_, value) in rows[0].json.pairs {
      #expect(!["a list", "an object"].contains(value.kind))
    }
    #expect(rows[0].json["order"] == "3 0 2 1")
  }

  @Test func columnsAreTolerantOfNewOnesAndExactAboutMissingOnes() throws {
    let stored = RowFixtures.stored(
      LayerSweep.self, probe: "p", episode: 0,
      [LayerSweepRow(donor: .clean, positions: .last, layer: 2, outcome: Self.outcome)])[0]
    func row(_ change: (inout [(key: String, value: JSONValue)]) -> Void) throws -> LayerSweepRow {
      var pairs = stored.json.pairs
      change(&pairs)
      let reader = JSONReader(.object(pairs), place: "rows.jsonl:4")
      return try Record<LayerSweepRow>(StoredRow(reader)).row
    }
    let same = try row { _ in }
    #expect(try row { $0.append(("entropy", 3.5)) } == same)
    #expect(try row { $0.insert(("format_note", "x"), at: 0) } == same)
    #expect(try row { $0.reverse() } == same)
    #expect(try row { $0.removeAll { $0.key == "divergence" } }.outcome.patched.divergence == nil)
    for (column, value, message) in [
      (
        "layer", nil, "rows.jsonl:4: the column \"layer\" is missing; the row is of another version"
      ),
      ("layer", .null, "rows.jsonl:4: the column \"layer\" is missing"),
      ("layer", "two", "rows.jsonl:4, layer: found a text where a whole number belongs"),
      ("layer", 2.5, "rows.jsonl:4, layer: found a number where a whole number belongs"),
      (
        "positions", "queries", "rows.jsonl:4, positions: found \"queries\", allowed is \"answers\""
      ),
      ("top", 1, "rows.jsonl:4, top: found a whole number where true or false belongs"),
      ("unit_rows", nil, "rows.jsonl:4: the column \"unit_rows\" is missing"),
      ("format", 99, "rows.jsonl:4: the row has format 99, readable is 1; read the run with"),
    ] as [(String, JSONValue?, String)] {
      #expect {
        _ = try row { pairs in
          pairs.removeAll { $0.key == column }
          if let value { pairs.append((column, value)) }
        }
      } throws: { error in
        "\(error)".hasPrefix(message)
      }
    }
  }

  @Test func numbersInOneText() throws {
    let columns = Columns(
      [("some", "0 3 7"), ("none", ""), ("wrong", "1 x")], place: "rows.jsonl:1")
    #expect(try columns.integers("some") == [0, 3, 7])
    #expect(try columns.integers("none") == [])
    #expect(JSONValue.flat([0, 3, 7]) == "0 3 7" && JSONValue.flat([]) == "")
    #expect {
      _ = try columns.integers("wrong")
    } throws: {
      "\($0)" == "rows.jsonl:1, wrong: found \"x\" where a whole number belongs"
    }
  }

  @Test func rowsOfAnotherVersionAreRefused() throws {
    let probe = try RowFixtures.probe(
      "p", #""experiment": "layer-sweep", "donor": "clean", "positions": ["last"]"#)
    var pairs = RowFixtures.stored(
      LayerSweep.self, probe: "p", episode: 0,
      [LayerSweepRow(donor: .clean, positions: .last, layer: 2, outcome: Self.outcome)]
    )[0].json.pairs
    pairs = pairs.map { $0.key == "version" ? ("version", 99) : $0 }
    let row = try StoredRow(JSONReader(.object(pairs), place: "rows.jsonl:1"))
    #expect {
      _ = try probe.section(of: [row], task: "small", model: "tiny", seed: 0)
    } throws: {
      "\($0)"
        == "rows.jsonl:1: rows of layer-sweep have version 99, this program reads 1; run the probe again"
    }
  }

  @Test func wholeUnits() {
    func unit(_ episode: Int, _ count: Int) -> [StoredRow] {
      RowFixtures.stored(
        LayerSweep.self, probe: "p", episode: episode,
        (0..<count).map {
          LayerSweepRow(donor: .clean, positions: .last, layer: $0, outcome: Self.outcome)
        })
    }
    let all = unit(0, 3) + unit(1, 2) + unit(2, 4)
    #expect(all.wholeUnits.cut == 0 && all.wholeUnits.rows.count == 9)
    for kept in 0...9 {
      let (rows, cut) = Array(all.prefix(kept)).wholeUnits
      let whole = kept < 3 ? 0 : kept < 5 ? 3 : kept < 9 ? 5 : 9
      #expect(rows.count == whole && cut == kept - whole)
    }
    #expect([StoredRow]().wholeUnits.cut == 0)
    // A unit that is there twice is not whole either.
    #expect((unit(0, 3) + unit(0, 3)).wholeUnits.cut == 6)
  }
}
