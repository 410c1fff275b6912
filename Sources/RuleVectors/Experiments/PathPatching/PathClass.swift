/// Which paths a change takes from the senders, the heads of some layers at the answers (or at the last
/// position), to the logits. Everything that is not on the paths keeps the recipient's values.
enum PathClass: String, Sendable, CaseIterable {
  /// All paths: only the senders are changed.
  case total
  /// From the answers to the last position through no other head: up the answer's own residual stream
  /// and MLPs, read there by any later head.
  case direct
  /// As `direct`, and through later heads of the same answer.
  case ownHeads = "own-heads"
  /// As `ownHeads`, and through later heads of later answers.
  case answers = "through-answers"
  /// `direct`, as far as heads of some later layers read it at the last position.
  case answerToLast = "answer-last"
  /// From the answers to heads of some later layers at later answers, and from there to the last
  /// position through no other head than those that read there.
  case answerToLaterAnswers = "answer-later-answers-last"
  /// From the last position to the logits through no other head.
  case lastToLogits = "last-logits"

  /// Whether heads that read are named.
  var hasReceivers: Bool { self == .answerToLast || self == .answerToLaterAnswers }
}

/// What of a receiving head's inputs takes the changed values; queries at other positions than the
/// senders' cannot.
enum ReceiverInput: String, Sendable, CaseIterable {
  case keys, values
}

/// What becomes of MLPs between a sender and a receiver.
enum MLPTreatment: String, Sendable, CaseIterable {
  /// They take part in the path (Wang et al. 2022).
  case recomputed
  /// They keep the recipient's outputs, so that a path is residual stream alone (Goldowsky-Dill et al.
  /// 2023).
  case frozen
}

/// Heads of consecutive layers: all, or one.
struct HeadSet: Sendable, Hashable {
  let layers: ClosedRange<Int>
  /// Nil for all heads.
  let head: Int?

  init(_ layers: ClosedRange<Int>, head: Int? = nil) {
    self.layers = layers
    self.head = head
  }

  /// "5–9", "7.3" for head 3 of layer 7.
  var label: String {
    let layers =
      layers.count == 1 ? "\(layers.lowerBound)" : "\(layers.lowerBound)–\(layers.upperBound)"
    return head.map { "\(layers).\($0)" } ?? layers
  }

  /// "layers 5 to 9", "head 3 of layer 7".
  var words: String {
    head.map { "head \($0) of \(layerWords(Array(layers)))" } ?? layerWords(Array(layers))
  }
}
