import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Numbers of the EDM code, in this target's resources.
enum GoldenEDM {
  static let folder = (Bundle.module.resourcePath ?? "") + "/edm"

  static func tensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile("\(folder)/\(name).safetensors")
  }

  static func json(_ name: String) throws -> JSONReader {
    try JSONReader(contentsOf: "\(folder)/\(name).json")
  }
}

extension GoldenEDM {
  /// A small network with its weights and what the EDM code makes of them.
  struct Network {
    let name: String
    let denoiser: Denoiser
    let weights: Parameters
    let golden: SafetensorsFile
    let numbers: JSONReader

    init(_ name: String) throws {
      self.name = name
      let file = try GoldenEDM.tensors("\(name).weights")
      let config = try GoldenEDM.json("\(name).config").at("constructor")
      let network = try UNet(NetworkConfiguration(config))
      denoiser = Denoiser(network)
      weights = try network.parameters(from: Parameters(file), at: file.path)
      golden = try GoldenEDM.tensors("\(name).golden")
      numbers = try GoldenEDM.json("\(name).golden")
    }

    /// The network with Fourier features rounds more.
    var isFourier: Bool { name == "song_ncsnpp" }

    func tensor(_ path: String) throws -> Tensor { try Tensor(golden, path) }

    func conditions(_ part: String) throws -> UNet.Conditions {
      let path = "\(part)/class_labels"
      return UNet.Conditions(noise: [], labels: golden.contains(path) ? try tensor(path) : nil)
    }
  }

  static let networks = ["song_ddpmpp", "song_ncsnpp", "adm_cond"]
}

extension JSONReader {
  func floats() throws -> [Float] { try list().map { Float(try $0.number()) } }
}

/// max |a − b| ≤ tolerance · max |b|.
func expectClose(
  _ value: Tensor, _ expected: Tensor, _ tolerance: Float, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(value.shape == expected.shape, "\(name)", sourceLocation: sourceLocation)
  guard value.shape == expected.shape else { return }
  let scale = expected.values.reduce(0) { max($0, abs($1)) }
  let error = zip(value.values, expected.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
  #expect(
    error <= tolerance * scale, "\(name): off by \(error) of \(scale)",
    sourceLocation: sourceLocation)
}

extension NetworkConfiguration {
  /// This DDPM++ network as NCSN++, what EDM's `--arch=ncsnpp` changes.
  var ncsnpp: NetworkConfiguration {
    var changed = self
    (changed.noiseEmbedding, changed.noiseMultiplier) = (.fourier, 2)
    (changed.encoder, changed.filter) = (.residual, [1, 3, 3, 1])
    return changed
  }
}
