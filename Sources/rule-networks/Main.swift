import Foundation
import RuleVectors
import TensorCore

/// `rule-networks [--out FOLDER]`: writes the networks whose mechanism is known, a folder each.
@main
enum Main {
  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("rule-networks: \(error)\n".utf8))
      exit((error as? UserError)?.status.rawValue ?? UserError.Status.failed.rawValue)
    }
  }

  private static func run(_ arguments: [String]) throws {
    guard arguments.isEmpty || (arguments.count == 2 && arguments[0] == "--out") else {
      throw UserError(
        "found \(arguments.joined(separator: " ")), allowed is --out FOLDER",
        remedy: "name the folder to write to", status: .usage)
    }
    let folder = arguments.last ?? "networks"
    let task = try RuleTask(named: "multi-demo-rule", in: DataFolder.find("tasks"))
    let vocabulary = try NetworkVocabulary(task)
    for kind in CompiledNetwork.Kind.allCases {
      let path = "\(folder)/\(kind.rawValue)"
      try CompiledNetwork(kind, vocabulary).write(to: path)
      print(path)
    }
  }
}
