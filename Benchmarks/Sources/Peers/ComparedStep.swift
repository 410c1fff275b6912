import TensorCore

/// A step of training that is taken in torch too, from the same weights.
protocol ComparedStep {
  /// What the peer calls this kind of step: a key of `WORKS` in `torch_training_peer.py`.
  static var kind: String { get }
  /// Steps of this kind, as in `ratio.WORK.torch`; the first one's name is `kind`.
  static var works: [String] { get }

  /// Samples of a step.
  var batch: Int { get }
  /// Steps that are timed at once.
  var stepsOfTurn: Int { get }
  /// Largest difference between the two sides' losses and gradient norms, as a share.
  static var tolerance: Double { get }
  /// Floating-point operations of a step, where they are counted.
  var operations: Double? { get }
  /// What the peer is told beside threads and the layout of pictures.
  var description: [(key: String, value: JSONValue)] { get }

  /// - Parameter work: one of `works`.
  init(_ work: String) throws

  /// Weights and the inputs of `check`, under the names that the peer reads.
  func arrays() throws -> Parameters

  /// Numbers that both sides find from these.
  func check() throws -> [Double]

  /// A run that has not begun; each call takes a step on its next pictures and gives its loss.
  func begun() -> () throws -> Double
}

/// All steps that are compared.
enum ComparedSteps {
  /// What workers are asked for when the numbers are to be compared.
  static let check = "check"

  static var kinds: [any ComparedStep.Type] { [DenoisingStep.self, AdversarialStep.self] }

  /// - Throws: `UserError` for an unknown work, and for networks that cannot be read.
  static func step(_ work: String) throws -> any ComparedStep {
    guard let kind = kinds.first(where: { $0.works.contains(work) }) else {
      throw UserError("no training step is called \"\(work)\"", status: .usage)
    }
    return try kind.init(work)
  }
}
