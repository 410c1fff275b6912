/// From the gradient of a result to the gradients of a recording's inputs.
struct BackwardPass {
  private let recording: Recording
  /// Sums of the gradients that have arrived so far.
  private var gradients: [ObjectIdentifier: Tensor] = [:]

  private init(_ recording: Recording) { self.recording = recording }

  /// Gradients with respect to `inputs`, tensors made by `input(of:)`; nil for those that the result
  /// does not depend on.
  ///
  /// The recording must be closed: what an enclosing one follows is recorded, and nothing else.
  /// Nodes are let go as they are used, so memory falls while the pass goes on.
  static func run(
    _ recording: Recording, from result: Tensor, gradient: Tensor, to inputs: [Tensor]
  ) -> [Tensor?] {
    run(recording, from: result, gradient: gradient, to: inputs, watching: []).inputs
  }

  /// As above; the gradients of `watched`, tensors between the inputs and the result, are handed out
  /// as they pass.
  static func run(
    _ recording: Recording, from result: Tensor, gradient: Tensor, to inputs: [Tensor],
    watching watched: [Tensor]
  ) -> (inputs: [Tensor?], watched: [Tensor?]) {
    var pass = BackwardPass(recording)
    let leaves = inputs.compactMap(\.node)
    guard let root = result.node, root.isFollowed(by: recording) else {
      return (inputs.map { _ in nil }, watched.map { _ in nil })
    }
    let isWatched = Set(watched.compactMap(\.node).map { ObjectIdentifier($0) })
    var seen: [ObjectIdentifier: Tensor] = [:]
    pass.gradients[ObjectIdentifier(root)] = gradient
    let isLeaf = Set(leaves.map { ObjectIdentifier($0) })
    var nodes = pass.reachable(from: root)
    // Largest number last: every node comes after all nodes that were made from it.
    nodes.sort { $0.number < $1.number }
    while let node = nodes.popLast() {
      let identifier = ObjectIdentifier(node)
      guard !isLeaf.contains(identifier),
        let gradient = pass.gradients.removeValue(forKey: identifier)
      else { continue }
      if isWatched.contains(identifier) { seen[identifier] = gradient }
      let pulled = node.pulled(gradient, for: recording)
      for (input, gradient) in zip(node.inputs, pulled) {
        if let input, let gradient { pass.add(gradient, to: input) }
      }
      node.release()
    }
    func found(_ tensor: Tensor) -> Tensor? {
      tensor.node.flatMap { pass.gradients[ObjectIdentifier($0)] ?? seen[ObjectIdentifier($0)] }
    }
    return (inputs.map(found), watched.map(found))
  }

  private func reachable(from root: Node) -> [Node] {
    var found: [Node] = []
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    var open = [root]
    while let node = open.popLast() {
      found.append(node)
      for case let input? in node.inputs
      where input.isFollowed(by: recording) && seen.insert(ObjectIdentifier(input)).inserted {
        open.append(input)
      }
    }
    return found
  }

  private mutating func add(_ gradient: Tensor, to node: Node) {
    let identifier = ObjectIdentifier(node)
    guard var sum = gradients.removeValue(forKey: identifier) else {
      gradients[identifier] = gradient
      return
    }
    if !sum.isRecorded, !gradient.isRecorded, sum.isUnique() {
      sum.addInPlace(gradient)
    } else {
      sum = sum + gradient
    }
    gradients[identifier] = sum
  }
}
