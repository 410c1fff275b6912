import TensorCore

/// Finding what somebody probably meant to type.
enum NearestName {
  /// The name nearest to `word`, if one is near enough to be worth suggesting.
  static func find(_ word: String, in names: [String]) -> String? {
    let measured = names.map { (name: $0, distance: editDistance(word, $0)) }
    let letters = word.drop { $0 == "-" }.count
    if let best = measured.min(by: { $0.distance < $1.distance }),
      best.distance <= max(1, (letters + 1) / 3)
    {
      return best.name
    }
    let completions = names.filter { letters >= 2 && $0.hasPrefix(word) }
    return completions.count == 1 ? completions.first : nil
  }

  /// A usage error for a word that is none of `names`.
  static func unknown(_ kind: String, _ word: String, known names: [String]) -> UserError {
    let remedy =
      find(word, in: names).map { "did you mean '\($0)'?" }
      ?? (names.isEmpty ? nil : "there are: \(names.joined(separator: ", "))")
    return UserError("unknown \(kind) '\(word)'", remedy: remedy, status: .usage)
  }

  /// Fewest insertions, deletions, replacements and swaps of neighbours that turn one word into
  /// the other (optimal string alignment).
  static func editDistance(_ first: String, _ second: String) -> Int {
    let a = Array(first)
    let b = Array(second)
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1] + [Int](repeating: 0, count: b.count)
      for j in b.indices {
        let replaced = last[j] + (a[i] == b[j] ? 0 : 1)
        row[j + 1] = min(replaced, last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
        }
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
