import Foundation
import TensorCore
import Transformer

/// Model files that are too large for the repository.
enum ModelFiles {
  static let smollm2 = "SmolLM2-135M-Instruct.Q4_1.gguf"
  static let gemmaVocabulary = "gemma-3-270m-vocabulary.gguf"

  /// `$ICL_PROBE_MODELS`, or else `icl-probe/models` in the cache folder.
  static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["ICL_PROBE_MODELS"], !folder.isEmpty { return folder }
    if let cache = environment["XDG_CACHE_HOME"], !cache.isEmpty {
      return cache + "/icl-probe/models"
    }
    return NSHomeDirectory() + "/.cache/icl-probe/models"
  }

  /// The path of a model file.
  ///
  /// - Throws: `UserError` with `remedy` where it is missing: a test without its data must fail.
  static func path(_ name: String, remedy: String) throws -> String {
    let path = folder + "/" + name
    guard FileManager.default.fileExists(atPath: path) else {
      throw UserError("the model file that this test needs is missing", at: path, remedy: remedy)
    }
    return path
  }
}
