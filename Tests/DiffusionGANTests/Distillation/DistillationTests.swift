import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct DistillationTests {
  typealias Fixtures = DistillationFixtures

  @Test(arguments: DistillationMethod.allCases)
  func resumedRunContinuesToTheSameBits(_ method: DistillationMethod) throws {
    let scratch = try Scratch()
    let (state, teacher) = (scratch.file("state.safetensors"), try Fixtures.teacher())
    let folder = scratch.file("pool")
    // A stage of progressive distillation ends after four steps, one before the state, one later.
    let settings = Fixtures.settings(method, total: 32)
    var whole = try Fixtures.run(settings, folder: folder)
    for _ in 0..<5 { _ = try whole.step() }
    try whole.save(to: state)
    for _ in 0..<3 { _ = try whole.step() }

    var resumed = try Fixtures.run(settings, folder: folder)
    try resumed.resume(from: state)
    #expect(resumed.seen == 20)
    // Another number of threads too.
    try Compute.$pool.withValue(ThreadPool(count: 3)) {
      for _ in 0..<3 { _ = try resumed.step() }
    }
    #expect(
      resumed.learner.weights.tensors.map(\.values) == whole.learner.weights.tensors.map(\.values))
    let generators = (resumed.generator.weights, whole.generator.weights)
    #expect(generators.0.tensors.map(\.values) == generators.1.tensors.map(\.values))
    #expect(generators.0.names == teacher.weights.names)
    #expect(resumed.stepsOfStudent == 1 && resumed.generator.isOneStep)
    #expect(generators.0.tensors.map(\.values) != teacher.weights.tensors.map(\.values))
  }

  @Test(arguments: DistillationMethod.allCases)
  func resumedRunWithAnAdversaryContinuesToTheSameBits(_ method: DistillationMethod) throws {
    let scratch = try Scratch()
    let (state, teacher) = (scratch.file("state.safetensors"), try Fixtures.teacher())
    let folder = scratch.file("pool")
    var settings = Fixtures.settings(method, total: 32)
    settings.adversaryWeight = 0.1
    let critic = Critic(
      ProjectedDiscriminator(
        [EncoderFeatures(teacher)], shape: AdversarialTrainingTests.shape,
        style: AdversarialTrainingTests.style, seed: 7),
      settings: AdversarialTraining.Settings(
        seed: 7, batch: 4, penalty: GradientPenalty(interval: 2)))
    var whole = try Fixtures.run(settings, folder: folder, critic: critic)
    var alone = try Fixtures.run(settings, folder: folder)
    let first = try whole.step()
    // The distillation's own loss is told without the other term, which still moves the weights.
    #expect(try alone.step()["loss"] == first["loss"])
    #expect(
      alone.learner.weights.tensors.map(\.values) != whole.learner.weights.tensors.map(\.values))
    _ = try whole.step()
    #expect(try whole.step()["penalty"] != nil)
    try whole.save(to: state)
    for _ in 0..<3 { _ = try whole.step() }

    var resumed = try Fixtures.run(settings, folder: folder, critic: critic)
    try resumed.resume(from: state)
    for _ in 0..<3 { _ = try resumed.step() }
    #expect(
      resumed.learner.weights.tensors.map(\.values) == whole.learner.weights.tensors.map(\.values))
    let critics = [resumed, whole].map { $0.critic?.learner.weights.tensors }
    #expect(critics[0]?.map(\.values) == critics[1]?.map(\.values))
  }

  @Test(arguments: DistillationMethod.allCases)
  func lossFalls(_ method: DistillationMethod) throws {
    let scratch = try Scratch()
    // The first of three stages: the last one would have next to nothing to learn of this teacher.
    var settings = Fixtures.settings(
      method, steps: method == .progressive ? 8 : nil, total: 1_000_000, batch: 8,
      learningRate: 2e-3)
    settings.targetHalfLife = 400
    var run = try Fixtures.run(settings, folder: scratch.file("pool"))
    let start = run
    for _ in 0..<60 { _ = try run.step() }
    // Both on samples that neither has seen, from the same target.
    func loss(_ weights: Parameters) throws -> Float {
      try start.loss(weights, batch: 4000..<4040).loss[0]
    }
    #expect(try loss(run.learner.trainable) < 0.8 * loss(start.learner.trainable))
  }

  @Test func regressionComesCloseToItsPool() throws {
    let scratch = try Scratch()
    let teacher = try Fixtures.teacher()
    let pool = try Fixtures.pool(of: teacher, count: 4, folder: scratch.file("pool"))
    var run = Distillation(
      of: teacher, settings: Fixtures.settings(.regression, learningRate: 3e-3),
      on: PretrainingTests.Ramps(), pool: pool)
    func error() -> Float {
      let indices = Array(0..<4)
      let made = run.student.generated(pool.latents(at: indices), run.learner.weights)
      return (made - pool.targets(at: indices)).squared().mean()[0]
    }
    let before = error()
    for _ in 0..<150 { _ = try run.step() }
    #expect(error() < 0.2 * before)
  }

  /// A student that begins at a lower noise level is called there, and its file says so; pictures are compared as they
  /// are stored where the settings say so.
  @Test(arguments: [false, true])
  func regressionBeginsAtItsNoiseLevel(clips: Bool) throws {
    let scratch = try Scratch()
    let teacher = try Fixtures.teacher()
    let pool = try Fixtures.pool(of: teacher, count: 4, folder: scratch.file("pool"))
    var settings = Fixtures.settings(.regression)
    settings.startSigma = 2.5
    settings.clipsPictures = clips
    let run = Distillation(
      of: teacher, settings: settings, on: PretrainingTests.Ramps(), pool: pool)
    #expect(run.generator.startSigma == 2.5)
    let batch = 0..<settings.batch
    var order = ShuffledOrder(count: 4, seed: settings.seed)
    let indices = order.samples(batch)
    let made = run.student.generated(
      pool.latents(at: indices), run.learner.weights, sigma: 2.5)
    let loss = try run.loss(run.learner.trainable, batch: batch).loss[0]
    let targets = pool.targets(at: indices)
    let drawn = (made - targets).squared().mean()[0]
    let stored = (made.clipped(to: 1) - targets.clipped(to: 1)).squared().mean()[0]
    #expect(abs(drawn - stored) > 1e-3 * drawn)
    #expect(abs(loss - (clips ? stored : drawn)) < 1e-5 * drawn)
  }

  /// The last half decays to 0; progressive's own stages do not.
  @Test func learningRateDecaysOverItsShare() throws {
    var settings = Fixtures.settings(.consistency, total: 16)
    settings.decay = 0.5
    #expect(!settings.isOpenEnded)
    var run = try Fixtures.run(settings)
    var rates: [Float] = []
    while run.seen < settings.total {
      rates.append(run.rate)
      #expect(try run.step()["learning_rate"] == rates.last.map { Double($0) })
    }
    let share = rates.map { $0 / settings.learningRate }
    #expect(share == [1, 1, 1, 0.5], "\(share)")
  }

  /// Its learning rate is the student's, unless something else is said; with the decay, seed and batch of the student.
  @Test func discriminatorBesideHasTheStudentsTerms() {
    var settings = Distillation.Settings()
    (settings.seed, settings.batch, settings.total) = (3, 24, 4_800)
    (settings.learningRate, settings.decay) = (0.004, 0.5)
    let preset = AdversarialTraining.Settings(unfrozenRate: 2e-4, discriminatorRate: 1e-4)
    let same = settings.criticSettings(preset)
    #expect(same.correctedDiscriminatorRate == 0.004 * Float(16.0 / 17))
    #expect(same.seed == 3 && same.batch == 24)
    #expect(same.schedule.value(seen: 2_400) == 1 && same.schedule.value(seen: 3_600) == 0.5)
    settings.discriminatorRate = 0.001
    #expect(settings.criticSettings(preset).discriminatorRate == 0.001)
  }

  @Test func frozenWeightsStay() throws {
    let teacher = try Fixtures.teacher()
    var run = try Fixtures.run(Fixtures.settings(.consistency, freezing: .convolutions))
    _ = try run.step()
    for (name, tensor) in run.learner.weights.pairs {
      let isSame = tensor.values == teacher.weights[name].values
      if Freezing.convolutions.freezes(name) { #expect(isSame, "\(name)") }
    }
    #expect(run.learner.trainable.names.allSatisfy { !Freezing.convolutions.freezes($0) })
    #expect(
      run.learner.weights["model.map_layer0.bias"].values
        != teacher.weights["model.map_layer0.bias"].values
    )
  }

  @Test func stagesHalveTheSteps() throws {
    var run = try Fixtures.run(Fixtures.settings(.progressive, steps: 8, total: 48))
    var steps: [Int] = []
    var rates: [Float] = []
    while run.seen < 48 {
      steps.append(run.stepsOfStudent)
      #expect(!run.generator.isOneStep || run.seen > 32)
      rates.append(run.rate)
      #expect(try run.step()["student_steps"] == steps.last.map { Double($0) })
    }
    #expect(steps == [4, 4, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1])
    #expect(
      rates == [1, 0.75, 0.5, 0.25, 1, 0.75, 0.5, 0.25, 1, 0.75, 0.5, 0.25].map { $0 * 1e-3 })
    #expect(run.generator.isOneStep)
    for steps in [1, 6, 18] {
      #expect { try DistillationMethod.progressive.check(teacherSteps: steps) } throws: {
        "\($0)".contains("\(steps)")
      }
    }
    #expect(throws: UserError.self) { try DistillationMethod.regression.check(teacherSteps: 1) }
  }

  @Test func aPoolIsContinuedAndChecked() throws {
    let scratch = try Scratch()
    let (folder, teacher) = (scratch.file("pool"), try Fixtures.teacher(labels: 3))
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try TeacherPool(
        of: teacher, sampler: Sampler(steps: 2), count: 300, seed: 7, folder: folder
      ) { if $0 > 256 { throw Stop() } }.count
    }
    var told: [Int] = []
    let pool = try TeacherPool(
      of: teacher, sampler: Sampler(steps: 2), count: 300, seed: 7, folder: folder
    ) { told.append($0) }
    #expect(told == [256, 300])
    // A pair is what the teacher makes of its latent, whatever is beside it.
    let indices = [299, 3]
    let made = Sampler(steps: 2)(pool.latents(at: indices)) { x, sigma in
      teacher.denoiser(x, sigma: [sigma], teacher.weights, pool.conditions(at: indices))
    }
    expectClose(pool.targets(at: indices), made, 1e-5, "pictures")
    #expect {
      try Fixtures.pool(of: teacher, count: 300, steps: 4, folder: folder).count
    } throws: { "\($0)".contains("part-000000") }
  }

  @Test func stateOfAnotherMethodIsRefused() throws {
    let scratch = try Scratch()
    let state = scratch.file("state")
    try Fixtures.run(Fixtures.settings(.progressive)).save(to: state)
    var other = try Fixtures.run(Fixtures.settings(.consistency))
    #expect { try other.resume(from: state) } throws: { "\($0)".contains("target/") }
  }
}
