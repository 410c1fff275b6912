import Testing

@testable import Transformer

struct WrappingPrefixTests {
  static let expected: Set<String> = [
    "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.norm.weight",
    "embed_tokens.weight", "layers.0.mlp.up_proj.weight", "norm.weight", "lm_head.weight",
  ]
  static let own = [
    "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.norm.weight",
  ]

  @Test(arguments: [
    "_orig_mod.", "module.", "base_model.model.", "language_model.", "module._orig_mod.", "model.",
  ])
  func isFound(prefix: String) {
    let names = Self.own.map { prefix + $0 } + ["\(prefix)lm_head.weight"]
    #expect(WrappingPrefix.find(names, expected: Self.expected) == prefix)
    // The picture's part of a multimodal model, and a head outside the wrapper.
    let more = ["vision_tower.layers.0.weight", "multi_modal_projector.weight", "lm_head.weight"]
    #expect(
      WrappingPrefix.find(Self.own.map { prefix + $0 } + more, expected: Self.expected) == prefix)
  }

  @Test func theFamilysOwnPrefixMayBeAnother() {
    let names = [
      "model.language_model.embed_tokens.weight", "model.language_model.norm.weight",
      "model.language_model.layers.0.mlp.up_proj.weight", "lm_head.weight",
    ]
    #expect(WrappingPrefix.find(names, expected: Self.expected) == "model.language_model.")
  }

  @Test func ordinaryNamesHaveNone() {
    #expect(WrappingPrefix.find(Self.own, expected: Self.expected) == nil)
    #expect(
      WrappingPrefix.find(Self.own.map { String($0.dropFirst(6)) }, expected: Self.expected) == nil)
    #expect(WrappingPrefix.find(["transformer.wte.weight"], expected: Self.expected) == nil)
    #expect(WrappingPrefix.find([], expected: Self.expected) == nil)
    // One name of many is no wrapper.
    #expect(
      WrappingPrefix.find(Self.own + ["draft.model.norm.weight"], expected: Self.expected) == nil)
  }
}
