import CProcessor
import Terminal

/// Where the program starts.
@main
enum Main {
  static let program = Program(
    name: "onestep", version: "0.1.0",
    summary: "One-step image generators from diffusion models.",
    discussion: """
      Trains diffusion networks, draws from them and measures what they draw. Start with: \
      onestep pretrain --data fashion-mnist --preset test.
      """,
    commands: [
      PretrainCommand.self, TrainCommand.self, DistillCommand.self, SampleCommand.self,
      FeaturesCommand.self, EvaluateCommand.self, SpectrumCommand.self, StudyCommand.self,
      ReportCommand.self, DataCommand.self, PresetsCommand.self,
    ])

  static func main() {
    // A step of training, or a batch of pictures, allocates what the one before it freed.
    keepLargeBlocks()
    Processes.run(program)
  }
}
