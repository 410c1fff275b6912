import TensorCore

/// An experiment on one-step generators as data: `studies/NAME.json`.
public struct Study: Sendable {
  public let name: String
  public let title: String
  public let question: String
  /// A `--data` specification.
  public let data: String
  public let preset: Preset
  /// Snapshots that cells begin from, by name; nil where the command line has to tell the path.
  public var networks: [(name: String, path: String?)]
  /// Teachers whose images all snapshots are measured against.
  public let teachers: [Teacher]
  /// Images that are drawn of every snapshot.
  public var count: Int
  /// Real images that results are measured against: others than `test` in studies that look for what to take, so that
  /// test images stay unseen. Learning rates are chosen against validation images, or training images without any.
  public let reference: DataSplit
  /// Seeds that choose learning rates, and seeds that results are of.
  public let development: [UInt64]
  /// Images after which learning rates are compared; nil for the whole budget.
  public let developmentImages: Int?
  /// Learning rates that may be tried beyond a cell's, while the best one ends what was tried.
  public let furtherLearningRates: Int
  public let seeds: [UInt64]
  public var cells: [StudyCell]
  /// Digest of the file, and what it says.
  public let digest: String
  public let definition: JSONValue

  /// A network sampled in several steps.
  public struct Teacher: Sendable, Equatable {
    public let network: String
    public let steps: Int
  }

  /// The path of a network of this study; nil for random weights.
  public func path(of network: String) -> String? {
    networks.first { $0.name == network }?.path
  }

  /// Whether any cell or teacher begins from a network.
  public func needs(_ network: String) -> Bool {
    teachers.contains { $0.network == network }
      || cells.contains { $0.network == network || $0.against == network }
  }

  /// Whether a network is drawn from in several steps, or imitated.
  public func teaches(_ network: String) -> Bool {
    teachers.contains { $0.network == network }
      || cells.contains {
        $0.network == network && ($0.method == .teacher || $0.method.isDistillation)
      }
  }

  /// Name of the network that stands for random weights.
  public static let random = "random"
}

/// One way to make a one-step generator, or a teacher to compare with.
public struct StudyCell: Sendable, Equatable {
  public enum Method: Sendable, Hashable, CaseIterable {
    /// A network sampled in several steps: nothing is trained.
    case teacher
    /// A GAN objective alone.
    case gan
    case distillation(DistillationMethod)
    /// Nothing is trained: the frequency analysis of two networks.
    case spectrum

    public static var allCases: [Method] {
      [.teacher, .gan] + DistillationMethod.allCases.map { .distillation($0) } + [.spectrum]
    }

    /// As a study's file has it.
    public var name: String {
      switch self {
      case .teacher: "teacher"
      case .gan: "gan"
      case .distillation(let method): "distill-\(method.rawValue)"
      case .spectrum: "spectrum"
      }
    }

    public var isDistillation: Bool { if case .distillation = self { true } else { false } }
    public var isTrained: Bool { self == .gan || isDistillation }
  }

  public let name: String
  public let method: Method
  /// Name of the network that it begins from, of `Study.networks` or `Study.random`.
  public let network: String
  /// For `spectrum`: name of the network to compare with.
  public let against: String?
  /// Steps of the teacher: the sampler's for `teacher`, those imitated for distillation.
  public let steps: Int?
  public let freezing: Freezing
  /// Learning rates to try on the development seeds; a single one is taken as it is.
  public let learningRates: [Double]
  /// Images seen at which snapshots are measured, ascending; the last is the budget.
  public let checkpoints: [Int]
  /// Images that the network saw in pretraining, for studies of it.
  public let pretraining: Int?
  /// Which pretraining that was, where a study has several.
  public let run: String?
  /// Seeds instead of the study's.
  public let seeds: [UInt64]?
  /// Further settings, for the method to check.
  public let options: JSONValue

  public var budget: Int { checkpoints.last ?? 0 }

  /// Whether all its seeds learn the same pictures of the teacher.
  public var hasOnePool: Bool {
    method == .distillation(.regression) && options["pool-seed"] != .null
  }

  /// Whether every residual branch is off and stays so: EDM initialises `conv1` and `proj`, through which
  /// branches are added, with weights of 1e-5 or 0, and every kind of freezing keeps these. Such a cell
  /// says nothing of freezing, nor of what pretraining is worth.
  public var hasDeadBranches: Bool { network == Study.random && freezing != .none }
}
