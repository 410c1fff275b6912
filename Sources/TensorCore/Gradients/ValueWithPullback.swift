/// A function's value, with all that its backward pass needs.
public struct ValueWithPullback<Input: TensorTree> {
  public let value: Tensor
  private let input: Input
  private let followed: [Tensor]
  private let recording: Recording
  private let watched: [Tensor]

  /// The vector–Jacobian product of the function with `cotangent`, of the value's shape, by the input
  /// and by what was watched; nil for what the value does not depend on. For one use: the pass lets go
  /// of what it has used.
  public func pullback(_ cotangent: Tensor) -> (input: Input, watched: [Tensor?]) {
    precondition(
      value.shape == cotangent.shape,
      "vector-Jacobian product of a value of shape \(value.shape) with \(cotangent.shape)")
    let (inputs, others) = BackwardPass.run(
      recording, from: value, gradient: cotangent, to: followed, watching: watched)
    return (arranged(inputs, like: input), others.map { $0?.settled() })
  }

  fileprivate init(at input: Input, _ function: (Input, inout Watch) throws -> Tensor) rethrows {
    let recording = Recording()
    defer { recording.close() }
    let followed = input.mapTensors { $0.input(of: recording) }
    var watch = Watch()
    value = try function(followed, &watch)
    self.input = input
    self.followed = followed.tensors
    self.recording = recording
    watched = watch.tensors
  }
}

/// Tensors on the way from a function's input to its value whose cotangents are wanted.
public struct Watch {
  fileprivate var tensors: [Tensor] = []

  public init() {}

  /// Keeps the cotangent of `tensor`; those that are watched come in the order of these calls.
  public mutating func add(_ tensor: Tensor) { tensors.append(tensor) }
}

/// Computes `function` at `input` now, and its backward pass when it is asked for.
public func valueWithPullback<Input: TensorTree>(
  at input: Input, _ function: (Input, inout Watch) throws -> Tensor
) rethrows -> ValueWithPullback<Input> {
  try ValueWithPullback(at: input, function)
}
