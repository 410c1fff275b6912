import TensorCore

/// The parts of a `tokenizer.json` around its model: an unknown part is an error that names it.
extension HuggingFaceConfig {
  private func type() throws -> String {
    guard let type = try text("type") else { throw missing("type") }
    return type
  }

  /// `{"String": …}` or `{"Regex": …}`.
  private func pattern() throws -> SplitPattern {
    guard let pattern = try object("pattern") else { throw missing("pattern") }
    if let text = try pattern.text("String") { return .text(Array(text.unicodeScalars)) }
    guard let expression = try pattern.text("Regex") else { throw pattern.missing("Regex") }
    if let rule = PieceRule(expression: expression) { return .rule(rule) }
    return .expression(try RegularExpression(expression, place: pattern.place))
  }

  private func behavior(default standard: SplitBehavior? = nil) throws -> SplitBehavior {
    guard let name = try text("behavior") else {
      guard let standard else { throw missing("behavior") }
      return standard
    }
    guard let behavior = SplitBehavior(rawValue: name) else { throw unknown("behavior", name) }
    return behavior
  }

  func normalizerSteps() throws -> [Normalizer.Step] {
    let type = try type()
    if let form = Normalizer.UnicodeForm(rawValue: type) { return [.unicode(form)] }
    switch type {
    case "Sequence":
      return try list("normalizers").flatMap { try HuggingFaceConfig($0).normalizerSteps() }
    case "Lowercase": return [.lowercase]
    case "StripAccents": return [.stripAccents]
    case "Nmt": return [.nmt]
    case "ByteLevel": return [.alphabet]
    case "Strip":
      return [.strip(left: try bool("strip_left") ?? true, right: try bool("strip_right") ?? true)]
    case "Prepend":
      guard let text = try text("prepend") else { throw missing("prepend") }
      return [.prepend(Array(text.utf8))]
    case "Replace":
      guard let content = try text("content") else { throw missing("content") }
      return [.replace(try pattern(), with: Array(content.utf8))]
    default: throw unknown("normalizer", type)
    }
  }

  func preTokenizerSteps() throws -> [PreTokenizer.Step] {
    let type = try type()
    switch type {
    case "Sequence":
      return try list("pretokenizers").flatMap { try HuggingFaceConfig($0).preTokenizerSteps() }
    case "ByteLevel":
      let addsSpace = try bool("add_prefix_space") ?? true
      let splits = try bool("use_regex") ?? true
      return (addsSpace ? [.spaceBefore] : [])
        + (splits ? [.split(.rule(.gpt2), .isolated, inverts: false)] : []) + [.alphabet]
    case "Split":
      return [.split(try pattern(), try behavior(), inverts: try bool("invert") ?? false)]
    case "Digits":
      let areSeparate = try bool("individual_digits") ?? false
      return [.split(.numbers, areSeparate ? .isolated : .contiguous, inverts: false)]
    case "Punctuation":
      return [.split(.punctuation, try behavior(default: .isolated), inverts: false)]
    case "WhitespaceSplit": return [.split(.whitespace, .removed, inverts: false)]
    case "Whitespace":
      // Rust's `\w+|[^\w\s]+`, whose `\w` has the joiners.
      let expression = #"[\w\x{200C}\x{200D}]+|[^\w\s\x{200C}\x{200D}]+"#
      return [
        .split(
          .expression(try RegularExpression(expression, place: place)), .removed, inverts: true)
      ]
    case "CharDelimiterSplit":
      guard let text = try text("delimiter") else { throw missing("delimiter") }
      return [.split(.text(Array(text.unicodeScalars)), .removed, inverts: false)]
    case "Metaspace": return [.metaspace(try metaspace())]
    default: throw unknown("pre-tokenizer", type)
    }
  }

  private func metaspace() throws -> PreTokenizer.Metaspace {
    let scalars = Array((try text("replacement") ?? "\u{2581}").unicodeScalars)
    guard scalars.count == 1 else { throw missing("replacement") }
    // Files from before `prepend_scheme` have a flag.
    let flag = try bool("add_prefix_space")
    var prefix: PreTokenizer.Metaspace.Prefix = flag ?? true ? .always : .never
    if let name = try text("prepend_scheme") {
      guard let named = PreTokenizer.Metaspace.Prefix(rawValue: name) else {
        throw unknown("prepend_scheme", name)
      }
      guard flag != false || named == .never else {
        throw unknown("prepend_scheme", "\(name) beside add_prefix_space: false")
      }
      prefix = named
    }
    return PreTokenizer.Metaspace(
      replacement: scalars[0], prefix: prefix, splits: try bool("split") ?? true)
  }

  /// What this file's tokens stand for.
  ///
  /// A file without decoder gives bytes if its pre-tokenizer is byte-level, and pieces otherwise.
  func tokenDecoder(_ texts: ByteStrings) throws -> TokenDecoder {
    if let decoder = try object("decoder") {
      return try HuggingFaceDecoder(decoder).compiled(texts)
    }
    let isByteLevel = try object("pre_tokenizer")?.names().contains("ByteLevel") ?? false
    return try HuggingFaceDecoder(isByteLevel ? [.alphabet] : []).compiled(texts)
  }

  /// The types of a pre-tokenizer's parts.
  private func names() throws -> [String] {
    let type = try type()
    guard type == "Sequence" else { return [type] }
    return try list("pretokenizers").flatMap { try HuggingFaceConfig($0).names() }
  }

  func decoderSteps() throws -> [HuggingFaceDecoder.Step] {
    let type = try type()
    switch type {
    case "Sequence":
      return try list("decoders").flatMap { try HuggingFaceConfig($0).decoderSteps() }
    case "ByteLevel": return [.alphabet]
    case "ByteFallback": return [.byteFallback]
    case "Fuse": return [.fuse]
    case "Replace":
      guard let content = try text("content") else { throw missing("content") }
      return [.replace(try pattern(), with: Array(content.utf8))]
    case "Strip":
      guard let content = try text("content") else { throw missing("content") }
      return [.strip(Array(content.utf8), start: try count("start"), end: try count("stop"))]
    case "Metaspace":
      let rule = try metaspace()
      return [
        .metaspace(
          Array(String(rule.replacement).utf8), dropsAtStart: rule.prefix != .never)
      ]
    default: throw unknown("decoder", type)
    }
  }
}
