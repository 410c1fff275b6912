import Reports
import TensorCore

/// What one probe's rows say: what an experiment contributes to a report, to the terminal and to
/// scripts.
///
/// Claims carry raw p values: a report corrects those of all its sections together.
public struct Section: Sendable {
  /// A part of the section, in reading order.
  public enum Element: Sendable {
    case paragraph(String)
    case claims([Claim])
    case figure(Figure)
    case table(HTMLTable)
    case tokens(TokenSpans)
  }

  /// A curve for the terminal.
  public struct Chart: Sendable {
    public let title: String
    public let xTitle: String
    public let series: [(name: String, points: [(x: Double, y: Double)])]
    /// Value of a line across, such as 0.
    public let reference: Double?
  }

  public var heading: String
  public var elements: [Element] = []
  /// Plain sentences with numbers that answer "one vector or many?", for the first page.
  public var answers: [String] = []
  public var charts: [Chart] = []
  /// A small table for the terminal; empty for none.
  public var headers: [String] = []
  public var rows: [[String]] = []
  /// Flat results for scripts: `patch --json`.
  public var results: [[(key: String, value: JSONValue)]] = []
  /// The section's numbers in `summary.json`.
  public var summary: [(key: String, value: JSONValue)] = []

  public init(heading: String) { self.heading = heading }

  public var claims: [Claim] {
    elements.flatMap { element -> [Claim] in
      if case .claims(let claims) = element { claims } else { [] }
    }
  }

  /// Adds a flat result: what it is of, a metric and its interval. Scripts find `positions` and
  /// `layer` in every result; they are null where it is of none.
  mutating func add(
    result columns: [(key: String, value: JSONValue)], metric: String, _ interval: Interval,
    count: Int
  ) {
    let missing = ["positions", "layer"].filter { key in !columns.contains { $0.key == key } }
    results.append(
      columns + missing.map { ($0, .null) } + [
        ("metric", .string(metric)), ("mean", .number(interval.estimate)),
        ("low", .number(interval.low)), ("high", .number(interval.high)), ("n", .integer(count)),
      ])
  }
}

extension Interval {
  /// With two digits, for sentences and tables.
  var text: String { text(digits: 2) }
}
