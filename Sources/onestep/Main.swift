import Terminal

/// Where the program starts.
@main
enum Main {
  static let program = Program(
    name: "onestep", version: "0.1.0",
    summary: "One-step image generators from diffusion models.",
    discussion: """
      Looks at image data and measures generated images against them. Start with: \
      onestep data inspect --data fashion-mnist.
      """,
    commands: [DataCommand.self, EvaluateCommand.self, CompletionCommand.self])

  static func main() { program.run() }
}
