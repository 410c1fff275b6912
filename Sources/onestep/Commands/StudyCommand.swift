import DiffusionGAN
import Foundation
import Reports
import TensorCore
import Terminal

/// `onestep study`: runs an experiment that a JSON file describes.
enum StudyCommand: Command {
  static let specification = CommandSpecification(
    name: "study", summary: "Run an experiment on one-step generators.",
    discussion: """
      A study is a JSON file in studies/ (or anywhere) that lists cells: methods, learning rates, seeds and \
      the numbers of images after which networks are measured. Each measured network becomes a line \
      of results.jsonl in the run's folder. The same command continues a run that was stopped, by \
      Ctrl-C for instance; training saves its state first. What cells train lies in \
      training-runs/, where studies share it, or with --out in that folder. Without a name, the \
      studies there are.
      """,
    arguments: [
      ArgumentSpecification(
        name: "STUDY", help: "Name of a study, or a JSON file.", isOptional: true)
    ],
    options: [
      OptionSpecification(
        long: "network", valueName: "NAME=FILE",
        help: "The snapshot that the study calls NAME; may be given again.", repeats: true),
      OptionSpecification(
        long: "metric", valueName: "FILE",
        help: """
          A network of features train that images are measured by, beside raw pixels; of another kind \
          and seed than the discriminator's. May be given again.
          """, repeats: true),
      OptionSpecification(
        long: "features", valueName: "FILE",
        help: "What discriminators look through; may be given again.",
        defaultText: "encoder, the pretrained network's own", repeats: true),
      OptionSpecification(
        long: "cells", valueName: "LIST", help: "Only these cells.", defaultText: "all"),
      OptionSpecification(
        long: "count", valueName: "N", help: "Images drawn of each network.",
        defaultText: "the study's"),
      OptionSpecification(
        long: "out", valueName: "FOLDER", help: "Folder of the run and of all that it trains.",
        defaultText: "study-runs/NAME-NUMBER"),
      CommonOptions.threads, CommonOptions.shard,
    ],
    examples: [
      CommandExample(
        line: "onestep study minima --network pretrained=snapshot-000400.safetensors",
        comment: "students beside their teacher"),
      CommandExample(line: "onestep report", comment: "what came out"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    guard let name = parsed.argument("STUDY") else { return try list() }
    let shard = try CommonOptions.shard(parsed)
    let whole = try Study(contentsOf: path(of: name))
    let study = try settled(whole, parsed)
    let pool = try CommonOptions.pool(parsed)
    // The networks first: they are where a mistake is likeliest.
    let paths = parsed.strings("metric")
    let metrics = try paths.map { try FeatureNetworkFile.load($0) }
    let trainers = try StudyTrainers(
      whole, features: parsed.strings("features"), threads: pool.count,
      root: parsed.string("out").map { "\($0)/training-runs" } ?? TrainingOptions.root)
    let source = try DataSource(study.data)
    let train = try study.preset.prepare(source.load(.train, pool: pool))
    let heldOut = try source.splits.filter { $0 != .train }.map {
      ($0, try study.preset.prepare(source.load($0, pool: pool)))
    }
    for images in heldOut { try EvaluationSets.check(train: train, heldOut: images) }
    if heldOut.isEmpty { try EvaluationSets.check(train: train, heldOut: nil) }
    for metric in metrics { try metric.check(train.shape) }
    try checkNetworks(of: study, draw: train.shape)
    let identity = try StudyRunner.identity(
      of: study,
      data: [("train", .string(train.sha256))]
        + heldOut.map { ($0.rawValue, .string($1.sha256)) },
      metrics: try paths.map { try FeatureNetworkFile.identity(of: $0) },
      trainer: trainers.identity,
      version: Main.program.version)
    try trainers.check(study, on: train.shape)
    let run = try RunDirectory.open(
      root: "study-runs", name: study.name, identity: identity,
      rowsFile: StudyResults.rowsFile, shard: shard, path: parsed.string("out"))
    Interruption.watch()
    let progress = Progress()
    var runner = try StudyRunner(
      study, in: run, train: train, heldOut: heldOut, metrics: metrics, trainer: trainers,
      pool: pool
    ) { label, done, total in
      progress.update(done: done, total: total, label: label)
      if Interruption.isRequested {
        throw UserError(
          "stopped", at: run.path, remedy: "the same command continues",
          status: Interruption.status)
      }
    }
    for note in run.notes { progress.note(note) }
    progress.note("run \(run.path)")
    let start = ContinuousClock.now
    runner.begins = { unit in
      let seconds = Double((ContinuousClock.now - start).components.seconds)
      let left =
        unit.trained > 0
        ? ", about \(ProgressStatus.duration(seconds * Double(unit.left) / Double(unit.trained))) left"
        : ""
      progress.note("\(unit.unit): \(unit.number) of \(unit.count)\(left)")
    }
    try runner()
    progress.finish()
    print(run.path)
  }

  /// - Throws: `UserError` for a network that cannot be read or draws pictures of another shape.
  private static func checkNetworks(of study: Study, draw shape: ImageShape) throws {
    for (name, path) in study.networks {
      guard let path, study.needs(name) else { continue }
      let network = try NetworkFile(contentsOf: path)
      guard !network.isOneStep || !study.teaches(name) else {
        throw UserError(
          "is a one-step generator, which teaches nothing, and \(name) is a teacher of the study",
          at: path,
          remedy: "give the network that it was made of")
      }
      let found = try SeededSampling(network).shape
      guard found == shape else {
        throw UserError(
          "the network \(name) draws \(found), the study's images are \(shape)", at: path,
          remedy: "give a network of the preset \(study.preset.name)")
      }
    }
  }

  /// The study with what the command line says of it.
  private static func settled(_ study: Study, _ parsed: ParsedCommand) throws -> Study {
    var study = study
    for text in parsed.strings("network") {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2,
        let place = study.networks.firstIndex(where: { $0.name == parts[0] })
      else {
        let known = study.networks.map { "\($0.name)=FILE" }.joined(separator: ", ")
        throw UserError(
          "option '--network' must be one of \(known), not '\(text)'", status: .usage)
      }
      study.networks[place].path = DataFolder.network(parts[1])
    }
    if let count = try parsed.integer("count", in: 8...1_000_000) { study.count = count }
    if let names = try parsed.list("cells") {
      for name in names where !study.cells.contains(where: { $0.name == name }) {
        throw UserError(
          "the study has no cell '\(name)'", at: study.name,
          remedy: "choose of \(study.cells.map(\.name).joined(separator: ", "))", status: .usage)
      }
      study.cells = study.cells.filter { names.contains($0.name) }
    }
    return study
  }

  private static func path(of name: String) throws -> String {
    if name.hasSuffix(".json") { return name }
    let folder = try DataFolder.find("studies")
    let path = "\(folder)/\(name).json"
    guard FileManager.default.fileExists(atPath: path) else {
      throw UserError(
        "there is no study '\(name)'", at: folder,
        remedy: "choose of \(try names(in: folder).joined(separator: ", "))", status: .usage)
    }
    return path
  }

  private static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
      .map { String($0.dropLast(5)) }.sorted()
  }

  private static func list() throws {
    let folder = try DataFolder.find("studies")
    for name in try names(in: folder) {
      let study = try Study(contentsOf: "\(folder)/\(name).json")
      print("\(study.name): \(study.title)\n  \(study.question)")
    }
  }
}
