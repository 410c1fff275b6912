import Foundation
import TensorCore
import Testing

@testable import Reports

@Suite struct RunDirectoryTests {
  let root: String

  init() throws {
    root = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString)"
    try Files.makeFolder(root)
  }

  private func open(
    _ seed: Int = 0, path: String? = nil, again: Bool = false, build: String = "a"
  ) throws -> RunDirectory {
    try RunDirectory.open(
      root: root, name: "task",
      identity: [
        "task": "a", "arithmetic": ["build": .string(build)],
        "probes": ["x": .string(SHA256.hash(of: Data("\(seed)".utf8)))],
        "seed": .integer(seed),
      ],
      rowsFile: "rows.jsonl", path: path, again: again)
  }

  /// A run of three rows.
  private func make(_ name: String = "r", finished: Bool = true, seed: Int = 0) throws -> String {
    let run = try open(seed, path: "\(root)/\(name)")
    try run.append([["x": 1], ["x": 2]])
    try run.append([["x": 3]])
    if finished { try run.finish() }
    return run.path
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try Files.read(path), as: UTF8.self)
  }

  private func numbers(_ run: RunDirectory) throws -> [Int] {
    try run.rows.map { try JSONReader($0.value["x"], place: "x").integer() }
  }

  private func shell(_ line: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(line)")
  }

  // MARK: - Which run

  @Test func aRunIsResumedByItsIdentity() throws {
    do {
      let run = try open()
      #expect(run.state == .new && run.path == root + "/task-001")
      try run.append([["x": 1], ["x": 2]])
    }
    do {
      let run = try open()
      #expect(run.state == .resumed && run.path == root + "/task-001")
      #expect(try numbers(run) == [1, 2])
      try run.finish()
    }
    #expect(try open().state == .complete)
    #expect(try open(again: true).path == root + "/task-002")
    #expect(try open(7).path == root + "/task-003")
  }

  @Test func anotherRunsFolderIsRefused() throws {
    let path = try make()
    let error = #expect(throws: UserError.self) { try open(1, path: path) }
    #expect(error?.problem == "the folder holds another run: probes.x: digest differs")
    let nested = RunIdentity.differences(
      ours: ["a": 1, "b": ["c": [1, 2], "d": "x"]],
      theirs: ["b": ["d": "y", "c": [1, 2]], "e": 2])
    #expect(
      nested.map(\.text) == [
        "a is absent there, 1 here", "b.d is \"y\" there, \"x\" here", "e is 2 there, absent here",
      ])
  }

  @Test func anotherBuildBeginsAnother() throws {
    do { #expect(try open(build: "a").notes.isEmpty) }
    do {
      let other = try open(build: "b")
      #expect(other.path == root + "/task-002" && other.state == .new)
      #expect(
        other.notes == [
          "\(root)/task-001 was begun by another build or on another kind of processor "
            + "(arithmetic.build is \"a\" there, \"b\" here) and is not continued"
        ])
    }
    // Not where anything else differs too.
    #expect(try open(3, build: "c").notes.isEmpty)
    let error = #expect(throws: UserError.self) { try open(path: root + "/task-001", build: "z") }
    #expect(error?.remedy?.contains("the same build") == true)
  }

  @Test func aFolderOfOtherThingsIsRefused() throws {
    try Files.write(Data("x".utf8), to: root + "/letter.txt")
    #expect(throws: UserError.self) { try open(path: root) }
    #expect(throws: UserError.self) { try open(path: root, again: true) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["letter.txt"])
  }

  @Test func aRunThatIsThereIsKeptAside() throws {
    let path = try make()
    do {
      let again = try open(path: path + "/", again: true)
      #expect(again.state == .new && again.path == path)
      #expect(try again.rows.isEmpty)
      #expect(again.notes == ["the run that was in \(path) is kept in \(path)-before-1"])
      #expect(try text(path + "-before-1/rows.jsonl") == "{\"x\": 1}\n{\"x\": 2}\n{\"x\": 3}\n")
      try again.append([["x": 9]])
    }
    // The same run, unfinished, is continued; another is kept aside.
    do {
      let same = try open(path: path, again: true)
      #expect(same.state == .resumed)
      #expect(try numbers(same) == [9])
    }
    do {
      let other = try open(5, path: path, again: true)
      #expect(other.state == .new)
      #expect(try text(path + "-before-2/rows.jsonl") == "{\"x\": 9}\n")
      // Nobody's work is taken away.
      let error = #expect(throws: UserError.self) { try open(6, path: path, again: true) }
      #expect(error?.problem == "another process is writing this run")
    }
    // A manifest that nobody can read is no reason to ask for another name.
    try Files.write(Data("{".utf8), to: path + "/manifest.json")
    #expect(try open(path: path, again: true).state == .new)
  }

  @Test(arguments: [("a", "."), ("a/b", "a"), ("/a", "/"), ("/", "/"), ("", "."), ("x/y/z", "x/y")])
  func everyPathHasAFolder(_ path: String, _ folder: String) {
    #expect(Files.folder(of: path) == folder)
  }

  // MARK: - Locks

  @Test func onlyOneWritesARun() throws {
    let first = try open()
    let error = #expect(throws: UserError.self) { try open() }
    #expect(error?.problem == "another process is writing this run")
    // Another share of the same run has a file of its own.
    let share = try RunDirectory.open(
      root: root, name: "task", identity: JSONValue.object(first.manifest)["identity"],
      rowsFile: "rows-2-of-3.jsonl")
    #expect(share.path == first.path && share.state == .resumed)
    withExtendedLifetime(first) {}
  }

  @Test func aFileSystemWithoutLocksIsNoReasonToStop() throws {
    for reason in [ENOLCK, ENOSYS, EOPNOTSUPP] {
      let note = try RunLock.acquire(0, path: "a") { _ in reason }
      #expect(note?.contains("no locks") == true)
    }
    #expect(try RunLock.acquire(0, path: "a") { _ in 0 } == nil)
    let busy = #expect(throws: UserError.self) {
      try RunLock.acquire(0, path: "a") { _ in EWOULDBLOCK }
    }
    #expect(busy?.problem == "another process is writing this run")
    let other = #expect(throws: UserError.self) { try RunLock.acquire(0, path: "a") { _ in EIO } }
    #expect(other?.problem.hasPrefix("cannot be locked: Input/output error") == true)
  }

  // MARK: - Rows that were cut short

  @Test(arguments: [
    #"{"x": 4, "half"#, #"{"x": 4}"#, "\0\0\0\0\0\0", "\0\0\0\n", "{\"x\": 4, \n", "4\n\0\n{",
    String(repeating: "\0", count: 100_000),
  ])
  func whatACrashLeavesIsDropped(_ tail: String) throws {
    let path = try make(finished: false)
    let whole = try Files.read(path + "/rows.jsonl")
    try Files.write(whole + Data(tail.utf8), to: path + "/rows.jsonl")
    // Reading leaves the file alone, since somebody may be writing it.
    let reading = try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
    #expect(reading.condition == .unfinished && reading.droppedBytes == tail.utf8.count)
    #expect(try reading.rows.count == 3)
    #expect(try Files.read(path + "/rows.jsonl") == whole + Data(tail.utf8))
    let run = try open(path: path)
    #expect(run.droppedBytes == tail.utf8.count && run.state == .resumed)
    #expect(run.notes.count == 1 && run.notes[0].contains("dropped \(tail.utf8.count) bytes"))
    try run.append([["x": 4]])
    #expect(try numbers(run) == [1, 2, 3, 4])
  }

  @Test func nothingButACrash() throws {
    let path = try make(finished: false)
    try Files.write(Data("\0\0\0\n\0".utf8), to: path + "/rows.jsonl")
    let run = try open(path: path)
    #expect(run.droppedBytes == 5)
    #expect(try run.rows.isEmpty)
  }

  @Test func damageInTheMiddleIsToldWithItsRemedy() throws {
    for finished in [false, true] {
      let path = try make("it's \(finished)", finished: finished)
      try Files.write(
        Data("{\"x\": 1}\n{\"x\": \nnot\n{\"x\": 2}\n\0\n{\"x\": 3}\n".utf8),
        to: path + "/rows.jsonl")
      let error = #expect(throws: UserError.self) { try open(path: path).rows }
      #expect(error?.place == path + "/rows.jsonl:2")
      #expect(error?.problem.contains("and 2 more lines") == true)
      let remedy = try #require(error?.remedy)
      let command = try #require(remedy.firstMatch(of: /with: (.*), and run the same/)?.1)
      #expect(command.hasPrefix("sed -i '2,3d;5d' "))
      try shell(String(command))
      let run = try open(path: path)
      #expect(try numbers(run) == [1, 2, 3])
      #expect(run.state == (finished ? .complete : .resumed))
    }
  }

  // MARK: - Finished runs

  @Test func aFinishedRunKnowsItsRows() throws {
    let path = try make()
    let manifest = try JSONValue(contentsOf: path + "/manifest.json")
    // Of printf '{"x": 1}\n{"x": 2}\n{"x": 3}\n' | sha256sum.
    #expect(
      manifest["rows"] == [
        "file": "rows.jsonl", "count": 3,
        "sha256": "19f99855e4da44ccd5b0fb3715d9f3d5d40feccb6ebf3c35de57ba1077420c13",
      ])
    #expect(try RunDirectory.read(path: path, rowsFile: "rows.jsonl").condition == .complete)
    #expect(try open(path: path).state == .complete)
  }

  @Test(arguments: ["", "{\"x\": 1}\n", "{\"x\": 1}\n{\"x\": 2}\n{\"x", "{\"x\": 1}\n{\"x\": 3}\n"])
  func lostRowsAreNoticed(_ left: String) throws {
    let path = try make()
    try Files.write(Data(left.utf8), to: path + "/rows.jsonl")
    let count = left.count { $0 == "\n" }
    let words = count == 0 ? "rows.jsonl holds 0 of 3 rows" : "rows.jsonl holds \(count) of 3 rows"
    guard
      case .damaged(let error) = try RunDirectory.read(path: path, rowsFile: "rows.jsonl").condition
    else {
      Issue.record("the loss was not noticed")
      return
    }
    #expect(error.problem == "the run is finished, but " + words)
    let run = try open(path: path)
    #expect(run.state == .resumed && run.value("finished") == .null)
    #expect(run.notes.last?.contains(words) == true)
    try run.append((count..<3).map { ["x": .integer($0 + 1)] })
    try run.finish()
    #expect(try RunDirectory.read(path: path, rowsFile: "rows.jsonl").condition == .complete)
  }

  @Test func aMissingRowFileIsNoticed() throws {
    let path = try make()
    try FileManager.default.removeItem(atPath: path + "/rows.jsonl")
    let reading = try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
    #expect(reading.condition != .complete)
    #expect(try open(path: path).state == .resumed)
  }

  @Test func changedRowsAreNotTrusted() throws {
    let path = try make()
    try Files.write(
      Data("{\"x\": 1}\n{\"x\": 7}\n{\"x\": 3}\n".utf8), to: path + "/rows.jsonl")
    let error = #expect(throws: UserError.self) { try open(path: path) }
    #expect(error?.problem.contains("SHA-256 differs") == true)
    let reading = try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
    #expect(error.map { reading.condition == .damaged($0) } == true)
    #expect(try open(path: path, again: true).state == .new)
  }

  // MARK: - Edited manifests

  @Test(arguments: [
    ("", "not valid JSON"), ("[]", "a list where an object"), ("{}", "\"identity\" is missing"),
    (#"{"identity": 3}"#, "found a whole number where an object"),
    (#"{"identity": {"a": 1, "a": 2}}"#, "\"a\" appears twice"),
    (#"{"identity": {}, "finished": true}"#, "found true or false where a text"),
    (#"{"identity": {}, "finished": "now", "rows": 7}"#, "found a whole number where an object"),
    (#"{"identity": {}, "rows": {"file": "x"}}"#, "\"count\" is missing"),
    (
      #"{"identity": {}, "rows": {"file": "x", "count": -1, "sha256": ""}}"#,
      "found -1, allowed is 0"
    ),
    (
      #"{"identity": {}, "rows": {"file": "x", "count": 1e300, "sha256": ""}}"#,
      "found a number where a whole number"
    ),
    ("{\"identity\": {}, \"caf\u{E9}\": 1, \"cafe\u{301}\": 2}", ""),
  ])
  func anEditedManifestIsNamed(_ manifest: String, _ words: String) throws {
    let path = try make()
    try Files.write(Data(manifest.utf8), to: path + "/manifest.json")
    if !words.isEmpty {
      let error = #expect(throws: UserError.self) {
        try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
      }
      #expect(error?.problem.contains(words) == true, "\(error?.description ?? "")")
      #expect(error?.place?.hasPrefix(path + "/manifest.json") == true)
      #expect(error?.remedy?.contains("mv \(path) \(path)-damaged") == true)
    }
    #expect(throws: UserError.self) { try open(path: path) }
  }

  @Test func whatCannotBeReadAgainIsNotWritten() throws {
    let twice = JSONValue.object([("x", 1), ("x", 2)])
    let error = #expect(throws: UserError.self) {
      try RunDirectory.open(
        root: root, name: "t", identity: ["probes": twice], rowsFile: "rows.jsonl")
    }
    #expect(error?.problem.contains("\"x\" appears twice") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: root).isEmpty)
    let run = try open()
    run.set("probes", twice)
    #expect(throws: UserError.self) { try run.writeManifest() }
    #expect(try JSONValue(contentsOf: run.path + "/manifest.json")["probes"] == .null)
  }

  /// Rows are streamed, and appending does not look back.
  @Test func manyRowsCostWhatTheyAre() throws {
    let run = try open()
    let rows = (0..<200_000).map { JSONValue.object([("x", .integer($0))]) }
    try run.append(rows)
    let clock = ContinuousClock()
    let time = try clock.measure { for _ in 0..<50 { try run.append([["x": 1]]) } }
    #expect(time < .seconds(5))
    var sum = 0
    try run.forEachRow { sum += try JSONReader($0.value["x"], place: "x").integer() }
    #expect(sum == 199_999 * 100_000 + 50)
  }
}
