import Reports

extension Bootstrap {
  /// The interval of the recovery (mean(patched) − mean(recipient)) / (mean(donor) −
  /// mean(recipient)), over means because single episodes can have denominators near zero.
  ///
  /// Where the sign of the denominator itself is in doubt at this level, so is the sign of the
  /// recovery, and there are no bounds: −∞ to +∞.
  public func recovery(patched: [Double], recipient: [Double], donor: [Double]) -> Interval {
    ratio(
      zip(patched, recipient).map { $0 - $1 }, over: zip(donor, recipient).map { $0 - $1 })
  }
}
