import Foundation
import TensorCore

/// What a model's files say about it, whether or not it can be run.
public struct ModelInspection: Sendable {
  /// The tensors of one number type.
  public struct TensorType: Sendable, Equatable {
    /// As the file's format calls it: `Q4_K`, `BF16`.
    public let name: String
    public fileprivate(set) var count = 0
    public fileprivate(set) var parameters = 0
    public fileprivate(set) var bytes = 0
  }

  /// The token that stands before a prompt.
  public struct Begin: Sendable, Equatable {
    public let id: Int?
    /// Its text, where the tokenizer could be read.
    public let text: String?
    /// Whether prompts get it.
    public let isExpected: Bool
  }

  public let path: String
  /// What kind of file or folder it is.
  public let format: String
  /// The model's own name.
  public internal(set) var title: String?
  /// The family, as the file calls it.
  public internal(set) var architecture: String?
  /// Sizes by name, in the order to show them: `layers`, `width`, …
  public internal(set) var shapes: [(name: String, value: Int)] = []
  /// The most bytes first.
  public private(set) var tensorTypes: [TensorType] = []
  /// The tokenizer's kind.
  public internal(set) var tokenizer: String?
  /// How many token ids the tokenizer has.
  public internal(set) var tokens: Int?
  public internal(set) var begin: Begin?
  /// What the files say about their licence.
  public internal(set) var licence: String?
  /// The model, if it can be run.
  public internal(set) var model: LanguageModel?
  /// Why it cannot be run, in a line each.
  public internal(set) var problems: [String] = []

  public var parameters: Int { tensorTypes.reduce(0) { Self.sum($0, $1.parameters) } }
  /// Bytes of all tensors.
  public var bytes: Int { tensorTypes.reduce(0) { Self.sum($0, $1.bytes) } }

  /// Bytes that each token of a full run keeps for the runs that build on it: the residual stream
  /// before each block and after the last, keys and values (`RecordedRun`).
  public var keptBytesPerToken: Int? {
    model.map { RecordedRun.byteCount(positions: 1, $0.architecture) }
  }

  /// Looks at a GGUF file or a Hugging Face folder.
  ///
  /// - Throws: `UserError` for what is no model file at all, or is damaged. That this engine does not
  ///   run it is no error: see `problems`.
  public init(path: String) throws {
    if Files.isFolder(path) {
      let config = try JSONValue(contentsOf: path + "/config.json")
      self.init(path: path, format: "Hugging Face folder")
      readFolder(config)
    } else {
      let file = try GGUFFile(path)
      self.init(path: path, format: "GGUF, version \(file.version)")
      read(file)
    }
    do {
      take(try LanguageModel(path: path))
    } catch {
      let text = UserError(any: error).description
      if !problems.contains(text) { problems.append(text) }
    }
    tensorTypes.sort { ($0.bytes, $1.name) > ($1.bytes, $0.name) }
  }

  private init(path: String, format: String) {
    self.path = path
    self.format = format
  }

  mutating func add(tensorOf type: String, parameters: Int, bytes: Int) {
    let index =
      tensorTypes.firstIndex { $0.name == type }
      ?? {
        tensorTypes.append(TensorType(name: type))
        return tensorTypes.count - 1
      }()
    tensorTypes[index].count += 1
    tensorTypes[index].parameters = Self.sum(tensorTypes[index].parameters, parameters)
    tensorTypes[index].bytes = Self.sum(tensorTypes[index].bytes, bytes)
  }

  /// Tensors of types whose size is not known may claim any.
  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }

  /// What is known once the model is read stands in for what the files seemed to say.
  private mutating func take(_ model: LanguageModel) {
    self.model = model
    let architecture = model.architecture
    self.architecture = architecture.family
    shapes = [
      ("layers", architecture.layers), ("width", architecture.width),
      ("heads", architecture.heads), ("key-value heads", architecture.keyValueHeads),
      ("head width", architecture.headWidth), ("MLP width", architecture.hiddenWidth),
      ("vocabulary", architecture.vocabulary), ("context", architecture.contextLength),
    ]
    if let stand = model.tokenizer as? NonEncodingTokenizer {
      tokenizer = tokenizer.map { "\($0); " } ?? ""
      tokenizer? += "text is not cut: \(stand.problem.problem)"
      guard stand.knowsPieces else { return }
    }
    tokens = model.tokenizer.vocabularySize
    begin = Begin(
      id: model.beginToken.id,
      // SentencePiece's control tokens have no text of their own, but the file names them.
      text: begin?.text ?? model.beginToken.id.map { model.tokenizer.decode([$0]) },
      isExpected: model.beginToken.isExpected)
  }
}
