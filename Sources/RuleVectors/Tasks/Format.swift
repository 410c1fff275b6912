/// A surface form of a task: names of one of its templates, label sets and languages.
public struct Format: Sendable, Hashable, CustomStringConvertible {
  /// The name of what a task has only one of and does not name.
  static let unnamed = "default"

  public let template: String
  public let labels: String
  public let language: String

  public init(template: String, labels: String, language: String) {
    self.template = template
    self.labels = labels
    self.language = language
  }

  /// The names that the task gives, joined by slashes: `arrow/letters/english`.
  public var name: String {
    let named = [template, labels, language].filter { $0 != Self.unnamed }
    return named.isEmpty ? Self.unnamed : named.joined(separator: "/")
  }

  public var description: String { name }
}
