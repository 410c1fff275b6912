import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// A network in the form in which NVIDIA's training scripts keep theirs, written by torch 2.15 with
/// classes that follow the published protocol; each number is a formula of its array's name and place.
@Suite struct PersistentNetworkTests {
  private static let path = TorchFileTests.folder + "edm.pkl"

  private func expected(_ name: String, _ index: Int) -> Float {
    Float((index * 7 + name.utf8.count * 13) % 97 - 48) / 256
  }

  @Test func everyArrayHasItsPlace() throws {
    let file = try NetworkFile(contentsOf: Self.path)
    let lines = try String(contentsOfFile: TorchFileTests.folder + "edm.names", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: " ") }
    #expect(file.weights.names.count == lines.count)
    for line in lines {
      let name = String(line[0])
      try #require(file.weights.contains(name))
      let tensor = file.weights[name]
      #expect(tensor.shape == line[1].split(separator: ",").compactMap { Int($0) }, "\(name)")
      #expect(tensor.values.enumerated().allSatisfy { $1 == expected(name, $0) }, "\(name)")
    }
  }

  @Test func constructorArguments() throws {
    let file = try NetworkFile(contentsOf: Self.path)
    var configuration = NetworkConfiguration.ddpmpp(
      resolution: 8, imageChannels: 1, baseChannels: 4, multipliers: [1, 2], blocks: 1,
      attentionResolutions: [4], labels: 2, dropout: 0.13)
    configuration.augmentLabels = 9
    #expect(file.denoiser.network.configuration == configuration)
    #expect(file.denoiser.preconditioning.sigmaData == 0.25)
    #expect(!file.isOneStep)
  }

  /// It is used as its conversion is.
  @Test func itsSafetensorsFileIsTheSame() throws {
    let scratch = try Scratch()
    let path = scratch.file("converted.safetensors")
    let file = try NetworkFile(contentsOf: Self.path)
    try file.write(to: path)
    let converted = try NetworkFile(contentsOf: path)
    let images = try [file, converted].map { try SeededSampling($0)([0, 1]) }
    #expect(images[0].isFinite && images[0].values == images[1].values)
  }

  /// StyleGAN's and GDD's training scripts keep the averaged network under another name.
  @Test func theAveragedNetworkMayHaveTheNameOfStyleGAN() throws {
    let scratch = try Scratch()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: Self.path))
    // A short string: its code, its length and its letters.
    let key = try #require(bytes.range(of: Data([0x8C, 3] + "ema".utf8)))
    bytes.replaceSubrange(key, with: Data([0x8C, 5] + "G_ema".utf8))
    let path = scratch.file("network-snapshot.pkl")
    try bytes.write(to: URL(fileURLWithPath: path))
    let (found, expected) = (
      try NetworkFile(contentsOf: path), try NetworkFile(contentsOf: Self.path)
    )
    #expect(found.weights.names == expected.weights.names)
    #expect(found.weights.tensors.map(\.values) == expected.weights.tensors.map(\.values))
  }

  private func changed(_ old: String, _ new: String, _ path: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.path))
    let (from, to) = (Data(old.utf8), Data(new.utf8))
    try #require(from.count == to.count)
    var copy = bytes
    while let range = copy.range(of: from) { copy.replaceSubrange(range, with: to) }
    #expect(copy != bytes)
    try copy.write(to: URL(fileURLWithPath: path))
  }

  @Test func othersAreTold() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.pkl")
    try changed("EDMPrecond", "XYZPrecond", path)
    expectUserError(path, "preconditioning \"XYZPrecond\", allowed is EDMPrecond") {
      _ = try NetworkFile(contentsOf: path)
    }
    try changed("_reconstruct_persistent_obj", "_reconstruct_persistent_xyz", path)
    expectUserError(path, "asks for \"torch_utils.persistence._reconstruct_persistent_xyz\"") {
      _ = try NetworkFile(contentsOf: path)
    }
    try changed("map_layer0", "map_layer9", path)
    expectUserError(path, "no array \"model.map_layer0.weight\"") {
      _ = try NetworkFile(contentsOf: path)
    }
    // The version of the protocol, a byte behind its key (and its place in the memo).
    let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.path))
    let key = try #require(bytes.range(of: Data("version".utf8)))
    var copy = bytes
    let place = try #require(copy[key.upperBound...].firstIndex(of: 0x4B)) + 1
    #expect(copy[place] == 6)
    copy[place] = 5
    try copy.write(to: URL(fileURLWithPath: path))
    expectUserError(path, "version 5, readable is 6") { _ = try NetworkFile(contentsOf: path) }
  }
}
