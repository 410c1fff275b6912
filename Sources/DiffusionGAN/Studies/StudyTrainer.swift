/// A cell with one learning rate and one seed: what a trainer is asked for.
public struct StudyTask: Sendable {
  public enum Role: String, Sendable, CaseIterable {
    /// Chooses the learning rate.
    case development
    /// Is reported.
    case heldOut = "held-out"
  }

  public let cell: StudyCell
  public let role: Role
  public let learningRate: Double
  public let seed: UInt64
  /// Snapshot to begin from; nil for random weights.
  public let network: String?
  /// Any network of the study: random weights are of its shape.
  public let shape: String?
}

extension Study {
  /// One of its cells at one learning rate and seed.
  public func task(
    _ cell: StudyCell, _ role: StudyTask.Role, _ learningRate: Double, _ seed: UInt64
  ) -> StudyTask {
    StudyTask(
      cell: cell, role: role, learningRate: learningRate, seed: seed,
      network: path(of: cell.network),
      shape: networks.lazy.compactMap(\.path).first)
  }
}

/// A network that training left.
public struct StudySnapshot: Sendable, Equatable {
  /// Images that training had seen.
  public let images: Int
  public let path: String

  public init(images: Int, path: String) {
    self.images = images
    self.path = path
  }
}

/// Makes one-step networks for a study: the GAN and every distillation are trainers.
///
/// A trainer keeps its runs in `training-runs/` as the commands do, so that a study which was killed
/// continues them.
public protocol StudyTrainer {
  /// Trains as `task` says and gives a snapshot for each of `checkpoints` (images seen, ascending), in
  /// that order. What has been trained already is not trained again.
  ///
  /// - Throws: `Divergence` where the task's learning rate leads nowhere.
  func snapshots(of task: StudyTask, at checkpoints: [Int]) throws -> [StudySnapshot]
}
