import TensorCore

/// A distillation as the loop of a command drives it.
public struct DistillationRun: ResumableTraining {
  public private(set) var distillation: Distillation

  public init(_ distillation: Distillation) { self.distillation = distillation }

  public var seen: Int { distillation.seen }

  public mutating func step() throws -> [TrainingFigure] {
    let steps = distillation.stepsOfStudent
    let done = try distillation.step()
    var figures = [
      TrainingFigure("loss", Double(done.learner.loss)),
      TrainingFigure("gradient", Double(done.learner.norm)),
      TrainingFigure("learning_rate", Double(done.learner.rate)),
    ]
    if distillation.settings.method == .progressive {
      figures.append(TrainingFigure("student_steps", Double(steps)))
    }
    if let adversary = done.adversary {
      figures.append(TrainingFigure("generator_loss", Double(adversary.generatorLoss)))
      figures += adversary.critic.figures
    }
    return figures
  }

  public func save(to path: String) throws { try distillation.save(to: path) }

  /// The averaged student, and a grid of what it draws in one step.
  public func writeSnapshot(in directory: TrainingDirectory) throws {
    let network = distillation.generator
    let sampling = try SeededSampling(network, sampler: Sampler(steps: 1))
    let pictures = try sampling((0..<64).map { UInt64($0) })
    // Before its last stage a progressive student was not taught to draw in one step.
    if network.isOneStep { try Divergence.check(pictures: pictures, seen: seen) }
    try network.write(to: directory.file("snapshot", seen: seen, "safetensors"))
    let path = directory.file("fakes", seen: seen, "png")
    try PictureGrid.picture(of: pictures, place: path).write(to: path)
  }
}
