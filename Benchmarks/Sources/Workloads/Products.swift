import COpenBLAS
import CPanels
import TensorCore

/// Products of a model's shapes on one thread, y[m, n] = x · Wᵀ, beside OpenBLAS: over panels that are
/// packed, and with weights that are unpacked from Q4_1 for each product, as a model's are.
extension Bench {
  func products() throws {
    // The shapes of SmolLM2's maps.
    for (rows, shapes) in [
      (1, [(576, 576), (1536, 576), (576, 1536)]), (4, [(576, 576)]),
      (16, [(576, 576), (1536, 576)]),
      (82, [(576, 576), (1536, 576), (576, 1536)]), (640, [(1536, 576), (576, 1536)]),
    ] {
      var (packed, unpacked, share) = ([Double](), [Double](), [Double]())
      for (outputs, inputs) in shapes {
        let product = ProductBench(rows: rows, outputs: outputs, inputs: inputs)
        let rates = product.measure(rounds: isQuick ? 9 : 31)
        packed.append(rates.packed / rates.openBLAS)
        unpacked.append(rates.unpacked / rates.openBLAS)
        share.append(rates.packed / rates.peak)
        results.set("product.\(rows)x\(outputs)x\(inputs).gflops", rates.packed)
        results.set("product.\(rows)x\(outputs)x\(inputs).q4_1_gflops", rates.unpacked)
        results.set("product.\(rows)x\(outputs)x\(inputs).openblas_gflops", rates.openBLAS)
      }
      results.set("ratio.product_\(rows).openblas", median(packed))
      results.set("ratio.product_\(rows)_q4_1.openblas", median(unpacked))
      results.set("product_\(rows).share_of_fma_peak", median(share))
      if rows == 82 { results.set("kernel.share_of_fma_peak", median(share)) }
    }
  }
}

/// One product, in three ways.
private struct ProductBench {
  struct Rates {
    let openBLAS: Double
    let packed: Double
    let unpacked: Double
    let peak: Double
  }

  let rows: Int
  let outputs: Int
  let inputs: Int

  /// Rates in GFLOP/s of the fastest rounds, the ways by turns, in processor time.
  func measure(rounds: Int) -> Rates {
    let x = FloatBuffer(count: rows * inputs)
    let weights = FloatBuffer(count: outputs * inputs)
    let panels = FloatBuffer(count: outputs * inputs)
    let y = FloatBuffer(count: rows * outputs)
    var random = RandomStream(seed: 0)
    for index in 0..<x.count { x.pointer[index] = random.uniform() - 0.5 }
    for index in 0..<weights.count { weights.pointer[index] = random.uniform() - 0.5 }
    for output in 0..<outputs {
      for input in 0..<inputs {
        panels.pointer[(output / 16 * inputs + input) * 16 + output % 16] =
          weights.pointer[output * inputs + input]
      }
    }
    let map = PackedLinear(fromFile(&random))
    let product = PackedProduct(pool: ThreadPool(count: 1))
    guard let kernels = panelKernels(0)?.pointee else { fatalError("no kernels") }

    let operations = Double(2 * rows * outputs * inputs)
    let repeats = Int(2e8 / operations) + 1
    func rate(_ body: () -> Void) -> Double {
      let start = processorSeconds()
      for _ in 0..<repeats { body() }
      return operations * Double(repeats) / (processorSeconds() - start) / 1e9
    }
    // Parts of a task's size, as in `PackedProduct`.
    let part = 64
    func multiply() {
      var product = PanelProduct()
      product.rows = rows
      product.xRow = inputs
      product.xStep = 1
      product.yRow = outputs
      product.startRow = outputs
      product.panelStep = 16
      for first in stride(from: 0, to: outputs, by: part) {
        product.columns = min(part, outputs - first)
        product.y = y.pointer + first
        for step in stride(from: 0, to: inputs, by: 768) {
          product.steps = min(768, inputs - step)
          product.x = UnsafePointer(x.pointer + step)
          product.start = step > 0 ? UnsafePointer(y.pointer + first) : nil
          product.panels = UnsafePointer(panels.pointer + first * inputs + step * 16)
          product.panelStride = 16 * inputs
          withUnsafePointer(to: product) { kernels.multiply($0) }
        }
      }
    }
    var (openBLAS, own, unpacked, peak) = (0.0, 0.0, 0.0, 0.0)
    for _ in 0..<rounds {
      openBLAS = max(
        openBLAS,
        rate {
          cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs),
            blasint(inputs), 1, x.pointer, blasint(inputs), weights.pointer, blasint(inputs), 0,
            y.pointer, blasint(outputs))
        })
      own = max(own, rate { multiply() })
      unpacked = max(
        unpacked,
        rate {
          product(map, x.pointer, rows: rows, into: MatrixView(y.pointer, stride: outputs))
        })
      peak = max(peak, fusedPeak())
    }
    return Rates(openBLAS: openBLAS, packed: own, unpacked: unpacked, peak: peak)
  }

  /// Random numbers in Q4_1: blocks of a scale and a minimum in f16, and 32 numbers of four bits.
  private func fromFile(_ random: inout RandomStream) -> StoredMatrix {
    let storage = Bytes(count: outputs * inputs / 32 * 20)
    for index in storage.bytes.indices {
      // Scales and minima between 1/256 and 1/64.
      storage.bytes[index] =
        switch index % 20 {
        case 1, 3: 0x1C | UInt8(random.integer(below: 8))
        default: UInt8(random.integer(below: 256))
        }
    }
    do {
      return try StoredMatrix(
        rows: outputs, columns: inputs, type: .q4_1,
        bytes: UnsafeRawBufferPointer(storage.bytes), owner: storage)
    } catch {
      fatalError("\(error)")
    }
  }
}

/// Memory that lives as long as a matrix needs it.
private final class Bytes: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }
  deinit { bytes.deallocate() }
}

/// What a loop of independent fused multiplications and additions reaches on one thread, in GFLOP/s, in
/// processor time.
private func fusedPeak() -> Double {
  let start = processorSeconds()
  let operations = fusedLoop(iterations: 200_000)
  return operations / (processorSeconds() - start) / 1e9
}

/// - Returns: operations of such a loop.
func fusedLoop(iterations: Int) -> Double {
  guard let kernels = panelKernels(0)?.pointee else { return 0 }
  var result: Float = 0
  return kernels.spin(iterations, &result)
}
