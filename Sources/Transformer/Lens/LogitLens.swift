import Foundation
import TensorCore

/// The logit lens (nostalgebraist 2020): what the model would say if a block were its last, from the
/// residual stream after each block through the final norm and the unembedding.
public struct LogitLens: Sendable {
  /// One block at one position.
  public struct Cell: Sendable {
    /// The likeliest token.
    public let top: Candidate
    /// The token that was asked for.
    public let answer: Candidate?
  }

  public struct Candidate: Sendable {
    public let token: Int
    public let logit: Float
    public let probability: Double
    /// How many tokens have a larger logit, and one.
    public let rank: Int
  }

  public let positions: [Int]
  /// `[layers, positions]`.
  public let cells: [[Cell]]

  /// - Parameters:
  ///   - run: a full run.
  ///   - positions: ascending.
  ///   - answer: the token to look for.
  public init(
    of run: RecordedRun, positions: [Int], answer: Int? = nil, engine: Engine,
    progress: (Int) -> Void = { _ in }
  ) throws {
    self.positions = positions
    let layers = engine.model.architecture.layers
    let last = HookPoint(.residualPost, layer: layers - 1)
    var cells: [[Cell]] = []
    for layer in 0..<layers {
      var row: [Cell] = []
      // So many at a time that their logits fit the memory.
      for start in stride(from: 0, to: positions.count, by: engine.shares.keptLogitRows) {
        let part = Array(positions[start...].prefix(engine.shares.keptLogitRows))
        // In place of the last block's output, so that nothing but the end is computed.
        let rows = RowSource(run.residualPost(layer: layer, positions: part))
        let result = try engine.forward(
          ForwardRequest(
            tokens: run.tokens, base: run,
            interventions: [
              .edit(ActivationEdit(at: last, positions: part, change: .replace(rows)))
            ],
            logits: LogitRequest(positions: part, tokens: .all, summarises: true)))
        row += result.logits.map { Self.cell($0, answer) }
      }
      cells.append(row)
      progress(layer + 1)
    }
    self.cells = cells
  }

  private static func cell(_ row: LogitRow, _ answer: Int?) -> Cell {
    let total = Double(row.summary?.logSumExp ?? 0)
    func candidate(_ token: Int) -> Candidate {
      let logit = row.logits[token]
      return Candidate(
        token: token, logit: logit, probability: exp(Double(logit) - total),
        rank: 1 + row.logits.count { $0 > logit })
    }
    return Cell(top: candidate(row.summary?.topToken ?? 0), answer: answer.map(candidate))
  }
}
