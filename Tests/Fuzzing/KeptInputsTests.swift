import Foundation
import TensorCore
import Testing

/// Inputs that once stopped a reader, and the fuzzer's seeds. A reader that stops again stops the
/// tests.
@Suite(.serialized) struct KeptInputsTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  private static func inputs(_ kind: String, _ reader: FuzzedReader) -> [URL] {
    let folder = folder.appendingPathComponent("\(kind)/\(reader.rawValue)")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map(folder.appendingPathComponent)
  }

  @Test(arguments: FuzzedReader.allCases) func keptInputsAreReadOrRefused(_ reader: FuzzedReader)
    throws
  {
    for input in Self.inputs("found", reader) {
      let bytes = try [UInt8](Data(contentsOf: input))
      let time = ContinuousClock().measure { reader.check(bytes) }
      #expect(time < .seconds(1), "\(input.lastPathComponent) takes \(time)")
    }
  }

  @Test(arguments: FuzzedReader.allCases) func seedsAreRead(_ reader: FuzzedReader) throws {
    let seeds = Self.inputs("seeds", reader)
    // These begin with the program's own files.
    #expect(!seeds.isEmpty || reader == .probe)
    for seed in seeds where seed.lastPathComponent != "kinds.gguf" {
      #expect(throws: Never.self, "\(seed.lastPathComponent)") {
        try reader.read([UInt8](Data(contentsOf: seed)))
      }
    }
  }
}
