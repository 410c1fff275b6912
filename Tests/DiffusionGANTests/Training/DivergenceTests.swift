import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct DivergenceTests {
  private func finding(_ figures: [String: Double]) -> String? {
    do {
      try Divergence.check(figures.map { TrainingFigure($0.key, $0.value) }, seen: 12_000)
      return nil
    } catch { return "\(error)" }
  }

  @Test func figuresThatNoRunComesBackFrom() {
    #expect(finding(["loss": 0.9, "gradient": 2, "learning_rate": 0]) == nil)
    // A discriminator may have nothing to learn for a while.
    #expect(
      finding(["generator_loss": 40, "generator_gradient": 1e4, "discriminator_gradient": 0])
        == nil)
    for (figures, word) in [
      (["loss": 1e16], "1.0e+16"), (["discriminator_loss": -2e7], "discriminator loss"),
      (["generator_gradient": 0.0], "is 0"), (["gradient": 0.0], "nothing more is learned"),
      (["discriminator_gradient": 1e9], "discriminator gradient"),
    ] {
      let line = finding(figures)
      #expect(line?.contains(word) == true, "\(line ?? "")")
      #expect(line?.contains("--learning-rate") == true && line?.contains("12000 images") == true)
    }
  }

  @Test func saysWhatIsKept() {
    var divergence = Divergence("diverged: the loss is 1.0e+16", "begin anew")
    #expect(
      "\(divergence)" == "diverged: the loss is 1.0e+16; no state has been saved yet; begin anew")
    (divergence.place, divergence.saved) = ("runs/0", 8000)
    #expect(
      "\(divergence)"
        == "runs/0: diverged: the loss is 1.0e+16; the state of 8000 images is kept; begin anew")
  }

  /// Pictures that are one but for noise of this deviation.
  private func pictures(noise: Float) -> Tensor {
    let one = Tensor((0..<64).map { Float($0) / 32 - 1 }, shape: [1, 1, 8, 8])
    return DistillationFixtures.pictures(64) * noise + one
  }

  @Test func picturesThatAreOne() throws {
    #expect(throws: Divergence.self) {
      try Divergence.check(pictures: pictures(noise: 0), seen: 20_000)
    }
    #expect(throws: Divergence.self) {
      try Divergence.check(pictures: pictures(noise: 0.003), seen: 20_000)
    }
    try Divergence.check(pictures: pictures(noise: 0.02), seen: 20_000)
    // A student begins with the mean of the data.
    try Divergence.check(pictures: pictures(noise: 0), seen: 2_000)
  }

  /// Standard normal noise has its own deviation, at each place.
  @Test func spread() throws {
    let noise = DistillationFixtures.pictures(400) * 0.25
    #expect(abs(PictureSpread.deviation(of: noise) - 0.25) < 0.005)
    let data = try ImageDataset(
      name: "n", shape: ImageShape(channels: 1, height: 8, width: 8),
      pixels: PixelRounding.bytes(of: noise, place: "n"))
    #expect(abs(PictureSpread.deviation(of: data) - 0.25) < 0.005)
    let pair = try ImageDataset(
      name: "p", shape: ImageShape(channels: 1, height: 1, width: 2), pixels: [0, 100, 255, 100])
    // Of 127.5 and 0 levels: the root of the mean of 1 and 0.
    #expect(abs(PictureSpread.deviation(of: pair) - 0.5.squareRoot()) < 1e-12)
  }

  /// A rate of 10 ends a distillation, which stays as it was before.
  @Test func aDistillationThatDivergesStops() throws {
    var run = try DistillationFixtures.run(
      DistillationFixtures.settings(.consistency, learningRate: 1e9))
    #expect(throws: Divergence.self) {
      for _ in 0..<8 {
        var means = TickMeans()
        means.add(try run.step())
        try run.check(means.figures)
      }
    }
  }
}
