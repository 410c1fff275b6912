extension CheckpointSource {
  /// Names of the tensors that no part of the model takes, sorted; tables that old files store are left out.
  func unused(but used: Set<String>, _ layout: CheckpointLayout) -> [String] {
    names.filter { name in
      !used.contains(name) && !layout.ignored.contains { name == $0 || name.hasSuffix(".\($0)") }
    }.sorted()
  }
}

extension LanguageModel {
  /// The unused tensors in few words: numbers of blocks become `*`.
  public var unusedSummary: String? {
    guard !unusedTensors.isEmpty else { return nil }
    var kinds: [(name: String, count: Int)] = []
    var places: [String: Int] = [:]
    for tensor in unusedTensors {
      let name = tensor.split(separator: ".").map { Int($0) == nil ? String($0) : "*" }
        .joined(separator: ".")
      if let place = places[name] {
        kinds[place].count += 1
      } else {
        places[name] = kinds.count
        kinds.append((name, 1))
      }
    }
    let shown = kinds.prefix(3).map { $0.count > 1 ? "\($0.name) (\($0.count))" : $0.name }
    let rest = kinds.count > 3 ? " and \(kinds.count - 3) kinds more" : ""
    let count = unusedTensors.count
    return "\(count) tensor\(count == 1 ? " is" : "s are") not used: "
      + shown.joined(separator: ", ") + rest
  }
}
