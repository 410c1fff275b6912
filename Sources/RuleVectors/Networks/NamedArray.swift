/// An array of a model's file.
struct NamedArray: Sendable, Equatable {
  var name: String
  /// The last dimension varies fastest.
  let shape: [Int]
  let values: [Float]

  /// Weight and bias of a layer norm.
  static func norm(_ name: String, _ weight: [Float]) -> [NamedArray] {
    [
      NamedArray(name: "\(name).weight", shape: [weight.count], values: weight),
      NamedArray(
        name: "\(name).bias", shape: [weight.count],
        values: [Float](repeating: 0, count: weight.count)),
    ]
  }

  func prefixed(_ prefix: String) -> NamedArray {
    NamedArray(name: prefix + name, shape: shape, values: values)
  }
}
