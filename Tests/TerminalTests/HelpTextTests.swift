import Testing

@testable import Terminal

@Suite struct HelpTextTests {
  @Test func showsAProgram() {
    #expect(
      sampleCommand.helpText() == """
        Usage: probe-demo [OPTION]... COMMAND

        Look into a language model.

        A model is read once, and every command works on the same files. This paragraph
        is long enough to be wrapped.

        A second paragraph.

        Commands:
          run         Run a prompt and show the likeliest next tokens.
          completion  Print a completion script.
          copy        Copy files; don't ask.

        Options:
          -t, --threads N  Threads to work with. (default: all cores)
          -h, --help       Show this help.
              --version    Show the version.

        See 'probe-demo COMMAND --help' for one command.

        """)
  }

  @Test func showsACommand() {
    #expect(
      sampleCommand.helpText(for: ["run"]) == """
        Usage: probe-demo run --model MODEL [OPTION]... [PROMPT]

        Run a prompt and show the likeliest next tokens.

        Arguments:
          PROMPT  Text to run.

        Options:
          -m, --model MODEL    Model file or folder. (required)
              --probe NAME     Experiment to run on the way. (may be repeated)
              --metric METRIC  What to measure. (one of: logit, probability, rank;
                               default: logit)
              --a-very-long-option-name TEXT
                               Has a line of its own.
              --tokens IDS     Token ids.
              --scale X        Scale.
          -j, --json           Write JSON.
          -q, --quiet          Show no progress.
          -t, --threads N      Threads to work with. (default: all cores)
          -h, --help           Show this help.

        Examples:
          # What comes next?
          probe-demo run --model m.gguf 'apple -> A'

        """)
  }

  @Test(arguments: [10, 40, 60, 80, 100, 300])
  func staysWithinItsWidth(width: Int) {
    let text = sampleCommand.helpText(for: ["run"], width: width)
    let limit = min(max(width, 40), 100)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= limit })
  }

  @Test func aNarrowHelpKeepsAllWords() {
    let words = { (text: String) in
      text.split { $0.isWhitespace || $0 == "\\" }.joined()
    }
    #expect(
      words(sampleCommand.helpText(for: ["run"], width: 40))
        == words(sampleCommand.helpText(for: ["run"], width: 100)))
  }

  @Test func aCommandIsBrokenAsAShellReadsIt() {
    #expect(
      TextWrapping.shellLines("run --prompt 'a  b c' --model m.gguf --json", width: 24) == [
        "run --prompt 'a  b c' \\", "    --model m.gguf \\", "    --json",
      ])
  }

  @Test func boldensHeadingsWhenAsked() {
    let text = sampleCommand.helpText(style: TextStyle(isEnabled: true))
    #expect(text.hasPrefix("\u{1B}[1mUsage:\u{1B}[0m probe-demo"))
  }
}
