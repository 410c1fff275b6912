import TensorCore

/// Training as the loop of a command sees it: steps, a state to continue from, snapshots to look at.
///
/// A run continued from its state takes the same steps, to the same bits, as one that was never stopped.
public protocol ResumableTraining {
  /// Samples seen: the position in every random sequence.
  var seen: Int { get }

  /// One step on the next samples.
  ///
  /// - Returns: figures of the step by name, the loss of what is trained first; the loop averages them over a tick.
  /// - Throws: `UserError` where the run cannot go on, `Divergence` for numbers that are not finite. Of two networks that
  ///   learn in turn one may have moved by then: the run is continued from its last saved state.
  mutating func step() throws -> [TrainingFigure]

  /// Everything that a run needs to continue, given to a state that is written or taken from one that was read.
  ///
  /// - Throws: `UserError` if the state is not of a run like this one.
  mutating func exchange(with state: inout TrainingState) throws

  /// Writes what somebody may look at: the network so far, a grid of pictures.
  ///
  /// - Throws: `Divergence`, before anything is written, where all pictures are one.
  func writeSnapshot(in directory: TrainingDirectory) throws

  /// What to do where more steps do not help, beside going back to the last saved state.
  var remedy: String { get }

  /// What is measured where a snapshot is written, such as accuracy on a test split: it goes into the
  /// row of statistics. May take a while.
  func measureSnapshot() throws -> [TrainingFigure]

  /// What a practitioner would say to these figures, the means of a tick; nothing if all is well.
  func advice(_ figures: [TrainingFigure]) -> [String]
}

extension ResumableTraining {
  /// Writes everything that a run needs to continue, as one file, whole or not at all.
  public func save(to path: String) throws {
    var (run, state) = (self, TrainingState())
    try run.exchange(with: &state)
    try state.write(to: path)
  }

  /// Continues this run, which has not begun, from where it was when `save` wrote the file.
  ///
  /// - Throws: `UserError` if the file is not the state of a run like this one.
  public mutating func resume(from path: String) throws {
    var (run, state) = (self, try TrainingState(contentsOf: path))
    try run.exchange(with: &state)
    self = run
  }

  /// Looks at figures, the means of a tick, before its state is saved.
  ///
  /// - Throws: `Divergence` where more steps do not help. The state saved before is kept then.
  public func check(_ figures: [TrainingFigure]) throws {
    try Divergence.check(figures, seen: seen, advice: remedy)
  }

  public var remedy: String { Divergence.lowerRate }
  public func measureSnapshot() throws -> [TrainingFigure] { [] }
  public func advice(_ figures: [TrainingFigure]) -> [String] { [] }
}

/// A number that training reports.
public struct TrainingFigure: Sendable, Equatable {
  /// Key in `stats.jsonl`.
  public let name: String
  public let value: Double

  public init(_ name: String, _ value: some BinaryFloatingPoint) {
    self.name = name
    self.value = Double(value)
  }
}

extension [TrainingFigure] {
  /// The figure of this name.
  public subscript(name: String) -> Double? { last { $0.name == name }?.value }
}

/// Means of figures over the steps of a tick; a figure that only some steps have is averaged over those.
public struct TickMeans: Sendable {
  private var names: [String] = []
  private var sums: [String: (sum: Double, count: Int)] = [:]

  public init() {}

  public mutating func add(_ figures: [TrainingFigure]) {
    for figure in figures {
      if sums[figure.name] == nil { names.append(figure.name) }
      let old = sums[figure.name] ?? (0, 0)
      sums[figure.name] = (old.sum + figure.value, old.count + 1)
    }
  }

  public var figures: [TrainingFigure] {
    names.compactMap { name in
      sums[name].map { TrainingFigure(name, $0.sum / Double($0.count)) }
    }
  }

  /// As `init(_:)` reads it. Sums are texts: a number that is one of f32 is written as such, and read as another f64.
  var json: JSONValue {
    .object(
      names.map { name in
        (name, [.string("\(sums[name]?.sum ?? 0)"), .integer(sums[name]?.count ?? 0)])
      })
  }

  init(_ reader: JSONReader) throws {
    for (name, reader) in try reader.entries() {
      let parts = try reader.list()
      guard parts.count == 2, let sum = try Double(parts[0].string()) else {
        throw UserError("is no sum and count", at: reader.place, remedy: "remove the file")
      }
      names.append(name)
      sums[name] = (sum, try parts[1].integer(in: 1...Int.max))
    }
  }
}

/// The part of a tick that a run has behind it, kept where it stops between two ticks: its means, and whether a
/// snapshot is due, go on as if it had not.
public struct UnfinishedTick: Sendable {
  /// Samples seen when it began.
  public let start: Int
  public var means: TickMeans

  public init(start: Int, means: TickMeans = TickMeans()) {
    self.start = start
    self.means = means
  }
}
