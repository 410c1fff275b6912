import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Recorded activations fit together as the equations of the transformer say.
@Suite struct ActivationIdentityTests {
  typealias Site = HookPoint.Site
  static let tokens = RandomVariants.recipient

  /// Every site of one block of a run, `[positions, site width]`.
  private func record(
    layer: Int, interventions: [Intervention] = []
  ) throws -> ([Site: Tensor], Architecture) {
    let engine = try Golden.engine()
    let hooks = HookPoint.all(layer: layer)
    let result = try engine.forward(
      ForwardRequest(
        tokens: Self.tokens, interventions: interventions,
        recordings: hooks.map { Recording($0) }))
    let tensors = zip(hooks, result.recorded).map { ($0.site, RowSource($1).tensor) }
    return (Dictionary(uniqueKeysWithValues: tensors), engine.model.architecture)
  }

  private func difference(_ a: [Float], _ b: [Float]) -> Double { relativeError(a, b) }

  @Test(arguments: [0, 13, 29])
  func residualStreamIsTheSumOfItsParts(layer: Int) throws {
    let (recorded, _) = try record(layer: layer)
    func values(_ site: Site) throws -> [Float] { try #require(recorded[site]).values }
    func sum(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
    let middle = try sum(values(.residualPre), values(.attentionOutput))
    #expect(difference(try values(.residualMiddle), middle) < 1e-6)
    let post = try sum(values(.residualMiddle), values(.mlpOutput))
    #expect(difference(try values(.residualPost), post) < 1e-6)
    if layer == 0 { #expect(try values(.embedding) == values(.residualPre)) }
  }

  @Test(arguments: [0, 13, 29])
  func attentionIsTheSoftmaxOfScoresTimesValues(layer: Int) throws {
    let (recorded, architecture) = try record(layer: layer)
    let scores = try #require(recorded[.scores])
    let pattern = try #require(recorded[.pattern])
    let queries = try #require(recorded[.rotatedQuery])
    let keys = try #require(recorded[.rotatedKey])
    let values = try #require(recorded[.value])
    let mixed = try #require(recorded[.headOutput])
    let length = Self.tokens.count
    let width = architecture.headWidth
    for position in 0..<length {
      for head in 0..<architecture.heads {
        let group = head / architecture.headsPerGroup
        let weights = Array(pattern.row(position)[head * length..<(head + 1) * length])
        let row = Array(scores.row(position)[head * length..<(head + 1) * length])
        #expect(row[(position + 1)...].allSatisfy { $0 == -.infinity })
        #expect(weights[(position + 1)...].allSatisfy { $0 == 0 })
        let maximum = row.max() ?? 0
        let exponentials = row.map { exp(Double($0 - maximum)) }
        let total = exponentials.reduce(0, +)
        #expect(largestDifference(weights, exponentials.map { Float($0 / total) }) < 1e-6)
        for key in 0...position {
          let q = queries.row(position)[head * width..<(head + 1) * width]
          let k = keys.row(key)[group * width..<(group + 1) * width]
          let product = zip(q, k).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
          #expect(abs(Double(row[key]) - product / Double(width).squareRoot()) < 1e-3)
        }
        let expected = (0..<width).map { column in
          (0..<length).reduce(Float(0)) {
            $0 + weights[$1] * values.row($1)[group * width + column]
          }
        }
        let actual = Array(mixed.row(position)[head * width..<(head + 1) * width])
        #expect(largestDifference(actual, expected) < 1e-4)
      }
    }
  }

  @Test func rotationKeepsTheNormOfEachHead() throws {
    let (recorded, architecture) = try record(layer: 7)
    let pairs: [(Site, Site)] = [(.query, .rotatedQuery), (.key, .rotatedKey)]
    for (before, after) in pairs {
      let plain = try #require(recorded[before]).values
      let rotated = try #require(recorded[after]).values
      #expect(difference(plain, rotated) > 0.1)
      // Position 0 is not turned.
      let first = recorded[before].map { $0.columns } ?? 0
      #expect(Array(plain[..<first]) == Array(rotated[..<first]))
      for start in stride(from: 0, to: plain.count, by: architecture.headWidth) {
        func norm(_ values: [Float]) -> Float {
          values[start..<start + architecture.headWidth].reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        #expect(abs(norm(plain) - norm(rotated)) < 1e-4 * max(norm(plain), 1))
      }
    }
  }

  @Test func aQueryLeftWithItselfCopiesItsOwnValues() throws {
    let query = 6
    let keys = Self.tokens.indices.filter { $0 != query }
    let (recorded, architecture) = try record(
      layer: 9,
      interventions: [.knockout(EdgeKnockout(layers: 9...9, queries: [query], keys: keys))])
    let mixed = try #require(recorded[.headOutput]).row(query)
    let own = try #require(recorded[.value]).row(query)
    let width = architecture.headWidth
    for head in 0..<architecture.heads {
      let group = head / architecture.headsPerGroup
      #expect(
        largestDifference(
          Array(mixed[head * width..<(head + 1) * width]),
          Array(own[group * width..<(group + 1) * width])) < 1e-6)
    }
    let scores = try #require(recorded[.scores]).row(query)
    #expect(scores.count { $0 > -.infinity } == architecture.heads)
  }

  @Test func aQueryLeftWithNothingAttendsToNothing() throws {
    let (recorded, architecture) = try record(
      layer: 9,
      interventions: [
        .knockout(EdgeKnockout(layers: 9...9, heads: [4], queries: [6], keys: Array(0...6)))
      ])
    let width = architecture.headWidth
    let mixed = try #require(recorded[.headOutput]).row(6)
    #expect(mixed[4 * width..<5 * width].allSatisfy { $0 == 0 })
    #expect(mixed[5 * width..<6 * width].contains { $0 != 0 })
  }
}
