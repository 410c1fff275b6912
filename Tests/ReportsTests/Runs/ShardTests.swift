import Foundation
import Synchronization
import TensorCore
import Testing

@testable import Reports

/// Shares of a run: their names, their files, and what is said of those that are missing.
@Suite struct ShardTests {
  private let root: String

  init() throws {
    root = FileManager.default.temporaryDirectory.path + "/shares-\(UUID().uuidString)"
    try Files.makeFolder(root)
  }

  private func open(
    _ shard: Shard, path: String? = nil, build: String = "a", seed: Int = 0
  ) throws -> RunDirectory {
    try RunDirectory.open(
      root: root, name: "task",
      identity: ["arithmetic": ["build": .string(build)], "seed": .integer(seed)],
      rowsFile: "rows.jsonl", shard: shard, path: path)
  }

  /// Writes the share's part of units `0..<units`, a row each.
  private func write(
    _ shard: Shard, of units: Int, in path: String, build: String = "a", value: Int = 7
  ) throws {
    let run = try open(shard, path: path, build: build)
    let own = (0..<units).filter(shard.owns)
    // Unit 0 is what all need.
    for unit in Set(own + [0]).sorted() {
      try run.append([["unit": .integer(unit), "value": .integer(unit == 0 ? value : unit)]])
    }
    try run.finish(units: own.map(String.init))
  }

  private func shares(_ path: String) throws -> RunShards {
    try #require(try RunShards(path, rowsFile: "rows.jsonl"))
  }

  private func merge(_ path: String) throws {
    try shares(path).merge(unit: { $0.value["unit"].text }, fields: { _ in [] })
  }

  @Test func everyUnitIsOneShares() {
    for count in [1, 2, 7, 64] {
      let shards = (1...count).map { Shard($0, of: count) }
      for unit in 0..<100 { #expect(shards.count { $0.owns(unit) } == 1) }
    }
    #expect(Shard.whole.file("rows.jsonl") == "rows.jsonl")
    #expect(Shard(3, of: 7).file("rows.jsonl") == "rows-3-of-7.jsonl")
    #expect(Shard(file: "rows-3-of-7.jsonl", of: "rows.jsonl") == Shard(3, of: 7))
    for name in [
      "rows.jsonl", "rows-8-of-7.jsonl", "rows-0-of-7.jsonl", "rows-03-of-7.jsonl",
      "log-3-of-7.jsonl", "rows-3-of-7.jsonl.tmp", "rows-1-of-1.jsonl", "rows-3-of-.jsonl",
    ] {
      #expect(Shard(file: name, of: "rows.jsonl") == nil, "\(name)")
    }
  }

  @Test(arguments: ["", "3", "0/7", "8/7", "-1/7", "1/0", "1/2/3", "a/b", "1.5/7", "1 / 7", "/"])
  func whatIsNoShareIsRefused(_ text: String) {
    let error = #expect(throws: UserError.self) { try Shard(parsing: text) }
    #expect(error?.status == .usage && error?.problem.contains("'\(text)'") == true)
  }

  @Test func aTaskOfAnArrayIsAShare() throws {
    func task(_ id: String?, _ minimum: String?, _ count: String?) throws -> Shard? {
      var environment: [String: String] = [:]
      environment["SLURM_ARRAY_TASK_ID"] = id
      environment["SLURM_ARRAY_TASK_MIN"] = minimum
      environment["SLURM_ARRAY_TASK_COUNT"] = count
      return try Shard(arrayTask: environment)
    }
    #expect(try task(nil, nil, nil) == nil)
    #expect(try task("0", "0", "7") == Shard(1, of: 7, arrayMinimum: 0))
    #expect(try task("7", "1", "7") == Shard(7, of: 7, arrayMinimum: 1))
    #expect(try task("12", "10", "4") == Shard(3, of: 4, arrayMinimum: 10))
    // 3,5-7; 0-12:2; and what Slurm never sets.
    for (id, minimum, count) in [
      ("7", "3", "4"), ("12", "0", "7"), ("1", "1", nil), ("1", nil, "3"), ("x", "1", "3"),
    ] {
      let error = #expect(throws: UserError.self) { try task(id, minimum, count) }
      #expect(error?.remedy?.contains("--shard") == true)
    }
  }

  /// An array that is begun again for tasks 2 and 3 has two tasks, not seven.
  @Test func aLaterArrayDoesNotChangeTheNumberOfShares() throws {
    let path = root + "/r"
    try write(Shard(1, of: 7, arrayMinimum: 0), of: 9, in: path)
    let error = #expect(throws: UserError.self) {
      try open(Shard(1, of: 2, arrayMinimum: 2), path: path)
    }
    #expect(error?.problem == "the Slurm array has 2 tasks, the run has shares of 7")
    #expect(error?.remedy == "name the share: --shard \"$((SLURM_ARRAY_TASK_ID+1))/7\"")
    #expect(!FileManager.default.fileExists(atPath: path + "/rows-1-of-2.jsonl"))
    // Who names another number means it.
    #expect(try open(Shard(1, of: 2), path: path).state == .new)
  }

  /// Sixteen shares that begin at once, in a folder that they choose themselves: one folder, one
  /// manifest, no row lost.
  @Test func sharesThatBeginAtOnceShareAFolder() throws {
    for round in 0..<8 {
      let outcomes = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 16) { index in
        let shard = Shard(index + 1, of: 16)
        do {
          let run = try open(shard, seed: round)
          try run.append([["unit": .integer(index)]])
          try run.finish(units: ["\(index)"])
          outcomes.withLock { $0.append(run.path) }
        } catch {
          outcomes.withLock { $0.append("\(error)") }
        }
      }
      let paths = Set(outcomes.withLock { $0 })
      #expect(paths.count == 1, "\(paths)")
      let path = try #require(paths.first)
      try merge(path)
      let text = String(decoding: try Files.read(path + "/rows.jsonl"), as: UTF8.self)
      #expect(text == (0..<16).map { "{\"unit\": \($0)}\n" }.joined())
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: path).allSatisfy {
          !$0.hasSuffix(".tmp")
        })
    }
    // Other runs that begin at once get folders of their own.
    let others = Mutex<Set<String>>([])
    DispatchQueue.concurrentPerform(iterations: 16) { index in
      if let run = try? open(.whole, seed: 100 + index) {
        others.withLock { _ = $0.insert(run.path) }
      }
    }
    #expect(others.withLock { $0.count } == 16)
  }

  /// A folder that another share has made and not claimed yet, or that a killed run left behind, is
  /// taken; one with files of somebody else is not.
  @Test func folderWithoutManifestIsTaken() throws {
    try Files.makeFolder(root + "/task-001")
    try Files.write(Data("mine".utf8), to: root + "/task-001/notes.txt")
    try Files.makeFolder(root + "/task-002")
    #expect(try open(Shard(1, of: 2)).path == root + "/task-002")
    #expect(try open(Shard(2, of: 2)).path == root + "/task-002")
    #expect(try open(.whole, seed: 1).path == root + "/task-003")
  }

  @Test func mergedRowsAreInCanonicalOrder() throws {
    let path = root + "/r"
    // More shares than units.
    for index in 1...7 { try write(Shard(index, of: 7), of: 5, in: path) }
    try merge(path)
    let text = String(decoding: try Files.read(path + "/rows.jsonl"), as: UTF8.self)
    #expect(
      text == (0..<5).map { "{\"unit\": \($0), \"value\": \($0 == 0 ? 7 : $0)}\n" }.joined())
    let reading = try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
    #expect(reading.condition == .complete)
    guard case .array(let shares) = reading.manifest["shares"] else {
      Issue.record("the manifest does not tell of the shares")
      return
    }
    #expect(shares.map { $0["rows"]["count"] } == [1, 2, 2, 2, 2, 1, 1])
    // Done: the run is like any other now, and lost rows are noticed.
    #expect(try RunShards(path, rowsFile: "rows.jsonl") == nil)
    #expect(try open(.whole, path: path).state == .complete)
    try Files.write(Data(text.utf8.prefix(20)), to: path + "/rows.jsonl")
    #expect(try open(.whole, path: path).state == .resumed)
  }

  @Test func missingSharesAreNamed() throws {
    let path = root + "/r"
    for index in [1, 2, 4] { try write(Shard(index, of: 7), of: 20, in: path) }
    // Begun, not finished.
    do {
      let run = try open(Shard(3, of: 7), path: path)
      try run.append([["unit": 2]])
    }
    let error = try #require(try shares(path).problem)
    #expect(error.problem == "4 of 7 shares are missing: 5-7 not begun, 3 not finished")
    #expect(
      error.remedy
        == "finish with: sbatch --array=3,5-7, and --shard \"$SLURM_ARRAY_TASK_ID/7\"")
    #expect(throws: error) { try merge(path) }
    #expect(!FileManager.default.fileExists(atPath: path + "/rows.jsonl"))
    for index in [3, 5, 6, 7] {
      let run = try open(Shard(index, of: 7), path: path)
      let own = (0..<20).filter(run.shard.owns)
      for unit in own.dropFirst(index == 3 ? 1 : 0) { try run.append([["unit": .integer(unit)]]) }
      try run.finish(units: own.map(String.init))
    }
    #expect(try shares(path).problem == nil)
    // Rows that got lost.
    try Files.write(Data(), to: path + "/rows-2-of-7.jsonl")
    let lost = try shares(path).problem
    #expect(
      lost?.problem.contains("2 cannot be used (rows-2-of-7.jsonl holds 0 of 4 rows)") == true)
    #expect(lost?.remedy?.contains("--array=2,") == true)
  }

  @Test func anArrayThatBeginsAtZeroIsFinishedAsOne() throws {
    let path = root + "/r"
    for index in [1, 3] { try write(Shard(index, of: 4, arrayMinimum: 0), of: 9, in: path) }
    #expect(
      try shares(path).problem?.remedy
        == "finish with: sbatch --array=1,3, and --shard \"$((SLURM_ARRAY_TASK_ID+1))/4\"")
  }

  @Test func aShareOfAnotherBuildIsNamed() throws {
    let path = root + "/r"
    try write(Shard(1, of: 3), of: 6, in: path)
    try write(Shard(2, of: 3), of: 6, in: path)
    // It does not begin where others are.
    let refused = #expect(throws: UserError.self) {
      try open(Shard(3, of: 3), path: path, build: "b")
    }
    #expect(refused?.problem.contains("arithmetic.build is \"a\" there, \"b\" here") == true)
    // Copied from a folder where it was alone.
    try write(Shard(3, of: 3), of: 6, in: root + "/other", build: "b")
    for name in ["rows-3-of-3.jsonl", "manifest-3-of-3.json"] {
      try FileManager.default.copyItem(
        atPath: "\(root)/other/\(name)", toPath: "\(path)/\(name)")
    }
    let error = try #require(try shares(path).problem)
    #expect(
      error.problem.contains(
        "3 cannot be used (it is of another run: arithmetic.build is \"b\" there, \"a\" here)"))
    #expect(error.remedy?.contains("rm -f \(path)/manifest-3-of-3.json") == true)
    #expect(error.remedy?.contains("--array=3,") == true)
    // Nor are its rows taken by others.
    var seen: [String] = []
    var others = try open(.whole, path: path).otherRows
    try others.forEachNewRow { file, _ in seen.append(file) }
    #expect(Set(seen) == ["rows-1-of-3.jsonl", "rows-2-of-3.jsonl"])
  }

  /// Machines that compute alike come to the same rows; one that does not is found out.
  @Test func differentRowsOfOneUnitAreFoundOut() throws {
    let path = root + "/r"
    try write(Shard(1, of: 2), of: 4, in: path)
    try write(Shard(2, of: 2), of: 4, in: path, value: 8)
    let error = #expect(throws: UserError.self) { try merge(path) }
    #expect(error?.problem == "shares 1 and 2 of 2 came to different rows of 0")
  }

  @Test func onlyNewWholeRowsOfOthersAreSeen() throws {
    let path = root + "/r"
    let writer = try open(Shard(1, of: 2), path: path)
    var others = try open(Shard(2, of: 2), path: path).otherRows
    func new() throws -> [String] {
      var rows: [String] = []
      try others.forEachNewRow { _, row in rows.append(row.value.text) }
      return rows
    }
    #expect(try new().isEmpty)
    try writer.append([["x": 1], ["x": 2]])
    #expect(try new() == ["{\"x\": 1}", "{\"x\": 2}"])
    #expect(try new().isEmpty)
    let file = try FileDescriptor(appendingTo: path + "/rows-1-of-2.jsonl")
    try Files.append(Data("{\"x\": 3}\n{\"x\"".utf8), to: file.number, path: path)
    #expect(try new() == ["{\"x\": 3}"])
    try Files.append(Data(": 4}\n".utf8), to: file.number, path: path)
    #expect(try new() == ["{\"x\": 4}"])
  }
}
