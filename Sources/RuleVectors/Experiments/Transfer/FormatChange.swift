/// What differs between the format in which vectors are taken and the one in which they are put.
enum FormatChange: String, Sendable, CaseIterable {
  case nothing = "same-format"
  /// The text around inputs and labels.
  case template
  /// The set of labels; label i of one corresponds to label i of the other.
  case labels
  /// The language of the inputs.
  case language

  /// Nil where several differ.
  init?(from a: Format, to b: Format) {
    switch (a.template == b.template, a.labels == b.labels, a.language == b.language) {
    case (true, true, true): self = .nothing
    case (false, true, true): self = .template
    case (true, false, true): self = .labels
    case (true, true, false): self = .language
    default: return nil
    }
  }

  /// For sentences: "from prompts …".
  var words: String {
    switch self {
    case .nothing: "of the same format"
    case .template: "in another template"
    case .labels: "with other labels"
    case .language: "in another language"
    }
  }

  /// The first of `formats` for each of `changes` of `format` that there is one for.
  static func formats(_ changes: [FormatChange], of format: Format, among formats: [Format])
    -> [(change: FormatChange, format: Format)]
  {
    changes.compactMap { change in
      formats.first { FormatChange(from: format, to: $0) == change }.map { (change, $0) }
    }
  }
}
