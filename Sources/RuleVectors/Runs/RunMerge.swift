import Reports
import TensorCore

/// Putting the shares of a run together.
public enum RunMerge {
  /// Merges the shares in a run's folder; without shares, or where that is done already, nothing
  /// happens.
  ///
  /// - Returns: the number of shares that were merged; nil where there was nothing to merge.
  /// - Throws: `UserError` naming the shares that are missing.
  @discardableResult public static func merge(_ path: String) throws -> Int? {
    guard let shares = try RunShards(path, rowsFile: RunRecord.rowsFile) else { return nil }
    try shares.merge(unit: { try StoredRow($0).key.description }) { manifests in
      let failures = manifests.map { $0["failed"] }.filter { $0 != .null }
      return [
        ("verification", try verification(manifests, path)), ("failed", failures.first ?? .null),
      ]
    }
    return shares.count
  }

  private static func verification(_ manifests: [JSONValue], _ path: String) throws -> JSONValue {
    try manifests.reduce(Verification()) { sum, manifest in
      try sum.adding(Verification(manifest["verification"], place: "\(path), verification"))
    }.json
  }
}
