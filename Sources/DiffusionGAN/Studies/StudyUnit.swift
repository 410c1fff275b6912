/// A piece of a study that one process does: what shares divide.
struct StudyUnit: CustomStringConvertible {
  enum Work: Equatable {
    /// Development seeds choose a learning rate.
    case choice
    /// Snapshots of one held-out seed.
    case seed(UInt64)
    case spectrum
  }

  let cell: StudyCell
  let work: Work

  var description: String { Self.name(cell.name, work) }

  /// `CELL/choice`, `CELL/seed-3`, `CELL/spectrum`.
  static func name(_ cell: String, _ work: Work) -> String {
    switch work {
    case .choice: "\(cell)/choice"
    case .seed(let seed): "\(cell)/seed-\(seed)"
    case .spectrum: "\(cell)/spectrum"
    }
  }
}

extension Study {
  /// In the order of a run that is not shared: cell by cell, the choice of a learning rate before what needs it,
  /// and spectra last.
  var units: [StudyUnit] {
    cells.filter { $0.method != .spectrum }.flatMap { cell in
      (cell.choosesLearningRate ? [StudyUnit(cell: cell, work: .choice)] : [])
        + (cell.seeds ?? seeds).map { StudyUnit(cell: cell, work: .seed($0)) }
    } + cells.filter { $0.method == .spectrum }.map { StudyUnit(cell: $0, work: .spectrum) }
  }
}

extension StudyCell {
  /// Whether development seeds choose one of several learning rates.
  var choosesLearningRate: Bool { method.isTrained && learningRates.count > 1 }
}

extension StudyRecord {
  /// Name of the unit that it is of.
  var unit: String {
    switch self {
    case .snapshot(let row):
      StudyUnit.name(row.cell, row.role == .development ? .choice : .seed(row.seed))
    case .choice(let choice): StudyUnit.name(choice.cell, .choice)
    case .spectrum(let cell, _): StudyUnit.name(cell, .spectrum)
    }
  }
}
