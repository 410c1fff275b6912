import Foundation
import Reports
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// A share of what `record` writes: some units, each in a file of its own, in a folder that all shares have.
struct RecordShare {
  let file: ActivationFile
  let prompts: [ActivationFile.Prompt]
  let hooks: [HookPoint]
  let engine: Engine
  /// Of the whole record.
  let index: JSONValue
  /// Of the whole file.
  let metadata: [String: String]

  /// Computes the units of the share that are not there.
  ///
  /// - Parameter out: the whole record's file.
  /// - Returns: the shares' folder.
  /// - Throws: `UserError`, after a signal with what is there on the disk.
  func callAsFunction(_ shard: Shard, out: String) throws -> String {
    let directory = try RunDirectory.open(
      root: "runs", name: "record", identity: try identity(), rowsFile: SharedActivations.rowsFile,
      shard: shard, path: SharedActivations.folder(of: out))
    directory.notes.forEach(Notes.write)
    let store = ActivationStore(run: directory.path)
    var known: Set<String> = []
    try directory.forEachRow { known.insert(try SharedActivations.Unit($0).key) }
    let units = file.units
    let own = units.enumerated().filter { directory.shard.owns($0.offset) }
      .map { (key: SharedActivations.key(of: $0.offset), unit: $0.element) }
    let missing = own.filter { !known.contains($0.key) || !store.contains($0.key) }
    guard directory.state != .complete || !missing.isEmpty else {
      Notes.write("share \(directory.shard) of this record is finished")
      return directory.path
    }
    RunManifest.begin(directory, engine: engine)
    directory.set(
      SharedActivations.metadataKey,
      .object(metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    try directory.writeManifest()
    try Files.write(
      Data((index.text + "\n").utf8), to: SharedActivations.indexPath(in: directory.path))
    let progress = Progress()
    defer { progress.finish() }
    Interruption.watch()
    try Files.makeFolder(store.folder)
    for (number, (key, unit)) in missing.enumerated() {
      let path = store.path(for: key)
      try file.write([unit], to: path, metadata: ["key": key])
      if !known.contains(key) {
        try directory.append([
          try SharedActivations.Unit(key: key, rows: unit.rows, path: path).json
        ])
      }
      progress.update(done: number + 1, total: missing.count, label: "units")
      if Interruption.isRequested {
        try directory.log("\(RunManifest.now()) stopped")
        try Interruption.check()
      }
    }
    try directory.finish(units: own.map(\.key))
    progress.finish()
    Notes.write(
      "share \(directory.shard) is finished: \(own.count) of \(units.count) units")
    return directory.path
  }

  private func identity() throws -> JSONValue {
    let positions = prompts.map { prompt in
      [prompt.tokens, prompt.positions].map { JSONValue.array($0.map(JSONValue.integer)) }
    }
    let text = JSONValue.array(positions.map(JSONValue.array)).text
    return [
      "kind": .string(SharedActivations.kind), "version": .string(Main.version),
      "arithmetic": Machine.arithmetic,
      "model": .string(try engine.model.digest(by: ModelStore().digests)),
      "hooks": .array(hooks.map { .string($0.description) }),
      "prompts": .string(SHA256.hash(of: Data(text.utf8))),
    ]
  }
}
