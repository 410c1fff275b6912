import Reports
import Testing

@testable import RuleVectors

/// What estimates save as control variates, by simulation: cells whose effects vary together from prompt to prompt,
/// estimates with errors of their own.
@Suite struct AttributionSavingTests {
  /// The rows of a prompt: a third of the effects are known, drawn anew for every prompt.
  private func prompt(_ simulation: UInt64, _ number: UInt64) -> [AttributionRow] {
    let cells = 12
    let numbers = normals(3 * cells + 1, 90, simulation, number)
    return (0..<cells).map { cell in
      let effect = 1 + Double(cell) / 6 + numbers[3 * cells] + 0.5 * numbers[3 * cell]
      return AttributionRow(
        cell: GridCell(site: .residualPost, axis: .role, layer: cell, label: "answers", head: nil),
        estimate: 0, integrated: effect + 0.6 * numbers[3 * cell + 1],
        drawn: numbers[3 * cell + 2] > 0.43 ? .random : nil, rank: false, rankIntegrated: false,
        exact: numbers[3 * cell + 2] > 0.43 ? effect : nil, gap: 4)
    }
  }

  @Test(arguments: [16, 32]) func jackknivesOverPromptsCover(count: Int) {
    let simulations = 200
    for value in [AttributionCells.saving, AttributionCells.rest] {
      // The truth: what so many prompts give on average.
      var (intervals, sum) = ([Interval](), 0.0)
      for simulation in 0..<UInt64(simulations) {
        let prompts = (0..<UInt64(count)).map { prompt(simulation, $0) }
        func found(without left: Int?) -> Double {
          value(
            AttributionCells(prompts.indices.filter { $0 != left }.flatMap { prompts[$0] }).cells)
        }
        let interval = Jackknife.interval(
          of: found(without: nil), leftOut: prompts.indices.map { found(without: $0) })
        sum += interval.estimate
        intervals.append(interval)
      }
      let truth = sum / Double(simulations)
      let covered = intervals.count { $0.low <= truth && truth <= $0.high }
      let share = Double(covered) / Double(simulations)
      #expect(share > 0.95 - threeErrors(0.95, simulations), "\(share) at \(count)")
    }
  }
}
