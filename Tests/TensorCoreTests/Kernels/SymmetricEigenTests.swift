import Testing

@testable import TensorCore

@Suite struct SymmetricEigenTests {
  @Test func twoByTwo() throws {
    // The lower triangle is not read.
    let eigen = try SymmetricEigen([2, 1, 99, 2], order: 2, wantsVectors: true)
    #expect(zip(eigen.values, [1, 3]).allSatisfy { abs($0 - $1) < 1e-15 })
    let root = 0.5.squareRoot()
    #expect(
      zip(eigen.vectors.map(abs), [root, root, root, root]).allSatisfy { abs($0 - $1) < 1e-15 })
    #expect(eigen.vectors[0] * eigen.vectors[1] < 0 && eigen.vectors[2] * eigen.vectors[3] > 0)
  }

  /// Σ λᵢ vᵢ vᵢᵀ is the matrix, and the vectors are orthonormal.
  @Test(arguments: [1, 5, 60]) func vectorsRebuildTheMatrix(_ n: Int) throws {
    var stream = RandomStream(seed: 4)
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in i..<n {
        matrix[i * n + j] = Double(stream.uniform()) - 0.5
        matrix[j * n + i] = matrix[i * n + j]
      }
    }
    let eigen = try SymmetricEigen(matrix, order: n, wantsVectors: true)
    #expect(eigen.values == eigen.values.sorted())
    for i in 0..<n {
      for j in 0..<n {
        var (rebuilt, product) = (0.0, 0.0)
        for k in 0..<n {
          rebuilt += eigen.values[k] * eigen.vectors[k * n + i] * eigen.vectors[k * n + j]
          product += eigen.vectors[i * n + k] * eigen.vectors[j * n + k]
        }
        #expect(abs(rebuilt - matrix[i * n + j]) < 1e-13)
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-13)
      }
    }
    let values = try SymmetricEigen(matrix, order: n, wantsVectors: false)
    #expect(values.vectors.isEmpty)
    #expect(zip(values.values, eigen.values).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  @Test func valuesThatAreNotFinite() {
    #expect(throws: UserError.self) {
      try SymmetricEigen([1, .nan, 0, 1], order: 2, wantsVectors: false)
    }
  }
}
