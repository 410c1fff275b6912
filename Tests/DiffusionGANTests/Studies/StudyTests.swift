import Foundation
import Reports
import Synchronization
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct StudyTests {
  static let text = """
    { "name": "s", "title": "t", "question": "q", "data": "fashion-mnist", "preset": "test",
      "networks": {"pretrained": null}, "teachers": [{"network": "pretrained", "steps": 2}],
      "count": 100, "development": [9], "seeds": [0, 1],
      "cells": [
        { "name": "t2", "method": "teacher", "network": "pretrained", "steps": 2, "seeds": [0] },
        { "name": "g", "method": "gan", "network": "pretrained", "freeze": "1",
          "learning_rates": [0.1, 0.2], "checkpoints": [10, 20] } ] }
    """

  static func study(_ text: String = text) throws -> Study {
    try Study(
      JSONReader(JSONValue(parsing: Data(text.utf8), place: "s.json"), place: "s.json"),
      digest: "d")
  }

  @Test func whatTheProjectShipsCanBeRead() throws {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/")
    for name in [
      "minima", "freezing", "ability", "frequency", "larger", "rivals", "levers", "levers-further",
      "levers-seen",
    ] {
      let study = try Study(contentsOf: "\(root.dropFirst())/studies/\(name).json")
      #expect(study.name == name && !study.cells.isEmpty)
    }
  }

  /// The levers are measured twice: a change to one file belongs in the other.
  @Test func leversAreTheSameRunsByOtherImages() throws {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/")
    let studies = try ["levers", "levers-seen"].map {
      try Study(contentsOf: "\(root.dropFirst())/studies/\($0).json")
    }
    #expect(studies[0].cells == studies[1].cells && studies[0].data == studies[1].data)
    #expect(studies.map(\.reference) == [.validation, .train])
  }

  @Test(arguments: [
    ("\"gan\"", "\"gaan\"", ["cells[1].method", "gaan", "distill-regression"]),
    ("\"freeze\": \"1\"", "\"freeze\": \"4\"", ["cells[1].freeze", "norm-affine"]),
    ("\"freeze\": \"1\"", "\"frozen\": 1", ["cells[1]", "unknown key \"frozen\"", "freeze"]),
    ("[10, 20]", "[20, 10]", ["cells[1]", "ascending"]),
    ("\"development\": [9]", "\"development\": [1]", ["development", "seed 1"]),
    ("\"development\": [9], ", "", ["cells[1]", "2 learning rates", "development"]),
    ("\"t2\"", "\"g\"", ["cells[1].name", "two cells"]),
    ("\"t2\"", "\"a/b\"", ["cells[0].name", "a/b"]),
    ("\"steps\": 2, ", "", ["cells[0]", "\"steps\" is missing"]),
    ("\"test\"", "\"tests\"", ["preset", "fashion16"]),
    ("\"count\": 100", "\"reference\": \"tests\"", ["reference", "tests", "train"]),
  ])
  func mistakesAreNamed(_ right: String, _ wrong: String, _ parts: [String]) throws {
    #expect(Self.text.contains(right))
    #expect {
      try Self.study(Self.text.replacingOccurrences(of: right, with: wrong))
    } throws: { error in
      let text = "\(error)"
      return !text.contains("\n") && text.contains("s.json") && parts.allSatisfy(text.contains)
    }
  }

  /// Gives the same weights for every task and counts what it is asked for.
  private final class CountingTrainer: StudyTrainer {
    let path: String
    /// Rates at which training diverges.
    let bad: [Double]
    let tasks = Mutex<[String]>([])

    init(_ path: String, divergesAt bad: [Double] = []) {
      self.path = path
      self.bad = bad
    }

    func snapshots(of task: StudyTask, at checkpoints: [Int]) throws -> [StudySnapshot] {
      if bad.contains(task.learningRate) { throw Divergence("diverged", "go back") }
      tasks.withLock {
        $0.append("\(task.cell.name) \(task.role.rawValue) \(task.learningRate) \(task.seed)")
      }
      return checkpoints.map { StudySnapshot(images: $0, path: path) }
    }
  }

  /// The study on untrained weights, and their file.
  private static func study(
    _ text: String = text, in scratch: Scratch
  ) throws -> (study: Study, network: String) {
    let denoiser = Denoiser(try UNet(NetworkTests.small))
    let network = scratch.file("n.safetensors")
    try NetworkFile(denoiser, weights: denoiser.network.initialParameters(seed: 1))
      .write(to: network)
    var study = try study(text)
    study.networks[0].path = network
    return (study, network)
  }

  private static func identity(of study: Study) throws -> JSONValue {
    try StudyRunner.identity(of: study, data: [], metrics: [], trainer: .null, version: "1")
  }

  private static func pictures() throws -> ImageDataset {
    try ImageDataset(
      name: "d", shape: ImageShape(channels: 1, height: 8, width: 8),
      pixels: (0..<120 * 64).map { UInt8($0 * 7919 % 251) })
  }

  /// Settings are chosen by images that nothing learned from, where the data keep some back.
  @Test func validationImagesChoose() throws {
    for (reference, reported) in [
      ("", DataSplit.test), ("\"reference\": \"validation\",", .validation),
    ] {
      let scratch = try Scratch()
      let (study, network) = try Self.study(
        Self.text.replacingOccurrences(of: "\"count\"", with: reference + "\"count\""),
        in: scratch)
      let run = try RunDirectory.open(
        root: scratch.file("runs"), name: "s", identity: Self.identity(of: study),
        rowsFile: StudyResults.rowsFile)
      let images = try Self.pictures()
      var runner = try StudyRunner(
        study, in: run, train: images,
        heldOut: [(.validation, images.subset(0..<40)), (.test, images.subset(40..<90))],
        metrics: [], trainer: CountingTrainer(network), pool: ThreadPool(count: 2))
      try runner()
      for row in try StudyResults(contentsOf: run.path).rows {
        let expected = row.role == .development ? .validation : reported
        #expect(row.reference == expected)
        #expect(row.referenceCount == (expected == .test ? 50 : 40))
      }
      if reported == .validation {
        expectUserError("s: ", "its data have none", "fashion-mnist:N") {
          _ = try StudyRunner(
            study, in: run, train: images, heldOut: [(.test, images)], metrics: [],
            trainer: CountingTrainer(network), pool: ThreadPool(count: 1))
        }
      }
    }
  }

  /// Rates may be compared before the end of the budget; what is reported is of the whole of it.
  @Test func ratesAreComparedAfterTheImagesThatTheStudySays() throws {
    let scratch = try Scratch()
    for (images, expected) in [(10, 10), (50, 20)] {
      let (study, network) = try Self.study(
        Self.text.replacingOccurrences(
          of: "\"seeds\": [0, 1]", with: "\"development_images\": \(images), \"seeds\": [0, 1]"),
        in: scratch)
      let run = try RunDirectory.open(
        root: scratch.path, name: "s\(images)",
        identity: Self.identity(of: study),
        rowsFile: StudyResults.rowsFile)
      var runner = try StudyRunner(
        study, in: run, train: Self.pictures(), heldOut: [], metrics: [],
        trainer: CountingTrainer(network), pool: ThreadPool(count: 2)
      ) { _, _, _ in }
      try runner()
      let rows = try StudyResults(contentsOf: run.path).rows.filter { $0.cell == "g" }
      #expect(rows.filter { $0.role == .development }.map(\.images) == [expected, expected])
      #expect(rows.filter { $0.role == .heldOut }.map(\.images) == [10, 20, 10, 20])
    }
  }

  /// What is held out is measured in every space; what chooses a learning rate in the first, and in pixels.
  @Test func developmentIsMeasuredInTheSpaceThatChooses() throws {
    struct Blocks: FeatureNetwork {
      let name: String
      func maps(_ pictures: Tensor) -> [Tensor] { [pictures] }
      func vectors(_ pictures: Tensor) -> Tensor {
        pictures.mean(over: [2]).reshaped([pictures.shape[0], 8])
      }
    }
    let scratch = try Scratch()
    let (study, network) = try Self.study(in: scratch)
    let run = try RunDirectory.open(
      root: scratch.path, name: "s", identity: Self.identity(of: study),
      rowsFile: StudyResults.rowsFile)
    var runner = try StudyRunner(
      study, in: run, train: Self.pictures(), heldOut: [],
      metrics: [Blocks(name: "one"), Blocks(name: "other")], trainer: CountingTrainer(network),
      pool: ThreadPool(count: 2)
    ) { _, _, _ in }
    try runner()
    let results = try StudyResults(contentsOf: run.path)
    #expect(results.spaces == ["one", "other", "pixels"])
    #expect(results.choices.map(\.metric) == ["one"])
    for row in results.rows {
      let expected = row.role == .development ? ["one", "pixels"] : ["one", "other", "pixels"]
      #expect(row.metrics.map(\.name) == expected)
    }
  }

  /// A learning rate at which training diverges is not chosen, and ends nothing unless all do.
  @Test func ratesThatDivergeArePassedOver() throws {
    let scratch = try Scratch()
    let (study, network) = try Self.study(in: scratch)
    func run(_ name: String, _ bad: [Double]) throws -> RunDirectory {
      let run = try RunDirectory.open(
        root: scratch.path, name: name,
        identity: Self.identity(of: study),
        rowsFile: StudyResults.rowsFile)
      var runner = try StudyRunner(
        study, in: run, train: Self.pictures(), heldOut: [], metrics: [],
        trainer: CountingTrainer(network, divergesAt: bad), pool: ThreadPool(count: 2)
      ) { _, _, _ in }
      try runner()
      return run
    }
    for (bad, good) in [(0.1, 0.2), (0.2, 0.1)] {
      let results = try StudyResults(contentsOf: run("s\(good)", [bad]).path)
      #expect(results.choices.map(\.learningRate) == [good])
      #expect(results.choices[0].candidates.map(\.learningRate) == [good])
      #expect(results.rows.filter { $0.cell == "g" }.allSatisfy { $0.learningRate == good })
    }
    expectUserError("diverges at each of its learning rates", "g") {
      _ = try run("none", [0.1, 0.2])
    }
  }

  @Test func beyondTheEnd() {
    #expect(StudyRunner.beyond([0.001, 0.0005, 0.002], best: 0.001) == nil)
    #expect(StudyRunner.beyond([0.001, 0.0005, 0.002], best: 0.002) == 0.004)
    #expect(StudyRunner.beyond([0.001, 0.0002], best: 0.0002) == 0.00004)
    #expect(StudyRunner.beyond([0.1], best: 0.1) == nil)
  }

  /// The best learning rate has others on both sides, those that diverge among them, or the study says where to stop.
  @Test(arguments: [
    (0.3, 5, [0.1, 0.2, 0.4]), (0.7, 5, [0.1, 0.2, 0.4, 0.8]), (0.7, 1, [0.1, 0.2, 0.4]),
  ])
  func noBestRateIsAtTheEnd(_ limit: Double, _ further: Int, _ tried: [Double]) throws {
    let scratch = try Scratch()
    let (study, network) = try Self.study(
      Self.text.replacingOccurrences(
        of: "\"seeds\": [0, 1]", with: "\"further_learning_rates\": \(further), \"seeds\": [0, 1]"),
      in: scratch)
    // Larger learning rates have pictures nearer to the data, up to a limit at which they diverge.
    struct Trainer: StudyTrainer {
      let scratch: Scratch
      let network: NetworkFile
      let limit: Double

      func snapshots(of task: StudyTask, at checkpoints: [Int]) throws -> [StudySnapshot] {
        if task.learningRate > limit { throw Divergence("diverged", "go back") }
        let path = scratch.file("learning-rate-\(task.learningRate).safetensors")
        let weights = network.weights.map { name, tensor in
          name.hasSuffix("out_conv.bias") || name.hasSuffix("aux_conv.bias")
            ? tensor + Float(0.1 / task.learningRate) : tensor
        }
        try NetworkFile(network.denoiser, weights: weights, startSigma: 80).write(to: path)
        return checkpoints.map { StudySnapshot(images: $0, path: path) }
      }
    }
    let run = try RunDirectory.open(
      root: scratch.path, name: "s",
      identity: Self.identity(of: study),
      rowsFile: StudyResults.rowsFile)
    var runner = try StudyRunner(
      study, in: run, train: Self.pictures(), heldOut: [], metrics: [],
      trainer: Trainer(
        scratch: scratch, network: NetworkFile(contentsOf: network), limit: limit),
      pool: ThreadPool(count: 2)
    ) { _, _, _ in }
    try runner()
    let choice = try #require(try StudyResults(contentsOf: run.path).choices.first)
    let learned = tried.filter { $0 <= limit }
    #expect(choice.candidates.map(\.learningRate) == learned && choice.learningRate == learned.last)
  }

  /// Cells and seeds divided among shares: the rows of a run that was not shared, and one choice of a learning rate.
  @Test func sharesComeToTheSameRows() throws {
    let scratch = try Scratch()
    let (study, network) = try Self.study(in: scratch)
    func run(_ folder: String, _ shard: Shard) throws -> String {
      let run = try RunDirectory.open(
        root: scratch.path, name: "s",
        identity: Self.identity(of: study),
        rowsFile: StudyResults.rowsFile, shard: shard, path: scratch.file(folder))
      var runner = try StudyRunner(
        study, in: run, train: Self.pictures(), heldOut: [], metrics: [],
        trainer: CountingTrainer(network), pool: ThreadPool(count: 1)
      ) { _, _, _ in }
      try runner()
      return run.path
    }
    let whole = try Files.read(run("whole", .whole) + "/\(StudyResults.rowsFile)")
    for count in [2, 7, 64] {
      let folder = "shares-\(count)"
      for index in (2...count).reversed() { _ = try run(folder, Shard(index, of: count)) }
      let path = scratch.file(folder)
      let error = #expect(throws: UserError.self) { try StudyResults.mergeShares(in: path) }
      #expect(error?.problem == "1 of \(count) shares are missing: 1 not begun")
      _ = try run(folder, Shard(1, of: count))
      try StudyResults.mergeShares(in: path)
      #expect(try Files.read("\(path)/\(StudyResults.rowsFile)") == whole)
      let results = try StudyResults(contentsOf: path)
      #expect(results.isFinished && results.choices.count == 1)
      // A share that needed the choice has the one that another made, or made the same.
      let text = String(
        decoding: try Files.read("\(path)/results-\(count == 2 ? 1 : 4)-of-\(count).jsonl"),
        as: UTF8.self)
      #expect(text.contains("\"choice\""))
    }
  }

  @Test func rowsAreMadeOnce() throws {
    let scratch = try Scratch()
    let (study, network) = try Self.study(in: scratch)
    let data = try Self.pictures()
    let trainer = CountingTrainer(network)
    func run(stopAt limit: Int? = nil) throws -> RunDirectory {
      let run = try RunDirectory.open(
        root: scratch.path, name: "s",
        identity: Self.identity(of: study),
        rowsFile: StudyResults.rowsFile)
      let steps = Mutex(0)
      var runner = try StudyRunner(
        study, in: run, train: data, heldOut: [], metrics: [], trainer: trainer,
        pool: ThreadPool(count: 2)
      ) { _, _, _ in
        let count = steps.withLock { count in
          count += 1
          return count
        }
        if count == limit { throw UserError("stopped") }
      }
      try runner()
      return run
    }
    // Stopped in many places, then to the end.
    for limit in [1, 4, 6, 9] { #expect(throws: UserError.self) { _ = try run(stopAt: limit) } }
    let path = try run().path
    let results = try StudyResults(contentsOf: path)
    let names = results.rows.map { "\($0.cell) \($0.role.rawValue) \($0.seed) \($0.images)" }
    #expect(
      Set(names).count == names.count - 1, "two development runs share all but the learning rate")
    #expect(results.rows.count == 1 + 2 + 4 && results.choices.count == 1 && results.isFinished)
    // The same weights at both learning rates: the first is taken.
    #expect(results.choices.first?.learningRate == 0.1)
    #expect(
      results.rows.filter { $0.role == .heldOut && $0.cell == "g" }.allSatisfy {
        $0.learningRate == 0.1
      })
    let asked = trainer.tasks.withLock { $0.count }
    _ = try run()
    #expect(trainer.tasks.withLock { $0.count } == asked)
    #expect(try StudyResults(contentsOf: path).rows.count == results.rows.count)
    let row = try #require(results.rows.first)
    let text = row.json.text
    #expect(
      try StudyRow(JSONReader(JSONValue(parsing: Data(text.utf8), place: "r"), place: "r")) == row)
    #expect(FileManager.default.fileExists(atPath: path + "/pictures/g-seed-0.png"))
    // Earlier versions' rows do not tell how many images they were measured against.
    var earlier = row.json.pairs
    earlier.removeAll { $0.0.hasPrefix("reference") }
    var read = try StudyRow(JSONReader(.object(earlier), place: "r"))
    #expect(read.referenceCount == 100 && read.reference == .test)
    read.reference = .train
    #expect(read == row)
  }

  /// What is left is told before each unit that is not done.
  @Test func unitsAreToldWithWhatIsLeft() throws {
    let scratch = try Scratch()
    let (study, network) = try Self.study(in: scratch)
    func told() throws -> [String] {
      let run = try RunDirectory.open(
        root: scratch.path, name: "s", identity: Self.identity(of: study),
        rowsFile: StudyResults.rowsFile)
      var runner = try StudyRunner(
        study, in: run, train: Self.pictures(), heldOut: [], metrics: [],
        trainer: CountingTrainer(network), pool: ThreadPool(count: 1))
      var told: [String] = []
      runner.begins = {
        told.append("\($0.unit), \($0.number) of \($0.count): \($0.trained) and \($0.left)")
      }
      try runner()
      return told
    }
    #expect(
      try told() == [
        "t2/seed-0, 1 of 4: 0 and 80", "g/choice, 2 of 4: 0 and 80",
        "g/seed-0, 3 of 4: 40 and 40", "g/seed-1, 4 of 4: 60 and 20",
      ])
    #expect(try told() == [])
  }

  /// Test images measure what is reported, unless the study only looks around; what chooses a learning rate is measured
  /// against training images. (Recall is a share of as many as there are.)
  @Test(arguments: [DataSplit.train, .test])
  func onlyWhatIsReportedSeesTestImages(reference: DataSplit) throws {
    let scratch = try Scratch()
    let (study, network) = try Self.study(
      Self.text.replacingOccurrences(
        of: "\"count\"", with: "\"reference\": \"\(reference.rawValue)\", \"count\""),
      in: scratch)
    let run = try RunDirectory.open(
      root: scratch.path, name: "s",
      identity: Self.identity(of: study),
      rowsFile: StudyResults.rowsFile)
    let data = try Self.pictures()
    var runner = try StudyRunner(
      study, in: run, train: data, heldOut: [(.test, data.subset(Array(0..<90)))], metrics: [],
      trainer: CountingTrainer(network), pool: ThreadPool(count: 2))
    try runner()
    let rows = try StudyResults(contentsOf: run.path).rows
    #expect(Set(rows.map(\.role)) == [.development, .heldOut])
    for row in rows {
      let isTested = row.role == .heldOut && reference == .test
      #expect(row.count == 100 && row.referenceCount == (isTested ? 90 : 100), "\(row.cell)")
      #expect(row.reference == (isTested ? .test : .train))
    }
  }
}
