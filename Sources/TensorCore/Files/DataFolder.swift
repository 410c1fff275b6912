import Foundation

/// Where what comes with the programs lies: folders of JSON files (tasks, probes, studies), and networks.
public enum DataFolder {
  /// The first of these with JSON files in it, or in folders in it:
  /// `$ICL_PROBE_DATA`, the working folder, or beside the program: `share/icl-probe` where it is
  /// installed, the package's root where it was built.
  public static func find(_ name: String) throws -> String {
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

  /// The file that a user means by `path`: what lies there, or else, for `networks/NAME`, the network of
  /// that name that came with the program.
  public static func network(_ path: String) -> String {
    guard path.hasPrefix("networks/"), access(path, F_OK) != 0 else { return path }
    return places.lazy.map { "\($0)/\(path)" }.first { access($0, F_OK) == 0 } ?? path
  }

  private static var places: [String] {
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
    return places
  }

  /// Empty for what is no folder.
  private static func files(_ path: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  }

  private static func isData(_ file: String) -> Bool { file.hasSuffix(".json") }
}
