import TensorCore

/// How a parameter begins, in the words of the EDM code.
enum Initialisation: Sendable, Equatable {
  case zeros
  case ones
  /// Uniform in ±scale · √(6 / (fanIn + fanOut)) (Glorot & Bengio 2010).
  case xavierUniform(fanIn: Int, fanOut: Int, scale: Double)
  /// Uniform in ±scale · √(3 / fanIn) (He et al. 2015).
  case kaimingUniform(fanIn: Int, scale: Double)
  /// Normal with deviation scale · √(1 / fanIn).
  case kaimingNormal(fanIn: Int, scale: Double)
  /// Normal with this deviation.
  case normal(Double)

  func tensor(_ shape: [Int], _ stream: RandomStream) -> Tensor {
    var stream = stream
    let count = shape.reduce(1, *)
    func values(_ next: () -> Float) -> Tensor {
      Tensor((0..<count).map { _ in next() }, shape: shape)
    }
    func uniform(_ bound: Double) -> Tensor {
      values { Float(bound * (2 * Double(stream.uniform()) - 1)) }
    }
    switch self {
    case .zeros: return Tensor(zeros: shape)
    case .ones: return Tensor(repeating: 1, shape: shape)
    case .xavierUniform(let fanIn, let fanOut, let scale):
      return uniform(scale * (6 / Double(fanIn + fanOut)).squareRoot())
    case .kaimingUniform(let fanIn, let scale):
      return uniform(scale * (3 / Double(fanIn)).squareRoot())
    case .kaimingNormal(let fanIn, let scale):
      return Self.normal(scale * (1 / Double(fanIn)).squareRoot()).tensor(shape, stream)
    case .normal(let deviation): return values { Float(deviation * Double(stream.normal())) }
    }
  }
}

/// The family of initialisations that a network draws from.
enum InitialisationMode: Sendable {
  case xavierUniform
  case kaimingUniform
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

  func weight(fanIn: Int, fanOut: Int) -> Initialisation { scaled(weight, fanIn, fanOut) }
  func bias(fanIn: Int, fanOut: Int) -> Initialisation { scaled(bias, fanIn, fanOut) }

  private func scaled(_ scale: Double, _ fanIn: Int, _ fanOut: Int) -> Initialisation {
    guard scale != 0 else { return .zeros }
    switch mode {
    case .xavierUniform:
      return .xavierUniform(fanIn: fanIn, fanOut: fanOut, scale: scale)
    case .kaimingUniform: return .kaimingUniform(fanIn: fanIn, scale: scale)
    case .kaimingNormal: return .kaimingNormal(fanIn: fanIn, scale: scale)
    }
  }
}
