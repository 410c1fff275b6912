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
      pictures([2, 1, side, side]), noise: nil, labels: labels, weights, state: &state)
    // One of the network and one of the pixels.
    let map = side == 16 ? 1 : 16
    #expect(logits.map(\.shape) == [[2, map + (side == 16 ? 1 : 16)], [2, map]])
    #expect(zip(state.tensors, before.tensors).allSatisfy { $0.values != $1.values })
    // A class makes a difference.
    var again = before
    let other = discriminator.logits(
      pictures([2, 1, side, side]), noise: nil, labels: Tensor([0, 0, 1, 0, 1, 0], shape: [2, 3]),
      weights,
      state: &again)
    let width = logits[0].shape[1]
    #expect(zip(other[0].values, logits[0].values).prefix(width).allSatisfy { $0 != $1 })
    #expect(zip(other[0].values, logits[0].values).suffix(width).allSatisfy { $0 == $1 })
  }

  /// Networks that see noise see all pictures with their own amount of it, and the pixels' head none.
  @Test func noiseIsForTheNetworksThatSeeSome() throws {
    let network = try AdversarialTrainingTests.pretrained()
    func discriminator(_ noise: [Float]) -> ProjectedDiscriminator {
      ProjectedDiscriminator(
        noise.map { EncoderFeatures(network, noise: $0) }, shape: AdversarialTrainingTests.shape,
        style: AdversarialTrainingTests.style, seed: 1)
    }
    let noisy = discriminator([0.5, 0, 2])
    #expect(noisy.addsNoise && !discriminator([0]).addsNoise)
    let weights = noisy.initialParameters(seed: 1)
    func logits(_ pictures: Tensor, _ noise: Tensor?) -> [[Float]] {
      var state = noisy.initialState(seed: 1)
      return noisy.logits(pictures, noise: noise, labels: nil, weights, state: &state).map(\.values)
    }
    let shape = [3] + AdversarialTrainingTests.shape.extents
    let (x, noise) = (pictures(shape), pictures(shape, seed: 7))
    let (clean, found) = (logits(x, nil), logits(x, noise))
    #expect(found[0] == logits(x + noise.scaled(by: 0.5), nil)[0] && found[0] != clean[0])
    #expect(found[1] == clean[1])
    #expect(found[2] == logits(x + noise.scaled(by: 2), nil)[2])
    #expect(found.count == 4 && found[3] == clean[3])
  }

  /// A pack has one row of logits, of all its pictures and of no others.
  @Test func packsAreJudgedTogether() {
    let discriminator = ProjectedDiscriminator(
      [TwoScales()], shape: ImageShape(channels: 1, height: 16, width: 16),
      style: .init(packing: 2), seed: 1)
    let weights = discriminator.initialParameters(seed: 1)
    func logits(_ pictures: Tensor) -> [Tensor] {
      var state = discriminator.initialState(seed: 1)
      return discriminator.logits(pictures, noise: nil, labels: nil, weights, state: &state)
    }
    let x = pictures([6, 1, 16, 16])
    #expect(logits(x).map(\.shape) == [[3, 2], [3, 1]])
    // Pictures 2 and 3 are the second pack, and their order counts.
    let swapped = Tensor.concatenated([0, 1, 3, 2, 4, 5].map { x.slice(0, $0..<$0 + 1) }, 0)
    let (before, after) = (logits(x)[1].values, logits(swapped)[1].values)
    #expect(abs(before[1] - after[1]) > 1e-3)
    // Whole packs exchanged are their logits exchanged.
    let packs = Tensor.concatenated([2, 3, 0, 1, 4, 5].map { x.slice(0, $0..<$0 + 1) }, 0)
    let exchanged = logits(packs)[1].values
    #expect(zip([1, 0, 2], exchanged).allSatisfy { abs(before[$0] - $1) < 1e-5 })
  }

  /// As torch's own layers begin: weights and biases uniform in ±1 / √fanIn, of the fixed mixing and of the heads.
  @Test func layersBeginAsTorchs() {
    let discriminator = ProjectedDiscriminator(
      [TwoScales()], shape: ImageShape(channels: 1, height: 16, width: 16),
      style: .init(mixingChannels: 64, headChannels: 64), seed: 1)
    let weights = discriminator.mixingWeights.pairs + discriminator.initialParameters(seed: 1).pairs
    let convolutions = weights.filter { $0.tensor.shape.count == 4 }
    #expect(convolutions.count > 8)
    for (name, tensor) in convolutions {
      let bound = 1 / Float(tensor.count / tensor.shape[0]).squareRoot()
      let bias = weights.first { $0.name == name.replacing(".weight", with: ".bias") }?.tensor
      for values in [tensor.values, bias?.values ?? []] {
        #expect(values.allSatisfy { abs($0) <= bound }, "\(name)")
        guard values.count >= 64 else { continue }
        // A uniform number's square is a third of the bound's on average, and its deviation √(4/45) of it.
        let square = values.reduce(0) { $0 + $1 * $1 } / Float(values.count) / (bound * bound)
        let error = (4.0 / 45 / Float(values.count)).squareRoot()
        #expect(abs(square - 1 / 3) < 5 * error, "\(name): \(square)")
      }
    }
  }

  /// Logits of the published heads: of maps of 224 pixels, of a VGG's, which are twice as large, and of those whose
  /// sides are powers of two. Widths double from scale to scale.
  @Test(arguments: [
    ([112, 56, 28, 14], 16), ([224, 112, 56, 28], 121), ([128, 64, 32, 16], 25), ([16, 8], 1),
  ])
  func headsOfThePublishedSizes(sides: [Int], logits: Int) {
    for (scale, side) in sides.enumerated() {
      let head = DiscriminatorHead(
        "head", inputs: 2, side: side, halvings: sides.count - scale,
        style: .init(headChannels: 16))
      let weights = head.parameters.initialParameters(seed: 1, .discriminator)
      var state = head.stateSpecifications.initialParameters(seed: 1, .discriminatorState)
      let found = head(pictures([2, 2, side, side]), labels: nil, weights, state: &state)
      #expect(found.shape == [2, logits])
      let widths = (0..<sides.count - scale).map { weights["head.conv\($0).weight"].shape[0] }
      #expect(widths == [2, 4, 8, 16].suffix(sides.count - scale))
    }
  }

  /// The gradient of R1 with respect to the weights, through the feature networks, against central
  /// differences.
  @Test(arguments: [false, true])
  func penaltyHasTheGradientOfItsValue(enlargesMaps: Bool) throws {
    let shape = ImageShape(channels: 1, height: 16, width: 16)
    let discriminator = ProjectedDiscriminator(
      [TwoScales()], shape: shape,
      style: .init(mixingChannels: 4, enlargesMaps: enlargesMaps, headChannels: 8), seed: 1)
    let weights = discriminator.initialParameters(seed: 1)
    let x = pictures([3, 1, 16, 16])
    let penalty = GradientPenalty(gamma: 2)
    // Where power iterations have converged, moving vectors change nothing in first order.
    var converged = discriminator.initialState(seed: 1)
    for _ in 0..<100 {
      _ = discriminator.logits(x, noise: nil, labels: nil, weights, state: &converged)
    }
    func value(_ weights: Parameters) -> Tensor {
      var state = converged
      return penalty(at: x) {
        discriminator.logits($0, noise: nil, labels: nil, weights, state: &state)
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

  /// For a linear discriminator the penalty is γ/2 ‖w‖².
  @Test func penaltyOfALinearDiscriminator() {
    let w = pictures([1, 64], seed: 3)
    func logits(_ x: Tensor) -> [Tensor] { [x.reshaped([x.shape[0], 64]).linear(w)] }
    let x = pictures([512, 1, 8, 8])
    let expected = 1.5 / 2 * w.squared().sum()[0]
    let penalty = GradientPenalty(gamma: 1.5)(at: x, logits).penalty
    #expect(abs(penalty[0] - expected) < 1e-4 * expected)
  }

  /// Of packs the gradient is that of a pack's logit at all its pictures, and the mean is over packs.
  @Test func penaltyOfPacks() {
    let w = pictures([1, 128], seed: 3)
    let penalty = GradientPenalty(gamma: 1.5)(at: pictures([32, 1, 8, 8])) {
      [$0.reshaped([16, 128]).linear(w)]
    }.penalty
    let expected = 1.5 / 2 * w.squared().sum()[0]
    #expect(abs(penalty[0] - expected) < 1e-4 * expected)
  }

  /// The published weight on the published scale: γ/2 of the squared gradient of the sum of all logits, beside
  /// losses that are sums over the samples of means over a network's logits.
  @Test(arguments: [(64, [false, true]), (484, [true])])
  func aWeightIsThatOfThePublishedScale(second: Int, scales: [Bool]) {
    let (w, v) = (pictures([64, 256], seed: 3), pictures([second, 256], seed: 4))
    // 64 logits of a network and 64 or 484 of another, on 16×16 pictures.
    func logits(_ x: Tensor) -> [Tensor] {
      let flat = x.reshaped([x.shape[0], 256])
      return [flat.linear(w.reshaped([64, 256])), flat.linear(v.reshaped([second, 256]))]
    }
    let x = pictures([8, 1, 16, 16])
    let (_, _, slope) = valueWithGradient(at: x) { x -> (Tensor, Tensor) in
      let found = logits(x)
      return (found[0].sum() + found[1].sum(), found[0])
    }
    // Mean over samples, over the 8 samples that the loss beside it is a sum of.
    let published = 1e-4 / 2 * slope.squared().sum()[0] / 8 / 8
    for sumsLogits in scales {
      let penalty = GradientPenalty(
        gamma: GradientPenalty.published(samples: 8), sumsLogits: sumsLogits)(at: x, logits).penalty
      #expect(abs(penalty[0] - published) < 1e-4 * published)
    }
    #expect(abs(GradientPenalty.published() - 6.4e-3) < 1e-8)
    #expect(abs(GradientPenalty.published(resolution: 16) - 1.6e-3) < 1e-8)
  }

  /// Sixteen equal logits, or three networks' worth in one, weigh what one does.
  @Test func penaltyDoesNotCountLogits() {
    let w = pictures([1, 64], seed: 3)
    let x = pictures([32, 1, 8, 8])
    func value(_ copies: Int) -> Float {
      GradientPenalty(gamma: 1.5)(at: x) { x in
        let logit = x.reshaped([x.shape[0], 64]).linear(w)
        return [Tensor.concatenated(Array(repeating: logit, count: copies), 1)]
      }.penalty[0]
    }
    #expect(abs(value(16) - value(1)) < 1e-4 * value(1))
  }

  /// The same picture with every pixel four times has the same penalty by the weight of its resolution.
  @Test func weightGrowsWithTheResolution() {
    let w = pictures([1, 64], seed: 3)
    func penalty(_ side: Int, _ logit: @escaping (Tensor) -> Tensor) -> Float {
      let x = pictures([16, 1, side, side])
      return GradientPenalty(gamma: GradientPenalty.published(resolution: side))(at: x) {
        [logit($0)]
      }.penalty[0]
    }
    let small = penalty(8) { $0.reshaped([16, 64]).linear(w) }
    let large = penalty(16) { $0.averagePooled().reshaped([16, 64]).linear(w) }
    #expect(abs(small - large) < 1e-4 * small)
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
