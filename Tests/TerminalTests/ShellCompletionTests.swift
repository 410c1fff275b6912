import Foundation
import Testing

@testable import Terminal

/// What a shell prints for a script on its standard input, nil where the shell is not installed.
private func output(of shell: String, _ script: String) throws -> String? {
  let path = ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(shell)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }
  guard let path else { return nil }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: path)
  let input = Pipe()
  let output = Pipe()
  process.standardInput = input
  process.standardOutput = output
  process.standardError = output
  try process.run()
  try input.fileHandleForWriting.write(contentsOf: Data(script.utf8))
  try input.fileHandleForWriting.close()
  let data = try output.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return String(decoding: data, as: UTF8.self)
}

@Suite struct ShellCompletionTests {
  @Test(arguments: [
    (["probe-demo", "ru"], "run"),
    (["probe-demo", "-t", "run", "co"], "completion copy"),
    (["probe-demo", "run", "--mo"], "--model"),
    (["probe-demo", "run", "--metric", ""], "logit probability rank"),
    (["probe-demo", "run", "--metric", "=", "p"], "probability"),
    (["probe-demo", "completion", "z"], "zsh"),
    (["probe-demo", "run", "--th"], "--threads"),
  ])
  func completesInBash(words: [String], expected: String) throws {
    let array = words.map(shellQuoted).joined(separator: " ")
    let script =
      sampleCommand.completionScript(shell: .bash) + """
        COMP_WORDS=(\(array)); COMP_CWORD=\(words.count - 1)
        _probe_demo; echo "${COMPREPLY[*]}"

        """
    guard let text = try output(of: "bash", script) else { return }
    #expect(text == expected + "\n")
  }

  @Test func completesInFish() throws {
    let script =
      sampleCommand.completionScript(shell: .fish)
      + "complete -C 'probe-demo run --met'; complete -C 'probe-demo run --metric '\n"
      + "complete -C 'probe-demo cop'\n"
    guard let text = try output(of: "fish", script) else { return }
    #expect(
      text == """
        --metric\tWhat to measure.
        logit\tWhat to measure.
        probability\tWhat to measure.
        rank\tWhat to measure.
        copy\tCopy files; don't ask.

        """)
  }

  @Test func isReadByZsh() throws {
    let script =
      "autoload -U compinit; compinit -D\n" + sampleCommand.completionScript(shell: .zsh)
      + "\necho $_comps[probe-demo]; whence -w _probe_demo__run\n"
    guard let text = try output(of: "zsh", script) else { return }
    #expect(text == "_probe_demo\n_probe_demo__run: function\n")
  }

  @Test func quotesForEveryShell() {
    #expect(shellQuoted("don't") == "'don'\\''t'")
    #expect(sampleCommand.completionScript(shell: .fish).contains("'Copy files; don\\'t ask.'"))
    #expect(sampleCommand.completionScript(shell: .zsh).contains("copy:Copy files; don'\\''t ask."))
  }
}
