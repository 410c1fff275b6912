import TensorCore

/// The ways to make a few-step or one-step student of a diffusion network by imitation, without a
/// discriminator.
public enum DistillationMethod: String, Sendable, CaseIterable {
  /// The student's one call against the teacher's many-step result from the same latent.
  case regression
  /// Two steps of the teacher in one of the student, stage by stage (Salimans & Ho 2022).
  case progressive
  /// The same result from neighbouring points of a trajectory (Song et al. 2023).
  case consistency
  /// Jumps between any two points of a trajectory (Kim et al. 2024).
  case trajectory

  /// Steps or noise levels of the teacher, where nothing else is asked for.
  public var teacherSteps: Int { self == .progressive ? 32 : 18 }

  /// Whether a network of averaged weights says what the student shall do.
  public var hasTarget: Bool { self == .consistency || self == .trajectory }

  /// - Throws: `UserError` if the method cannot work with so many steps or levels of the teacher.
  public func check(teacherSteps steps: Int) throws {
    if self == .progressive {
      guard steps >= 2, steps & (steps - 1) == 0 else {
        throw UserError(
          "progressive distillation halves the teacher's steps, which \(steps) cannot be down to 1",
          remedy: "choose 2, 4, 8, 16, …", status: .usage)
      }
    } else {
      guard steps >= 2 else {
        throw UserError(
          "a teacher of 1 step has nothing to teach", remedy: "choose 2 or more", status: .usage)
      }
    }
  }
}
