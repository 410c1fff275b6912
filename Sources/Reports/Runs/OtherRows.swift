import Foundation
import TensorCore

/// Rows that other processes have written of the same run: what they have done need not be done again.
///
/// Only rows behind those that were seen before are read, and only whole ones: somebody may be writing
/// them.
public struct OtherRows {
  private let folder: String
  private let own: String
  /// Bytes seen of each file.
  private var seen: [String: Int] = [:]

  init(folder: String, besides own: String) {
    self.folder = folder
    self.own = own
  }

  /// Calls `body` with every new row and the name of its file.
  ///
  /// - Throws: what `body` throws. A file that cannot be read is left to whoever writes it.
  public mutating func forEachNewRow(_ body: (_ file: String, JSONReader) throws -> Void) throws {
    let whole = own.replacing(/-[0-9]+-of-[0-9]+\./, with: ".")
    let identity = try SavedManifest(folder: folder).identity
    let files = [whole] + RunShards.shards(in: folder).map { $0.file(whole) }
    for name in files where name != own {
      let file = RowFile(folder: folder, name: name)
      let start = seen[name] ?? 0
      guard let length = try? file.length().whole, length > start else { continue }
      if let shard = Shard(file: name, of: whole) {
        // A file that was copied here from another run is none of ours.
        guard let saved = try? SavedManifest(folder: folder, of: shard),
          RunIdentity.differences(ours: identity, theirs: saved.identity).isEmpty
        else { continue }
      }
      var end = start
      try file.forEachLine(from: start, length: length - start) { line, _ in
        guard let row = try? RowFile.row(line, place: "\(file.path):\(end)") else { return }
        try body(name, row)
        end += line.count + 1
      }
      seen[name] = length
    }
  }
}
