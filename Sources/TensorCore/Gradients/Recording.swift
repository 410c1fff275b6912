import Synchronization

/// One call of `valueWithGradient`: operations on tensors that depend on its inputs are recorded
/// while it is open.
final class Recording: @unchecked Sendable {
  /// Read and written by the thread that runs the recording.
  fileprivate(set) var isOpen = true

  func close() { isOpen = false }
}

/// A step of a recording: how a tensor came about, told as how its gradient becomes gradients of what
/// it was made from.
///
/// Nodes are reached from the tensors that they made and from later nodes, and from nowhere else:
/// what no result depends on is released at once. Used by the thread that runs the recording.
final class Node: @unchecked Sendable {
  typealias Pull = (_ gradient: Tensor, _ output: Tensor, _ needs: [Bool]) -> [Tensor?]

  private static let numbers = Atomic(0)

  /// Larger than the numbers of all nodes that this one was made from.
  let number: Int
  /// The recordings that follow this node.
  let recordings: [Recording]
  /// What the tensor was made from; nil where that is not followed.
  fileprivate(set) var inputs: [Node?]
  private var pull: Pull?
  /// The tensor itself, without this node, where the pull needs it.
  private var output: Tensor?

  init(recordings: [Recording], inputs: [Node?], output: Tensor?, pull: Pull?) {
    number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
    self.recordings = recordings
    self.inputs = inputs
    self.output = output
    self.pull = pull
  }

  /// Whether an open recording follows this node.
  var isOpen: Bool { recordings.contains { $0.isOpen } }

  func isFollowed(by recording: Recording) -> Bool { recordings.contains { $0 === recording } }

  /// Gradients of the inputs that `recording` follows, from the gradient of the output.
  func pulled(_ gradient: Tensor, for recording: Recording) -> [Tensor?] {
    guard let pull else { return [] }
    let needs = inputs.map { $0?.isFollowed(by: recording) ?? false }
    // The output is a function of the inputs for recordings that are still open.
    let tensor = output.map { Tensor(sharing: $0, shape: $0.shape, node: self) } ?? gradient
    return pull(gradient, tensor, needs)
  }

  /// Lets go of everything that was kept for the backward pass, unless an enclosing recording will
  /// need it too.
  func release() {
    guard !isOpen else { return }
    inputs = []
    pull = nil
    output = nil
  }
}

extension Tensor {
  /// Whether an open recording follows this tensor.
  var isRecorded: Bool { node?.isOpen ?? false }

  /// The same values, a constant for every recording.
  public func detached() -> Tensor { node == nil ? self : Tensor(sharing: self, shape: shape) }
}

/// How the gradient of a result becomes the gradient of one input.
struct Pullback {
  fileprivate let node: Node?
  fileprivate let usesOutput: Bool
  fileprivate let pull: (Tensor, Tensor) -> Tensor

  init(_ input: Tensor, _ pull: @escaping (_ gradient: Tensor) -> Tensor) {
    node = input.isRecorded ? input.node : nil
    usesOutput = false
    self.pull = { gradient, _ in pull(gradient) }
  }

  /// For a pullback in terms of the result. The result must not be captured: it would keep itself.
  init(
    _ input: Tensor, output pull: @escaping (_ gradient: Tensor, _ output: Tensor) -> Tensor
  ) {
    node = input.isRecorded ? input.node : nil
    usesOutput = true
    self.pull = pull
  }
}

extension Tensor {
  /// This tensor, a fresh result, with one pullback for each input. Those of inputs that nobody
  /// follows are dropped, with all that they captured.
  func recorded(_ pullbacks: Pullback...) -> Tensor {
    let live = pullbacks.filter { $0.node != nil }
    guard !live.isEmpty else { return self }
    let output = live.contains { $0.usesOutput } ? Tensor(sharing: self, shape: shape) : nil
    return following(live.map { $0.node }, output: output) { gradient, output, needs in
      live.indices.map { needs[$0] ? live[$0].pull(gradient, output) : nil }
    }
  }

  /// This tensor, a fresh result, with one pullback for all inputs together: `needs` tells which
  /// gradients are wanted.
  func recorded(
    jointly inputs: [Tensor],
    _ pull: @escaping (_ gradient: Tensor, _ needs: [Bool]) -> [Tensor?]
  ) -> Tensor {
    guard inputs.contains(where: { $0.isRecorded }) else { return self }
    return following(inputs.map { $0.isRecorded ? $0.node : nil }, output: nil) {
      gradient, _, needs in pull(gradient, needs)
    }
  }

  private func following(
    _ nodes: [Node?], output: Tensor?, _ pull: @escaping Node.Pull
  ) -> Tensor {
    var recordings: [Recording] = []
    for node in nodes {
      for recording in node?.recordings ?? []
      where recording.isOpen && !recordings.contains(where: { $0 === recording }) {
        recordings.append(recording)
      }
    }
    let node = Node(recordings: recordings, inputs: nodes, output: output, pull: pull)
    return Tensor(sharing: self, shape: shape, node: node)
  }

  /// This tensor as an input of `recording`; enclosing recordings see through it.
  func input(of recording: Recording) -> Tensor {
    let outer = isRecorded ? node : nil
    let recordings = [recording] + (outer?.recordings.filter { $0.isOpen } ?? [])
    let node = Node(recordings: recordings, inputs: [outer], output: nil) { gradient, _, needs in
      [needs[0] ? gradient : nil]
    }
    return Tensor(sharing: self, shape: shape, node: node)
  }
}
