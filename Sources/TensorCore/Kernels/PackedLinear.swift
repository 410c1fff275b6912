import CPanels

/// A linear map whose weights stay in the format of their file.
public struct PackedLinear: Sendable {
  /// `[outputs, inputs]`, or, with a row order, a matrix that has these rows among others.
  public let weight: StoredMatrix
  /// `[outputs]`, or none.
  public let bias: Tensor?
  /// Which stored row gives output *i*, where that is not row *i*.
  public let rowOrder: [Int]?

  public var outputs: Int { rowOrder?.count ?? weight.rows }
  public var inputs: Int { weight.columns }

  public init(_ weight: StoredMatrix, bias: Tensor? = nil, rowOrder: [Int]? = nil) {
    self.weight = weight
    self.bias = bias
    self.rowOrder = rowOrder
  }

  /// Weights of outputs `range` as f32, `[range.count, inputs]`.
  public func unpack(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    guard let rowOrder else { return weight.unpackRows(range, into: out) }
    for (offset, output) in range.enumerated() {
      weight.unpackRows(rowOrder[output]..<rowOrder[output] + 1, into: out + offset * inputs)
    }
  }

  /// Weights of up to sixteen outputs as a panel, `[steps, 16]`.
  func unpackPanel(
    _ range: Range<Int>, steps: Range<Int>, kernels: PanelKernelSet, scratch: PanelScratch,
    into panel: UnsafeMutablePointer<Float>
  ) {
    weight.unpackPanel(
      count: range.count, steps: steps, kernels: kernels, scratch: scratch, into: panel
    ) { rowOrder?[range.lowerBound + $0] ?? range.lowerBound + $0 }
  }
}

/// Products with packed weights. A value of the result has the same bits for any number of rows,
/// outputs and threads.
public struct PackedProduct: Sendable {
  let pool: ThreadPool
  let kernels: PanelKernelSet

  public init(pool: ThreadPool) { self.init(pool: pool, kernels: .best) }

  init(pool: ThreadPool, kernels: PanelKernelSet) {
    self.pool = pool
    self.kernels = kernels
  }

  /// `y = x · Wᵀ + b`, or `y += …`.
  ///
  /// - Parameters:
  ///   - x: `[rows, inputs]`, contiguous.
  ///   - outputs: which outputs to compute; all if nil.
  ///   - y: `[rows, outputs.count]`, with any distance between rows.
  public func callAsFunction(
    _ linear: PackedLinear, _ x: UnsafePointer<Float>, rows: Int, outputs: Range<Int>? = nil,
    into y: MatrixView, accumulate: Bool = false
  ) {
    let range = outputs ?? 0..<linear.outputs
    guard rows > 0, !range.isEmpty else { return }
    let source = MatrixView(UnsafeMutablePointer(mutating: x), stride: linear.inputs)
    @Sendable func view(_ part: Range<Int>) -> MatrixView {
      MatrixView(y.pointer + part.lowerBound - range.lowerBound, stride: y.stride)
    }
    if rows <= PanelKernelSet.fewRows,
      let kernel = linear.weight.type.kernels(of: kernels)?.multiply
    {
      // A thread's weights lie one after the other, so that what comes next can be asked for.
      let parts = ProductParts(of: range, threads: pool.count, count: pool.count)
      pool.forEach(parts.count) { part in
        multiplyBlocks(
          linear, source, rows: rows, parts[part], into: view(parts[part]), accumulate: accumulate,
          by: kernel)
      }
      return
    }
    // What is added to stays as it is until all else is summed, so that a product that is added has the
    // bits of one that was not.
    let isApart = accumulate && (linear.bias != nil || linear.inputs > PanelKernelSet.mostSteps)
    let parts = ProductParts(of: range, threads: pool.count)
    let apart = FloatBuffer(count: isApart ? pool.count * rows * ProductParts.mostColumns : 0)
    pool.forEachOnWorker(parts.count) { part, worker in
      let (outputs, own) = (parts[part], view(parts[part]))
      guard isApart else {
        multiplyPanels(linear, source, rows: rows, outputs, into: own, accumulate: accumulate)
        return
      }
      let sums = MatrixView(
        apart.pointer + worker * rows * ProductParts.mostColumns, stride: outputs.count)
      multiplyPanels(linear, source, rows: rows, outputs, into: sums, accumulate: false)
      for row in 0..<rows {
        let (sum, out) = (sums.row(row), own.row(row))
        for column in 0..<outputs.count { out[column] += sum[column] }
      }
    }
  }

  /// A few rows take the weights as they are stored.
  private func multiplyBlocks(
    _ linear: PackedLinear, _ x: MatrixView, rows: Int, _ outputs: Range<Int>, into y: MatrixView,
    accumulate: Bool, by multiply: @convention(c) (UnsafePointer<BlockProduct>?) -> Void
  ) {
    let weight = linear.weight
    let most = ProductParts.mostColumns
    var product = BlockProduct()
    product.blocks = linear.inputs / weight.type.blockSize
    product.blocksOfSum =
      PanelKernelSet.stepsOfBlock(of: linear.inputs) / weight.type.blockSize
    product.ahead = most * weight.bytesPerRow
    product.isAdded = accumulate ? 1 : 0
    product.rows = rows
    product.x = UnsafePointer(x.pointer)
    product.xRow = x.stride
    product.yRow = y.stride
    withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: most) { addresses in
      withExtendedLifetime(weight.owner) {
        product.addresses = UnsafePointer(addresses.baseAddress)
        for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: most) {
          let columns = min(most, outputs.upperBound - first)
          product.columns = columns
          product.panels = (columns + PanelKernelSet.columns - 1) / PanelKernelSet.columns
          product.isCold = first == outputs.lowerBound ? 1 : 0
          for lane in 0..<product.panels * PanelKernelSet.columns {
            // Where there are fewer outputs, the last fills the panel.
            let output = first + min(lane, columns - 1)
            let row = linear.rowOrder?[output] ?? output
            addresses[lane] = (weight.base + row * weight.bytesPerRow)
              .assumingMemoryBound(to: UInt8.self)
          }
          product.y = y.pointer + first - outputs.lowerBound
          product.bias = linear.bias.map { UnsafePointer($0.storage.pointer + first) }
          withUnsafePointer(to: product) { multiply($0) }
        }
      }
    }
  }

  /// Unpacks the weights that this task alone needs, and multiplies while they are in its cache.
  private func multiplyPanels(
    _ linear: PackedLinear, _ x: MatrixView, rows: Int, _ outputs: Range<Int>, into y: MatrixView,
    accumulate: Bool
  ) {
    let scratch = PanelScratch()
    let width = PanelKernelSet.columns
    var product = PanelProduct()
    product.rows = rows
    product.columns = outputs.count
    product.xRow = x.stride
    product.xStep = 1
    product.panels = UnsafePointer(scratch.panels)
    product.panelStride = PanelKernelSet.mostSteps * width
    product.panelStep = width
    product.y = y.pointer
    product.yRow = y.stride
    for steps in PanelKernelSet.blocks(of: linear.inputs) {
      for first in stride(from: 0, to: outputs.count, by: width) {
        let start = outputs.lowerBound + first
        linear.unpackPanel(
          start..<min(start + width, outputs.upperBound), steps: steps, kernels: kernels,
          scratch: scratch, into: scratch.panel(first / width))
      }
      product.steps = steps.count
      product.x = UnsafePointer(x.pointer + steps.lowerBound)
      if steps.lowerBound > 0 || accumulate {
        product.start = UnsafePointer(y.pointer)
        product.startRow = y.stride
      } else if let bias = linear.bias {
        product.start = UnsafePointer(bias.storage.pointer + outputs.lowerBound)
        product.startRow = 0
      } else {
        product.start = nil
      }
      kernels.multiply(product)
    }
  }
}

/// How the outputs of a product are shared out: whole panels, as many parts for each thread; by twos where that
/// leaves some for each, since the widest tiles take two.
struct ProductParts {
  static let mostColumns = PanelKernelSet.mostPanels * PanelKernelSet.columns

  private let range: Range<Int>
  /// Panels that stay together, and how many such.
  private let together: Int
  private let units: Int
  let count: Int

  /// - Parameter count: how many parts, as far as there are panels; by default so many that each has at most
  ///   `mostColumns`.
  init(of range: Range<Int>, threads: Int, count: Int? = nil) {
    self.range = range
    let panels = (range.count + PanelKernelSet.columns - 1) / PanelKernelSet.columns
    let fewest = (panels + PanelKernelSet.mostPanels - 1) / PanelKernelSet.mostPanels
    self.count = min(count ?? (fewest + threads - 1) / threads * threads, panels)
    together = panels >= 2 * self.count ? 2 : 1
    units = (panels + together - 1) / together
  }

  subscript(index: Int) -> Range<Int> {
    let columns = together * PanelKernelSet.columns
    let first = units * index / count * columns
    let next = units * (index + 1) / count * columns
    return range.lowerBound + first..<min(range.lowerBound + next, range.upperBound)
  }
}
