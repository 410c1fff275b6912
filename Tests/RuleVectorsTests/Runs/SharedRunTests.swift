import Foundation
import Reports
import TensorCore
import Testing

@testable import RuleVectors

/// A run cut into shares: the same rows, bit for bit, whoever computes what and in which order.
@Suite struct SharedRunTests {
  private let root: String

  init() throws {
    root = FileManager.default.temporaryDirectory.path + "/shared-\(UUID().uuidString)"
    try Files.makeFolder(root)
  }

  private static let probes =
    RunnerTests.probes + [
      #"parts|"experiment": "reconstruction", "layers": [1], "development": 2"#
    ]

  /// Does one share, as a process of its own would: with a model that was loaded for it.
  ///
  /// - Parameter stopAfter: units after which it is stopped.
  /// - Returns: units that it computed itself.
  @discardableResult private func compute(
    _ shard: Shard, in folder: String, verifications: Int = 0, stopAfter: Int = .max
  ) throws -> [UnitKey] {
    let laboratory = try TinyLaboratory.laboratory()
    let whole = try RunPlan(
      Self.probes.map { probe in
        let parts = probe.split(separator: "|")
        return try RowFixtures.probe(String(parts[0]), String(parts[1]))
      }, TinyLaboratory.setting(laboratory, episodes: 3))
    let plan = whole.share(shard)
    let directory = try RunDirectory.open(
      root: root, name: "r", identity: ["model": "tiny"], rowsFile: RunRecord.rowsFile,
      shard: shard, path: "\(root)/\(folder)")
    laboratory.store = ActivationStore(run: directory.path)
    var known: [StoredRow] = []
    try directory.forEachRow { known.append(try StoredRow($0)) }
    var computed: [UnitKey] = []
    struct Stopped: Error {}
    do {
      try Runner(
        plan: plan, laboratory: laboratory, model: "tiny", verifications: verifications
      )(
        known: known, others: SharedRows(directory.otherRows, for: plan),
        append: { try directory.append($0.map(\.json)) },
        watch: { status in
          if status.isFresh { computed.append(status.key) }
          directory.set("verification", status.verified.json)
          if computed.count == stopAfter { throw Stopped() }
        })
    } catch is Stopped {
      try directory.writeManifest()
      return computed
    }
    try directory.finish(units: plan.own.map(\.description))
    return computed
  }

  private func text(_ folder: String) throws -> Data {
    try Files.read("\(root)/\(folder)/rows.jsonl")
  }

  @Test func theSameBitsForAnyNumberOfShares() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    let units = try compute(.whole, in: "whole", verifications: 5).count
    // Some of 64 shares have nothing to do.
    #expect(units > 7 && units < 64)
    for count in [1, 2, 7, 64] {
      let folder = "shares-\(count)"
      // Not in their order: the last first.
      for index in (1...count).reversed() {
        try compute(Shard(index, of: count), in: folder, verifications: 5)
      }
      #expect(try RunMerge.merge("\(root)/\(folder)") == (count == 1 ? nil : count))
      #expect(try text(folder) == text("whole"), "\(count) shares")
      let manifest = try JSONValue(contentsOf: "\(root)/\(folder)/manifest.json")
      // As many variants as without shares, but for those left to a next unit that another share has.
      let verified = try Verification(manifest["verification"], place: folder)
      #expect(verified.problem == nil && verified.variants <= 5)
    }
  }

  /// No share sees what another has done: each computes for itself what it needs.
  @Test func sharesThatSeeNothingOfEachOther() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    try compute(.whole, in: "whole")
    for index in 1...7 {
      try compute(Shard(index, of: 7), in: "alone-\(index)")
      for name in ["rows-\(index)-of-7.jsonl", "manifest-\(index)-of-7.json", "manifest.json"] {
        try Files.makeFolder("\(root)/together")
        let target = "\(root)/together/\(name)"
        if !FileManager.default.fileExists(atPath: target) {
          try FileManager.default.copyItem(
            atPath: "\(root)/alone-\(index)/\(name)", toPath: target)
        }
      }
    }
    try RunMerge.merge("\(root)/together")
    #expect(try text("together") == text("whole"))
  }

  /// Stopped after every unit, shares in turn, and what one has done the others take.
  @Test func stoppedSharesGoOn() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    let all = try compute(.whole, in: "whole")
    var computed: [UnitKey] = []
    while computed.count < 1000 {
      let round = try (1...3).flatMap {
        try compute(Shard($0, of: 3), in: "stopped", stopAfter: 1)
      }
      if round.isEmpty { break }
      computed += round
    }
    // Nothing was computed twice, since no two ran at once.
    #expect(computed.count == all.count && Set(computed) == Set(all))
    try RunMerge.merge("\(root)/stopped")
    #expect(try text("stopped") == text("whole"))
  }

  /// The same run without shares takes the rows of the shares that are there.
  @Test func aRunWithoutSharesFinishesOneWithThem() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    let all = try compute(.whole, in: "whole")
    let first = try compute(Shard(1, of: 3), in: "mixed")
    let rest = try compute(.whole, in: "mixed")
    #expect(first.count + rest.count == all.count)
    #expect(try text("mixed") == text("whole"))
    #expect(try RunMerge.merge("\(root)/mixed") == nil)
  }

  @Test func aShareHoldsWhatItsUnitsNeed() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let probe = try RowFixtures.probe(
      "sweep",
      #""experiment": "layer-sweep", "donor": "clean", "positions": ["answers"], "layers": [0], "#
        + #""layer": {"donor": "swapped-slots", "positions": "answers", "episodes": 2}"#)
    let whole = try RunPlan([probe], TinyLaboratory.setting(laboratory, episodes: 4))
    #expect(whole.count == 6 && whole.own.count == 6)
    let share = whole.share(Shard(4, of: 6))
    #expect(share.own == [whole.units[3].key])
    #expect(share.units.map(\.key) == whole.units[0..<2].map(\.key) + [whole.units[3].key])
    #expect(whole.share(Shard(1, of: 6)).units.map(\.key) == [whole.units[0].key])
    #expect(whole.share(Shard(9, of: 9)).units.isEmpty)
    // What decides whether the run goes on is everybody's, but for those who have nothing to do.
    let gated = whole.share(Shard(1, of: 6)) { $0.key == whole.units[1].key }
    #expect(gated.units.count == 2 && gated.own.count == 1)
    #expect(whole.share(Shard(9, of: 9)) { _ in true }.units.isEmpty)
  }
}
