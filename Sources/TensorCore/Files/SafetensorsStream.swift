import Foundation

/// Writes f32 arrays of known shapes to a safetensors file part by part, so that memory holds one part
/// at a time. The file appears under its name when it is complete.
public final class SafetensorsStream {
  private struct Placement {
    let shape: [Int]
    /// First byte in the file.
    let offset: Int
  }

  private let path: String
  private let temporary: String
  private var descriptor: Int32
  private var arrays: [String: Placement] = [:]

  /// - Parameters:
  ///   - arrays: name and shape of each, in the order of the file; names must differ.
  ///   - metadata: texts by key for the header's `__metadata__`.
  /// - Throws: `UserError` where the file cannot be made.
  public init(
    _ arrays: [(name: String, shape: [Int])], metadata: [String: String] = [:], to path: String
  ) throws {
    var header: [(key: String, value: JSONValue)] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
      header.append(("__metadata__", .object(pairs.map { ($0.key, .string($0.value)) })))
    }
    var end = 0
    var starts: [Int] = []
    for (name, shape) in arrays {
      let start = end
      starts.append(start)
      end += shape.reduce(1, *) * MemoryLayout<Float>.size
      let entry: [(key: String, value: JSONValue)] = [
        ("dtype", "F32"), ("shape", .array(shape.map { .integer($0) })),
        ("data_offsets", [.integer(start), .integer(end)]),
      ]
      header.append((name, .object(entry)))
    }
    var text = Array(JSONValue.object(header).text.utf8)
    // Readers that map the file expect the numbers at a multiple of 8.
    text += repeatElement(UInt8(ascii: " "), count: -text.count & 7)
    let begin = 8 + text.count
    for ((name, shape), start) in zip(arrays, starts) {
      precondition(self.arrays[name] == nil, "two arrays are called \(name)")
      self.arrays[name] = Placement(shape: shape, offset: begin + start)
    }
    self.path = path
    Files.removeAbandoned(in: Files.folder(of: path))
    temporary = Files.temporaryName(path)
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.systemError("cannot be written", at: path) }
    try attempt {
      let size = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
      try Files.append(size + Data(text), to: descriptor, path: path)
      guard ftruncate(descriptor, off_t(begin + end)) == 0 else {
        throw Files.systemError("cannot be written", at: path)
      }
    }
  }

  deinit {
    if descriptor >= 0 { discard() }
  }

  /// Writes numbers of the array `name` from row `row` of its first axis on.
  public func write(_ values: [Float], of name: String, at row: Int) throws {
    guard let array = arrays[name] else { preconditionFailure("no array is called \(name)") }
    let rowCount = array.shape.dropFirst().reduce(1, *)
    precondition(
      (row * rowCount + values.count) <= array.shape.reduce(1, *), "\(name) has no row \(row)")
    try attempt {
      try values.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
          let place = array.offset + row * rowCount * MemoryLayout<Float>.size + done
          let written = pwrite(
            descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(place))
          if written < 0 {
            if errno == EINTR { continue }
            throw Files.systemError("cannot be written", at: path)
          }
          done += written
        }
      }
    }
  }

  /// Flushes the file and its name to the disk.
  ///
  /// - Parameter beforeNaming: called when everything is on the disk, before the file has its name.
  public func finish(beforeNaming: () throws -> Void = {}) throws {
    try attempt {
      guard fsync(descriptor) == 0 else { throw Files.systemError("cannot be written", at: path) }
      try beforeNaming()
      guard rename(temporary, path) == 0 else {
        throw Files.systemError("cannot be written", at: path)
      }
    }
    close(descriptor)
    descriptor = -1
    try Files.syncFolder(Files.folder(of: path))
  }

  private func attempt(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      discard()
      throw error
    }
  }

  private func discard() {
    close(descriptor)
    unlink(temporary)
    descriptor = -1
  }
}
