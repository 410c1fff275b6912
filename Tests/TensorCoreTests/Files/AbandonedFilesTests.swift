import Foundation
import Testing

@testable import TensorCore

@Suite struct AbandonedFilesTests {
  @Test func onlyTemporaryFilesOfProcessesOfThisMachineThatAreGoneAreRemoved() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/abandoned-\(UUID().uuidString)"
    try Files.makeFolder(folder)
    let gone = Process()
    gone.executableURL = URL(fileURLWithPath: "/bin/true")
    try gone.run()
    gone.waitUntilExit()
    let number = gone.processIdentifier
    let mine = String(Files.temporaryName("\(folder)/a.json").dropFirst(folder.count + 1))
    let kept = [
      // Of this process, of another machine, of a user.
      mine, "a.json.0-\(number)-1.tmp", "a.json", "a.json.tmp", ".\(Files.place)-\(number)-1.tmp",
      "a.json.\(Files.place)-\(number)-1.tmp.json",
    ]
    let abandoned = [
      "a.json.\(Files.place)-\(number)-1.tmp", "b.safetensors.\(Files.place)-\(number)-12.tmp",
    ]
    for name in kept + abandoned {
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    Files.removeAbandoned(in: folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == kept.sorted())
    Files.removeAbandoned(in: folder + "/missing")
  }
}
