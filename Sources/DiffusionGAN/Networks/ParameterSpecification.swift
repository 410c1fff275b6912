import TensorCore

/// Name, shape and beginning of a parameter.
struct ParameterSpecification: Sendable {
  let name: String
  let shape: [Int]
  let initial: Initialisation
  /// Whether training changes it.
  var isTrainable = true
}

extension [ParameterSpecification] {
  /// Fresh weights: the same for the same seed.
  func initialParameters(seed: UInt64) -> Parameters {
    Parameters(
      enumerated().map { index, specification in
        let stream = RandomStream(seed: seed, path: [0x696E_6974, UInt64(index)])
        let tensor = specification.initial.tensor(specification.shape, stream)
        return (specification.name, tensor)
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
