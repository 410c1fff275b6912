import Foundation
import TensorCore
import Testing

@testable import Reports

/// Files of a run that end at any byte, as a crash or a full disk leaves them.
@Suite struct CutFilesTests {
  let root: String
  let rows: [JSONValue] = [
    ["x": 1], ["x": 2, "text": "a\n{\"x\": 9}\nb"], ["x": 3, "text": "−ä👍"],
    ["x": 4, "list": [1, [2]]],
  ]

  init() throws {
    root = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString)"
    try Files.makeFolder(root)
  }

  private func open(_ path: String?) throws -> RunDirectory {
    try RunDirectory.open(
      root: root, name: "task", identity: ["task": "a", "seed": 0], rowsFile: "rows.jsonl",
      path: path)
  }

  /// A run of all rows, a unit each.
  private func make(_ name: String, finished: Bool) throws -> String {
    let run = try open("\(root)/\(name)")
    for row in rows { try run.append([row]) }
    if finished { try run.finish() }
    return run.path
  }

  private func cut(_ file: String, to length: Int, of content: Data) throws {
    // Not by `Files`, which would flush each to the disk.
    try content.prefix(length).write(to: URL(fileURLWithPath: file))
  }

  @Test(arguments: [true, false])
  func rowsThatAreCutAnywhereAreReadAsFarAsTheyAreWholeAndGoOn(finished: Bool) throws {
    let path = try make("r", finished: finished)
    let file = path + "/rows.jsonl"
    let whole = try Files.read(file)
    for length in 0..<whole.count {
      try cut(file, to: length, of: whole)
      let kept = whole.prefix(length).count { $0 == 0x0A }
      let wholeBytes = whole.prefix(length).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
      let reading = try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
      #expect(try reading.rows.map(\.value) == Array(rows.prefix(kept)), "\(length) bytes")
      #expect(reading.droppedBytes == length - wholeBytes, "\(length) bytes")
      #expect(!reading.isFinished, "\(length) bytes")

      let run = try open(path)
      #expect(run.state == .resumed && run.droppedBytes == length - wholeBytes, "\(length) bytes")
      #expect(try run.rows.map(\.value) == Array(rows.prefix(kept)), "\(length) bytes")
      for row in rows.dropFirst(kept) { try run.append([row]) }
      #expect(try Files.read(file) == whole, "\(length) bytes")
    }
  }

  @Test(arguments: [true, false])
  func aManifestThatIsCutAnywhereIsRefusedOrTheSame(finished: Bool) throws {
    let path = try make("task-001", finished: finished)
    let file = path + "/manifest.json"
    let whole = try Files.read(file)
    let value = try JSONValue(parsing: whole, place: file)
    var refused = 0
    for length in 0..<whole.count {
      try cut(file, to: length, of: whole)
      do {
        let reading = try RunDirectory.read(path: path, rowsFile: "rows.jsonl")
        #expect(reading.manifest == value && reading.isFinished == finished, "\(length) bytes")
      } catch let error as UserError {
        refused += 1
        for read in [
          { _ = try open(path) }, { _ = try RunDirectory.read(path: path, rowsFile: "rows.jsonl") },
        ] {
          let error = #expect(throws: UserError.self, "\(length) bytes") { try read() }
          #expect(error?.place?.hasPrefix(file) == true, "\(length) bytes")
          #expect(
            error?.remedy?.hasPrefix("move the run away with: mv ") == true, "\(length) bytes")
        }
        #expect(!"\(error)".contains("\n"), "\(length) bytes")
      }
    }
    // All but what lacks the last line break.
    #expect(refused >= whole.count - 1)
    #expect(try Files.read(path + "/rows.jsonl").count { $0 == 0x0A } == rows.count)
    // Without a folder named, it is passed over with words.
    try cut(file, to: whole.count / 2, of: whole)
    let run = try open(nil)
    #expect(run.path == root + "/task-002")
    #expect(run.notes.contains { $0.hasPrefix("\(path) is passed over: ") })
  }
}
