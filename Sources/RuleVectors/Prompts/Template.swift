import Foundation
import TensorCore

/// How a demonstration and a query are written.
///
/// A demonstration is `opening input separator lead answer closing`; a query is the same up to and
/// with the separator. `lead` is the space before the answer, which belongs to the answer: byte-level
/// tokenizers keep it in the answer's first token.
public struct Template: Sendable, Equatable {
  /// Text before an input; often empty.
  public let opening: String
  /// Text between the input and the answer's lead.
  public let separator: String
  /// White space before an answer; may be empty.
  public let lead: String
  /// Text after an answer.
  public let closing: String
  /// The task file, for error messages.
  public let place: String
  /// The template's key in it.
  let key: String

  /// What is allowed but likely a mistake, each in one line that names the file; empty for most.
  public var warnings: [String] {
    var warnings: [String] = []
    if separator.last == " ", lead.isEmpty {
      warnings.append(
        "\(place), \(key).query: ends in a space; most tokenizers join it to the answer, which "
          + "the model then can hardly give; leave out the space")
    }
    let around = [opening, separator, closing].joined()
    if let brace = around.first(where: { "{}".contains($0) }) {
      warnings.append(
        "\(place), \(key).demonstration: has a \"\(brace)\" apart from {input} and {label}, "
          + "which the model will read as it is; check the spelling")
    }
    return warnings
  }

  /// - Parameters:
  ///   - demonstration: with `{input}` and then `{label}`, each once.
  ///   - query: what comes before the answer in `demonstration`, with or without its last space.
  ///   - file: the task file, for error messages.
  ///   - key: the template's key in it.
  public init(demonstration: String, query: String, file: String, key: String = "template") throws {
    func wrong(_ part: String, _ found: String, _ allowed: String) -> UserError {
      UserError(
        "found \(JSONValue.string(found).text), allowed is \(allowed)",
        at: "\(file), \(key).\(part)",
        remedy: "for example \"{input} -> {label}\\n\" and \"{input} ->\"")
    }
    let label = demonstration.components(separatedBy: "{label}")
    let before = (label.first ?? "").components(separatedBy: "{input}")
    guard label.count == 2, before.count == 2, !label[1].contains("{input}") else {
      throw wrong("demonstration", demonstration, "{input} and then {label}, each once")
    }
    let asked = query.components(separatedBy: "{input}")
    let rest = before[1].utf8.dropFirst(asked.last?.utf8.count ?? 0)
    guard asked.count == 2, asked[0].utf8.elementsEqual(before[0].utf8),
      before[1].utf8.starts(with: asked[1].utf8), rest.allSatisfy({ $0 == 0x20 })
    else {
      throw wrong("query", query, "the demonstration up to its answer")
    }
    guard !asked[1].isEmpty, !label[1].isEmpty else {
      throw wrong(
        "demonstration", demonstration, "some text between input and answer, and after the answer")
    }
    opening = before[0]
    separator = asked[1]
    lead = String(decoding: rest, as: UTF8.self)
    closing = label[1]
    place = file
    self.key = key
  }

  init(_ fields: [String: JSONReader], file: String, key: String) throws {
    try self.init(
      demonstration: fields["demonstration"]?.string() ?? "",
      query: fields["query"]?.string() ?? "", file: file, key: key)
  }
}
