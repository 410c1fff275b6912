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
    let blocks = inputs / 32
    let packed = (0..<outputs * blocks * 20).map { _ in UInt8(random.integer(below: 256)) & 0xBB }
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
    func multiply(_ unpack: Bool) {
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
          if unpack {
            guard let scratch = panelScratch() else { return }
            packed.withUnsafeBufferPointer { bytes in
              for panel in 0..<(product.columns + 15) / 16 {
                let rows = (0..<16).map {
                  bytes.baseAddress.map { $0 + step / 32 * 20 }?
                    .advanced(by: (first + 16 * panel + $0) * blocks * 20)
                }
                kernels.unpackQ4_1(rows, product.steps / 32, scratch + panel * 16 * 768)
              }
            }
            product.panels = UnsafePointer(scratch)
            product.panelStride = 16 * 768
          } else {
            product.panels = UnsafePointer(panels.pointer + first * inputs + step * 16)
            product.panelStride = 16 * inputs
          }
          withUnsafePointer(to: product) { kernels.multiply($0) }
        }
      }
    }
    var (openBLAS, own, fromFile, peak) = (0.0, 0.0, 0.0, 0.0)
    for _ in 0..<rounds {
      openBLAS = max(
        openBLAS,
        rate {
          cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs),
            blasint(inputs), 1, x.pointer, blasint(inputs), weights.pointer, blasint(inputs), 0,
            y.pointer, blasint(outputs))
        })
      own = max(own, rate { multiply(false) })
      fromFile = max(fromFile, rate { multiply(true) })
      peak = max(peak, fusedPeak())
    }
    return Rates(openBLAS: openBLAS, packed: own, unpacked: fromFile, peak: peak)
  }
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
