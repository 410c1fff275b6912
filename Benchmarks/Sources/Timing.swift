import Glibc

/// Processor time of this process so far, in seconds.
func processorSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}

/// Seconds that `body` takes.
func time(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let duration = try clock.measure(body)
  return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// What repeated runs of one piece of work gave.
struct Timing {
  /// Median over the repeats.
  let seconds: Double
  /// Median over the repeats of the rate as a share of the sgemm peak measured just before and just
  /// after: neighbours on the machine slow both.
  let shareOfPeak: Double
  /// The same beside the rate of fused multiplications and additions.
  let shareOfFused: Double
  /// The same of `shareOfPeak` of the rates in processor time, which leaves out waiting, one's own and the wait for a
  /// processor that others use.
  let processorShareOfPeak: Double
}

extension Timing {
  /// Runs `body` once to warm up, then `repeats` times, alternating with the sgemm peak.
  ///
  /// - Parameter operations: floating-point operations of one run.
  init(
    repeats: Int, operations: Double, peak: SgemmPeak, warmsUp: Bool = true,
    _ body: () throws -> Void
  ) rethrows {
    if warmsUp { try body() }
    var seconds: [Double] = []
    var shares: [Double] = []
    var processorShares: [Double] = []
    var fusedShares: [Double] = []
    var before = peak.measure()
    for _ in 0..<repeats {
      let start = processorSeconds()
      let elapsed = try time(body)
      let rate = operations / 1e9 / (processorSeconds() - start)
      let after = peak.measure()
      seconds.append(elapsed)
      shares.append(operations / elapsed / 1e9 / max(before.best, after.best))
      fusedShares.append(operations / elapsed / 1e9 / max(before.fused, after.fused))
      processorShares.append(rate / ((before.ofProcessor + after.ofProcessor) / 2))
      before = after
    }
    self.seconds = median(seconds)
    shareOfPeak = median(shares)
    shareOfFused = median(fusedShares)
    processorShareOfPeak = median(processorShares)
  }
}
