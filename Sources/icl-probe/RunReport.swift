import Foundation
import Reports
import TensorCore
import Terminal
import Transformer

/// What `icl-probe run` found, for scripts and for people.
struct RunReport {
  /// A token that may come next.
  struct Candidate {
    let id: Int
    let logit: Float
    let probability: Float
  }

  struct Activation {
    let hook: HookPoint
    let positions: [Int]
    /// `[positions, width]`, `[positions, heads, headWidth]` or `[positions, heads, keys]`.
    let shape: [Int]
    let values: [Float]
  }

  let model: String
  let tokenizer: any Tokenizer
  let tokens: [Int]
  /// The likeliest next tokens, the likeliest first.
  let top: [Candidate]
  /// The tokens that were asked for.
  let asked: [Candidate]
  let activations: [Activation]
  var generated: GeneratedText?

  var json: JSONValue {
    var pairs: [(key: String, value: JSONValue)] = [
      ("model", .string(model)),
      (
        "tokens",
        .array(
          zip(tokens, tokenizer.texts(of: tokens)).map {
            ["id": .integer($0), "text": .string($1)]
          })
      ),
      (
        "top",
        .array(
          top.map {
            [
              "id": .integer($0.id), "text": text($0.id), "logit": .number(Double($0.logit)),
              "probability": .number(Double($0.probability)),
            ]
          })
      ),
    ]
    if !asked.isEmpty {
      pairs.append(
        ("logits", .object(asked.map { ("\($0.id)", .number(Double($0.logit))) })))
    }
    if !activations.isEmpty {
      pairs.append(
        (
          "hooks",
          .object(
            activations.map { activation in
              (
                activation.hook.description,
                [
                  "shape": .array(activation.shape.map(JSONValue.integer)),
                  "positions": .array(activation.positions.map(JSONValue.integer)),
                  "values": .array(activation.values.map { .number(Double($0)) }),
                ]
              )
            })
        ))
    }
    if let generated { pairs.append(("generated", generated.json(tokenizer))) }
    return .object(pairs)
  }

  /// A token's own bytes as text, whatever comes before it.
  private func text(_ id: Int) -> JSONValue {
    .string(String(decoding: tokenizer.bytes(of: id), as: UTF8.self))
  }

  /// - Parameters:
  ///   - showsTokens: whether the prompt's own tokens are listed as well.
  ///   - showsTop: whether the likeliest next tokens are.
  func text(device: TerminalDevice, showsTokens: Bool, showsTop: Bool) -> String {
    let writer = TokenText(device: device)
    func visible(_ id: Int) -> String { writer.visible(bytes: tokenizer.bytes(of: id)) }
    func table(
      _ headers: [String], _ rows: [[String]], _ alignments: [TextTable.Alignment]
    ) -> String {
      TextTable(headers: headers, rows: rows, alignments: alignments)
        .text(on: device)
    }
    func cells(_ candidate: Candidate) -> [String] {
      [
        "\(candidate.id)", visible(candidate.id), formatted(Double(candidate.logit), digits: 4),
        formatted(Double(candidate.probability), digits: 4),
      ]
    }
    var parts: [String] = []
    if showsTokens {
      let texts = TokenTexts(tokens, tokenizer: tokenizer)
      parts.append(
        table(
          ["position", "id", "text"],
          tokens.enumerated().map { position, id in
            [
              "\(position)", "\(id)",
              writer.visible(
                texts.texts[position], continuesCharacter: texts.continues[position]),
            ]
          }, [.right, .right, .left]))
    }
    if showsTop {
      parts.append(
        table(
          ["rank", "id", "text", "logit", "probability"],
          top.enumerated().map { ["\($0.offset + 1)"] + cells($0.element) },
          [.right, .right, .left, .right, .right]))
    }
    if !asked.isEmpty {
      parts.append(
        table(
          ["id", "text", "logit", "probability"], asked.map(cells),
          [.right, .left, .right, .right]))
    }
    for activation in activations {
      let title =
        "\(activation.hook), shape \(activation.shape.map(String.init).joined(separator: " × "))"
      parts.append(
        device.style.bold(title) + "\n"
          + table(["position", "norm", "first values"], rows(activation), [.right, .right, .left]))
    }
    return parts.joined(separator: "\n")
  }

  /// One row a position: its norm over finite values, and the first few values.
  private func rows(_ activation: Activation) -> [[String]] {
    let width = activation.values.count / max(activation.positions.count, 1)
    return activation.positions.enumerated().map { index, position in
      let values = activation.values[index * width..<(index + 1) * width]
      let squares = values.reduce(0.0) { $0 + ($1.isFinite ? Double($1) * Double($1) : 0) }
      let first = values.prefix(5).map { formatted(Double($0), digits: 4) }
      return [
        "\(position)", formatted(squares.squareRoot(), digits: 4),
        first.joined(separator: " ") + (width > first.count ? " ..." : ""),
      ]
    }
  }
}
