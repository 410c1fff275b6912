import TensorCore
import Testing

/// Cotangents of tensors between a function's input and its value.
@Suite struct WatchTests {
  @Test func cotangentsArriveInTheOrderOfWatching() {
    let x = random([3], 1)
    let function = valueWithPullback(at: x) { x, watch in
      let squares = x.squared()
      let doubled = squares * 2
      watch.add(doubled)
      watch.add(squares)
      watch.add(Tensor(zeros: [3]))
      // Both are used again on the way.
      return doubled * squares + squares
    }
    let cotangent = random([3], 2)
    let (input, watched) = function.pullback(cotangent)
    // y = 2 s² + s with s = x².
    for index in 0..<3 {
      let (c, s) = (cotangent[index], x[index] * x[index])
      #expect(abs((watched[0]?[index] ?? .nan) - c * s) < 1e-6)
      #expect(abs((watched[1]?[index] ?? .nan) - c * (4 * s + 1)) < 1e-5)
      #expect(abs(input[index] - c * (4 * s + 1) * 2 * x[index]) < 1e-5)
    }
    #expect(watched[2] == nil)
  }

  /// Packed products of many rows and of several panels, beside dense ones.
  @Test(arguments: [1, 40, 700]) func packedProducts(rows: Int) {
    let (inputs, outputs) = (48, 90)
    let weight = random([outputs, inputs], 1)
    let bias = random([outputs], 2)
    let packed = PackedLinear(
      StoredMatrix(f32: weight.values, rows: outputs, columns: inputs), bias: bias)
    let product = PackedProduct(pool: Compute.pool)
    let x = random([rows, inputs], 3)
    let y = random([rows, outputs], 4)
    let (forward, back) = (product.linear(x, packed), product.transposed(y, packed))
    for (a, b) in zip(forward.values, x.linear(weight, bias: bias).values) {
      #expect(abs(a - b) < 1e-4)
    }
    for (a, b) in zip(back.values, Tensor.product(y, weight).values) { #expect(abs(a - b) < 1e-4) }
  }
}
