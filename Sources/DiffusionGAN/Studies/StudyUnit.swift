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

/// How far a process has come with its part of a study, told before each unit.
public struct StudyProgress: Sendable {
  public let unit: String
  /// Its place among all units of the process, from 1, and their number.
  public let number: Int
  public let count: Int
  /// Images that the process has trained on, and that are left with this unit: what it needs at least, since a search
  /// for a learning rate may go on.
  public let trained: Int
  public let left: Int
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
