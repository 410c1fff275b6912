import Foundation
import TensorCore

/// Numbers of bytes for people, in powers of ten as disks and downloads are measured.
enum ByteSize {
  static func text(_ bytes: Int) -> String {
    switch bytes {
    case ..<1000: "\(bytes) bytes"
    case ..<1_000_000: "\(bytes / 1000) kB"
    case ..<10_000_000_000: "\(bytes / 1_000_000) MB"
    default: "\(bytes / 1_000_000_000) GB"
    }
  }

  /// Bytes of a file, or of the files of weights in a folder.
  static func onDisk(_ path: String) throws -> Int {
    let files =
      Files.isFolder(path)
      ? try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { $0.hasSuffix(".safetensors") }.map { "\(path)/\($0)" } : [path]
    return try files.reduce(0) { sum, file in
      var information = stat()
      guard stat(file, &information) == 0 else {
        throw Files.systemError("cannot be read", at: file)
      }
      return sum + Int(information.st_size)
    }
  }
}
