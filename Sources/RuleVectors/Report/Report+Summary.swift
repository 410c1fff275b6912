import Reports
import TensorCore

extension Report {
  /// What the page says, for scripts: `summary.json`.
  public var summary: JSONValue {
    [
      "gate": .array(runs.compactMap { $0.gate?.json }),
      "claims": .array(
        runs.flatMap { run in
          run.claims.map { claim in
            .object(
              [
                ("run", .string(run.record.path)), ("task", .string(run.record.task)),
                ("model", .string(run.record.model)),
              ] + claim.json(samples: "episodes").pairs)
          }
        }),
      "runs": .array(
        runs.map { run in
          [
            "run": .string(run.record.path), "task": .string(run.record.task),
            "model": .string(run.record.model), "finished": .bool(run.record.isFinished),
            "failed": run.record.failure.map(JSONValue.string) ?? .null,
            "manifest": run.record.manifest,
            "sections": .array(
              run.sections.map { probe, section in
                .object(
                  [
                    ("probe", .string(probe.name)), ("experiment", .string(probe.experiment.kind)),
                  ] + section.summary)
              }),
          ]
        }),
    ]
  }

  /// Every sentence of every run, for spreadsheets.
  public var sentences: CSV {
    Claim.csv(
      runs.flatMap { run in
        let context = [
          run.record.path, run.record.task, run.record.model, String(run.record.demonstrations),
        ]
        return run.claims.map { (context, $0) }
      }, context: ["run", "task", "model", "demonstrations"], samples: "episodes")
  }

  /// Flat results for scripts: `patch --json`.
  public var results: [JSONValue] {
    runs.flatMap { run in run.sections.flatMap { $0.section.results.map(JSONValue.object) } }
  }
}
