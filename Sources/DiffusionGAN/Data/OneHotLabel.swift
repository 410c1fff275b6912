import TensorCore

/// A class as a vector of zeros with a one at its number, as EDM's networks take it and some data keep it.
enum OneHotLabel {
  /// - Throws: `UserError` for a vector that is no class.
  static func integer(_ vector: some Collection<Double>, place: String) throws -> Int {
    let values = Array(vector)
    guard let label = values.firstIndex(of: 1), values.allSatisfy({ $0 == 0 || $0 == 1 }),
      values.reduce(0, +) == 1
    else {
      throw UserError(
        "holds a vector that is not one-hot", at: place,
        remedy: "give every image one class: a number, or zeros with a single one")
    }
    return label
  }
}

extension Tensor {
  /// Classes as one-hot rows, `[labels, classes]`.
  init(oneHot labels: [Int], classes: Int) {
    self.init(shape: [labels.count, classes]) { output in
      output.initialize(repeating: 0, count: labels.count * classes)
      for (place, label) in labels.enumerated() { output[place * classes + label] = 1 }
    }
  }
}
