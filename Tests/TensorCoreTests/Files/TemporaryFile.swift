import Foundation

/// A file that lasts as long as `body`.
func withTemporaryFile(
  _ bytes: some Sequence<UInt8> = [], _ body: (String) throws -> Void
) throws {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("icl-probe-test-\(UUID().uuidString)").path
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}
