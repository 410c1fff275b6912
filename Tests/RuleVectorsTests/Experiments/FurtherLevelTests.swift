import Reports
import TensorCore
import Testing

@testable import RuleVectors

/// How often the sentences on paths, saliency and vectors are decided where what they say holds only
/// just.
@Suite struct FurtherLevelTests {
  /// Heads write nothing on average, on no path. Noise chooses senders, edges and heads, on other
  /// episodes.
  @Test(arguments: Level.sizes) func headsThatWriteNothing(count: Int) throws {
    let names = [
      "answers-write", "directly", "directly-over-later-answers", "answer-last",
      "answer-later-answers-last", "heads",
    ]
    let decided = try Level.decided(count, names) { simulation in
      try SectionFixtures.path(episodes: count) { split, episode, layer in
        let noise = normals(
          8, 70, simulation, split == .development ? 1 : 0, UInt64(episode), UInt64(layer))
        return SectionFixtures.PathDraw(
          parts: Array(noise[..<4]), atLast: noise[4], atLaterAnswers: noise[5],
          pairs: Array(noise[6...]))
      }
    }
    Level.expect(count, names, decided)
  }

  /// Half of what heads write goes to the last position directly, as much as through later answers.
  @Test(arguments: Level.sizes) func halfGoesDirectly(count: Int) throws {
    let names = ["directly", "directly-over-later-answers"]
    let decided = try Level.decided(count, names) { simulation in
      try SectionFixtures.path(episodes: count) { split, episode, layer in
        let noise = normals(
          2, 71, simulation, split == .development ? 1 : 0, UInt64(episode), UInt64(layer))
        let half = 4 + noise[0]
        return SectionFixtures.PathDraw(parts: [half + noise[1], 0, half - noise[1], 0])
      }
    }
    Level.expect(count, names, decided)
  }

  /// All edges have saliency alike, skewed as absolute values are, and what gradients say of cuts has
  /// nothing to do with what these cost.
  @Test(arguments: Level.sizes) func edgesAreAllAlike(count: Int) throws {
    let names = ["input-own-answer", "answer-last", "gradients-agree"]
    let classes = EdgeClass.allCases
    func number(_ edges: EdgeClass?) -> UInt64 {
      UInt64(edges.flatMap { classes.firstIndex(of: $0) } ?? classes.count)
    }
    let decided = try Level.decided(count, names) { simulation in
      try SectionFixtures.saliency(
        episodes: count,
        saliency: { episode, edges, layer in
          abs(normals(1, 72, simulation, UInt64(episode), number(edges), UInt64(layer))[0])
        },
        cut: { episode, edges, window in
          let noise = normals(
            2, 73, simulation, UInt64(episode), number(edges), UInt64(window))
          return (noise[0], noise[1])
        })
    }
    Level.expect(count, names, decided)
  }

  /// The function vector brings exactly the margin of what demonstrations bring, on average, after the
  /// layer that other episodes chose by their noise.
  @Test(arguments: Level.sizes) func functionVectorAtTheMargin(count: Int) throws {
    let names = [
      "little.zero-shot", "control.known.zero-shot", "less-than-control.known.zero-shot",
    ]
    let decided = try Level.decided(count, names) { simulation in
      func draws(_ stream: UInt64) -> [(gap: Double, effects: [Double])] {
        let noise = normals(3 * count, 74, stream, simulation)
        return (0..<count).map { episode in
          let gap = 8 + noise[3 * episode]
          return (gap, (1...2).map { 0.25 * gap + 2 * noise[3 * episode + $0] })
        }
      }
      let development = normals(4, 75, simulation)
      return try SectionFixtures.functionVector(
        own: draws(0), control: draws(1),
        development: [Array(development[..<2]), Array(development[2...])])
    }
    Level.expect(count, names, decided)
  }

  /// Fitted vectors bring exactly the margin, and so do means and vectors for each label. Noise chooses
  /// the layers, on other rules.
  @Test(arguments: Level.sizes) func fittedVectorAtTheMargin(count: Int) throws {
    let ones = ["one-zero-shot", "one-dummy"]
    let names =
      ones.flatMap { ["little.\($0)", "control.known.\($0)", "beyond-mean.\($0)"] }
      + ["beyond-one.each-label-dummy"]
    let decided = try Level.decided(count, names) { simulation in
      func draws(_ count: Int, _ stream: UInt64) -> [SectionFixtures.FittedDraw] {
        (0..<count).map { episode in
          let noise = normals(11, 76, stream, simulation, UInt64(episode))
          let gap = 8 + 2 * noise[10]
          func effects(_ first: Int) -> [Double] {
            noise[first..<first + 2].map { 0.25 * gap + 2 * $0 }
          }
          return SectionFixtures.FittedDraw(
            gap: gap,
            fitted: [.oneZeroShot: effects(0), .oneDummy: effects(2), .eachLabelDummy: effects(4)],
            mean: [.oneZeroShot: effects(6), .oneDummy: effects(8)])
        }
      }
      return try SectionFixtures.fittedVector(
        own: draws(count, 0), control: draws(count, 1), development: draws(4, 2))
    }
    Level.expect(count, names, decided)
  }
}
