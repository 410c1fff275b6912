/// A file of named arrays, whatever its format.
public protocol ArrayFile: Sendable {
  /// What messages call the file.
  var path: String { get }
  /// Texts that stand beside the arrays.
  var metadata: [String: String] { get }
  /// Names of the arrays, sorted.
  var names: [String] { get }

  func contains(_ name: String) -> Bool

  /// Dimensions, the last varying fastest; empty for a single number.
  func shape(of name: String) throws -> [Int]

  /// The numbers of a floating-point array, in row-major order.
  func floats(_ name: String) throws -> [Float]

  /// The numbers of a whole-number array, in row-major order.
  func integers(_ name: String) throws -> [Int]
}

extension SafetensorsFile: ArrayFile {}
