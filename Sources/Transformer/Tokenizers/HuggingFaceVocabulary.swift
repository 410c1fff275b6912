import TensorCore

/// Pieces and added tokens of a `tokenizer.json`.
struct HuggingFaceVocabulary {
  /// Piece texts of the model's own vocabulary by token id; empty where it has none.
  let modelTexts: ByteStrings
  /// Token texts by id, added tokens among them; `<17>` where nothing claims the id 17.
  let texts: ByteStrings
  let addedTokens: [AddedToken]

  /// Far more than any vocabulary has; a damaged id would cost all memory.
  static let mostTokens = 1 << 21

  init(_ file: HuggingFaceConfig) throws {
    guard let model = try file.object("model") else { throw file.missing("model") }
    guard let reader = model.entries["vocab"], case .object(let pairs) = reader.value else {
      throw model.missing("vocab")
    }
    addedTokens = try file.has("added_tokens") ? file.list("added_tokens").map(Self.added) : []
    var pieces = try pairs.map { piece, id in
      guard case .integer(let id) = id, (0..<Self.mostTokens).contains(id) else {
        throw UserError(
          "the token \"\(piece)\" has no id below \(Self.mostTokens)", at: reader.place,
          remedy: "download the file again")
      }
      return (id: id, text: Array(piece.utf8))
    }
    // Vocabularies have gaps, but not many; a damaged id would make one as long as it says.
    let most = (1 << 16) + 2 * (pieces.count + addedTokens.count)
    if let id = (pieces.map(\.id) + addedTokens.map(\.id)).first(where: { $0 > most }) {
      throw UserError(
        "a token has the id \(id), but there are only \(pieces.count + addedTokens.count) tokens",
        at: file.place, remedy: "download the file again")
    }
    modelTexts = Self.strings(pieces) { _ in [] }
    pieces += addedTokens.map { ($0.id, $0.text) }
    texts = Self.strings(pieces) { Array("<\($0)>".utf8) }
  }

  /// `texts`, with added tokens that are looked for in normalised text normalised themselves: so they
  /// are decoded.
  func texts(normalisedBy normaliser: Normalizer) throws -> ByteStrings {
    let normalised = addedTokens.filter(\.isNormalised)
    guard !normaliser.steps.isEmpty, !normalised.isEmpty else { return texts }
    let added = Dictionary(
      try normalised.map { ($0.id, try normaliser($0.text)) }, uniquingKeysWith: { $1 })
    var strings = ByteStrings(capacity: texts.count)
    for id in texts.indices {
      strings.append(contentsOf: added[id] ?? Array(texts[id]))
      strings.finish()
    }
    return strings
  }

  private static func strings(
    _ pieces: [(id: Int, text: [UInt8])], else standIn: (Int) -> [UInt8]
  ) -> ByteStrings {
    let count = (pieces.map(\.id).max() ?? -1) + 1
    var indices = Array(repeating: -1, count: count)
    for (index, piece) in pieces.enumerated() { indices[piece.id] = index }
    var strings = ByteStrings(capacity: count)
    for (id, index) in indices.enumerated() {
      strings.append(contentsOf: index < 0 ? standIn(id) : pieces[index].text)
      strings.finish()
    }
    return strings
  }

  private static func added(_ reader: JSONReader) throws -> AddedToken {
    try added(HuggingFaceConfig(reader), id: nil)
  }

  /// An added token as `tokenizer.json` and `tokenizer_config.json` write it.
  static func added(_ token: HuggingFaceConfig, id: Int?) throws -> AddedToken {
    guard let text = try token.text("content") else { throw token.missing("content") }
    guard
      let idReader = id.map({ JSONReader(.integer($0), place: token.place) })
        ?? token.entries["id"]
    else { throw token.missing("id") }
    let isSpecial = try token.bool("special") ?? false
    return AddedToken(
      id: try idReader.integer(in: 0...mostTokens - 1), text: Array(text.utf8),
      isSpecial: isSpecial, stripsLeft: try token.bool("lstrip") ?? false,
      stripsRight: try token.bool("rstrip") ?? false,
      isSingleWord: try token.bool("single_word") ?? false,
      isNormalised: try token.bool("normalized") ?? !isSpecial)
  }

  /// The id of a token by its text.
  func id(of text: String) -> Int? {
    texts.indices.first { texts[$0].elementsEqual(text.utf8) }
  }
}
