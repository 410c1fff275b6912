extension Tensor {
  /// `a · b` over the last two axes, `[…, m, k] · […, k, n] → […, m, n]`; the axes before them agree,
  /// or one of the two has none, and is then the same for all.
  ///
  /// - Parameters:
  ///   - transposeA: `a` is `[…, k, m]`; transposeB: `b` is `[…, n, k]`.
  public static func product(
    _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false
  ) -> Tensor {
    let plan = ProductPlan(a.shape, b.shape, transposeA, transposeB)
    let (shapeA, shapeB) = (a.shape, b.shape)
    return plan.run(a, b).recorded(
      Pullback(a) { g in
        let gradient =
          transposeA
          ? product(b, g, transposeA: transposeB, transposeB: true)
          : product(g, b, transposeB: !transposeB)
        return gradient.summed(to: shapeA)
      },
      Pullback(b) { g in
        // Where `b` is the same for all, all rows of `a` go into one product.
        if shapeB.count == 2, shapeA.count > 2, !transposeA {
          let rows = a.reshaped([-1, shapeA[shapeA.count - 1]])
          let gradients = g.reshaped([-1, g.shape[g.shape.count - 1]])
          return transposeB
            ? product(gradients, rows, transposeA: true)
            : product(rows, gradients, transposeA: true)
        }
        let gradient =
          transposeB
          ? product(g, a, transposeA: true, transposeB: transposeA)
          : product(a, g, transposeA: !transposeA)
        return gradient.summed(to: shapeB)
      })
  }

  /// `x · Wᵀ (+ b)` for `x` `[…, inputs]`, `weight` `[outputs, inputs]` and `bias` `[outputs]`. A row's
  /// result has the same bits whichever rows stand beside it.
  public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    let result = Tensor.product(self, weight, transposeB: true)
    return bias.map { result + $0 } ?? result
  }
}

/// How a batch of products is cut into tiles, by its shape alone.
private struct ProductPlan {
  /// Rows of a tile; a single large product is cut into several.
  private static let tileRows = 256

  private let shape: [Int]
  private let batch: Int
  private let m: Int
  private let n: Int
  private let k: Int
  private let transposeA: Bool
  private let transposeB: Bool
  private let repeatsA: Bool
  private let repeatsB: Bool

  init(_ a: [Int], _ b: [Int], _ transposeA: Bool, _ transposeB: Bool) {
    func refuse() -> String {
      "product of shapes \(a)\(transposeA ? "ᵀ" : "") and \(b)\(transposeB ? "ᵀ" : "")"
    }
    precondition(a.count >= 2 && b.count >= 2, refuse())
    let (outerA, outerB) = (Array(a.dropLast(2)), Array(b.dropLast(2)))
    precondition(outerA == outerB || outerA.isEmpty || outerB.isEmpty, refuse())
    let (rowsA, columnsA) = (a[a.count - 2], a[a.count - 1])
    let (rowsB, columnsB) = (b[b.count - 2], b[b.count - 1])
    let (m, k) = transposeA ? (columnsA, rowsA) : (rowsA, columnsA)
    let (otherK, n) = transposeB ? (columnsB, rowsB) : (rowsB, columnsB)
    precondition(k == otherK, refuse())
    let outer = outerA.isEmpty ? outerB : outerA
    shape = outer + [m, n]
    (self.m, self.n, self.k) = (m, n, k)
    self.transposeA = transposeA
    self.transposeB = transposeB
    repeatsA = outerA.isEmpty
    repeatsB = outerB.isEmpty
    // Rows of several products with one right factor are the rows of one product.
    batch = outer.reduce(1, *)
  }

  func run(_ a: Tensor, _ b: Tensor) -> Tensor {
    let out = FloatBuffer(count: batch * m * n)
    guard out.count > 0 else { return Tensor(adopting: out, shape: shape) }
    guard k > 0 else { return Tensor(zeros: shape) }
    let (x, y) = (a.storage, b.storage)
    let isOne = repeatsB && !transposeA && !(repeatsA && batch > 1)
    let (products, rows) = isOne ? (1, batch * m) : (batch, m)
    let tiles = (rows + Self.tileRows - 1) / Self.tileRows
    let (strideA, strideB) = (transposeA ? m : k, transposeB ? k : n)
    let (stepA, stepB) = (repeatsA ? 0 : m * k, repeatsB ? 0 : k * n)
    // Small products share a task.
    let work = max(min(rows, Self.tileRows) * n * k, 1)
    Compute.pool.forEachRange(of: products * tiles, grain: max((1 << 18) / work, 1)) { range in
      for index in range {
        let (product, first) = (index / tiles, index % tiles * Self.tileRows)
        let count = min(Self.tileRows, rows - first)
        let left = x.pointer + product * stepA + (transposeA ? first : first * k)
        gemm(
          m: count, n: n, k: k, a: left, strideA: strideA, transposeA: transposeA,
          b: y.pointer + product * stepB, strideB: strideB, transposeB: transposeB,
          c: out.pointer + (product * m + first) * n, strideC: n)
      }
    }
    return Tensor(adopting: out, shape: shape)
  }
}
