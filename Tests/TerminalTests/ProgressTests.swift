import Synchronization
import Testing

@testable import Terminal

/// What progress writes, and the time that it believes in.
private final class Recorder: Sendable {
  private let texts = Mutex<[String]>([])
  private let now = Mutex(100.0)

  var written: [String] { texts.withLock { $0 } }
  func pass(_ seconds: Double) { now.withLock { $0 += seconds } }

  func progress(isTerminal: Bool) -> Progress {
    Progress(
      unit: "rows",
      device: TerminalDevice(isTerminal: isTerminal, usesColour: false, usesUnicode: true),
      output: { text in self.texts.withLock { $0.append(text) } },
      clock: { self.now.withLock { $0 } })
  }
}

@Suite struct ProgressTests {
  @Test func writesPlainLinesNowAndThen() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: false)
    for done in 0...100 {
      progress.update(done: done, total: 200, label: "patching")
      if done < 100 { recorder.pass(0.25) }
    }
    progress.note("a warning")
    progress.finish()
    progress.finish()
    progress.update(done: 200, total: 200, label: "late")
    #expect(
      recorder.written == [
        "patching: 0% (0 of 200), 0 s elapsed\n",
        "patching: 20% (40 of 200), 4.0 rows/s, 10 s elapsed, 40 s left\n",
        "patching: 40% (80 of 200), 4.0 rows/s, 20 s elapsed, 30 s left\n",
        "a warning\n",
        "patching: 50% (100 of 200), 4.0 rows/s, 25 s elapsed, 25 s left\n",
      ])
  }

  /// Time alone is no news in a log, nor is the same piece of work begun again.
  @Test func doesNotSayTheSameTwice() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: false)
    for done in [0, 0, 1, 0, 2] {
      progress.update(done: done, total: 2, label: "measuring")
      recorder.pass(11)
    }
    progress.update(done: 2, total: 2, label: "measuring")
    progress.finish()
    #expect(
      recorder.written.map { String($0.prefix(14)) } == [
        "measuring: 0% ", "measuring: 50%", "measuring: 0% ", "measuring: 100",
      ])
  }

  @Test func doesNotCountWorkDoneBefore() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: false)
    progress.update(done: 900, total: 1000, label: "resumed")
    recorder.pass(20)
    progress.update(done: 910, total: 1000, label: "resumed")
    #expect(
      recorder.written.last == "resumed: 91% (910 of 1000), 2.0 s each, 20 s elapsed, 3:00 left\n")
  }

  /// What is printed between two updates stands between two bars.
  @Test func goesOnBelowWhatIsPrinted() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: true)
    progress.update(done: 0, total: 10, label: "running")
    progress.breakLine()
    progress.breakLine()
    let before = recorder.written
    #expect(before.last == "\n" && before.count(where: { $0 == "\n" }) == 1)
    recorder.pass(1)
    progress.update(done: 5, total: 10, label: "running")
    #expect(recorder.written.count > before.count)
    #expect(recorder.written.last?.contains("50%") == true)
    progress.finish()
    progress.update(done: 6, total: 10, label: "late")
    #expect(recorder.written.last == "\n")
  }

  @Test func redrawsInPlaceAtMostEightTimesASecond() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: true)
    for done in 0...100 {
      progress.update(done: done, total: 100, label: "running")
      if done < 100 { recorder.pass(0.01) }
    }
    progress.finish()
    let texts = recorder.written
    #expect((8...11).contains(texts.count))
    #expect(texts.dropLast().allSatisfy { $0.hasPrefix("\r") && !$0.contains("\n") })
    let bar = String(repeating: "█", count: 30)
    #expect(
      texts.suffix(2) == [
        "\rrunning  \(bar)  100%  100/100  1 s  100 rows/s\u{1B}[K", "\n",
      ])
  }

  @Test func printsNotesAboveTheBar() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: true)
    progress.update(done: 1, total: 2, label: "x")
    progress.note("a note")
    let texts = recorder.written
    #expect(texts.count == 3)
    #expect(texts[1] == "\r\u{1B}[Ka note\n")
    #expect(texts[2] == texts[0])
  }

  @Test func startsAnewWithNewWork() {
    let recorder = Recorder()
    let progress = recorder.progress(isTerminal: false)
    progress.update(done: 50, total: 50, label: "first")
    recorder.pass(5)
    progress.update(done: 0, total: 10, label: "second")
    #expect(recorder.written.last == "second: 0% (0 of 10), 0 s elapsed\n")
  }

  @Test(arguments: [20, 30, 39, 40, 60, 79, 120], [true, false])
  func fitsTheTerminal(width: Int, usesUnicode: Bool) {
    let status = ProgressStatus(
      label: "a rather long label for what is going on", unit: "rows", done: 12345, total: 28800,
      elapsed: 4000, alreadyDone: 0)
    let line = status.barLine(width: width, usesUnicode: usesUnicode, style: .plain)
    #expect(TextWidth.columns(line) <= width)
    // 16,455 more at 3.086 a second.
    #expect(line.contains("1:28:52 left"))
    #expect(line.contains("42%"))
    #expect(usesUnicode || line.utf8.allSatisfy { $0 < 0x80 })
  }

  @Test(arguments: [
    (0.2, "0 s"), (59.6, "1:00"), (185, "3:05"), (7385, "2:03:05"), (.infinity, "?"),
  ])
  func writesDurations(seconds: Double, text: String) {
    #expect(ProgressStatus.duration(seconds) == text)
  }
}
