/// An attention head, written down.
struct CompiledHead: Sendable {
  /// The score of a query and a key is the sum of these products.
  var scores: [(query: LinearForm, key: LinearForm)]
  /// What is read at the key, and where it is added at the query, times a factor.
  var values: [(read: LinearForm, write: [Int: Float])]
}

/// A unit of an MLP, written down: `max(0, input)`, times what it adds where.
struct CompiledGate: Sendable {
  var input: LinearForm
  var write: [Int: Float]
}

/// A transformer block: heads, then gates, both reading the residual stream as it is.
struct CompiledBlock: Sendable {
  var heads: [CompiledHead] = []
  var gates: [CompiledGate] = []

  /// GELU of a number so much larger is the number, or 0.
  private static let gain: Float = 1024

  /// The block's arrays under GPT-2's names; matrices are `[inputs, outputs]`.
  ///
  /// - Parameter hidden: units of the MLP, those that are not written down included.
  func arrays(_ stream: ResidualStream, hidden: Int) -> [NamedArray] {
    let (width, headWidth) = (stream.width, stream.headWidth)
    var attention = CompiledMatrix(inputs: width, outputs: 3 * width)
    var output = CompiledMatrix(inputs: width, outputs: width)
    let scale = Float(headWidth).squareRoot()
    for (number, head) in heads.enumerated() {
      precondition(head.scores.count <= headWidth && head.values.count <= headWidth)
      let start = number * headWidth
      for (index, score) in head.scores.enumerated() {
        attention.set(score.query, output: start + index, times: scale)
        attention.set(score.key, output: width + start + index)
      }
      for (index, value) in head.values.enumerated() {
        attention.set(value.read, output: 2 * width + start + index)
        output.write(value.write, input: start + index)
      }
    }
    var up = CompiledMatrix(inputs: width, outputs: hidden)
    var down = CompiledMatrix(inputs: hidden, outputs: width)
    precondition(gates.count <= hidden)
    for (index, gate) in gates.enumerated() {
      up.set(gate.input, output: index, times: Self.gain)
      down.write(gate.write.mapValues { $0 / Self.gain }, input: index)
    }
    return attention.arrays("attn.c_attn") + output.arrays("attn.c_proj")
      + up.arrays("mlp.c_fc") + down.arrays("mlp.c_proj")
      + ["ln_1", "ln_2"].flatMap {
        NamedArray.norm(
          $0, [Float](repeating: stream.standardDeviation, count: width))
      }
  }
}

/// A matrix and its bias while they are written down.
private struct CompiledMatrix {
  let inputs: Int
  let outputs: Int
  var weights: [Float]
  var bias: [Float]

  init(inputs: Int, outputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
    weights = [Float](repeating: 0, count: inputs * outputs)
    bias = [Float](repeating: 0, count: outputs)
  }

  /// Output `output` is a form of the inputs.
  mutating func set(_ form: LinearForm, output: Int, times factor: Float = 1) {
    for (input, weight) in form.weights { weights[input * outputs + output] = weight * factor }
    bias[output] = form.constant * factor
  }

  /// What one input adds to the residual stream, and its negative to the balance.
  mutating func write(_ targets: [Int: Float], input: Int) {
    let row = input * outputs
    // In order, so that the sum has the same bits each time.
    for (coordinate, weight) in targets.sorted(by: { $0.key < $1.key }) {
      weights[row + coordinate] += weight
      weights[row + ResidualStream.balance] -= weight
    }
  }

  func arrays(_ name: String) -> [NamedArray] {
    [
      NamedArray(name: "\(name).weight", shape: [inputs, outputs], values: weights),
      NamedArray(name: "\(name).bias", shape: [outputs], values: bias),
    ]
  }
}
