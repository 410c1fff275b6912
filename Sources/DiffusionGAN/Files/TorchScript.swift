import Foundation
import TensorCore

/// Programs of TorchScript: an archive of code with the weights that it uses. NVIDIA publishes its
/// metrics' networks so, `inception-2015-12-05.pkl` as such an archive inside a pickle.
enum TorchScript {
  /// How names of an archive's entries with code go on behind the archive's own; they are never
  /// compressed.
  private static let mark = Data("/code/__torch__".utf8)

  /// Whether there is such an archive anywhere in a file.
  static func isHeld(by file: MappedFile) -> Bool {
    guard let base = file.bytes.baseAddress else { return false }
    return withExtendedLifetime(file) {
      let data = Data(
        bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: file.bytes.count,
        deallocator: .none)
      return data.range(of: mark) != nil
    }
  }

  static func refusal(of path: String) -> UserError {
    UserError(
      "holds a program of TorchScript, which is not run here", at: path,
      remedy: "save its state dictionary alone; in place of NVIDIA's inception-2015-12-05, give "
        + "pytorch-fid's pt_inception-2015-12-05-6726825d.pth, the same network's weights")
  }
}
