import Foundation
import Reports
import TensorCore

/// Figures of a study's results: one of each kind for every space of features.
struct StudyFigures {
  let results: StudyResults
  /// Put before the figures' names where a report holds several studies.
  let prefix: String

  private static let note = "Bands: 95 % t intervals, over seeds and measurement."

  private var trained: [StudyCell] {
    results.cells { $0.method.isTrained && !results.checkpoints(of: $0).isEmpty }
  }
  private var teachers: [StudyCell] {
    results.cells { $0.method == .teacher && !results.checkpoints(of: $0).isEmpty }
      .sorted { ($0.steps ?? 0) < ($1.steps ?? 0) }
  }

  private func words(_ space: String) -> String {
    space == StudyEvaluation.pixels ? "raw pixels" : space
  }

  private func point(_ value: UncertainValue, x: Double) -> LineChart.Point {
    let interval = value.interval()
    return LineChart.Point(
      x: x, y: interval.estimate, low: interval.low.isNaN ? nil : interval.low,
      high: interval.high.isNaN ? nil : interval.high)
  }

  /// Distance against images seen, one line a cell, on a logarithmic scale.
  func learning(in space: String) -> Figure? {
    let cells = trained.filter { results.checkpoints(of: $0).count > 1 }
    guard !cells.isEmpty else { return nil }
    let plain = LineChart(
      title: "Distance to the data while training, in \(words(space))",
      xTitle: "thousands of images seen", yTitle: "log₁₀ Fréchet distance",
      series: cells.map { cell in
        LineChart.Series(
          name: cell.name,
          points: results.checkpoints(of: cell).compactMap { images in
            results.mean(.frechet, in: space, of: cell, at: images).map {
              point($0, x: Double(images) / 1000)
            }
          })
      },
      horizontalLines: teachers.suffix(1).compactMap { teacher in
        results.mean(.frechet, in: space, of: teacher, at: 0).map {
          LineChart.HorizontalLine(
            y: $0.estimate, label: "teacher, \(teacher.steps ?? 0) steps")
        }
      }, intervalNote: Self.note)
    return Figure(
      name: "\(prefix)learning-\(space)", svg: Self.logarithmic(plain).svg, csv: plain.table,
      caption: "Mean over held-out seeds. The table has the distances themselves.")
  }

  /// Distance to the data and to the teacher's images against the teacher's number of steps.
  func teacherSteps(in space: String) -> [Figure] {
    let students = trained.filter { $0.method.isDistillation }
    guard teachers.count > 1 || !students.isEmpty,
      let images = results.commonBudget(of: trained) ?? (trained.isEmpty ? 0 : nil)
    else { return [] }
    func series(_ quantity: StudyQuantity, _ cells: [StudyCell], _ name: String)
      -> LineChart.Series
    {
      LineChart.Series(
        name: name,
        points: cells.sorted { ($0.steps ?? 0) < ($1.steps ?? 0) }.compactMap { cell in
          results.mean(quantity, in: space, of: cell, at: images).map {
            point($0, x: Double(cell.steps ?? 0))
          }
        })
    }
    func chart(_ quantity: StudyQuantity, _ title: String, _ first: [LineChart.Series]) -> LineChart
    {
      LineChart(
        title: title, xTitle: "steps of the teacher", yTitle: "log₁₀ Fréchet distance",
        series: first
          + StudyCell.Method.allCases.filter(\.isDistillation).compactMap { method in
            let cells = students.filter { $0.method == method }
            return cells.isEmpty ? nil : series(quantity, cells, method.name)
          },
        horizontalLines: trained.filter { $0.method == .gan }.compactMap { cell in
          results.mean(quantity, in: space, of: cell, at: images).map {
            LineChart.HorizontalLine(y: $0.estimate, label: "\(cell.name), no teacher")
          }
        }, intervalNote: Self.note)
    }
    let toData = chart(
      .frechet, "Distance to the data, in \(words(space))",
      teachers.isEmpty ? [] : [series(.frechet, teachers, "teacher itself")])
    var figures = [
      Figure(
        name: "\(prefix)teacher-steps-\(space)", svg: Self.logarithmic(toData).svg,
        csv: toData.table, caption: "Students after \(images) images; mean over held-out seeds.")
    ]
    // The distance to the images of the teacher with the most steps; every student has one.
    let longest = results.study.teachers.indices.max {
      results.study.teachers[$0].steps < results.study.teachers[$1].steps
    }
    if let longest, !students.isEmpty {
      let steps = results.study.teachers[longest].steps
      let toTeacher = chart(
        .toTeacher(longest),
        "Distance to the images of the teacher in \(steps) steps, in \(words(space))", [])
      figures.append(
        Figure(
          name: "\(prefix)to-teacher-\(space)", svg: Self.logarithmic(toTeacher).svg,
          csv: toTeacher.table,
          caption: "Students after \(images) images; other noise than the teacher's."))
    }
    return figures
  }

  /// Distance after all images, cell by cell.
  func final(in space: String) -> Figure? {
    let bars = (trained + teachers).compactMap { cell -> BarChart.Bar? in
      guard let images = results.checkpoints(of: cell).last,
        let value = results.mean(.frechet, in: space, of: cell, at: images)?.interval()
      else { return nil }
      return BarChart.Bar(
        label: cell.name, value: value.estimate, low: value.low.isNaN ? nil : value.low,
        high: value.high.isNaN ? nil : value.high)
    }
    guard bars.count > 1 else { return nil }
    return Figure(
      name: "\(prefix)final-\(space)",
      chart: BarChart(
        title: "Distance to the data at the end, in \(words(space))", xTitle: "",
        yTitle: "Fréchet distance", bars: bars,
        intervalNote: "Whiskers: 95 % t intervals, over seeds and measurement."),
      caption: "Each cell after its own last images.")
  }

  /// Distance against the amount of pretraining, a line for each number of images seen after it, or for each of several
  /// pretrainings.
  func pretraining(in space: String) -> Figure? {
    let cells = trained.filter { $0.pretraining != nil && !$0.hasDeadBranches }
      .sorted { ($0.pretraining ?? 0) < ($1.pretraining ?? 0) }
    guard Set(cells.map(\.pretraining)).count > 1 else { return nil }
    let runs = Set(cells.compactMap(\.run)).sorted()
    let checkpoints = Set(cells.flatMap { results.checkpoints(of: $0) }).sorted()
    func series(_ name: String, _ cells: [StudyCell], _ images: Int) -> LineChart.Series {
      LineChart.Series(
        name: name,
        points: cells.compactMap { cell in
          results.mean(.frechet, in: space, of: cell, at: images).map {
            point($0, x: Double(cell.pretraining ?? 0) / 1000)
          }
        })
    }
    let plain = LineChart(
      title: "One-step distance after more or less diffusion pretraining, in \(words(space))",
      xTitle: "thousands of images seen in pretraining", yTitle: "log₁₀ Fréchet distance",
      series: runs.count > 1
        ? runs.map { run in
          series(
            "pretraining \(run)", cells.filter { $0.run == run },
            results.commonBudget(of: cells) ?? 0)
        } : checkpoints.map { series("\($0) images", cells, $0) },
      intervalNote: Self.note)
    return Figure(
      name: "\(prefix)pretraining-\(space)", svg: Self.logarithmic(plain).svg, csv: plain.table,
      caption: "Mean over held-out seeds of what was trained from these very snapshots. The table "
        + "has the distances themselves.")
  }

  /// Maps of a frequency analysis, from its summary.
  static func frequencies(_ summary: JSONValue, prefix: String) -> [Figure] {
    guard case .array(let sigmas) = summary["sigmas"], case .array(let layers) = summary["layers"]
    else { return [] }
    func number(_ value: JSONValue) -> Double {
      (try? JSONReader(value, place: "").number()) ?? .nan
    }
    let parts: [(key: String, title: String, isDiverging: Bool)] = [
      ("mean_frequency", "Pretrained network: mean frequency of residuals", false),
      ("mean_frequency_one_step", "One-step network: mean frequency of residuals", false),
      ("mean_frequency_shift", "One-step less pretrained", true),
    ]
    return parts.compactMap { part in
      guard case .array(let rows) = summary[part.key] else { return nil }
      let cells = rows.map { row -> [Interval] in
        guard case .array(let cells) = row else { return [] }
        return cells.map {
          Interval(
            estimate: number($0["mean"]), low: number($0["low"]), high: number($0["high"]),
            level: 0.95)
        }
      }
      let map = Heatmap(
        title: part.title, xTitle: "noise level σ, first call to the left", yTitle: "",
        columns: sigmas.map { SpectrumReport.short(number($0)) },
        rows: layers.map { if case .string(let name) = $0 { name } else { "" } },
        values: cells.map { $0.map(\.estimate) }, intervals: cells,
        isDiverging: part.isDiverging, valueTitle: "share of highest")
      return Figure(
        name: "\(prefix)\(part.key.replacingOccurrences(of: "_", with: "-"))", chart: map,
        caption: "Mean over images; the table has bootstrap intervals over images.")
    }
  }

  /// The chart with all heights as base-10 logarithms; what is not above 0 is missing.
  private static func logarithmic(_ chart: LineChart) -> LineChart {
    func log(_ value: Double) -> Double { value > 0 ? log10(value) : .nan }
    var chart = chart
    for series in chart.series.indices {
      for place in chart.series[series].points.indices {
        var point = chart.series[series].points[place]
        point.y = log(point.y)
        // An interval that reaches 0 has no lower end on this scale.
        let low = point.low.map(log)
        point.high = point.high.map(log)
        point.low = low.map { $0.isNaN ? point.y : $0 }
        chart.series[series].points[place] = point
      }
    }
    for place in chart.horizontalLines.indices {
      chart.horizontalLines[place].y = log(chart.horizontalLines[place].y)
    }
    return chart
  }
}
