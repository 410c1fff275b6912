import Testing

/// What `onestep` makes of the variables by which launchers start several processes.
@Suite struct ProcessesCommandTests {
  @Test(arguments: [
    (["OMPI_COMM_WORLD_SIZE": "2"], 2), (["PMI_SIZE": "2"], 2),
    (["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "3"], 3),
    (["PMIX_RANK": "1", "SLURM_NTASKS": "4"], 4),
  ]) func severalProcessesNeedMPI(_ environment: [String: String], _ count: Int) throws {
    try Program.run(["presets"], of: "onestep", environment: environment).expectFailure(
      2, "started as \(count) processes", "--traits MPI", of: "onestep")
  }

  /// One task of `srun`, and the script of a job of several.
  @Test(arguments: [
    ["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1"], ["SLURM_NTASKS": "4"],
  ]) func oneProcessIsOne(_ environment: [String: String]) throws {
    let result = try Program.run(["presets"], of: "onestep", environment: environment)
    #expect(result.status == 0, "\(result.err)")
  }
}
