import Foundation
import TensorCore
import Terminal

/// The processes that `mpirun` or `srun` started together: one of them speaks and writes, all compute.
enum Processes {
  /// What trains in several processes.
  private static let training = ["pretrain", "train", "distill", "features"]

  /// Variables by which a launcher tells a process that it is one of several, and how many there are.
  private static let sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"]
  /// By which `srun` tells it with PMIx. Scripts of a job have them too, so only beside `PMIX_RANK`.
  private static let stepSizes = ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]

  /// Runs `body`, told which processes there are.
  static func run(_ program: Program) {
    var program = program
    do {
      let ranks = try joined()
      guard ranks.count > 1 else { return program.run() }
      try requireTraining()
      if ranks.rank > 0 { program.report = try silenced(ranks.rank) }
      let report = program.report
      program.report = { problem in
        report(problem)
        // Where all stop at the same step, nobody has to be ended.
        if !Interruption.isRequested { abort(problem.status.rawValue) }
      }
      Compute.$ranks.withValue(ranks) { program.run() }
    } catch {
      program.end(error)
    }
  }

  private static func joined() throws -> any Ranks {
    #if MPI
      let isLaunched =
        launched > 1 || ProcessInfo.processInfo.environment["PMIX_RANK"] != nil
      guard isLaunched else { return SingleRank() }
      let ranks = try MPIRanks()
      atexit { MPIRanks.end() }
      return ranks
    #else
      guard launched <= 1 else {
        throw UserError(
          "started as \(launched) processes, but this program was built without MPI",
          remedy: "build it with swift build -c release --traits MPI, or start one process",
          status: .usage)
      }
      return SingleRank()
    #endif
  }

  private static func abort(_ status: Int32) {
    #if MPI
      MPIRanks.abort(status: status)
    #endif
  }

  private static var launched: Int {
    let environment = ProcessInfo.processInfo.environment
    let names = sizes + (environment["PMIX_RANK"] == nil ? [] : stepSizes)
    return names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first ?? 1
  }

  private static func requireTraining() throws {
    let words = CommandLine.arguments.dropFirst()
    let command = words.first ?? ""
    guard training.contains(command), command != "features" || words.dropFirst().first == "train"
    else {
      throw UserError(
        "'\(command)' is work of one process", remedy: "start it without mpirun", status: .usage)
    }
  }

  /// Lets a process other than the first say nothing but what it alone has to complain of.
  private static func silenced(_ rank: Int) throws -> @Sendable (UserError) -> Void {
    let errors = FileHandle(fileDescriptor: dup(2), closeOnDealloc: false)
    let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard nothing >= 0 else { throw Files.systemError("cannot be written", at: "/dev/null") }
    dup2(nothing, 1)
    dup2(nothing, 2)
    return { problem in
      // What all run into the first has said by then, and ended everybody.
      Thread.sleep(forTimeInterval: 2)
      try? errors.write(contentsOf: Data("onestep, process \(rank): \(problem)\n".utf8))
    }
  }
}

extension Ranks {
  /// What the first process says, to all: at most 4,096 bytes.
  func broadcast(_ text: String) -> String {
    guard count > 1 else { return text }
    let bytes = rank == 0 ? Array(text.utf8.prefix(4096)) : []
    let padded = bytes + [UInt8](repeating: 0, count: rank == 0 ? 4096 - bytes.count : 0)
    let all = gather(
      padded.map { Float($0) }, counts: [4096] + [Int](repeating: 0, count: count - 1))
    return String(decoding: all.map { UInt8($0) }.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Whether one of the processes says so.
  func any(_ flag: Bool) -> Bool {
    guard count > 1 else { return flag }
    return gather([flag ? 1 : 0], counts: [Int](repeating: 1, count: count)).contains(1)
  }
}
