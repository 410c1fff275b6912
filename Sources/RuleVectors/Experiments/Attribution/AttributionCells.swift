import Reports
import TensorCore

/// What the rows of an attribution say of each cell's mean effect.
struct AttributionCells {
  struct Cell {
    let cell: GridCell
    /// Mean first-order and mean integrated estimate.
    let estimate: Double
    let integrated: Double
    /// The mean effect from its drawn prompts, with the estimates of all as control variates; nil with
    /// fewer than two.
    let mean: ControlVariate?
  }

  let cells: [Cell]

  /// - Parameter rows: of the cells, prompt by prompt.
  init(_ rows: [AttributionRow]) {
    var order: [GridCell] = []
    var grouped: [GridCell: [AttributionRow]] = [:]
    for row in rows {
      if grouped[row.cell] == nil { order.append(row.cell) }
      grouped[row.cell, default: []].append(row)
    }
    let slopes = Self.slopes(grouped)
    cells = order.map { cell in
      let own = grouped[cell] ?? []
      let slope = slopes[cell] ?? 0
      return Cell(
        cell: cell, estimate: own.reduce(0) { $0 + $1.estimate } / Double(own.count),
        integrated: own.reduce(0) { $0 + $1.integrated } / Double(own.count),
        mean: ControlVariate(
          controls: own.map { slope * $0.integrated },
          values: own.map { $0.drawn == .random ? $0.exact : nil }))
    }
  }

  /// For each cell the slope of true effects on integrated estimates through 0, over the random patches of
  /// all other cells of its site: it does not depend on which prompts were drawn for the cell itself.
  private static func slopes(_ rows: [GridCell: [AttributionRow]]) -> [GridCell: Double] {
    struct Kind: Hashable {
      let site: GridSite
      let axis: GridAxis
    }
    struct Sums {
      var products = 0.0
      var squares = 0.0
    }
    func sums(_ rows: [AttributionRow]) -> Sums {
      rows.reduce(into: Sums()) { sums, row in
        guard row.drawn == .random, let exact = row.exact else { return }
        sums.products += row.integrated * exact
        sums.squares += row.integrated * row.integrated
      }
    }
    let own = rows.mapValues(sums)
    var total: [Kind: Sums] = [:]
    // In a fixed order: sums of floats depend on it.
    let order = rows.keys.sorted { $0.name < $1.name }
    for cell in order {
      let part = own[cell] ?? Sums()
      total[Kind(site: cell.site, axis: cell.axis), default: Sums()].products += part.products
      total[Kind(site: cell.site, axis: cell.axis), default: Sums()].squares += part.squares
    }
    return rows.keys.reduce(into: [:]) { slopes, cell in
      let all = total[Kind(site: cell.site, axis: cell.axis)] ?? Sums()
      let part = own[cell] ?? Sums()
      let squares = all.squares - part.squares
      slopes[cell] = squares > 0 ? (all.products - part.products) / squares : 0
    }
  }

  /// How many exact patches plain means would take for the same variance, for each that was made: sums
  /// over cells, so that those without an effect do not decide it.
  static func saving(_ cells: [Cell]) -> Double {
    let known = cells.compactMap(\.mean)
    let plain = known.reduce(0) { $0 + $1.valueVariance / Double($1.known) }
    let own = known.reduce(0) { $0 + $1.variance }
    return own > 0 ? plain / own : .nan
  }

  /// The share of the variance that control variates leave: what a plain mean's number of patches shrinks to
  /// with estimates of any number of further prompts.
  static func rest(_ cells: [Cell]) -> Double {
    let known = cells.compactMap(\.mean)
    let plain = known.reduce(0) { $0 + $1.valueVariance }
    return plain > 0 ? known.reduce(0) { $0 + $1.differenceVariance } / plain : .nan
  }
}
