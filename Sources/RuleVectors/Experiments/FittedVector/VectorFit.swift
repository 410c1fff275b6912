import Foundation
import TensorCore
import Transformer

/// Vectors added to the residual stream after a block, fitted by Adam so that prompts give their right
/// answers: the mean cross entropy over the vocabulary falls.
struct VectorFit {
  /// Where a vector is added.
  struct Place {
    let position: Int
    let vector: Int
  }

  /// One prompt, and where which vectors are added to it.
  struct Target {
    let prompt: RecordedPrompt
    let places: [Place]
    /// The rule that the prompt is of: courses are by rule.
    let group: Int
  }

  /// Mean cross entropy of a rule's prompts, in nats.
  struct Course: Equatable, Sendable {
    let before: Double
    let after: Double
  }

  /// `[vectors, width]`.
  private(set) var vectors: Tensor
  private(set) var courses: [Course]

  /// - Parameters:
  ///   - starts: vectors to begin with, `[vectors, width]`; those of a rule with the lowest loss.
  ///   - layer: vectors are added to the residual stream after this block, which is not the last.
  ///   - learningRate: as a share of the residual stream's root mean square at the places; falls to 0 along
  ///     half a cosine.
  init(
    _ laboratory: Laboratory, _ targets: [Target], from starts: [Tensor], groups: Int, layer: Int,
    steps: Int, learningRate: Float
  ) throws {
    let size = Self.rootMeanSquare(targets, layer)
    var parameters = Parameters([
      ("vectors", try Self.best(starts, laboratory, targets, groups, layer))
    ])
    var optimiser = Adam(parameters)
    var first: [Double] = []
    for step in 0..<steps {
      try laboratory.watch?()
      let (losses, gradient) = try Self.evaluate(
        laboratory, targets, parameters["vectors"], groups, layer)
      if step == 0 { first = losses }
      let decay = (1 + cos(Double.pi * Double(step) / Double(steps))) / 2
      optimiser.step(
        &parameters, gradients: Parameters([("vectors", gradient)]),
        rate: learningRate * size * Float(decay))
    }
    vectors = parameters["vectors"]
    let last = try Self.evaluate(laboratory, targets, vectors, groups, layer).losses
    courses = zip(first, last).map { Course(before: $0, after: $1) }
  }

  /// For each group the vectors of the start that its prompts lose least with, the first of equals.
  private static func best(
    _ starts: [Tensor], _ laboratory: Laboratory, _ targets: [Target], _ groups: Int, _ layer: Int
  ) throws -> Tensor {
    guard var chosen = starts.first, starts.count > 1 else {
      return starts.first ?? Tensor(zeros: [0, 0])
    }
    let losses = try starts.map { try evaluate(laboratory, targets, $0, groups, layer).losses }
    let width = chosen.columns
    for target in targets {
      let best = losses.indices.min { losses[$0][target.group] < losses[$1][target.group] } ?? 0
      for place in target.places {
        for column in place.vector * width..<(place.vector + 1) * width {
          chosen[column] = starts[best][column]
        }
      }
    }
    return chosen
  }

  private static func rootMeanSquare(_ targets: [Target], _ layer: Int) -> Float {
    var (sum, count) = (0.0, 0)
    for target in targets {
      let rows = target.prompt.run.residualPost(
        layer: layer, positions: target.places.map(\.position))
      sum += rows.values.reduce(0) { $0 + Double($1) * Double($1) }
      count += rows.count
    }
    return Float((sum / Double(max(count, 1))).squareRoot())
  }

  /// Mean cross entropy by group, and the gradient of their sum by the vectors.
  private static func evaluate(
    _ laboratory: Laboratory, _ targets: [Target], _ vectors: Tensor, _ groups: Int, _ layer: Int
  ) throws -> (losses: [Double], gradient: Tensor) {
    let width = vectors.columns
    let hook = HookPoint(.residualPre, layer: layer + 1)
    let sizes = (0..<groups).map { group in targets.count { $0.group == group } }
    let requests = targets.map { target in
      let first = target.places.map(\.position).min() ?? target.prompt.lastPosition
      var rows = target.prompt.run.residualPost(
        layer: layer, positions: Array(first..<target.prompt.tokens.count))
      rows.withMutablePointer { rows in
        vectors.withPointer { vectors in
          for place in target.places {
            let row = rows + (place.position - first) * width
            for column in 0..<width { row[column] += vectors[place.vector * width + column] }
          }
        }
      }
      return GradientRequest(
        tokens: target.prompt.tokens, objective: .logProbability(target.prompt.contrast.right),
        base: target.prompt.run, start: .init(layer: layer + 1, rows: rows), hooks: [hook])
    }
    let results = try laboratory.engine.gradients(requests)
    var losses = [Double](repeating: 0, count: groups)
    var gradient = Tensor(zeros: vectors.shape)
    gradient.withMutablePointer { sum in
      for (target, (request, result)) in zip(targets, zip(requests, results)) {
        let weight = 1 / Double(sizes[target.group])
        losses[target.group] -= weight * Double(result.value)
        result.gradients[0].withPointer { rows in
          for place in target.places {
            let row = rows + (place.position - request.firstPosition) * width
            for column in 0..<width {
              sum[place.vector * width + column] -= Float(weight) * row[column]
            }
          }
        }
      }
    }
    return (losses, gradient)
  }
}
