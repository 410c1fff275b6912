import CPanels

/// Where the values of a matrix lie: the distance between rows and the first value.
///
/// A view crosses threads by value; whoever makes it sees to it that the memory outlives its use and
/// that no two threads write the same part.
public struct MatrixView: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  public let stride: Int

  public init(_ pointer: UnsafeMutablePointer<Float>, stride: Int) {
    self.pointer = pointer
    self.stride = stride
  }

  @inlinable
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> { pointer + index * stride }
}

/// What a product does with the values that are there.
public enum ProductTarget: Sendable {
  case replaced
  /// The product is added to them.
  case added
  /// Their sums go on, as if all were one product of a longer summed extent: the same bits where none of
  /// them is longer than `PanelKernelSet.mostSteps`.
  case continued
}

/// `c = a · b (+ c)` for row-major matrices, on the calling thread.
///
/// A value of the result has the same bits whatever `m` and `n` are and wherever in `c` it lies.
///
/// - Parameters:
///   - m: rows of `c`; n: columns of `c`; k: the summed extent.
///   - transposeA: `a` is `[k, m]` instead of `[m, k]`.
///   - transposeB: `b` is `[n, k]` instead of `[k, n]`.
public func gemm(
  m: Int, n: Int, k: Int,
  a: UnsafePointer<Float>, strideA: Int, transposeA: Bool = false,
  b: UnsafePointer<Float>, strideB: Int, transposeB: Bool,
  c: UnsafeMutablePointer<Float>, strideC: Int, target: ProductTarget = .replaced
) {
  gemm(
    m: m, n: n, k: k, a: a, strideA: strideA, transposeA: transposeA, b: b, strideB: strideB,
    transposeB: transposeB, c: c, strideC: strideC, target: target, kernels: .best)
}

func gemm(
  m: Int, n: Int, k: Int,
  a: UnsafePointer<Float>, strideA: Int, transposeA: Bool,
  b: UnsafePointer<Float>, strideB: Int, transposeB: Bool,
  c: UnsafeMutablePointer<Float>, strideC: Int, target: ProductTarget, kernels: PanelKernelSet
) {
  guard m > 0, n > 0 else { return }
  guard k > 0 else {
    if target == .replaced {
      for row in 0..<m { (c + row * strideC).update(repeating: 0, count: n) }
    }
    return
  }
  let scratch = PanelScratch()
  let width = PanelKernelSet.columns
  let wide = width * PanelKernelSet.mostPanels
  var product = PanelProduct()
  product.rows = m
  product.xRow = transposeA ? 1 : strideA
  product.xStep = transposeA ? strideA : 1
  product.yRow = strideC
  product.startRow = strideC
  product.isChained = target == .continued ? 1 : 0
  // Columns side by side are a panel as they lie; copied, they are not so far apart.
  let isCopied = transposeB || m > PanelKernelSet.mostUncopiedRows
  for first in stride(from: 0, to: n, by: wide) {
    let columns = min(wide, n - first)
    for steps in PanelKernelSet.blocks(of: k) {
      product.columns = columns
      product.steps = steps.count
      product.x = a + steps.lowerBound * product.xStep
      product.y = c + first
      product.start =
        target == .replaced && steps.lowerBound == 0 ? nil : UnsafePointer(c + first)
      product.panels = UnsafePointer(scratch.panels)
      product.panelStride = PanelKernelSet.mostSteps * width
      product.panelStep = width
      for column in stride(from: 0, to: columns, by: width) {
        let count = min(width, columns - column)
        let panel = scratch.panel(column / width)
        if transposeB {
          kernels.turn(
            b + (first + column) * strideB + steps.lowerBound, stride: strideB, rows: count,
            steps: steps.count, into: panel)
        } else if isCopied || count < width {
          copyPanel(
            b + steps.lowerBound * strideB + first + column, stride: strideB, columns: count,
            steps: steps.count, into: panel)
        }
      }
      if !isCopied {
        let whole = columns / width * width
        product.columns = whole
        product.panels = b + steps.lowerBound * strideB + first
        product.panelStride = width
        product.panelStep = strideB
        if whole > 0 { kernels.multiply(product) }
        guard whole < columns else { continue }
        product.columns = columns - whole
        product.panels = UnsafePointer(scratch.panel(whole / width))
        product.panelStep = width
        product.y = c + first + whole
        product.start = product.start.map { $0 + whole }
      }
      kernels.multiply(product)
    }
  }
}

/// Up to sixteen columns as a panel.
private func copyPanel(
  _ source: UnsafePointer<Float>, stride: Int, columns: Int, steps: Int,
  into panel: UnsafeMutablePointer<Float>
) {
  let width = PanelKernelSet.columns
  if columns == width {
    for step in 0..<steps {
      let lanes = UnsafeRawPointer(source + step * stride).loadUnaligned(as: SIMD16<Float>.self)
      UnsafeMutableRawPointer(panel + step * width).storeBytes(of: lanes, as: SIMD16<Float>.self)
    }
  } else {
    // The columns that are nobody's are not read, but what they hold may be slow to multiply.
    panel.update(repeating: 0, count: steps * width)
    for step in 0..<steps {
      (panel + step * width).update(from: source + step * stride, count: columns)
    }
  }
}

extension PanelKernelSet {
  /// Up to so many rows, copying a factor costs more than it gains.
  fileprivate static let mostUncopiedRows = 24

  func multiply(_ product: PanelProduct) {
    withUnsafePointer(to: product) { kernels.multiply($0) }
  }

  /// Up to sixteen rows of `steps` values as a panel; where there are fewer, the last fills it.
  func turn(
    _ rows: UnsafePointer<Float>, stride: Int, rows count: Int, steps: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(
      of: UnsafePointer<UInt8>?.self, capacity: PanelKernelSet.columns
    ) { addresses in
      for row in 0..<PanelKernelSet.columns {
        addresses[row] = UnsafeRawPointer(rows + min(row, count - 1) * stride)
          .assumingMemoryBound(to: UInt8.self)
      }
      kernels.f32.unpack(addresses.baseAddress, steps, panel)
    }
  }
}
