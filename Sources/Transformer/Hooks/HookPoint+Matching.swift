import Foundation
import TensorCore

extension HookPoint {
  /// Every hook point that a model has, from the embedding to the final norm.
  public static func all(in architecture: Architecture) -> [HookPoint] {
    let sites = Site.allCases.filter { site in
      (try? HookPoint(site, layer: 0).validate(for: architecture)) != nil
    }
    let ends: [Site] = [.finalNormScale, .finalNormalized]
    return sites.filter { !$0.isInBlock && !ends.contains($0) }.map { HookPoint($0) }
      + (0..<architecture.layers).flatMap { layer in
        sites.filter(\.isInBlock).map { HookPoint($0, layer: layer) }
      }
      + ends.map { HookPoint($0) }
  }

  /// The hook points that a name or a pattern stands for, `*`, `?` and `[…]` as in a shell:
  /// `blocks.*.hook_resid_post`.
  ///
  /// - Throws: `UserError` for an unknown name, one that the model lacks, and a pattern that fits none.
  public static func matching(
    _ pattern: String, in architecture: Architecture, place: String? = nil
  ) throws -> [HookPoint] {
    guard pattern.contains(where: { "*?[".contains($0) }) else {
      let hook = try HookPoint(parsing: pattern, place: place)
      try hook.validate(for: architecture)
      return [hook]
    }
    let found = all(in: architecture).filter { hook in
      hook.names.contains { fnmatch(pattern, $0, 0) == 0 }
    }
    guard !found.isEmpty else {
      throw UserError(
        "\"\(pattern)\" fits no hook point of the model", at: place,
        remedy: "for example blocks.*.hook_resid_post", status: .usage)
    }
    return found
  }

  /// Its name and the other names that are read.
  private var names: [String] {
    let others = Site.aliases.filter { $0.value == site }.map { name, _ in
      layer.map { "blocks.\($0).\(name)" } ?? name
    }
    return [description] + others
  }
}
