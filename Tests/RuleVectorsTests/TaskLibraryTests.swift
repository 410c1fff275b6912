import Foundation
import TensorCore
import Testing

@testable import RuleVectors

/// A name is a task or a family.
@Suite struct TaskLibraryTests {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try write("loose")
    try write("pets/small")
    try write("pets/other")
    try write("plants/green")
    try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/task.schema.json"))
  }

  private func write(_ path: String) throws {
    let url = URL(fileURLWithPath: "\(folder)/\(path).json")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let name = url.deletingPathExtension().lastPathComponent
    try Data(Fixtures.taskText(changing: "\"small\"", to: "\"\(name)\"").utf8).write(to: url)
  }

  @Test func namesStandForTasksOrFamilies() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let library = try TaskLibrary(folder: folder)
    #expect(library.entries.map(\.name) == ["loose", "other", "small", "green"])
    #expect(library.families == ["pets", "plants"])
    #expect(try library.entries(named: "pets").map(\.name) == ["other", "small"])
    #expect(try library.entries(named: "small").map(\.family) == ["pets"])
    #expect(try library.entries(named: "\(folder)/pets").map(\.name) == ["other", "small"])
    #expect(try library.entries(named: "\(folder)/pets/small.json").map(\.name) == ["small"])
    #expect(try library.task("loose").load().name == "loose")
    #expect(try RuleTask(named: "green", in: folder).name == "green")
    for (name, part) in [
      (
        "pet",
        "there is no task or family \"pet\"; there are pets (other, small), plants (green), loose"
      ),
      ("pets", "family of 2 tasks: other, small"), ("plants", "family of 1 task"),
    ] {
      #expect { try library.task(name) } throws: {
        ($0 as? UserError)?.description.contains(part) == true
      }
    }
    try write("plants/small")
    #expect { try TaskLibrary(folder: folder) } throws: {
      ($0 as? UserError)?.description.contains("two tasks \"small\"") == true
    }
  }
}
