import Foundation
import Reports
import TensorCore
import Terminal
import Transformer

/// What `icl-probe lens` found, for scripts, for people and as pictures.
struct LensReport {
  let model: String
  let tokenizer: any Tokenizer
  let tokens: [Int]
  let answer: Int?
  let versus: Int?
  /// Of all positions.
  let lens: LogitLens
  let attribution: LogitAttribution?
  let heads: Int

  private func text(_ token: Int) -> JSONValue { .string(tokenizer.decode([token])) }

  // MARK: - For scripts

  var json: JSONValue {
    func candidate(_ found: LogitLens.Candidate) -> JSONValue {
      [
        "id": .integer(found.token), "text": text(found.token),
        "logit": .number(Double(found.logit)), "probability": .number(found.probability),
        "rank": .integer(found.rank),
      ]
    }
    var pairs: [(key: String, value: JSONValue)] = [
      ("model", .string(model)),
      ("tokens", .array(tokens.map { ["id": .integer($0), "text": text($0)] })),
      (
        "lens",
        .array(
          lens.cells.enumerated().map { layer, row in
            [
              "layer": .integer(layer),
              "positions": .array(
                row.map { cell in
                  .object(
                    [("top", candidate(cell.top))]
                      + (cell.answer.map { [("answer", candidate($0))] } ?? []))
                }),
            ]
          })
      ),
    ]
    if let attribution, let answer {
      pairs.append(
        (
          "attribution",
          [
            "answer": ["id": .integer(answer), "text": text(answer)],
            "versus": versus.map { ["id": .integer($0), "text": text($0)] } ?? .null,
            "sum": .number(attribution.sum),
            "parts": .array(attribution.contributions.map { $0.part.json($0.value) }),
          ]
        ))
    }
    return .object(pairs)
  }

  // MARK: - For people

  /// - Parameter count: how many parts of the model to show.
  func text(device: TerminalDevice, count: Int) -> String {
    let writer = TokenText(device: device)
    func visible(_ token: Int) -> String { writer.visible(tokenizer.decode([token])) }
    func cells(_ found: LogitLens.Candidate) -> [String] {
      [
        visible(found.token), formatted(Double(found.logit), digits: 4),
        formatted(Double(found.probability), digits: 4),
      ]
    }
    func table(
      _ headers: [String], _ rows: [[String]], _ alignments: [TextTable.Alignment]
    ) -> String {
      TextTable(headers: headers, rows: rows, alignments: alignments)
        .text(usesUnicode: device.usesUnicode, style: device.style)
    }
    let asked = answer.map { visible($0) }
    let last = lens.cells.enumerated().compactMap { layer, row in
      row.last.map { cell in
        ["\(layer)"] + cells(cell.top)
          + (cell.answer.map { Array(cells($0).dropFirst()) + ["\($0.rank)"] } ?? [])
      }
    }
    var parts = [
      table(
        ["layer", "top", "logit", "probability"]
          + (asked.map { ["logit of \($0)", "probability", "rank"] } ?? []), last,
        [.right, .left] + Array(repeating: .right, count: 5))
    ]
    if let attribution, let asked {
      let what = versus.map { "\(asked) less \(visible($0))" } ?? asked
      let largest = attribution.contributions.sorted { abs($0.value) > abs($1.value) }
        .prefix(count)
      parts.append(
        device.style.bold(
          "logit of \(what): \(formatted(attribution.sum, digits: 4)), of which") + "\n"
          + table(
            ["part", "adds"],
            largest.map { [$0.part.name, formattedSigned($0.value, digits: 4)] }, [.left, .right]))
    }
    return parts.joined(separator: "\n")
  }

  // MARK: - Pictures

  private var columns: [String] {
    tokens.enumerated().map { position, token in
      "\(position) \(TokenText.forPictures.visible(tokenizer.decode([token])))"
    }
  }

  /// The probability of the answer, or of the likeliest token, by layer and position.
  var picture: Heatmap {
    let asked = answer.map { TokenText.forPictures.visible(tokenizer.decode([$0])) }
    return Heatmap(
      title: asked.map { "Logit lens: probability of \($0)" }
        ?? "Logit lens: probability of the likeliest token",
      xTitle: "position", yTitle: "after block", columns: columns,
      rows: lens.cells.indices.map(String.init),
      values: lens.cells.map { $0.map { ($0.answer ?? $0.top).probability } },
      range: 0...1, isDiverging: false, valueTitle: "probability")
  }

  /// What heads and MLPs add, by layer.
  var partsPicture: Heatmap? {
    guard let attribution else { return nil }
    var values = lens.cells.map { _ in [Double](repeating: .nan, count: heads + 1) }
    for (part, value) in attribution.contributions {
      switch part {
      case .head(let layer, let head): values[layer][head] = value
      case .mlp(let layer): values[layer][heads] = value
      default: continue
      }
    }
    return Heatmap(
      title: "What each head and MLP adds to the logit\(versus == nil ? "" : " difference")",
      xTitle: "head, MLP", yTitle: "block", columns: (0..<heads).map(String.init) + ["MLP"],
      rows: values.indices.map(String.init), values: values, valueTitle: "adds")
  }
}

extension LogitAttribution.Part {
  fileprivate var name: String {
    switch self {
    case .embedding: "embedding"
    case .positionEmbedding: "position embedding"
    case .head(let layer, let head): "block \(layer), head \(head)"
    case .attentionBias(let layer): "block \(layer), attention bias"
    case .mlp(let layer): "block \(layer), MLP"
    case .normBias: "final norm's bias"
    case .unembeddingBias: "bias of the unembedding"
    }
  }

  fileprivate func json(_ value: Double) -> JSONValue {
    let place: (kind: String, layer: Int?, head: Int?) =
      switch self {
      case .embedding: ("embedding", nil, nil)
      case .positionEmbedding: ("position-embedding", nil, nil)
      case .head(let layer, let head): ("head", layer, head)
      case .attentionBias(let layer): ("attention-bias", layer, nil)
      case .mlp(let layer): ("mlp", layer, nil)
      case .normBias: ("norm-bias", nil, nil)
      case .unembeddingBias: ("unembedding-bias", nil, nil)
      }
    return [
      "part": .string(place.kind), "layer": place.layer.map(JSONValue.integer) ?? .null,
      "head": place.head.map(JSONValue.integer) ?? .null, "value": .number(value),
    ]
  }
}
