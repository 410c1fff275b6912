import TensorCore

/// What a model's files say of it: what it computes, and where its weights lie.
struct ModelDescription {
  var architecture: Architecture
  var layout: CheckpointLayout
  /// What was decided where the files leave room, for people to read.
  var notes: [String] = []

  /// Changes every block.
  mutating func eachBlock(_ change: (inout Architecture.Block) throws -> Void) rethrows {
    for layer in architecture.blocks.indices { try change(&architecture.blocks[layer]) }
  }

  /// Gives each block its window.
  mutating func setWindows(_ windows: [Int?]) {
    for (layer, window) in windows.enumerated() { architecture.blocks[layer].window = window }
  }

  /// Every `period`-th block, from block `period − 1` on, sees all positions, the others a window.
  mutating func setWindows(_ window: Int?, fullEvery period: Int) {
    setWindows(
      architecture.blocks.indices.map { ($0 + 1).isMultiple(of: period) ? nil : window })
  }
}
