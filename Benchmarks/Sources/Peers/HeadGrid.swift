import RuleVectors
import TensorCore
import Transformer

/// `grid_heads`: activation patching on pairs of prompts, the residual stream by layer and position and
/// the heads' outputs by layer and head, all of it as `icl-probe patch --pairs` does it.
struct HeadGrid {
  static let name = "grid_heads"
  /// Pairs of prompts; a unit of the comparison is one cell of one pair.
  static let pairCount = 32
  /// Cells that peers patch, of `resid_pre` and of `z`: as many parts as these are of all.
  private static let sampled = (residual: 5, heads: 3)

  /// What is patched at once.
  private struct Cell {
    let site: String
    let layer: Int
    /// Position or head.
    let index: Int
  }

  /// Peers take all pairs in one batch, which needs prompts of one length.
  private struct Pair {
    let clean: [Int]
    let corrupted: [Int]
    let answers: [Int]

    /// Positions before the first at which the prompts differ.
    var same: Int { zip(clean, corrupted).prefix { $0 == $1 }.count }
  }

  private let subject: PromptPairs
  private let probe: Probe
  private let beginToken: Int?
  private let pairs: [Pair]
  /// In the order of the experiment's rows.
  private let cells: [Cell]
  /// Of `cells`.
  private let chosen: [Int]

  /// - Parameter root: the package's folder.
  init(model: LanguageModel, root: String) throws {
    subject = try PromptPairs(contentsOf: root + "/pairs/indirect-object.jsonl")
    probe = try Probe(contentsOf: root + "/Benchmarks/\(Self.name).json")
    beginToken = try BeginTokenChoice.auto.token(for: model)
    let begin = beginToken.map { [$0] } ?? []
    let tokenizer = model.tokenizer
    pairs = try subject.pairs.prefix(Self.pairCount).map { pair in
      let clean = try tokenizer.encode(pair.clean)
      return Pair(
        clean: begin + clean, corrupted: begin + (try tokenizer.encode(pair.corrupted)),
        answers: try [pair.right, pair.wrong].map {
          try tokenizer.encode(pair.clean + $0)[clean.count]
        })
    }
    let length = pairs[0].clean.count
    guard pairs.allSatisfy({ $0.clean.count == length && $0.corrupted.count == length }) else {
      throw UserError("the pairs differ in length", at: subject.place)
    }
    func cells(_ site: String, _ count: Int) -> [Cell] {
      (0..<model.architecture.layers).flatMap { layer in
        (0..<count).map { Cell(site: site, layer: layer, index: $0) }
      }
    }
    let residual = cells("resid_pre", length)
    self.cells = residual + cells("z", model.architecture.heads)
    // Where both prompts are still the same, a patch changes nothing, and equal numbers would say
    // nothing. Peers' time does not depend on the cell.
    let same = pairs.map(\.same).min() ?? 0
    var random = RandomStream(seed: 0, path: [0x9EE3])
    chosen =
      random.sample(
        Self.sampled.residual, of: residual.indices.filter { residual[$0].index >= same })
      + random.sample(Self.sampled.heads, of: Array(residual.count..<self.cells.count))
  }

  var unitCount: Int { cells.count * pairs.count }

  /// Units that peers do, cell by cell: indices of what `run` gives.
  var sample: [Int] { chosen.flatMap { cell in pairs.indices.map { $0 * cells.count + cell } } }

  /// What peers read.
  var description: JSONValue {
    func lists(_ numbers: [[Int]]) -> JSONValue {
      .array(numbers.map { .array($0.map(JSONValue.integer)) })
    }
    return [
      "clean": lists(pairs.map(\.clean)), "corrupted": lists(pairs.map(\.corrupted)),
      "answers": lists(pairs.map(\.answers)),
      "cells": .array(
        chosen.map { index in
          [
            "site": .string(cells[index].site), "layer": .integer(cells[index].layer),
            "index": .integer(cells[index].index),
          ]
        }),
    ]
  }

  /// The experiment, with the preparations and checks that belong to it.
  ///
  /// - Returns: patched logit differences, pair by pair and cell by cell.
  func run(_ engine: Engine) throws -> [Double] {
    let laboratory = Laboratory(
      engine: engine, seed: 0, demonstrations: 0, beginToken: beginToken)
    let setting = Setting(
      subject: .pairs(subject), episodes: pairs.count, demonstrations: 0,
      architecture: engine.model.architecture, tokenizer: engine.model.tokenizer,
      tokens: try laboratory.typicalTokens(.pairs(subject)),
      findTask: { throw UserError("pairs need no task called \"\($0)\"") })
    let plan = try RunPlan([probe], setting)
    try plan.check(laboratory)
    var values: [Double] = []
    // As many verifications as `icl-probe patch` makes.
    try Runner(plan: plan, laboratory: laboratory, model: engine.model.name, verifications: 6)(
      known: [], append: { values += try $0.map { try $0.columns.number("logit_difference") } },
      watch: { _ in })
    return values
  }

  /// Floating-point operations of all units: those of patches that change something.
  func operations(_ arithmetic: Arithmetic) -> Double {
    pairs.reduce(0) { sum, pair in
      let tokens = pair.clean.count
      return cells.reduce(sum) { sum, cell in
        guard cell.site == "resid_pre" else {
          return sum
            + arithmetic.patchedHead(
              tokens: tokens, layer: cell.layer, positions: Array(pair.same..<tokens))
        }
        // What is before a block is behind the one below.
        return cell.index < pair.same
          ? sum
          : sum + arithmetic.patch(tokens: tokens, layer: cell.layer - 1, positions: [cell.index])
      }
    }
  }
}
