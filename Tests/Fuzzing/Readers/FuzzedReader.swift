import Foundation
import TensorCore

/// A reader of something that a user can give, as the fuzzer and the test of kept inputs call it.
/// Raw values are the names of the folders of seeds and of kept inputs.
enum FuzzedReader: String, CaseIterable, Sendable {
  case json
  case gguf
  case ggufParts = "gguf-parts"
  case safetensors
  case safetensorsIndex = "safetensors-index"
  case config
  case tokenizer
  case sentencePiece = "sentence-piece"
  case models
  case task
  case probe
  case interventions
  case pairs
  case torch
  case statistics

  /// Reads `bytes` as the reader's file, and everything that can be asked of it then.
  ///
  /// - Throws: what the reader throws.
  func read(_ bytes: [UInt8]) throws {
    switch self {
    case .json: try Self.readJSON(bytes)
    case .gguf: try Self.readGGUF(bytes)
    case .ggufParts: try Self.readGGUFParts(bytes)
    case .safetensors: try Self.readSafetensors(bytes)
    case .safetensorsIndex: try Self.readSafetensorsIndex(bytes)
    case .config: try Self.readConfig(bytes)
    case .tokenizer: try Self.readTokenizer(bytes)
    case .sentencePiece: try Self.readSentencePiece(bytes)
    case .models: try Self.readCatalogue(bytes)
    case .task: try Self.readTask(bytes)
    case .probe: try Self.readProbe(bytes)
    case .interventions: try Self.readInterventions(bytes)
    case .pairs: try Self.readPairs(bytes)
    case .torch: try Self.readTorch(bytes)
    case .statistics: try Self.readStatistics(bytes)
    }
  }

  /// Reads `bytes`; stops the program where the reader neither takes them nor says on one line what
  /// is wrong.
  func check(_ bytes: [UInt8]) {
    do {
      try read(bytes)
    } catch let error as UserError {
      precondition(!error.problem.isEmpty, "an error without a problem")
      precondition(!error.description.utf8.contains(0x0A), "an error of several lines")
    } catch {
      preconditionFailure("an error that is not for users: \(error)")
    }
  }

  /// A folder in memory for readers of several files, one for each process.
  static let folder: String = {
    let path = "/dev/shm/icl-probe-fuzz-\(getpid())"
    mkdir(path, 0o700)
    return path
  }()

  static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    try Files.append(Data(bytes), to: descriptor, path: path)
  }

  static func reader(_ bytes: [UInt8], place: String) throws -> JSONReader {
    try JSONReader(JSONValue(parsing: Data(bytes), place: place), place: place)
  }
}
