import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct ActivationFileTests {
  @Test func rowsAreThoseOfEachPromptsRun() throws {
    let engine = Engine(model: try TinyModel.gemma2.load(), threads: 2)
    let prompts = [
      ActivationFile.Prompt(tokens: [5, 17, 256, 299], positions: [0, 3]),
      ActivationFile.Prompt(tokens: [42, 7], positions: []),
      ActivationFile.Prompt(tokens: [1, 2, 3, 4, 5, 6], positions: [2, 4, 5]),
    ]
    let hooks = [
      HookPoint(.residualPost, layer: 1), HookPoint(.key, layer: 2), HookPoint(.finalNormScale),
    ]
    let folder = try TemporaryFolder()
    // Prompt by prompt, and all together.
    for most in [1, 1 << 20] {
      let path = "\(folder.path)/\(most).safetensors"
      let file = try ActivationFile(prompts, at: hooks, engine: engine, most: most)
      var done: [Int] = []
      try file.write(to: path) { done.append($0) }
      #expect(done == (most == 1 ? [1, 2, 3] : [3]))
      let written = try SafetensorsFile(path)
      #expect(try written.shape(of: "blocks.1.hook_resid_post") == [5, 48])
      #expect(try written.shape(of: "blocks.2.attn.hook_k") == [5, 2, 16])
      #expect(try written.shape(of: "ln_final.hook_scale") == [5, 1])
      for hook in hooks {
        let expected = try prompts.flatMap { prompt -> [Float] in
          try engine.forward(
            ForwardRequest(
              tokens: prompt.tokens, recordings: [Recording(hook, positions: prompt.positions)])
          ).recorded[0].values
        }
        #expect(largestDifference(try written.floats(hook.description), expected) < 1e-5)
      }
    }
  }

  @Test func patternsNeedPromptsOfOneLength() throws {
    let engine = Engine(model: try TinyModel.llama.load(), threads: 1)
    let hook = HookPoint(.pattern, layer: 0)
    func file(_ lengths: [Int]) throws -> ActivationFile {
      try ActivationFile(
        lengths.map { ActivationFile.Prompt(tokens: Array(0..<$0), positions: [0, $0 - 1]) },
        at: [hook], engine: engine)
    }
    #expect(try file([3, 3]).shape(of: hook) == [4, engine.model.architecture.heads, 3])
    #expect { try file([3, 5]) } throws: { "\($0)".contains("3 to 5 tokens") }
    #expect(throws: UserError.self) { try file([]) }
  }

  @Test func patternsOfNamesFindHookPoints() throws {
    let architecture = try TinyModel.gemma2.load().architecture
    func names(_ pattern: String) throws -> [String] {
      try HookPoint.matching(pattern, in: architecture).map(\.description)
    }
    #expect(
      try names("blocks.*.hook_resid_post")
        == (0..<3).map { "blocks.\($0).hook_resid_post" })
    #expect(try names("blocks.[02].hook_out") == [0, 2].map { "blocks.\($0).hook_resid_post" })
    #expect(
      try names("blocks.1.attn.hook_?") == ["q", "k", "v", "z"].map { "blocks.1.attn.hook_\($0)" })
    #expect(try names("hook_*") == ["hook_embed"])
    #expect(try names("ln_final.hook_scale") == ["ln_final.hook_scale"])
    for wrong in ["blocks.*.hook_residual", "blocks.7.hook_in", "hook_pos_embed", "blocks.1.x"] {
      #expect(throws: UserError.self) { try names(wrong) }
    }
    let all = HookPoint.all(in: architecture)
    #expect(all.first == HookPoint(.embedding) && all.last == HookPoint(.finalNormalized))
    #expect(Set(all).count == all.count)
  }

  @Test func charactersComeWithTheirLastByte() throws {
    let tokenizer = try Golden.smollm2.get().tokenizer
    let text = "naïve — 東京 🙂 ok"
    let tokens = try tokenizer.encode(text)
    var continued = try ContinuedText(after: tokenizer.encode("So "), tokenizer: tokenizer)
    let pieces = tokens.map { continued.append($0) }
    #expect(pieces.joined() + continued.finish() == text)
    #expect(!pieces.contains { $0.contains("\u{FFFD}") })
    #expect(pieces.contains(""))
    // Half a character.
    var broken = ContinuedText(after: [], tokenizer: tokenizer)
    let smile = try tokenizer.encode("🙂")
    #expect(smile.count > 1)
    #expect(broken.append(smile[0]) == "")
    #expect(broken.finish().contains("\u{FFFD}"))
  }
}
