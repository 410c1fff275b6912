import Foundation
import Synchronization

/// Progress of long work: one line redrawn in place on a terminal, a plain line now and then
/// elsewhere. May be called from any thread.
public final class Progress: Sendable {
  private struct State {
    var status: ProgressStatus?
    var start = 0.0
    var lastDrawn = -Double.infinity
    /// What the newest plain line told.
    var told: ProgressStatus?
    /// Whether a bar stands on the terminal's current line.
    var isBarShown = false
    /// Whether the newest status has been written.
    var isCurrent = false
    var isFinished = false
  }

  private let device: TerminalDevice
  private let unit: String
  private let output: @Sendable (String) -> Void
  private let clock: @Sendable () -> Double
  private let state = Mutex(State())

  /// Shortest time between two drawings of the bar.
  private static let redrawSeconds = 0.125
  /// Shortest time between two plain lines.
  private static let plainSeconds = 10.0

  /// Progress on standard error.
  ///
  /// - Parameter unit: What is counted, in the plural, for the rate: `rows` gives `12.5 rows/s`.
  public convenience init(unit: String = "") {
    self.init(
      unit: unit, device: .standardError,
      output: { text in
        // Progress that cannot be shown is no reason to stop the work.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
      },
      clock: { ProcessInfo.processInfo.systemUptime })
  }

  /// Progress with its effects as parameters.
  ///
  /// - Parameter clock: Seconds from any fixed moment.
  public init(
    unit: String = "", device: TerminalDevice, output: @escaping @Sendable (String) -> Void,
    clock: @escaping @Sendable () -> Double
  ) {
    self.unit = unit
    self.device = device
    self.output = output
    self.clock = clock
  }

  /// Tells how far the work is.
  ///
  /// The first call sets the start of the clock, and what is done by then does not count into the
  /// rate: resumed work calls once with what it found before it begins. A `done` below the last one
  /// starts a new piece of work.
  public func update(done: Int, total: Int, label: String) {
    state.withLock { state in
      guard !state.isFinished else { return }
      let now = clock()
      let known = state.status
      let isNew = known.map { done < $0.done } ?? true
      if isNew { state.start = now }
      state.status = ProgressStatus(
        label: Self.oneLine(label), unit: unit, done: done, total: total,
        elapsed: now - state.start, alreadyDone: isNew ? done : known?.alreadyDone ?? done)
      state.isCurrent = false
      let pause = device.isTerminal ? Self.redrawSeconds : Self.plainSeconds
      if isNew || now - state.lastDrawn >= pause { draw(&state, at: now) }
    }
  }

  /// Prints a line of its own, above the bar where there is one.
  public func note(_ line: String) {
    state.withLock { state in
      guard state.isBarShown else { return output(line + "\n") }
      output("\r\u{1B}[K" + line + "\n")
      draw(&state, at: clock())
    }
  }

  /// Shows the last state and ends the line, so that something else can be printed; the next update
  /// goes on below it.
  public func breakLine() {
    state.withLock { state in
      guard !state.isFinished else { return }
      endLine(&state)
    }
  }

  /// Shows the last state and ends the line. Later updates are ignored.
  public func finish() {
    state.withLock { state in
      guard !state.isFinished else { return }
      endLine(&state)
      state.isFinished = true
    }
  }

  private func endLine(_ state: inout State) {
    if !state.isCurrent { draw(&state, at: clock()) }
    if state.isBarShown { output("\n") }
    state.isBarShown = false
  }

  private func draw(_ state: inout State, at now: Double) {
    guard var status = state.status else { return }
    status.elapsed = now - state.start
    if device.isTerminal {
      // The last column stays free: some terminals wrap when it is written.
      let line = status.barLine(
        width: device.width - 1, usesUnicode: device.usesUnicode, style: device.style)
      output("\r" + line + "\u{1B}[K")
      state.isBarShown = true
    } else {
      // The time alone is no news.
      if state.told.map(status.isWhere) != true { output(status.plainLine + "\n") }
      state.told = status
    }
    state.lastDrawn = now
    state.isCurrent = true
  }

  private static func oneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
  }
}
