/// The kinds of experiment, by the word that probe files use.
public enum ExperimentRegistry {
  /// In the order in which they run, and in which a report tells of them.
  private static let kinds: [any Experiment.Type] = [
    ShotCurve.self,
    LayerSweep.self,
    Aggregation.self,
    GlobalVector.self,
    FunctionVector.self,
    Grid.self,
    Attribution.self,
    Knockout.self,
    PathPatching.self,
    Saliency.self,
  ]

  public static var names: [String] { kinds.map { $0.kind } }

  /// Where a kind stands in the order.
  static func rank(_ kind: String) -> Int { names.firstIndex(of: kind) ?? names.count }

  /// - Throws: `UserError` for keys that the kind does not know, lacks, or cannot read.
  static func read(_ keys: ProbeKeys, kind: String) throws -> AnyExperiment {
    func open<Kind: Experiment>(_ type: Kind.Type) throws -> AnyExperiment {
      let experiment = try Kind(keys)
      try keys.refuseUnread()
      return AnyExperiment(experiment)
    }
    // The kind was chosen among `names`.
    guard let type = kinds.first(where: { $0.kind == kind }) else {
      throw ProbeKeys.unknownKind(kind)
    }
    return try open(type)
  }
}
