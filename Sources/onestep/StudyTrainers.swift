import DiffusionGAN
import TensorCore

/// The trainer of each method: the one place where a method of training meets the studies.
struct StudyTrainers: StudyTrainer {
  func snapshots(of task: StudyTask, at checkpoints: [Int]) throws -> [StudySnapshot] {
    switch task.cell.method {
    case .teacher, .spectrum: []
    case .gan, .distillRegression, .distillProgressive, .distillConsistency:
      throw UserError(
        "the method \"\(task.cell.method.rawValue)\" cannot be trained yet", at: task.cell.name,
        remedy: "choose cells of other methods with --cells")
    }
  }
}
