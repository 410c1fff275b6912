import CPanels

/// Kernels for products over panels: sixteen columns of a matrix side by side, `[steps, 16]`.
///
/// The sum of a result is one chain of multiplications and additions, in the order of its steps, for
/// each block of `mostSteps` of them, and the blocks' sums are added in their order: it does not depend
/// on how many rows or columns a product has, which of them it is, or on the width of the processor's
/// vectors.
struct PanelKernelSet: @unchecked Sendable, CustomStringConvertible {
  /// Columns of a panel.
  static let columns = Int(PANEL_COLUMNS)
  /// Steps of a block.
  static let mostSteps = 768
  /// Panels of a task: with a block's steps they stay in the second-level cache.
  static let mostPanels = Int(MOST_PANELS)
  /// Up to so many rows a product takes weights as they are stored.
  static let fewRows = Int(FEW_ROWS)

  let kernels: PanelKernels

  /// Those that this processor can run, the fastest first.
  static let available: [PanelKernelSet] = {
    var sets: [PanelKernelSet] = []
    while let next = panelKernels(sets.count) { sets.append(PanelKernelSet(kernels: next.pointee)) }
    return sets
  }()

  /// The fastest that this processor can run.
  static let best = available[0]

  /// `avx512`, `avx2`, `sse2`, `portable`.
  var description: String { String(cString: kernels.name) }

  /// Whether multiplications and additions are fused: sets that agree in that give the same bits.
  var isFused: Bool { kernels.isFused != 0 }

  /// The calling thread's scratch memory: panels of `mostPanels · mostSteps` steps, and sixteen rows of
  /// `mostSteps` behind them.
  static var scratch: UnsafeMutablePointer<Float> {
    guard let scratch = panelScratch() else { fatalError("no memory left") }
    return scratch
  }

  /// Steps of the blocks that `total` steps are cut into: about the same size, whole blocks of every stored
  /// type.
  static func stepsOfBlock(of total: Int) -> Int {
    let count = max((total + mostSteps - 1) / mostSteps, 1)
    return count == 1 ? mostSteps : ((total + count - 1) / count + 255) / 256 * 256
  }

  /// Steps `0..<total` in such blocks.
  static func blocks(of total: Int) -> some Sequence<Range<Int>> {
    let size = stepsOfBlock(of: total)
    return stride(from: 0, to: total, by: size).lazy.map { $0..<min($0 + size, total) }
  }
}

/// Panels in the calling thread's scratch memory.
struct PanelScratch {
  let panels: UnsafeMutablePointer<Float>
  /// Sixteen rows of `PanelKernelSet.mostSteps`.
  let rows: UnsafeMutablePointer<Float>

  init() {
    panels = PanelKernelSet.scratch
    rows =
      panels + PanelKernelSet.mostPanels * PanelKernelSet.mostSteps * PanelKernelSet.columns
  }

  /// Panel `index`, `[mostSteps, 16]`.
  func panel(_ index: Int) -> UnsafeMutablePointer<Float> {
    panels + index * PanelKernelSet.mostSteps * PanelKernelSet.columns
  }
}
