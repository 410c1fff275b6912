import Reports
import Testing

@testable import RuleVectors

/// How often simulated sections decide a sentence that holds only just: in at most 5 %.
enum Level {
  /// Numbers of episodes.
  static let sizes = [3, 6, 8, 32]

  private static func simulations(_ count: Int) -> Int { count > 8 ? 60 : 300 }

  /// The share of simulations in which a test at 5 % decides a claim.
  static func decided(
    _ count: Int, _ name: String, of section: (UInt64) throws -> Section
  ) throws -> Double {
    try decided(count, [name], of: section)[0]
  }

  /// The same of several claims of each section.
  static func decided(
    _ count: Int, _ names: [String], of section: (UInt64) throws -> Section
  ) throws -> [Double] {
    let simulations = simulations(count)
    var decided = names.map { _ in 0 }
    for simulation in 0..<UInt64(simulations) {
      let section = try section(simulation)
      for (index, name) in names.enumerated() {
        let claim = try #require(section.claim(name), "\(name)")
        if claim.pValue <= 0.05 { decided[index] += 1 }
      }
    }
    return decided.map { Double($0) / Double(simulations) }
  }

  static func expect(
    _ count: Int, _ rejected: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expect(count, [""], [rejected], sourceLocation: sourceLocation)
  }

  static func expect(
    _ count: Int, _ names: [String], _ rejected: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (name, rejected) in zip(names, rejected) {
      #expect(
        rejected <= 0.05 + threeErrors(0.05, simulations(count)),
        "\(name) \(rejected) at \(count)", sourceLocation: sourceLocation)
    }
  }
}
