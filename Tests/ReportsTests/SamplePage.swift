import Foundation
import Reports

/// Charts and a page with data of the kind that reports show.
enum SamplePage {
  /// Noise that is the same on every run.
  private static func noise(_ index: Int) -> Double {
    let value = sin(Double(index) * 12.9898) * 43758.5453
    return value - value.rounded(.down) - 0.5
  }

  static let layers = LineChart(
    title: "Share of the rule's effect that a patch carries over, by layer and position",
    xTitle: "layer", yTitle: "normalised logit difference",
    series: [
      ("arrow of the query", 14.0, 0.82), ("labels of all demonstrations", 9.0, 1.02),
      ("last token of the query <x>", 20.0, 0.4),
    ].enumerated().map { number, shape in
      LineChart.Series(
        name: shape.0,
        points: (0..<30).map { layer in
          let rise = 1 / (1 + exp(-(Double(layer) - shape.1) / 1.8))
          let fall = number == 1 ? 1 / (1 + exp((Double(layer) - 21) / 1.5)) : 1
          let y = shape.2 * rise * fall + noise(layer * 3 + number) * 0.05
          let half = 0.03 + 0.06 * rise * (1 - rise) * 4
          return LineChart.Point(x: Double(layer), y: y, low: y - half, high: y + half)
        })
    },
    horizontalLines: [
      .init(y: 0, label: "no effect"), .init(y: 1, label: "donor's own run"),
      .init(y: 0.02, label: "random position"),
    ],
    verticalLines: [.init(x: 14, label: "layer chosen on the other half")],
    intervalNote: "bands: 95 % bootstrap intervals over 120 episodes")

  static let doses = LineChart(
    title: "Dose response: labels replaced, of 12", xTitle: "demonstrations patched",
    yTitle: "effect",
    series: [
      LineChart.Series(
        name: "measured",
        points: (0...12).map { dose in
          let y = pow(Double(dose) / 12, 2.2) + noise(dose) * 0.03
          return LineChart.Point(x: Double(dose), y: y, low: y - 0.05, high: y + 0.05)
        })
    ],
    straightLines: [.init(start: (0, 0), end: (12, 1), label: "additive prediction")],
    intervalNote: "band: 95 % interval", plotHeight: 240)

  static let shares = BarChart(
    title: "Share of every demonstration", xTitle: "demonstration, first to last",
    yTitle: "share of the effect",
    bars: (1...12).map { number in
      let value = 0.05 + 0.006 * Double(number) + noise(number) * 0.03 - (number == 3 ? 0.09 : 0)
      return BarChart.Bar(
        label: "\(number)", value: value, low: value - 0.02, high: value + 0.025)
    }, referenceLine: .init(y: 1 / 12, label: "equal shares, 1/12"),
    intervalNote: "whiskers: 95 % intervals")

  static let heads = Heatmap(
    title: "Effect by position and layer", xTitle: "layer", yTitle: "position",
    columns: (0..<30).map { "\($0)" },
    rows: [
      "demonstration 1, item", "demonstration 1, label", "demonstration 2, item",
      "demonstration 2, label", "query, item of 2000000000000000000", "query, arrow", "BOS",
      "separator",
    ],
    values: (0..<8).map { row in
      (0..<30).map { layer in
        row == 6 && layer < 4
          ? .nan : sin(Double(row * 2 + layer) / 5) * 0.8 + noise(row * 30 + layer) * 0.3
      }
    }, valueTitle: "logit difference")

  /// What one cell of `grid` holds.
  static func effect(layer: Int, position: Int) -> Double {
    let along = exp(-pow(Double(position - 14 - layer / 3) / 3, 2))
    return along * (layer % 7 == 3 ? -0.6 : 0.9) + noise(layer * 31 + position) * 0.1
  }

  private static let words = [
    "Then", "Mary", "and", "John", "went", "to", "the", "store", ".", "John", "gave", "a",
    "bottle", "of", "milk", "to",
  ]

  /// A patching grid of a usual size.
  static let grid = Heatmap(
    title: "Effect of patching the residual stream before each layer on the logit difference, mean "
      + "over 32 pairs of prompts, of SmolLM2-135M-Instruct and of Qwen2.5-Coder-1.5B-Instruct",
    xTitle: "position", yTitle: "layer",
    columns: words.indices.map { "\($0) \(words[$0])" }, rows: (0..<12).map(String.init),
    values: (0..<12).map { layer in (0..<16).map { effect(layer: layer, position: $0) } },
    marks: (0..<12).map { layer in
      (0..<16).map { abs(effect(layer: layer, position: $0)) > 0.4 }
    }, markNote: "survives Holm's correction over 192 cells at 0.05",
    valueTitle: "share of the difference",
    notes: (0..<12).map { layer in (0..<16).map { "p = 0.\(layer)\($0)" } })

  /// The largest that must stay legible.
  static let largest = Heatmap(
    title: "Every head of 64 layers", xTitle: "position", yTitle: "layer",
    columns: (0..<128).map { "\($0) \(words[$0 % 16])" }, rows: (0..<64).map(String.init),
    values: (0..<64).map { layer in
      (0..<128).map { position in
        layer < 6 && position > 120 ? .nan : effect(layer: layer, position: position - 20)
      }
    },
    marks: (0..<64).map { layer in
      (0..<128).map { abs(effect(layer: layer, position: $0 - 20)) > 0.5 }
    }, markNote: "survives Holm's correction", range: -0.8...0.8)

  /// Two rows, whose axis has a longer title than they are high, and long words below.
  static let low = Heatmap(
    title: "Two sites", xTitle: "role of the token that is patched, in the order of the prompt",
    yTitle: "site patched",
    columns: ["begin", "separator after the demonstration", "label", "last"],
    rows: ["attention", "MLP"], values: [[0.1, -0.2, 0.3, 1], [0, 0.5, -1, 0.25]])

  static let small = Heatmap(
    title: "Transfer between tasks", xTitle: "recipient", yTitle: "donor",
    columns: ["antonyms", "country-capital", "colours", "plural"],
    rows: ["antonyms", "capitals", "colours"],
    values: [[0.92, 0.11, 0.05, 0.2], [0.08, 0.88, .nan, 0.4], [0.01, 0.3, 0.95]],
    range: 0...1, isDiverging: false, valueTitle: "accuracy")

  static let manyBars = BarChart(
    title: "Effect of removing attention edges, by the edges that are removed",
    xTitle: "edges removed", yTitle: "logit difference lost",
    bars: [
      "input → own answer", "separator → own answer", "answer → later answers", "answer → last",
      "label → last", "random control with as many edges", "all of these edges together",
    ].enumerated().map { index, label in
      let value = 0.3 - 0.12 * Double(index)
      return BarChart.Bar(label: label, value: value, low: value - 0.2, high: value + 0.15)
    }, referenceLine: .init(y: 0.02, label: "random control"),
    intervalNote: "whiskers: 95 % bootstrap intervals over 64 held-out episodes, not adjusted for "
      + "the number of bars; they are wide where episodes are few")

  static var tokens: TokenSpans {
    var tokens = [TokenSpans.Token(text: "<s>", role: "BOS")]
    let pairs = [("apple", "A"), ("dog", "B"), ("straw berry", "A"), ("horse", "B")]
    for (number, pair) in pairs.enumerated() {
      let place = number < 3 ? number : nil
      let item = number < 3 ? "item" : "query"
      for (index, part) in pair.0.split(separator: " ").enumerated() {
        tokens.append(
          .init(text: (index > 0 ? " " : "") + part, role: item, demonstration: place))
      }
      tokens.append(.init(text: " ->", role: "arrow", demonstration: place))
      if number < 3 {
        tokens.append(.init(text: " \(pair.1)", role: "label", demonstration: place))
        tokens.append(.init(text: "\n", role: "separator", demonstration: place))
      }
    }
    return TokenSpans(tokens: tokens, caption: "One prompt of the task `fruit-or-animal`.")
  }

  /// The same prompt with a value for each token but the first.
  static var valuedTokens: TokenSpans {
    var spans = tokens
    for index in spans.tokens.indices.dropFirst() {
      spans.tokens[index].value = noise(index) * (index % 3 == 0 ? 2 : 0.4)
    }
    spans.valueNote = "effect of a patch at layer 14"
    return spans
  }

  static let verdicts = HTMLTable(
    headers: ["claim of the paper", "verdict", "effect", "p", "read on"],
    cells: [
      [
        "One vector is enough.", .verdict(.contradicted), "−0.31 [−0.40, −0.22]", "p = 0.001",
        "[by layer](#by-layer)",
      ],
      [
        "Many positions carry the rule.", .verdict(.supported), "0.84 [0.70, 0.91]", "p = 0.0004",
        "[figures](#figures)",
      ],
      [
        "Order does not matter.", .verdict(.undecided, "undecided, 240 episodes would do"),
        "0.02 [−0.10, 0.15]", "p = 0.612", "[figure](#figure-shares)",
      ],
      ["Larger models differ.", .verdict(.notTested), "–", "–", ""],
    ], caption: "The paper's claims.")

  /// A picture of one grey pixel.
  private static let dot =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

  static var page: HTMLPage {
    var page = HTMLPage(
      title: "Where is the rule? <b>SmolLM2</b>", subtitle: "run fruit-or-animal-3, 120 episodes")
    page.add(
      .lead([
        "Many vectors: labels of all demonstrations carry the rule, 0.84 [0.70, 0.91] of it.",
        "No single vector does: the best carries 0.12 [0.05, 0.19], see [figures](#figures).",
      ]))
    page.add(.table(verdicts))
    page.add(.heading("What was asked", level: 2))
    page.add(.paragraph("The hook `blocks.14.hook_resid_post` carries a & b < c. \"Quoted\" text."))
    page.add(.tokens(tokens))
    page.add(.tokens(valuedTokens))
    page.add(.heading("Tested sentences", level: 2))
    for (verdict, sentence) in zip(
      Claim.Verdict.allCases,
      ["One vector is enough.", "Shares are equal.", "Order does not matter."])
    {
      page.add(
        .callout(
          Callout(
            verdict: verdict, sentence: sentence,
            evidence: "effect \(formattedInterval(0.812, 0.744, 0.871, digits: 2)), "
              + formattedPValue(0.0031))))
    }
    page.add(.heading("Figures", level: 2))
    page.add(.heading("By layer", level: 3))
    page.add(.figure(Figure(name: "layers", chart: layers, caption: "Effect by `layer`.")))
    page.add(.figure(Figure(name: "doses", chart: doses, caption: "Dose response.")))
    page.add(.figure(Figure(name: "shares", chart: shares, caption: "Shares.")))
    page.add(.figure(Figure(name: "heads", chart: heads, caption: "Positions.")))
    page.add(.figure(Figure(name: "small", chart: small, caption: "Transfer.")))
    page.add(.figure(Figure(name: "grid", chart: grid, caption: "A patching grid.")))
    page.add(.figure(Figure(name: "low", chart: low, caption: "Two rows.")))
    page.add(.figure(Figure(name: "edges", chart: manyBars, caption: "Edges.")))
    page.add(.heading("Table", level: 3))
    page.add(
      .table(
        HTMLTable(
          headers: ["task", "effect", "p", "n"],
          rows: [
            ["antonyms", "0.81 [0.74, 0.87]", "p = 0.003", "120"],
            ["a|b <i>", formatted(-0.5, digits: 2), "p < 0.0001", "7"],
          ], caption: "Effects by task.")))
    page.add(.heading("How it was made", level: 2))
    page.add(.keyValues([("command", "icl-probe patch --seed 1"), ("threads", "2")]))
    page.add(.code("icl-probe patch --model m.gguf \\\n  --task \"fruit\" > out.json"))
    page.add(
      .details(
        summary: "More",
        [
          .heading("Table", level: 4), .list(["one", "two `code`"]), .paragraph("odd ` backtick"),
          .figure(Figure(name: "largest", chart: largest, caption: "The largest map.")),
          .picture(
            InlinePicture(
              png: Data(base64Encoded: dot) ?? Data(), caption: "Eight times eight.", width: 64)),
        ]))
    return page
  }
}
