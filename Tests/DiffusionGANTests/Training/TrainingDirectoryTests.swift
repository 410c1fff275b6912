import Foundation
import Testing

@testable import DiffusionGAN

@Suite struct TrainingDirectoryTests {
  /// A batch may lead beyond what was asked for.
  @Test func aSnapshotIsTheFirstOfSoManyImages() throws {
    let scratch = try Scratch()
    let directory = TrainingDirectory(reading: scratch.path)
    let written = [0, 1_500, 4_500].map { directory.file("snapshot", seen: $0, "safetensors") }
    for path in written { try Data().write(to: URL(fileURLWithPath: path)) }
    #expect(
      [0, 1_000, 2_000, 3_000, 4_000].map(directory.snapshot)
        == [0, 1, 2, 2, 2].map { written[$0] })
    #expect(directory.newestSnapshot == written[2])
    #expect(directory.snapshot(of: 5_000).hasSuffix("/snapshot-000005.safetensors"))
  }
}
