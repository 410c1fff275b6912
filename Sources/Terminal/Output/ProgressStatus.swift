/// Where a long piece of work stands, and the words for it.
public struct ProgressStatus: Sendable, Equatable {
  var label: String
  var unit: String
  var done: Int
  var total: Int
  /// Seconds since the work was first heard of.
  var elapsed: Double
  /// What was already done at that moment, so that resumed work does not look fast.
  var alreadyDone: Int

  /// Whether the work stands where `other` says.
  func isWhere(_ other: ProgressStatus) -> Bool {
    (label, done, total) == (other.label, other.done, other.total)
  }

  var share: Double { total > 0 ? min(1, max(0, Double(done) / Double(total))) : 0 }

  /// Items a second in this run, nil before there is anything to go by.
  var rate: Double? {
    let count = done - alreadyDone
    return count > 0 && elapsed > 0 ? Double(count) / elapsed : nil
  }

  var secondsLeft: Double? { rate.map { Double(max(0, total - done)) / $0 } }

  private var percent: String { "\(Int((share * 100).rounded(.down)))%" }

  /// The parts to the right of the bar, and in which order they go where there is no room: the
  /// largest number first. The time left is the last to go.
  private var facts: [(text: String, rank: Int)] {
    var facts = [(text: "\(done)/\(total)", rank: 1)]
    if done < total, let secondsLeft {
      facts.append((text: "\(Self.duration(secondsLeft)) left", rank: 0))
    }
    facts.append((text: Self.duration(elapsed), rank: 2))
    if let rate { facts.append((text: rateText(rate), rank: 3)) }
    return facts
  }

  private func rateText(_ rate: Double) -> String {
    let unit = unit.isEmpty ? "" : " \(unit)"
    // Below one a second, the time for one says more.
    if rate < 1 { return "\(Self.decimal(1 / rate)) s each" }
    return "\(Self.decimal(rate))\(unit)/s"
  }

  /// A whole line for a log.
  var plainLine: String {
    var parts = ["\(percent) (\(done) of \(total))"]
    if let rate { parts.append(rateText(rate)) }
    parts.append("\(Self.duration(elapsed)) elapsed")
    if done < total, let secondsLeft { parts.append("\(Self.duration(secondsLeft)) left") }
    return (label.isEmpty ? "" : "\(label): ") + parts.joined(separator: ", ")
  }

  /// A line with a bar, at most `width` columns.
  func barLine(width: Int, usesUnicode: Bool, style: TextStyle) -> String {
    var facts = facts
    let sign = usesUnicode ? "…" : "..."
    let percent = TextWidth.padded(percent, to: 4, right: true)
    var name = TextWidth.shortened(label, to: max(8, width / 3), sign: sign)
    func room() -> Int {
      let used = [name, percent] + facts.map(\.text)
      return width - used.map { $0.isEmpty ? 0 : TextWidth.columns($0) + 2 }.reduce(0, +)
    }
    func drop(above rank: Int, until isEnough: () -> Bool) {
      while !isEnough(), let last = facts.map(\.rank).max(), last > rank {
        facts.removeAll { $0.rank == last }
      }
    }
    // Rate and elapsed time go before a short bar does, the bar before the count.
    drop(above: 1) { room() >= 10 }
    // Without a bar, the last gap is free as well.
    drop(above: 0) { room() >= -2 }
    if room() < -2 {
      name = TextWidth.shortened(name, to: max(0, TextWidth.columns(name) + room() + 2), sign: sign)
    }
    if room() < -2 { name = "" }
    drop(above: -1) { room() >= -2 }
    var parts = name.isEmpty ? [] : [style.bold(name)]
    if room() >= 4 {
      parts.append(bar(columns: min(room(), 30), usesUnicode: usesUnicode, style: style))
    }
    return (parts + [percent] + facts.map(\.text)).joined(separator: "  ")
  }

  private func bar(columns: Int, usesUnicode: Bool, style: TextStyle) -> String {
    guard usesUnicode else {
      let full = Int(share * Double(columns - 2))
      return "[" + String(repeating: "#", count: full)
        + String(repeating: ".", count: columns - 2 - full) + "]"
    }
    let eighths = Int(share * Double(columns * 8))
    var text = String(repeating: "█", count: eighths / 8)
    if eighths % 8 > 0 { text.append(["▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8 - 1]) }
    let empty = String(repeating: "░", count: columns - text.count)
    return style.colour(text, .cyan) + style.dim(empty)
  }

  /// `7 s`, `3:05` or `2:03:05`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 360_000_000 else { return "?" }
    let whole = Int(max(0, seconds).rounded())
    if whole < 60 { return "\(whole) s" }
    let rest = twoDigits(whole % 60)
    let minutes = whole / 60
    return minutes < 60
      ? "\(minutes):\(rest)" : "\(minutes / 60):\(twoDigits(minutes % 60)):\(rest)"
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  /// One digit after the point below 100, none above.
  private static func decimal(_ value: Double) -> String {
    guard value < 1e15 else { return "?" }
    let tenths = Int((value * 10).rounded())
    return tenths < 1000 ? "\(tenths / 10).\(tenths % 10)" : "\(Int(value.rounded()))"
  }
}
