import Foundation
import TensorCore
import Terminal
import Transformer

/// What `icl-probe models inspect` tells of a model.
struct ModelReport {
  let inspection: ModelInspection
  /// What the catalogue says, for files that say nothing.
  let catalogueLicence: String?

  /// Most names of unused tensors that a text shows.
  private static let mostNames = 8

  private var licence: String? { inspection.licence ?? catalogueLicence }

  func text(on device: TerminalDevice) -> String {
    let title = inspection.title ?? inspection.path
    var lines = [device.style.bold(Self.printable(title))]
    for (name, value) in details(device) {
      lines.append(name.padding(toLength: 17, withPad: " ", startingAt: 0) + value)
    }
    var text = lines.joined(separator: "\n") + "\n"
    if !inspection.tensorTypes.isEmpty {
      text += "\n" + tensorTable.text(on: device)
    }
    let remarks = remarks
    if !remarks.isEmpty { text += "\n" + remarks.joined(separator: "\n") + "\n" }
    return text
  }

  private func details(_ device: TerminalDevice) -> [(String, String)] {
    var rows: [(String, String?)] = [
      ("path", inspection.path), ("format", inspection.format),
      ("architecture", inspection.architecture),
    ]
    rows += inspection.shapes.map { ($0.name, Self.grouped($0.value)) }
    rows += [
      ("parameters", Self.grouped(inspection.parameters)), ("tokenizer", tokenizer),
      ("begin token", begin(device)), ("licence", licence ?? "the files do not say"),
      ("memory", memory),
    ]
    return rows.compactMap { name, value in value.map { (name, Self.printable($0)) } }
  }

  private var tokenizer: String? {
    guard let tokenizer = inspection.tokenizer else { return nil }
    return tokenizer + (inspection.tokens.map { ", \(Self.grouped($0)) tokens" } ?? "")
  }

  private func begin(_ device: TerminalDevice) -> String? {
    guard let begin = inspection.begin else { return nil }
    guard let id = begin.id else { return begin.isExpected ? "expected, but not named" : "none" }
    let text = begin.text.map { " \(TokenText(device: device).visible($0))" } ?? ""
    return "\(id)\(text), \(begin.isExpected ? "before every prompt" : "not put before prompts")"
  }

  /// Weights stay in the mapped file; `--memory` bounds the rest.
  private var memory: String? {
    guard let kept = inspection.keptBytesPerToken else { return nil }
    return "\(ByteSize.text(inspection.bytes)) of weights, mapped from the file; "
      + "at most \(ByteSize.text(CommonOptions.defaultMemory << 20)) of activations (--memory), of "
      + "these \(ByteSize.text(kept)) a token of a run that others build on"
  }

  private var tensorTable: TextTable {
    TextTable(
      headers: ["tensors of type", "count", "parameters", "size"],
      rows: inspection.tensorTypes.map {
        [$0.name, "\($0.count)", Self.grouped($0.parameters), ByteSize.text($0.bytes)]
      }, alignments: [.left, .right, .right, .right])
  }

  private var remarks: [String] {
    let unused = inspection.model?.unusedTensors ?? []
    var lines: [String] = []
    if !unused.isEmpty {
      let more = unused.count > Self.mostNames ? ", … (--json lists all)" : ""
      let names = unused.prefix(Self.mostNames).joined(separator: ", ")
      lines.append("tensors that are not used: \(unused.count): \(names)\(more)")
    }
    lines += (inspection.model?.notes ?? []).map { "note: \($0)" }
    lines += inspection.problems.map { "cannot be run: \($0)" }
    return lines.map(Self.printable)
  }

  /// A text of a file on one line, without what steers a terminal.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
        }))
  }

  var json: JSONValue {
    get throws {
      let model = inspection.model
      func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
      func number(_ value: Int?) -> JSONValue { value.map(JSONValue.integer) ?? .null }
      return [
        "path": .string(inspection.path), "title": text(inspection.title),
        "format": .string(inspection.format), "architecture": text(inspection.architecture),
        "runs": .bool(model != nil), "problems": .array(inspection.problems.map(JSONValue.string)),
        "shapes": .object(
          inspection.shapes.map {
            (
              $0.name.lowercased().replacing(" ", with: "_").replacing("-", with: "_"),
              .integer($0.value)
            )
          }),
        "description": try model.map { try Self.json($0.architecture) } ?? .null,
        "parameters": .integer(inspection.parameters),
        "tensors": .array(
          inspection.tensorTypes.map {
            [
              "type": .string($0.name), "count": .integer($0.count),
              "parameters": .integer($0.parameters), "bytes": .integer($0.bytes),
            ]
          }),
        "tokenizer": text(inspection.tokenizer), "tokens": number(inspection.tokens),
        "begin_token": inspection.begin.map {
          [
            "id": number($0.id), "text": text($0.text), "is_expected": .bool($0.isExpected),
          ]
        } ?? .null,
        "licence": text(licence),
        "memory": [
          "weights": .integer(inspection.bytes),
          "activations": .integer(CommonOptions.defaultMemory << 20),
          "kept_per_token": number(inspection.keptBytesPerToken),
        ],
        "unused_tensors": .array((model?.unusedTensors ?? []).map(JSONValue.string)),
        "notes": .array((model?.notes ?? []).map(JSONValue.string)),
      ]
    }
  }

  /// The architecture as the forward pass reads it.
  private static func json(_ architecture: Architecture) throws -> JSONValue {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try JSONValue(parsing: encoder.encode(architecture), place: "architecture")
  }

  /// Digits in groups of three.
  private static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var groups: [Substring] = []
    var rest = digits[...]
    while rest.count > 3 {
      groups.insert(rest.suffix(3), at: 0)
      rest = rest.dropLast(3)
    }
    groups.insert(rest, at: 0)
    return (number < 0 ? "-" : "") + groups.joined(separator: ",")
  }
}
