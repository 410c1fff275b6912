/// The value of `function` at `input` and its gradient there, of the shape of `input`.
///
/// `function` gives a single number. What it computes from its argument is recorded while it runs;
/// every other tensor, frozen parameters too, is a constant and costs nothing. Calls may be nested:
/// the inner gradient is then an ordinary function of what the outer one differentiates.
public func valueWithGradient<Input: TensorTree>(
  at input: Input, _ function: (Input) throws -> Tensor
) rethrows -> (value: Tensor, gradient: Input) {
  let (value, _, gradient) = try valueWithGradient(at: input) { (try function($0), ()) }
  return (value, gradient)
}

/// As `valueWithGradient`; `function` may hand out something beside the number.
public func valueWithGradient<Input: TensorTree, Extra>(
  at input: Input, _ function: (Input) throws -> (Tensor, Extra)
) rethrows -> (value: Tensor, extra: Extra, gradient: Input) {
  BufferPool.shared.begin()
  let recording = Recording()
  defer { recording.close() }
  let followed = input.mapTensors { $0.input(of: recording) }
  let (value, extra) = try function(followed)
  precondition(value.count == 1, "gradient of a value of shape \(value.shape), not of one number")
  recording.close()
  let seed = Tensor(repeating: 1, shape: value.shape)
  let gradients = BackwardPass.run(recording, from: value, gradient: seed, to: followed.tensors)
  return (value.settled(), extra, arranged(gradients, like: input))
}

/// The gradient of `function` at `input`.
public func gradient<Input: TensorTree>(
  at input: Input, _ function: (Input) throws -> Tensor
) rethrows -> Input {
  try valueWithGradient(at: input, function).gradient
}

/// The vector–Jacobian product of `function` at `input` with `cotangent`, of the shape of the result.
public func vectorJacobianProduct<Input: TensorTree>(
  at input: Input, cotangent: Tensor, _ function: (Input) throws -> Tensor
) rethrows -> Input {
  let recording = Recording()
  defer { recording.close() }
  let followed = input.mapTensors { $0.input(of: recording) }
  let value = try function(followed)
  precondition(
    value.shape == cotangent.shape,
    "vector-Jacobian product of a value of shape \(value.shape) with \(cotangent.shape)")
  recording.close()
  let gradients = BackwardPass.run(
    recording, from: value, gradient: cotangent, to: followed.tensors)
  return arranged(gradients, like: input)
}

func arranged<Input: TensorTree>(_ gradients: [Tensor?], like input: Input) -> Input {
  var index = 0
  return input.mapTensors { tensor in
    defer { index += 1 }
    return gradients[index]?.settled() ?? Tensor(zeros: tensor.shape)
  }
}

extension Tensor {
  /// This tensor without an origin that only closed recordings follow.
  func settled() -> Tensor { isRecorded ? self : detached() }
}
