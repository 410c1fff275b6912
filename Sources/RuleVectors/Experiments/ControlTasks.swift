import TensorCore

/// Knowledge tasks that are run by the same code as the run's own: where a method does not find on them what they
/// are known to have, that it does not find it elsewhere says nothing.
struct ControlTasks: Sendable {
  let names: [String]
  /// Nil for the run's own number.
  private let demonstrations: Int?

  /// Reads the keys `controls` and `control_shots`.
  init(_ keys: ProbeKeys) throws {
    names = try keys.texts("controls")
    demonstrations = try keys.reader("control_shots")?.integer(in: 1...1000)
  }

  /// The run's task, then the controls but for it, each with its number of demonstrations.
  func with(_ task: RuleTask, _ setting: Setting) throws -> [(task: RuleTask, demonstrations: Int)]
  {
    [(task, setting.demonstrations)]
      + (try names.filter { $0 != task.name }.map {
        (try setting.findTask($0), demonstrations ?? setting.demonstrations)
      })
  }
}
