import TensorCore
import Testing

@testable import DiffusionGAN

/// What the methods aim at, held against what their equations say.
@Suite struct ObjectiveTests {
  typealias Fixtures = DistillationFixtures

  /// One Euler step with the progressive target ends where two of the teacher do, the last one at 0
  /// too.
  @Test func progressiveTargetIsTwoStepsOfTheTeacher() throws {
    let teacher = try Fixtures.teacher()
    let levels = Distillation.levels(Sampler(steps: 8).sigmas, teacherSteps: 4)
    #expect(levels == [0, 2, 4, 6, 8].map { Float(Sampler(steps: 8).sigmas[$0]) })
    let (t, u, s) = ([levels[0], levels[2]], [levels[1], levels[3]], [levels[2], levels[4]])
    let x = Fixtures.pictures(2) * Tensor(perSample: t)
    let (denoiser, weights) = (teacher.denoiser, teacher.weights)
    let middle = denoiser.eulerStep(x, from: t, to: u, weights)
    let end = denoiser.eulerStep(middle, from: u, to: s, weights)
    let target = Distillation.progressiveTarget(
      x, from: t, over: u, to: s, teacher: denoiser, weights)
    let once = Tensor.mixed(x, target, share: zip(s, t).map { $0 / $1 })
    expectClose(once, end, 2e-6, "x″")
    // The same as solving for the target, where that does not cancel.
    let solved =
      (end * Tensor(perSample: t) - x * Tensor(perSample: s))
      * Tensor(perSample: zip(t, s).map { 1 / ($0 - $1) })
    expectClose(target, solved, 2e-5, "D̂")
  }

  /// Pieces of trajectories agree with the solver of whole ones.
  @Test(arguments: Sampler.Method.allCases) func stepsAreTheSamplers(_ method: Sampler.Method)
    throws
  {
    let teacher = try Fixtures.teacher()
    let sampler = Sampler(steps: 3, method: method)
    let latents = Fixtures.pictures(2)
    var state: [Double] = []
    _ = sampler(latents, observer: { step, x in if step == 0 { state = x } }) { x, sigma in
      teacher.denoiser(x, sigma: [sigma], teacher.weights)
    }
    let (from, to) = (sampler.sigmas[0], sampler.sigmas[1])
    let (t, s) = ([Float(from), Float(from)], [Float(to), Float(to)])
    let x = latents.scaled(by: 80)
    let step =
      method == .euler
      ? teacher.denoiser.eulerStep(x, from: t, to: s, teacher.weights)
      : teacher.denoiser.heunStep(x, from: t, to: s, teacher.weights)
    expectClose(step, Tensor(state.map { Float($0) }, shape: x.shape), 1e-5, method.rawValue)
  }

  @Test func consistencyIsTheIdentityAtEpsilon() throws {
    let run = try Fixtures.run(Fixtures.settings(.consistency, steps: 5))
    let x = Fixtures.pictures(2)
    let same = run.student(x, sigma: [0.002], run.learner.weights)
    #expect(same.values == x.values)
    #expect(run.student(x, sigma: [0.5], run.learner.weights).values != x.values)
  }

  /// With two levels the target is the teacher's Heun step to ε itself.
  @Test func consistencyOfTwoLevelsIsAStepOfTheTeacher() throws {
    let teacher = try Fixtures.teacher()
    let run = try Fixtures.run(Fixtures.settings(.consistency, steps: 2))
    let (clean, noise, _) = try run.pictures(0..<4)
    let x = clean + noise * 80
    let t = [Float](repeating: 80, count: 4)
    let end = teacher.denoiser.heunStep(
      x, from: t, to: t.map { _ in 0.002 }, teacher.weights)
    let generated = run.student(x, sigma: [80], teacher.weights)
    let (loss, pictures) = try run.loss(run.learner.trainable, batch: 0..<4)
    expectClose(pictures, generated, 1e-6, "generated")
    expectClose(loss, (generated - end).squared().mean(), 1e-5, "loss")
  }

  @Test func jumpsOfNoLengthAreTheIdentity() throws {
    let teacher = try Fixtures.teacher()
    let jumps = TrajectoryJumps(denoiser: teacher.denoiser, lowest: 0.002)
    var weights = TrajectoryJumps.extended(teacher.weights)
    let x = Fixtures.pictures(3)
    let levels: [Float] = [0, 0.3, 80]
    #expect(jumps(x, from: levels, to: levels, weights).values == x.values)
    // At first the end of a jump makes no difference to what is denoised.
    let t: [Float] = [1, 2, 80]
    let (near, zero) = ([Float(0.5), 0.002, 1], [Float](repeating: 0, count: 3))
    let clean = teacher.denoiser(x, sigma: t, teacher.weights)
    expectClose(jumps(x, from: t, to: zero, weights), clean, 1e-6, "G(x, t, 0)")
    expectClose(
      jumps(x, from: t, to: near, weights),
      teacher.denoiser.eulerStep(x, from: t, to: near, teacher.weights), 1e-6, "G(x, t, s)")
    // Later it does, and the weights of jumps to 0 are those of an ordinary network.
    let name = "model.target_layer1.weight"
    weights[name] = weights[name] + 0.1
    let folded = jumps.folded(weights)
    #expect(folded.names == teacher.weights.names)
    let there = jumps(x, from: t, to: zero, weights)
    expectClose(teacher.denoiser(x, sigma: t, folded), there, 1e-5, "folded")
    #expect(there.values != clean.values)
  }

  @Test func distances() throws {
    struct Halves: FeatureNetwork {
      let name = "halves"
      func maps(_ pictures: Tensor) -> [Tensor] { [pictures * 0.5, pictures * 2] }
      func vectors(_ pictures: Tensor) -> Tensor { pictures }
    }
    let (a, b) = (Tensor(repeating: 1, shape: [2, 1, 8, 8]), Tensor(zeros: [2, 1, 8, 8]))
    #expect(PictureDistance()(a, b).values == [1, 1])
    let features = PictureDistance(features: Halves(), featureWeight: 0.1)
    #expect(features(a, b).values.allSatisfy { abs($0 - (1 + 0.05 * (0.25 + 4))) < 1e-6 })
    let huber = PictureDistance(pixels: .huber)(a, b)
    #expect(huber.shape == [2, 1, 1, 1])
    #expect(huber.values.allSatisfy { abs($0 - 7.99568) < 1e-4 })
  }
}
