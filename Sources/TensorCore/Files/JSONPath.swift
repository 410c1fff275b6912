/// Where a value stands in a file. It becomes text only when somebody asks: with a text for each value,
/// a long key above many values would cost its length once for each of them.
final class JSONPath: Sendable {
  private enum Step {
    case file(String)
    case key(String)
    case element(Int)
  }

  private let parent: JSONPath?
  private let step: Step

  /// - Parameter place: the file, maybe with a key.
  convenience init(_ place: String) { self.init(nil, .file(place)) }

  private init(_ parent: JSONPath?, _ step: Step) {
    self.parent = parent
    self.step = step
  }

  func key(_ key: String) -> JSONPath { JSONPath(self, .key(key)) }
  func element(_ number: Int) -> JSONPath { JSONPath(self, .element(number)) }

  /// `tasks/x.json, classes[2].words`.
  var text: String {
    var paths = [self]
    while let parent = paths[paths.count - 1].parent { paths.append(parent) }
    return paths.reversed().reduce(into: "") { text, path in
      switch path.step {
      case .file(let place): text = place
      case .key(let key): text += (text.contains(", ") ? "." : ", ") + key
      case .element(let number): text += "[\(number)]"
      }
    }
  }
}
