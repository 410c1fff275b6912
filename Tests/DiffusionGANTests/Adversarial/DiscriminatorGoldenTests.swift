import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// The discriminator's parts against f64 values of a torch script that follows the published formulas:
/// mixing, spectral norm, batch norm, class projection, and R1 with its gradient.
@Suite struct DiscriminatorGoldenTests {
  private let file: SafetensorsFile

  init() throws { file = try SafetensorsFile("\(Golden.folder)/discriminator.safetensors") }

  private func tensor(_ name: String) throws -> Tensor {
    Tensor(try file.floats(name), shape: try file.shape(of: name))
  }

  private func close(_ found: Tensor, _ name: String, within bound: Float = 1e-5) throws {
    let expected = try tensor(name)
    #expect(found.shape == expected.shape, "\(name)")
    let scale = expected.values.map(abs).max() ?? 0
    let error = zip(found.values, expected.values).map { abs($0 - $1) }.max() ?? .infinity
    #expect(error < bound * scale, "\(name): \(error) of \(scale)")
  }

  @Test(arguments: [false, true])
  func mixing(enlarges: Bool) throws {
    let maps = try [tensor("mixing.fine"), tensor("mixing.coarse")]
    var mixing = FeatureMixing(
      maps: maps.map(\.shape), channels: 4, enlarges: enlarges, seed: 0, network: 0)
    for name in mixing.weights.names { mixing.weights[name] = try tensor("mixing.\(name)") }
    let mixed = mixing(maps)
    let kind = enlarges ? "doubled" : "plain"
    try close(mixed[0], "mixing.\(kind).fine")
    try close(mixed[1], "mixing.\(kind).coarse")
    for (found, scale) in zip(mixed, mixing.scales) {
      #expect(found.shape == [2, scale.channels, scale.side, scale.side])
    }
  }

  private func head(_ classes: Int, halvings: Int? = nil) throws -> (
    head: DiscriminatorHead, weights: Parameters, state: Parameters
  ) {
    let kind = classes > 0 ? "conditional" : "head"
    let head = DiscriminatorHead(
      kind, inputs: 2, side: 28, halvings: halvings, style: .init(headChannels: 8, labels: classes))
    func parameters(_ specifications: [ParameterSpecification]) throws -> Parameters {
      Parameters(
        try specifications.map { specification in
          let tensor = try tensor(specification.name)
          #expect(tensor.shape == specification.shape, "\(specification.name)")
          return (specification.name, tensor)
        })
    }
    return (head, try parameters(head.parameters), try parameters(head.stateSpecifications))
  }

  @Test(arguments: [0, 3], [nil, 2])
  func headOfSixteenLogits(classes: Int, halvings: Int?) throws {
    var (head, weights, state) = try head(classes, halvings: halvings)
    let labels = Tensor([0, 0, 1, 1, 0, 0, 0, 1, 0], shape: [3, 3])
    let logits = head(
      try tensor("head.input"), labels: classes > 0 ? labels : nil, weights, state: &state)
    #expect(logits.shape == [3, 16])
    try close(logits, classes > 0 ? "conditional.output" : "head.output")
  }

  @Test func penaltyAndItsGradient() throws {
    let (head, weights, state) = try head(0)
    let pictures = try tensor("head.input")
    var value: Float = 0
    let gradients = gradient(at: weights) { weights in
      var state = state
      let penalty = GradientPenalty(gamma: 1)(at: pictures) {
        [head($0, labels: nil, weights, state: &state)]
      }.penalty
      value = penalty.detached()[0]
      return penalty
    }
    let expected = try tensor("penalty.value")[0]
    #expect(abs(value - expected) < 1e-5 * expected)
    for name in ["conv0.weight", "norm0.weight", "conv1.weight", "norm1.weight", "logits.weight"] {
      try close(gradients["head.\(name)"], "penalty.gradient.\(name)", within: 2e-4)
    }
  }
}
