import CPanels

extension StoredMatrix {
  /// Unpacks up to sixteen rows as a panel, `[steps, 16]`; where there are fewer, the last fills it.
  ///
  /// - Parameters:
  ///   - steps: columns, whole blocks, at most `PanelKernelSet.mostSteps`.
  ///   - row: the stored row of each of the `count` rows.
  func unpackPanel(
    count: Int, steps: Range<Int>, kernels: PanelKernelSet, scratch: PanelScratch,
    into panel: UnsafeMutablePointer<Float>, row: (Int) -> Int
  ) {
    let offset = steps.lowerBound / type.blockSize * type.blockBytes
    let blocks = steps.count / type.blockSize
    withUnsafeTemporaryAllocation(
      of: UnsafePointer<UInt8>?.self, capacity: PanelKernelSet.columns
    ) { addresses in
      withExtendedLifetime(owner) {
        for lane in 0..<PanelKernelSet.columns {
          let start = base + row(min(lane, count - 1)) * bytesPerRow + offset
          addresses[lane] = start.assumingMemoryBound(to: UInt8.self)
        }
        if let unpack = type.kernels(of: kernels)?.unpack {
          unpack(addresses.baseAddress, blocks, panel)
          return
        }
        for lane in 0..<count {
          guard let start = addresses[lane] else { continue }
          type.unpack(start, blocks: blocks, into: scratch.rows + lane * steps.count)
        }
        kernels.turn(
          scratch.rows, stride: steps.count, rows: count, steps: steps.count, into: panel)
      }
    }
  }
}

extension StoredType {
  /// What reads rows of this type, where there is such a thing.
  func kernels(of set: PanelKernelSet) -> BlockKernels? {
    let kernels = set.kernels
    return switch self {
    case .f32: kernels.f32
    case .f16: kernels.f16
    case .bf16: kernels.bf16
    case .q4_0: kernels.q4_0
    case .q4_1: kernels.q4_1
    case .q5_0: kernels.q5_0
    case .q5_1: kernels.q5_1
    case .q8_0: kernels.q8_0
    case .q4_k: kernels.q4_K
    case .q5_k: kernels.q5_K
    case .q6_k: kernels.q6_K
    case .q2_k, .q3_k, .iq4_nl: nil
    }
  }
}
