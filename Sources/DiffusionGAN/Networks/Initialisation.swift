import TensorCore

/// How a parameter begins.
enum Initialisation: Sendable, Equatable {
  case zeros
  case ones
  /// Uniform in ± this bound.
  case uniform(Double)
  /// Normal with this deviation.
  case normal(Double)

  func tensor(_ shape: [Int], _ stream: RandomStream) -> Tensor {
    var stream = stream
    let count = shape.reduce(1, *)
    func values(_ next: () -> Float) -> Tensor {
      Tensor((0..<count).map { _ in next() }, shape: shape)
    }
    switch self {
    case .zeros: return Tensor(zeros: shape)
    case .ones: return Tensor(repeating: 1, shape: shape)
    case .uniform(let bound):
      return values { Float(bound * (2 * Double(stream.uniform()) - 1)) }
    case .normal(let deviation): return values { Float(deviation * Double(stream.normal())) }
    }
  }
}

/// The family of initialisations that a network draws from, in the words of the EDM code.
enum InitialisationMode: Sendable {
  /// Uniform in ±√(6 / (fanIn + fanOut)) (Glorot & Bengio 2010).
  case xavierUniform
  /// Uniform in ±√(3 / fanIn) (He et al. 2015).
  case kaimingUniform
  /// Normal with deviation √(1 / fanIn).
  case kaimingNormal
}

/// Mode and scales of a layer's weight and bias.
struct LayerInitialisation: Sendable {
  var mode: InitialisationMode
  var weight: Double = 1
  var bias: Double = 0

  /// Torch's own of convolutions and linear layers: weights and biases uniform in ±1 / √fanIn.
  static let torch = LayerInitialisation(
    mode: .kaimingUniform, weight: (1.0 / 3).squareRoot(), bias: (1.0 / 3).squareRoot())

  /// The mode's initialisation times `scale`.
  func scaled(_ scale: Double, fanIn: Int, fanOut: Int) -> Initialisation {
    guard scale != 0 else { return .zeros }
    return switch mode {
    case .xavierUniform: .uniform(scale * (6 / Double(fanIn + fanOut)).squareRoot())
    case .kaimingUniform: .uniform(scale * (3 / Double(fanIn)).squareRoot())
    case .kaimingNormal: .normal(scale * (1 / Double(fanIn)).squareRoot())
    }
  }
}
