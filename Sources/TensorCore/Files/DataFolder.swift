import Foundation

/// Where the folders of JSON files that come with the programs lie: tasks, probes, studies.
public enum DataFolder {
  /// The first of these with JSON files in it, or in folders in it:
  /// `$ICL_PROBE_DATA`, the working folder, or beside the program: `share/icl-probe` where it is
  /// installed, the package's root where it was built.
  public static func find(_ name: String) throws -> String {
    var places: [String] = []
    if let chosen = ProcessInfo.processInfo.environment["ICL_PROBE_DATA"] { places.append(chosen) }
    places.append(".")
    if let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
      places.append(folder.appendingPathComponent("../share/icl-probe").standardized.path)
      for _ in 0..<5 {
        places.append(folder.path)
        folder = folder.deletingLastPathComponent()
      }
    }
    for place in places {
      let path = place == "." ? name : "\(place)/\(name)"
      let files = files(path)
      if (files + files.flatMap { Self.files("\(path)/\($0)") }).contains(where: isData) {
        return path
      }
    }
    throw UserError(
      "no folder \"\(name)\" with JSON files was found", at: places[0],
      remedy: "run in the project's folder or set ICL_PROBE_DATA")
  }

  /// Empty for what is no folder.
  private static func files(_ path: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  }

  private static func isData(_ file: String) -> Bool { file.hasSuffix(".json") }
}
