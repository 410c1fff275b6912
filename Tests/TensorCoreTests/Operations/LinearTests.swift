import Testing

@testable import TensorCore

@Suite struct LinearTests {
  private func normal(_ shape: [Int], _ seed: UInt64) -> Tensor {
    Tensor(normal: shape, from: [RandomStream(seed: seed)]).reshaped(shape)
  }

  /// Widths with and without a rest behind the vectors, and blocks that are partly used.
  @Test(arguments: [(1, 1, 1), (3, 5, 7), (4, 2, 8), (9, 33, 64), (70, 24, 131)])
  func isTheProduct(rows: Int, outputs: Int, inputs: Int) {
    let (x, w, b) = (
      normal([rows, inputs], 1), normal([outputs, inputs], 2), normal([outputs], 3)
    )
    let result = x.linear(w, bias: b)
    #expect(result.shape == [rows, outputs])
    for row in 0..<rows {
      for output in 0..<outputs {
        let sum = (0..<inputs).reduce(Double(b[output])) {
          $0 + Double(x[row * inputs + $1]) * Double(w[output * inputs + $1])
        }
        #expect(abs(Double(result[row * outputs + output]) - sum) < 1e-5 * (1 + abs(sum)))
      }
    }
  }

  @Test func aRowHasTheSameBitsAmongAnyOthers() {
    let (x, w) = (normal([70, 131], 1), normal([37, 131], 2))
    let all = x.linear(w).values
    for rows in [1, 2, 3, 5, 7, 64] {
      for first in [0, 1, 6] {
        let part = x.slice(0, first..<first + rows).linear(w).values
        #expect(part == Array(all[first * 37..<(first + rows) * 37]), "\(rows) from \(first)")
      }
    }
    Compute.$pool.withValue(ThreadPool(count: 3)) {
      #expect(x.linear(w).values == all)
    }
  }

  @Test func gradients() {
    expectGradients(
      "row-wise linear", at: [normal([3, 5], 1), normal([4, 5], 2), normal([4], 3)]
    ) {
      $0[0].linear($0[1], bias: $0[2])
    }
  }
}
