#if MPI
  import CMessagePassing
  import TensorCore

  /// The processes that `mpirun` or `srun` started together.
  ///
  /// A failure of the library or of another process ends all of them, as MPI does where nothing else is said.
  struct MPIRanks: Ranks {
    let rank: Int
    let count: Int

    /// Joins the others; to be called once, before anything else.
    ///
    /// - Throws: `UserError` for an MPI that only its first thread may call.
    init() throws {
      var (rank, count) = (Int32(0), Int32(1))
      guard messages_begin(&rank, &count) == 0 else {
        throw UserError(
          "this MPI lets one thread of a process call it only", at: "MPI_Init_thread",
          remedy: "use one that supports MPI_THREAD_SERIALIZED, such as Open MPI 4")
      }
      (self.rank, self.count) = (Int(rank), Int(count))
    }

    /// Parts from the others in peace, when all have come to their end.
    static func end() { messages_end() }

    /// Ends all processes.
    static func abort(status: Int32) { messages_abort(status) }

    func gather(_ values: [Float], counts: [Int]) -> [Float] {
      let (sizes, starts) = Self.layout(counts)
      return [Float](unsafeUninitializedCapacity: counts.reduce(0, +)) { all, written in
        messages_gather(values, Int32(values.count), all.baseAddress, sizes, starts)
        written = counts.reduce(0, +)
      }
    }

    func exchange(_ values: [Float], sent: [Int], received: [Int]) -> [Float] {
      let ((sizes, starts), (theirSizes, theirStarts)) = (Self.layout(sent), Self.layout(received))
      return [Float](unsafeUninitializedCapacity: received.reduce(0, +)) { all, written in
        messages_exchange(values, sizes, starts, all.baseAddress, theirSizes, theirStarts)
        written = received.reduce(0, +)
      }
    }

    /// Counts as C has them, and where each begins.
    private static func layout(_ counts: [Int]) -> (sizes: [Int32], starts: [Int32]) {
      var starts: [Int32] = []
      var start = 0
      for count in counts {
        starts.append(Int32(start))
        start += count
      }
      return (counts.map { Int32($0) }, starts)
    }
  }
#endif
