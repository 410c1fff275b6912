import Foundation
import TensorCore
import Testing

@testable import Reports

@Suite struct RunDirectoryTests {
  private func folder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString)"
    try Files.makeFolder(path)
    return path
  }

  private func open(
    _ root: String, _ seed: Int = 0, path: String? = nil, again: Bool = false
  ) throws -> RunDirectory {
    try RunDirectory.open(
      root: root, name: "task", identity: ["task": "a", "seed": .integer(seed)],
      rowsFile: "rows.jsonl", path: path, again: again)
  }

  @Test func aRunIsResumedByItsIdentity() throws {
    let root = try folder()
    do {
      let run = try open(root)
      #expect(run.state == .new && run.path == root + "/task-001")
      try run.append([["x": 1], ["x": 2]])
      try run.writeManifest()
    }
    do {
      let run = try open(root)
      #expect(run.state == .resumed && run.path == root + "/task-001" && run.rows.count == 2)
      run.set("finished", "now")
      try run.writeManifest()
    }
    #expect(try open(root).state == .complete)
    #expect(try open(root, again: true).path == root + "/task-002")
    #expect(try open(root, 7).path == root + "/task-003")
  }

  @Test func aRowThatWasBeingWrittenIsDropped() throws {
    let root = try folder()
    do {
      let run = try open(root)
      try run.append([["x": 1]])
      try run.writeManifest()
    }
    let path = root + "/task-001/rows.jsonl"
    let whole = try Files.read(path)
    try Files.write(whole + Data(#"{"x": 2, "half"#.utf8), to: path)
    let run = try open(root)
    #expect(run.rows.count == 1)
    try run.append([["x": 3]])
    #expect(try String(decoding: Files.read(path), as: UTF8.self) == "{\"x\": 1}\n{\"x\": 3}\n")
  }

  @Test func anotherRunsFolderIsRefused() throws {
    let root = try folder()
    try open(root, 0, path: root + "/mine").writeManifest()
    let error = #expect(throws: UserError.self) { try open(root, 1, path: root + "/mine") }
    #expect(error?.description.contains("seed is 0 there, 1 here") == true)
  }

  @Test func aFolderOfOtherThingsIsRefused() throws {
    let root = try folder()
    try Files.write(Data("x".utf8), to: root + "/letter.txt")
    #expect(throws: UserError.self) { try open(root, path: root) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["letter.txt"])
  }

  @Test func onlyOneWritesARun() throws {
    let root = try folder()
    let first = try open(root)
    try first.writeManifest()
    let error = #expect(throws: UserError.self) { try open(root) }
    #expect(error?.description.contains("another process") == true)
    withExtendedLifetime(first) {}
  }
}
