import TensorCore
import Testing

@testable import Terminal

private func parsed(_ arguments: String...) throws -> ParsedCommand {
  guard case .run(let command) = try sampleCommand.parse(arguments) else {
    throw UserError("asks for help or the version")
  }
  return command
}

private func problem(_ arguments: [String]) -> String {
  do {
    _ = try sampleCommand.parse(arguments)
    return "none"
  } catch let error as UserError {
    #expect(error.status == .usage)
    return error.description
  } catch {
    return "another error: \(error)"
  }
}

@Suite struct CommandParserTests {
  @Test func readsEveryForm() throws {
    for form in [["--model", "x"], ["--model=x"], ["-m", "x"], ["-mx"], ["-jmx"], ["-jm", "x"]] {
      guard case .run(let command) = try sampleCommand.parse(["run"] + form) else {
        Issue.record("no command from \(form)")
        continue
      }
      #expect(command.path == ["run"])
      #expect(command.string("model") == "x")
      #expect(command.flag("json") == form[0].hasPrefix("-j"))
    }
  }

  @Test func takesOptionsAnywhere() throws {
    let command = try parsed("-t2", "run", "text", "--json", "--model=a=b")
    #expect(try command.integer("threads", in: 1...64) == 2)
    #expect(command.positionals == ["text"])
    #expect(command.argument("PROMPT") == "text")
    #expect(command.string("model") == "a=b")
    #expect(command.flag("json"))
    #expect(!command.flag("quiet"))
  }

  @Test func endsOptionsAtTwoDashes() throws {
    let command = try parsed("run", "-m", "x", "--", "--json")
    #expect(command.positionals == ["--json"])
    #expect(!command.flag("json"))
  }

  @Test func takesValuesThatStartWithADash() throws {
    #expect(try parsed("run", "-m", "-> A").string("model") == "-> A")
    #expect(try parsed("run", "-m", "-1").string("model") == "-1")
    #expect(try parsed("run", "-m", "x", "-1").positionals == ["-1"])
    #expect(try parsed("run", "-m", "x", "-").positionals == ["-"])
    #expect(try parsed("run", "--model=").string("model") == "")
    #expect(try parsed("run", "--model=--json").string("model") == "--json")
    #expect(
      problem(["run", "--model", "--json"])
        == "option '--model' needs a value (MODEL); if '--json' is the value, write "
        + "'--model=--json'")
  }

  @Test func collectsRepeatedValues() throws {
    let command = try parsed("run", "-mx", "--probe", "a", "--probe=b")
    #expect(command.strings("probe") == ["a", "b"])
    #expect(try parsed("copy", "to", "a", "b").arguments("FILE") == ["a", "b"])
    #expect(try parsed("copy", "to", "a", "b").argument("TARGET") == "to")
  }

  @Test func convertsValues() throws {
    let command = try parsed("run", "-mx", "--tokens", "12,7,99", "--scale", "-0.5")
    #expect(try command.integers("tokens") == [12, 7, 99])
    #expect(try command.number("scale") == -0.5)
    #expect(try command.integer("threads") == nil)
    #expect(try parsed("run", "-mx", "--tokens", "a, b").list("tokens") == ["a", "b"])
    #expect(throws: UserError.self) { try parsed("run", "-mx", "--tokens", "1,,2").list("tokens") }
    #expect(throws: UserError.self) { try parsed("run", "-mx", "--scale", "nan").number("scale") }
  }

  @Test(arguments: [
    ("threads", "65", "must be a whole number from 1 to 64, not '65'"),
    ("threads", "two", "must be a whole number from 1 to 64, not 'two'"),
    ("tokens", "1,x", "must be whole numbers of at least 0 separated by commas, not 'x'"),
    ("scale", "2", "must be a number from 0 to 1.5, not '2'"),
  ])
  func refusesValues(option: String, value: String, message: String) throws {
    let command = try parsed("run", "-mx", "--\(option)", value)
    let error = #expect(throws: UserError.self) {
      switch option {
      case "threads": _ = try command.integer("threads", in: 1...64)
      case "tokens": _ = try command.integers("tokens", in: 0...Int.max)
      default: _ = try command.number("scale", in: 0...1.5)
      }
    }
    #expect(error?.description == "option '--\(option)' \(message)")
    #expect(error?.status == .usage)
  }

  static let refusals: [([String], String)] = [
    (["run", "--modle", "x"], "unknown option '--modle'; did you mean '--model'?"),
    (["run", "--mod", "x"], "unknown option '--mod'; did you mean '--model'?"),
    (
      ["--model", "x"],
      "unknown option '--model' before the command; write it after the command: "
        + "probe-demo run --model"
    ),
    (
      ["completion", "--colour"],
      "unknown option '--colour'; there are: --threads, --help, --version"
    ),
    (
      ["completion", "-x"], "unknown option '-x'; there are: -t, -h, --threads, --help, --version"
    ),
    (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
    (["paint"], "unknown command 'paint'; there are: run, completion, copy"),
    ([], "missing command; choose one of: run, completion, copy; or see 'probe-demo --help'"),
    (["run", "--model"], "option '--model' needs a value (MODEL)"),
    (["run", "-m"], "option '-m' needs a value (MODEL)"),
    (["run"], "missing option '--model MODEL'; see 'probe-demo run --help'"),
    (["run", "-mx", "a", "b"], "unexpected argument 'b'; see 'probe-demo run --help'"),
    (["copy", "a"], "missing argument FILE; see 'probe-demo copy --help'"),
    (["run", "-mx", "--model=y"], "option '--model' is given more than once"),
    (["run", "-jj", "-mx"], "option '-j' is given more than once"),
    (["run", "--json=yes"], "option '--json' takes no value"),
    (
      ["run", "--metric", "logits"], "option '--metric' cannot be 'logits'; did you mean 'logit'?"
    ),
    (
      ["run", "--metric", "x"],
      "option '--metric' cannot be 'x'; choose one of: logit, probability, rank"
    ),
    (
      ["completion", "tcsh"], "argument SHELL cannot be 'tcsh'; choose one of: bash, zsh, fish"
    ),
  ]

  @Test(arguments: refusals)
  func refuses(arguments: [String], message: String) {
    #expect(problem(arguments) == message)
  }

  @Test(arguments: [["--help"], ["-h"], ["help"]])
  func showsHelpOfTheProgram(arguments: [String]) throws {
    guard case .help(let text) = try sampleCommand.parse(arguments) else {
      Issue.record("no help")
      return
    }
    #expect(text == sampleCommand.helpText())
  }

  @Test(arguments: [["run", "--help"], ["run", "-jh"], ["help", "run"], ["run", "a", "-h"]])
  func showsHelpOfACommand(arguments: [String]) throws {
    guard case .help(let text) = try sampleCommand.parse(arguments) else {
      Issue.record("no help")
      return
    }
    #expect(text == sampleCommand.helpText(for: ["run"]))
  }

  @Test func showsTheVersion() throws {
    guard case .version = try sampleCommand.parse(["--version"]) else {
      Issue.record("no version")
      return
    }
  }
}
