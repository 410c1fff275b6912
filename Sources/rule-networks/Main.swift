import Foundation
import RuleVectors
import TensorCore
import Transformer

/// `rule-networks [--out FOLDER] [--train]`: writes the networks that are compiled by hand, a folder each, or
/// trains the one that learns.
@main
enum Main {
  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      note("rule-networks: \(error)")
      exit((error as? UserError)?.status.rawValue ?? UserError.Status.failed.rawValue)
    }
  }

  private static func note(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  private static func run(_ arguments: [String]) throws {
    var folder = "networks"
    var trains = false
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch (argument, rest.first) {
      case ("--train", _): trains = true
      case ("--out", let value?):
        folder = value
        rest.removeFirst()
      default:
        throw UserError(
          "found \(argument), allowed are --out FOLDER and --train",
          remedy: "name the folder to write to", status: .usage)
      }
    }
    let task = try RuleTask(named: "multi-demo-rule", in: DataFolder.find("tasks"))
    if trains { try train(task, in: folder) } else { try compile(task, in: folder) }
  }

  private static func compile(_ task: RuleTask, in folder: String) throws {
    let vocabulary = try NetworkVocabulary(task)
    for kind in CompiledNetwork.Kind.allCases {
      let path = "\(folder)/\(kind.rawValue)"
      try CompiledNetwork(kind, vocabulary).write(to: path)
      print(path)
    }
  }

  private static func train(_ task: RuleTask, in folder: String) throws {
    let neighbour = "\(folder)/\(CompiledNetwork.Kind.single.rawValue)"
    let tokenizer = try LanguageModel(path: neighbour).tokenizer
    let network = try LearnedNetwork(vocabulary: tokenizer.vocabularySize)
    var learning = try RuleLearning(network, on: task, tokenizer: tokenizer)
    let start = Date()
    var (loss, accuracy) = (0.0, 0.0)
    while learning.steps < learning.settings.steps {
      let figures = try learning.step()
      loss += Double(figures.loss) / 100
      accuracy += figures.accuracy / 100
      guard learning.steps.isMultiple(of: 100) else { continue }
      let seconds = Int(Date().timeIntervalSince(start))
      note(
        "step \(learning.steps), stage \(learning.stage): loss \(Float(loss)), accuracy \(Float(accuracy)), \(seconds) s"
      )
      (loss, accuracy) = (0, 0)
    }
    let path = "\(folder)/\(LearnedNetwork.name)"
    try network.write(learning.weights, to: path, tokenizerOf: neighbour)
    print(path)
  }
}
