import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct DiscriminatorTests {
  /// Two scales, 16 and 8, of fixed filters.
  struct TwoScales: FeatureNetwork {
    let name = "two scales"
    let weight = Tensor(normal: [5, 1, 3, 3], from: [RandomStream(seed: 1)])

    func maps(_ pictures: Tensor) -> [Tensor] {
      let fine = pictures.convolved(weight.reshaped([5, 1, 3, 3]), padding: 1).leakyReLU(slope: 0.2)
      return [fine, fine.averagePooled()]
    }

    func vectors(_ pictures: Tensor) -> Tensor {
      maps(pictures)[1].mean(over: [2, 3]).reshaped([pictures.shape[0], 5])
    }
  }

  private func pictures(_ shape: [Int], seed: UInt64 = 2) -> Tensor {
    Tensor(
      normal: Array(shape.dropFirst()),
      from: (0..<shape[0]).map { RandomStream(seed: seed, path: [UInt64($0)]) })
  }

  @Test(arguments: [16, 28])
  func aHeadForEachScaleAndOneForThePixels(side: Int) {
    let shape = ImageShape(channels: 1, height: side, width: side)
    let discriminator = ProjectedDiscriminator(
      [TwoScales()], shape: shape, style: .init(labels: 3), seed: 1)
    let weights = discriminator.initialParameters(seed: 1)
    var state = discriminator.initialState(seed: 1)
    let before = state
    let labels = Tensor([1, 0, 0, 0, 1, 0], shape: [2, 3])
    let logits = discriminator.logits(
      pictures([2, 1, side, side]), labels: labels, weights, state: &state)
    #expect(logits.count == 3)
    let map = side == 16 ? 1 : 4
    for logit in logits { #expect(logit.shape == [2, 1, map, map]) }
    #expect(zip(state.tensors, before.tensors).allSatisfy { $0.values != $1.values })
    // A class makes a difference.
    var again = before
    let other = discriminator.logits(
      pictures([2, 1, side, side]), labels: Tensor([0, 0, 1, 0, 1, 0], shape: [2, 3]), weights,
      state: &again)
    #expect(other[0].values.first != logits[0].values.first)
    #expect(other[0].values.last == logits[0].values.last)
  }

  /// The gradient of R1 with respect to the weights, through the feature networks, against central
  /// differences.
  @Test(arguments: [false, true])
  func penaltyHasTheGradientOfItsValue(hasBatchNorm: Bool) throws {
    let shape = ImageShape(channels: 1, height: 16, width: 16)
    let discriminator = ProjectedDiscriminator(
      [TwoScales()], shape: shape,
      style: .init(
        mixingChannels: [4], headChannels: 4, mostHeadChannels: 8, hasBatchNorm: hasBatchNorm),
      seed: 1)
    let weights = discriminator.initialParameters(seed: 1)
    let x = pictures([3, 1, 16, 16])
    let penalty = GradientPenalty(gamma: 2)
    // Where power iterations have converged, moving vectors change nothing in first order.
    var converged = discriminator.initialState(seed: 1)
    for _ in 0..<100 { _ = discriminator.logits(x, labels: nil, weights, state: &converged) }
    func value(_ weights: Parameters) -> Tensor {
      var state = converged
      return penalty(at: x, noise: { x }) {
        discriminator.logits($0, labels: nil, weights, state: &state)
      }.penalty
    }
    let gradients = gradient(at: weights) { value($0) }
    let name = "heads0.scale1.conv0.weight"
    let direction = pictures(weights[name].shape, seed: 9)
    let slope = Double((gradients[name] * direction).sum()[0])
    func moved(_ step: Float) -> Double {
      var changed = weights
      changed[name] = weights[name] + direction.scaled(by: step)
      return Double(value(changed)[0])
    }
    let numeric = (moved(5e-5) - moved(-5e-5)) / 1e-4
    #expect(abs(slope - numeric) < 0.03 * max(abs(numeric), abs(slope)), "\(slope) \(numeric)")
    #expect(abs(slope) > 1e-6)
  }

  /// For a linear discriminator both penalties are γ/2 ‖w‖².
  @Test func penaltiesOfALinearDiscriminator() {
    let w = pictures([1, 64], seed: 3)
    func logits(_ x: Tensor) -> [Tensor] { [x.reshaped([x.shape[0], 64]).linear(w)] }
    let x = pictures([512, 1, 8, 8])
    let expected = 1.5 / 2 * w.squared().sum()[0]
    let exact = GradientPenalty(gamma: 1.5)(at: x, noise: { x }, logits).penalty
    #expect(abs(exact[0] - expected) < 1e-4 * expected)
    let noise = pictures([512, 1, 8, 8], seed: 4)
    let approximate = GradientPenalty(method: .finiteDifference, gamma: 1.5)(
      at: x, noise: { noise }, logits
    ).penalty
    // 512 squares of a normal number: a deviation of √(2/512).
    #expect(abs(approximate[0] - expected) < 0.25 * expected)
  }

  @Test func losses() {
    let fake = [Tensor([1, -2], shape: [2, 1]), Tensor([0.5, 0.5], shape: [2, 1])]
    let real = [Tensor([3, 0], shape: [2, 1]), Tensor([-1, 1], shape: [2, 1])]
    func softplus(_ x: Double) -> Double { log1p(exp(x)) }
    func close(_ a: Tensor, _ b: Double) -> Bool { abs(Double(a[0]) - b) < 1e-5 }
    let plain = AdversarialLoss.nonSaturating
    #expect(
      close(
        plain.generator(fake: fake, real: []),
        (softplus(-1) + softplus(2)) / 2 + softplus(-0.5)))
    #expect(
      close(
        plain.discriminator(fake: fake, real: real),
        (softplus(1) + softplus(-2)) / 2 + softplus(0.5) + (softplus(-3) + softplus(0)) / 2
          + (softplus(1) + softplus(-1)) / 2))
    let pairs = AdversarialLoss.relativistic
    #expect(
      close(
        pairs.generator(fake: fake, real: real),
        (softplus(2) + softplus(2)) / 2 + (softplus(-1.5) + softplus(0.5)) / 2))
    #expect(
      close(
        pairs.discriminator(fake: fake, real: real),
        (softplus(-2) + softplus(-2)) / 2 + (softplus(1.5) + softplus(-0.5)) / 2))
  }
}
