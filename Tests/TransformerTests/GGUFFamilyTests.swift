import Foundation
import TensorCore
import Testing

@testable import Transformer

/// GGUF files that llama.cpp's converter made of the tiny folders: both give the same numbers.
@Suite struct GGUFFamilyTests {
  static let models = TinyModel.allCases.filter {
    FileManager.default.fileExists(atPath: $0.folder + "/model.gguf")
  }

  @Test(arguments: models)
  func ggufGivesTheNumbersOfTheFolder(tiny: TinyModel) throws {
    let plain = try tiny.load()
    let model = try LanguageModel(path: tiny.folder + "/model.gguf")
    #expect(model.unusedTensors.isEmpty)
    let request = ForwardRequest.everything(try tiny.tokens(), layers: model.architecture.layers)
    let result = try Engine(model: model, threads: 1).forward(request)
    #expect(model.architecture.family == plain.architecture.family)
    // Some windows are not written into GGUF: numbers of the folder without them.
    let own = tiny.folder + "/golden_gguf.safetensors"
    let golden =
      FileManager.default.fileExists(atPath: own) ? try SafetensorsFile(own) : try tiny.golden()
    #expect(largestDifference(result.allLogits, try golden.floats("logits")) < 2e-4)
  }

  @Test func everyFamilyOfGGUFHasAFile() throws {
    let tested = Set(
      try Self.models.map { try LanguageModel(path: $0.folder + "/model.gguf").architecture.family }
    )
    for family in Family.all where family.gguf != nil {
      #expect(tested.contains(family.name), "\(family.name)")
    }
  }
}
