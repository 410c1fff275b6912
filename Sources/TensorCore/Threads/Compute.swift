/// Where tensor operations run.
public enum Compute {
  /// The threads that operations share their work over. Results are the same bits for any number.
  ///
  /// A tool sets it around its work: `Compute.$pool.withValue(ThreadPool(count: 4)) { … }`.
  @TaskLocal public static var pool = ThreadPool(count: ThreadPool.processors)

  /// About how many values a task of an element-wise operation handles.
  static let grain = 16384
}
