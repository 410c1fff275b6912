import TensorCore

/// Name, shape and beginning of a parameter.
struct ParameterSpecification: Sendable {
  let name: String
  let shape: [Int]
  let initial: Initialisation
  /// Whether training changes it.
  var isTrainable = true

  /// Weight and, where it has one, bias of a convolution or a linear layer.
  ///
  /// - Parameter shape: of the weight, `[outputs, inputs, …]`.
  static func layer(
    _ name: String, _ shape: [Int], _ initial: LayerInitialisation, hasBias: Bool = true
  ) -> [ParameterSpecification] {
    let area = shape[2...].reduce(1, *)
    func part(_ part: String, _ own: [Int], _ scale: Double) -> ParameterSpecification {
      ParameterSpecification(
        name: "\(name).\(part)", shape: own,
        initial: initial.scaled(scale, fanIn: shape[1] * area, fanOut: shape[0] * area))
    }
    let weight = part("weight", shape, initial.weight)
    return hasBias ? [weight, part("bias", [shape[0]], initial.bias)] : [weight]
  }

  /// Weight and bias of a norm.
  static func norm(_ name: String, _ channels: Int) -> [ParameterSpecification] {
    [
      Self(name: "\(name).weight", shape: [channels], initial: .ones),
      Self(name: "\(name).bias", shape: [channels], initial: .zeros),
    ]
  }
}

/// Purposes of the random streams that fixed and initial weights come from.
enum InitialStream: UInt64 {
  case network = 0x696E_6974
  case discriminator = 0x6469_7363
  case discriminatorState = 0x6469_7374
  case mixing = 0x6469_6D78
}

extension [ParameterSpecification] {
  /// Each parameter as its specification begins it, from a stream of its own: the same for the same seed.
  func initialParameters(seed: UInt64, _ purpose: InitialStream = .network) -> Parameters {
    Parameters(
      enumerated().map { index, specification in
        let stream = RandomStream(seed: seed, path: [purpose.rawValue, UInt64(index)])
        return (specification.name, specification.initial.tensor(specification.shape, stream))
      })
  }

  /// The parameters asked for among `found`, in this order.
  ///
  /// - Throws: `UserError` naming a missing, unknown or misshapen array. Constants that other programs
  ///   store beside weights (resampling filters) are left out.
  func parameters(from found: Parameters, at place: String) throws -> Parameters {
    let remedy = "check that the weights belong to this network"
    var result = Parameters()
    for specification in self {
      guard found.contains(specification.name) else {
        throw UserError("has no array \"\(specification.name)\"", at: place, remedy: remedy)
      }
      let tensor = found[specification.name]
      guard tensor.shape == specification.shape else {
        throw UserError(
          "\"\(specification.name)\" has the shape \(tensor.shape), not \(specification.shape)",
          at: place, remedy: remedy)
      }
      result[specification.name] = tensor
    }
    let unknown = found.names.first { !result.contains($0) && !$0.hasSuffix("resample_filter") }
    if let unknown {
      throw UserError("the array \"\(unknown)\" has no place here", at: place, remedy: remedy)
    }
    return result
  }
}
