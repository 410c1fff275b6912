import TensorCore

/// A run as it lies on the disk, read without touching it: it may still be running.
public struct RunReading: Sendable {
  public enum Condition: Sendable, Equatable {
    /// Not all rows are there yet.
    case unfinished
    /// All rows are there, as they were written.
    case complete
    /// The run was finished, but its rows are not what they were; the error says what mends it.
    case damaged(UserError)
  }

  public let path: String
  /// `manifest.json`: an object with an object `identity`.
  public let manifest: JSONValue
  public let condition: Condition
  /// Bytes at the end of the file of rows that are no whole row, and are left out.
  public let droppedBytes: Int
  private let file: RowFile

  public var isFinished: Bool { condition == .complete }

  init(_ path: String, rowsFile: String) throws {
    guard SavedManifest.exists(in: path) else {
      throw UserError(
        "the folder holds no run: it has no manifest.json", at: path,
        remedy: "name the folder of a run")
    }
    let saved = try SavedManifest(folder: path)
    self.path = path
    manifest = saved.value
    file = RowFile(folder: path, name: rowsFile)
    let length = try file.length()
    droppedBytes = length.total - length.whole
    guard saved.isFinished else {
      condition = .unfinished
      return
    }
    switch try saved.check(file, length: length.whole, folder: path) {
    case .intact: condition = .complete
    case .changed(let error): condition = .damaged(error)
    case .shortened(let problem):
      condition = .damaged(
        UserError(
          "the run is finished, but \(problem)", at: path,
          remedy: "compute what is missing with: \(saved.command ?? "the command that made it")"))
    }
  }

  /// Calls `body` with every row, in order, without keeping them.
  ///
  /// - Throws: what `body` throws, and `UserError` for unreadable lines that others follow.
  public func forEachRow(_ body: (JSONReader) throws -> Void) throws {
    try file.forEachRow(body)
  }

  /// All rows; read from the disk at every call.
  public var rows: [JSONReader] {
    get throws {
      var rows: [JSONReader] = []
      try forEachRow { rows.append($0) }
      return rows
    }
  }
}
