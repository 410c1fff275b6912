import TensorCore
import Testing

@testable import RuleVectors

@Suite struct UnitTests {
  @Test func keyAsText() {
    let key = UnitKey(probe: "sweep", task: "small", split: .heldOut, episode: 3)
    #expect(key.description == "sweep/small/held-out/3")
    let part = UnitKey(
      probe: "sweep", task: "small", split: .development, episode: 3, part: "2-shots")
    #expect(part.description == "sweep/small/development/3/2-shots")
    #expect(
      Set([key, part, UnitKey(probe: "sweep", task: "small", split: .heldOut, episode: 3)])
        .count == 2)
  }

  /// FNV-1a with 64 bits, computed elsewhere.
  @Test func streamsAreOfTheAddress() {
    for (key, digest): (UnitKey, UInt64) in [
      (UnitKey(probe: "sweep", task: "small", split: .heldOut, episode: 3), 0x6990_B23B_DF04_2CE0),
      (
        UnitKey(probe: "sweep", task: "small", split: .development, episode: 3, part: "2-shots"),
        0xBFD5_E33A_9DC3_F46E
      ),
    ] {
      var own = key.stream(seed: 5, purpose: 9)
      var expected = RandomStream(seed: 5, path: [9, digest])
      #expect((0..<8).map { _ in own.next() } == (0..<8).map { _ in expected.next() })
    }
  }

  @Test func everyAddressDrawsItsOwn() {
    var first: Set<UInt64> = []
    var count = 0
    for probe in ["a", "b"] {
      for split in Split.allCases {
        for episode in 0..<50 {
          for part in [nil, "x"] {
            let key = UnitKey(
              probe: probe, task: "small", split: split, episode: episode, part: part)
            for (seed, purpose) in [(0, 1), (0, 2), (1, 1)] as [(UInt64, UInt64)] {
              var stream = key.stream(seed: seed, purpose: purpose)
              first.insert(stream.next())
              count += 1
            }
          }
        }
      }
    }
    #expect(first.count == count)
  }

  @Test func neededRowsComeInTheOrderAskedFor() throws {
    let keys = (0..<3).map { UnitKey(probe: "p", task: "small", split: .heldOut, episode: $0) }
    let rows = Dictionary(
      uniqueKeysWithValues: keys.prefix(2).map { key in
        (
          key,
          RowFixtures.stored(
            ShotCurve.self, probe: "p", episode: key.episode,
            [
              ShotCurveRow(
                episode: key.episode, shots: 4,
                measurement: RowFixtures.measurement(Double(key.episode)))
            ])
        )
      })
    let needed = NeededRows(rows: rows)
    let found: [ShotCurveRow] = try needed.rows(of: [keys[1], keys[0]])
    #expect(found.map(\.episode) == [1, 0])
    #expect {
      _ = try needed.rows(of: keys, as: ShotCurveRow.self)
    } throws: { error in
      "\(error)".contains("the unit p/small/held-out/2 is not there")
    }
  }
}
