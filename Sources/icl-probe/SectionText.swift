import RuleVectors
import TensorCore
import Terminal

extension Section {
  /// The section at a glance: its curves and its small table.
  func text(device: TerminalDevice) -> String {
    let width = min(device.width, 100)
    var text = charts.filter { !$0.series.isEmpty }.map { chart in
      TextChart(
        title: chart.title, xTitle: chart.xTitle,
        series: chart.series.map { TextChart.Series(name: $0.name, points: $0.points) },
        reference: chart.reference
      ).text(width: width, usesUnicode: device.usesUnicode, style: device.style) + "\n"
    }.joined()
    if !rows.isEmpty {
      text += TextTable(headers: headers, rows: rows).text(on: device)
    }
    return text
  }
}
