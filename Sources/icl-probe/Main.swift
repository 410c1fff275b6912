import Terminal

/// Where the program starts.
@main
enum Main {
  static let version = "0.1.0"

  static let program = Program(
    name: "icl-probe", version: version,
    summary: "Find where a language model keeps the rule that it learns from its prompt.",
    discussion: """
      A transformer inference engine with activation hooks, patching experiments over it, and \
      reports. Start with: icl-probe patch --task multi-demo-rule, then icl-probe aggregate.
      """,
    commands: [
      ModelsCommand.self, TasksCommand.self, TokenizeCommand.self, RunCommand.self,
      RecordCommand.self, LensCommand.self, EvalCommand.self, PlanCommand.self,
      PatchCommand.self, AggregateCommand.self,
    ])

  static func main() { program.run() }
}
