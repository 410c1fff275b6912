import Reports

/// Cosines of one kind of pairs on one task, by layer and episode.
struct ConvergenceCurve: Sendable {
  /// Ascending.
  let layers: [Int]
  /// By episode, then by layer; episodes that lack a layer are left out.
  private let episodes: [(episode: Int, rows: [ConvergenceRow])]

  init(_ records: [Record<ConvergenceRow>]) {
    let layers = Set(records.map(\.row.layer)).sorted()
    self.layers = layers
    episodes = Dictionary(grouping: records, by: \.episode).sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.map(\.row).sorted { $0.layer < $1.layer }) }
      .filter { $0.1.map(\.layer) == layers }
  }

  var isEmpty: Bool { episodes.isEmpty }

  /// Episode by episode; those where the cosine is not defined are left out.
  func values(_ layer: Int, _ value: (ConvergenceRow) -> Double?) -> [Double] {
    byEpisode(layer, value).map(\.value)
  }

  /// Half the sum of this curve's value and another's, episode by episode; those where either is not defined are left
  /// out.
  func means(
    with other: ConvergenceCurve, _ layer: Int, _ value: (ConvergenceRow) -> Double?
  ) -> [Double] {
    let others = Dictionary(
      other.byEpisode(layer, value).map { ($0.episode, $0.value) }, uniquingKeysWith: { $1 })
    return byEpisode(layer, value).compactMap { own in
      others[own.episode].map { (own.value + $0) / 2 }
    }
  }

  private func byEpisode(
    _ layer: Int, _ value: (ConvergenceRow) -> Double?
  ) -> [(episode: Int, value: Double)] {
    guard let index = layers.firstIndex(of: layer) else { return [] }
    return episodes.compactMap { episode, rows in value(rows[index]).map { (episode, $0) } }
  }

  func interval(_ layer: Int, _ value: (ConvergenceRow) -> Double?) -> Interval {
    MeanInterval.student(values(layer, value))
  }

  /// The layer of the largest mean, the earliest of equals; nil where no cosine is defined.
  func best(_ value: (ConvergenceRow) -> Double?) -> Int? {
    var means: [Int: Double] = [:]
    for layer in layers {
      let values = values(layer, value)
      if !values.isEmpty { means[layer] = values.reduce(0, +) / Double(values.count) }
    }
    return try? LayerChoice.best(means)
  }

  /// How many layers are called early, and how many late: a third, at least one.
  var third: Int { max(layers.count / 3, 1) }

  /// An episode's mean over the last third of the layers less that over the first; episodes without
  /// either are left out.
  func lateLessEarly(_ value: (ConvergenceRow) -> Double?) -> [Double] {
    func mean(_ rows: some Sequence<ConvergenceRow>) -> Double? {
      let values = rows.compactMap(value)
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    guard layers.count > 1 else { return [] }
    return episodes.compactMap { _, rows in
      mean(rows.suffix(third)).flatMap { late in mean(rows.prefix(third)).map { late - $0 } }
    }
  }

  func series(_ name: String, _ value: (ConvergenceRow) -> Double?) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: layers.map { layer in
        let interval = interval(layer, value)
        return LineChart.Point(
          x: Double(layer), y: interval.estimate, low: interval.low, high: interval.high)
      })
  }
}
