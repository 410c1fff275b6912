import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct OneStepSamplingTests {
  @Test func filesTellOneStepGenerators() throws {
    let scratch = try Scratch()
    let path = scratch.file("network.safetensors")
    let teacher = try DistillationFixtures.teacher()
    try teacher.write(to: path)
    var read = try NetworkFile(contentsOf: path)
    #expect(!read.isOneStep && read.denoiser.preconditioning == .edm)
    #expect(try SafetensorsFile(path).metadata["epsilon"] == nil)
    let student = Denoiser(teacher.denoiser.network, preconditioning: .d2o)
    try NetworkFile(student, weights: teacher.weights, startSigma: 2.5).write(to: path)
    read = try NetworkFile(contentsOf: path)
    #expect(read.isOneStep && read.denoiser.preconditioning == .d2o)
    #expect(try SafetensorsFile(path).metadata["generator"] == "one-step")
    #expect(read.startSigma == 2.5)
    #expect(try SeededSampling(read, sampler: Sampler(steps: 1)).method == .oneStep(sigma: 2.5))
    // What a run may begin from, its snapshots may say.
    try NetworkFile(student, weights: teacher.weights, startSigma: 1000).write(to: path)
    #expect(try NetworkFile(contentsOf: path).startSigma == 1000)
    // Files of before say no noise level and mean the highest.
    try Safetensors.write(
      teacher.weights.arrays(),
      metadata: NetworkFile.metadata(student, startSigma: 2.5).filter { $0.key != "start_sigma" },
      to: path)
    #expect(try NetworkFile(contentsOf: path).startSigma == 80)
    try Safetensors.write(
      teacher.weights.arrays(),
      metadata: NetworkFile.metadata(student).merging(["generator": "two"]) { $1 }, to: path)
    #expect { try NetworkFile(contentsOf: path).isOneStep } throws: { "\($0)".contains("two") }
  }

  /// One call is what one step of the solver is, from the same latents.
  @Test func aSeedHasOneLatent() throws {
    let teacher = try DistillationFixtures.teacher(labels: 3)
    let seeds: [UInt64] = [5, 0, 77]
    let network = NetworkFile(teacher.denoiser, weights: teacher.weights, startSigma: 80)
    let one = try SeededSampling(network)
    #expect(one.method == .oneStep(sigma: 80) && one.method.evaluations == 1)
    #expect(try SeededSampling(teacher).method == .flow(Sampler(steps: 18)))
    #expect(try SeededSampling(teacher).method.evaluations == 35)
    // Without noise to add, churn leaves a single step of the solver.
    let sampler = Sampler(steps: 1, churn: 0)
    let solved = try SeededSampling(teacher, sampler: sampler)
    #expect(solved.method == .flow(sampler))
    expectClose(try one(seeds), try solved(seeds), 1e-4, "pictures")
  }
}
