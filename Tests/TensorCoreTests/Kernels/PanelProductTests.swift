import CPanels
import Testing

@testable import TensorCore

/// Products over panels against sums in double precision, in every set of kernels of this processor.
@Suite struct PanelProductTests {
  private static func random(_ count: Int, _ seed: UInt64) -> [Float] {
    var stream = RandomStream(seed: seed)
    return (0..<count).map { _ in Float(stream.uniform()) - 0.5 }
  }

  /// `[m, n]` in double precision, with the sum of absolute products beside it.
  private static func reference(
    m: Int, n: Int, k: Int, _ a: (Int, Int) -> Float, _ b: (Int, Int) -> Float
  ) -> [(value: Double, size: Double)] {
    (0..<m * n).map { index in
      var (value, size) = (0.0, 0.0)
      for step in 0..<k {
        let product = Double(a(index / n, step)) * Double(b(step, index % n))
        value += product
        size += abs(product)
      }
      return (value, size)
    }
  }

  @Test(arguments: [
    (1, 1), (1, 64), (2, 100), (3, 33), (5, 16), (6, 48), (7, 97), (13, 200), (30, 40),
  ])
  func agreesWithDoubles(m: Int, n: Int) {
    for k in [1, 7, 64, 513, 1100] {
      let (a, b) = (Self.random(m * k, 1), Self.random(n * k, 2))
      let start = Self.random(m * n, 3)
      for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
        let expected = Self.reference(
          m: m, n: n, k: k, { transposeA ? a[$1 * m + $0] : a[$0 * k + $1] },
          { transposeB ? b[$1 * k + $0] : b[$0 * n + $1] })
        for target in [ProductTarget.replaced, .added, .continued] {
          var fused: [Float]?
          for kernels in PanelKernelSet.available {
            var c = start
            gemm(
              m: m, n: n, k: k, a: a, strideA: transposeA ? m : k, transposeA: transposeA, b: b,
              strideB: transposeB ? k : n, transposeB: transposeB, c: &c, strideC: n,
              target: target, kernels: kernels)
            let isOff = c.indices.contains {
              let before = target == .replaced ? 0 : Double(start[$0])
              let error = abs(Double(c[$0]) - before - expected[$0].value)
              return !(error <= 3e-6 * (expected[$0].size + abs(before)))
            }
            #expect(!isOff, "\(kernels) \(m) \(n) \(k) \(transposeA) \(transposeB) \(target)")
            guard kernels.isFused else { continue }
            if let fused { #expect(fused == c, "\(kernels) \(m) \(n) \(k)") }
            fused = c
          }
        }
      }
    }
  }

  /// Blocks of a type with scales that are no nonsense.
  private static func matrix(_ type: StoredType, rows: Int, columns: Int) throws -> StoredMatrix {
    let bytesPerRow = try #require(type.bytesPerRow(columns: columns))
    let storage = AlignedBuffer(byteCount: rows * bytesPerRow + 1)
    var stream = RandomStream(seed: UInt64(type.rawValue))
    // Not aligned.
    let bytes = UnsafeMutableRawBufferPointer(rebasing: storage.bytes[1...])
    // Exponents of f16, bf16 and f32 stay small, whichever byte they are in.
    for index in bytes.indices { bytes[index] = UInt8(stream.integer(below: 256)) & 0xBB }
    return try StoredMatrix(
      rows: rows, columns: columns, type: type, bytes: UnsafeRawBufferPointer(bytes),
      owner: storage)
  }

  /// A panel has the very numbers that rows unpack to.
  @Test(arguments: StoredType.allCases)
  func unpacksPanels(type: StoredType) throws {
    let matrix = try Self.matrix(type, rows: 40, columns: 768)
    let values = matrix.floats()
    for kernels in PanelKernelSet.available {
      for (first, count, steps) in [(0, 16, 0..<512), (24, 16, 512..<768), (33, 7, 256..<768)] {
        let scratch = PanelScratch()
        matrix.unpackPanel(
          count: count, steps: steps, kernels: kernels, scratch: scratch, into: scratch.panels
        ) { first + $0 }
        let isOff = (0..<steps.count * count).contains {
          let (step, lane) = ($0 / count, $0 % count)
          let value = values[(first + lane) * 768 + steps.lowerBound + step]
          return scratch.panels[step * 16 + lane].bitPattern != value.bitPattern
        }
        #expect(!isOff, "\(kernels) \(first)")
      }
    }
  }

  /// One row and two take weights as they are stored, more by panels: the same bits.
  @Test(arguments: StoredType.allCases)
  func fewRowsHaveTheBitsOfMany(type: StoredType) throws {
    let (outputs, inputs, rows) = (77, 1280, 5)
    let matrix = try Self.matrix(type, rows: 90, columns: inputs)
    let map = PackedLinear(
      matrix, bias: Tensor(Self.random(outputs, 5), shape: [outputs]),
      rowOrder: (0..<outputs).map { 89 - $0 })
    let x = Self.random(rows * inputs, 6)
    func product(_ kernels: PanelKernelSet, _ part: Range<Int>, _ outputs: Range<Int>) -> [UInt32] {
      var y = [Float](repeating: .nan, count: part.count * outputs.count)
      x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress else { return }
          PackedProduct(pool: ThreadPool(count: 2), kernels: kernels)(
            map, x + part.lowerBound * inputs, rows: part.count, outputs: outputs,
            into: MatrixView(y, stride: outputs.count))
        }
      }
      return y.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
    }
    for kernels in PanelKernelSet.available {
      let all = product(kernels, 0..<rows, 0..<outputs)
      #expect(Set(all).count > rows * outputs / 2)
      for part in [0..<1, 2..<4] {
        for some in [0..<outputs, 3..<70] {
          #expect(
            product(kernels, part, some)
              == part.flatMap { row in some.map { all[row * outputs + $0] } },
            "\(kernels) \(part)")
        }
      }
    }
  }

  /// The same bits for any number of rows, outputs and threads, whether added or added up afterwards.
  @Test(arguments: [StoredType.q4_1, .q8_0, .q6_k, .f16])
  func packedProductsDoNotDependOnTheirShape(type: StoredType) throws {
    let (outputs, inputs, rows) = (150, 1280, 29)
    let matrix = try Self.matrix(type, rows: outputs, columns: inputs)
    let weights = matrix.floats().map { $0.isFinite && abs($0) < 1e6 ? $0 : 0 }
    let bias = Tensor(Self.random(outputs, 5), shape: [outputs])
    let x = Self.random(rows * inputs, 6)
    let map = PackedLinear(
      type == .q8_0 ? matrix : StoredMatrix(f32: weights, rows: outputs, columns: inputs),
      bias: bias, rowOrder: (0..<outputs).reversed())
    func product(
      _ kernels: PanelKernelSet, threads: Int, rows: Range<Int>, outputs: Range<Int>,
      onto start: [Float]? = nil
    ) -> [Float] {
      var y = start ?? [Float](repeating: .nan, count: rows.count * outputs.count)
      x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
          guard let x = x.baseAddress, let y = y.baseAddress else { return }
          PackedProduct(pool: ThreadPool(count: threads), kernels: kernels)(
            map, x + rows.lowerBound * inputs, rows: rows.count, outputs: outputs,
            into: MatrixView(y, stride: outputs.count), accumulate: start != nil)
        }
      }
      return y
    }
    let unpacked = map.weight.floats()
    for kernels in PanelKernelSet.available {
      let all = product(kernels, threads: 1, rows: 0..<rows, outputs: 0..<outputs)
      for row in 0..<rows {
        for output in 0..<outputs {
          var (sum, size) = (Double(bias[output]), 0.0)
          for input in 0..<inputs {
            let term =
              Double(x[row * inputs + input])
              * Double(unpacked[(outputs - 1 - output) * inputs + input])
            sum += term
            size += abs(term)
          }
          #expect(abs(Double(all[row * outputs + output]) - sum) <= 1e-6 * (size + 1))
        }
      }
      #expect(all == product(kernels, threads: 3, rows: 0..<rows, outputs: 0..<outputs))
      for part in [0..<1, 3..<5, 7..<20] {
        let some = product(kernels, threads: 2, rows: part, outputs: 37..<141)
        #expect(
          some
            == part.flatMap { row in (37..<141).map { all[row * outputs + $0] } })
      }
      let start = Self.random(rows * outputs, 7)
      let added = product(
        kernels, threads: 2, rows: 0..<rows, outputs: 0..<outputs, onto: start)
      #expect(added == zip(start, all).map { $0 + $1 })
      if kernels.isFused {
        #expect(
          all == product(.best, threads: 1, rows: 0..<rows, outputs: 0..<outputs))
      }
    }
  }
}
