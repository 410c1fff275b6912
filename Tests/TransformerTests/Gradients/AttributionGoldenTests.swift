import TensorCore
import Testing

@testable import Transformer

/// Derivatives of the real model beside torch autograd's (f32 and f64), `attribution.safetensors`.
@Suite struct AttributionGoldenTests {
  private let golden: SafetensorsFile
  private let tokens: [Int]
  private let right: Int
  private let wrong: Int
  private let target: Int
  private let value: Double
  private let loss: Double

  init() throws {
    golden = try Golden.tensors("smollm2/attribution.safetensors")
    let json = try Golden.json("smollm2/attribution.json")
    tokens = try json.at("input_ids").integers()
    let difference = try json.at("logit_difference")
    right = try difference.at("a").at("id").integer()
    wrong = try difference.at("b").at("id").integer()
    value = try difference.at("value_f64").number()
    target = try json.at("saliency").at("target_id").integer()
    loss = try json.at("saliency").at("loss_f64").number()
  }

  @Test func residualStreams() throws {
    let engine = try Golden.engine()
    let layers = [0, 10, 20, 29]
    let request = GradientRequest(
      tokens: tokens, objective: .logitDifference(right: right, wrong: wrong),
      hooks: layers.map { HookPoint(.residualPost, layer: $0) })
    var recorded = request
    recorded.base = try engine.record([tokens])[0]
    // From tokens and from a recorded run.
    for result in try engine.gradients([request, recorded]) {
      #expect(abs(Double(result.value) - value) < 5e-4)
      for (layer, gradient) in zip(layers, result.gradients) {
        let expected = try Tensor(golden, "logitdiff.grad_resid_post.\(layer)")
        #expect(gradient.shape == expected.shape)
        for row in 0..<expected.rows {
          let reference = expected.row(row)
          if reference.allSatisfy({ $0 == 0 }) {
            #expect(gradient.row(row).allSatisfy { $0 == 0 })
          } else {
            // The reference itself is within 8e-6 of f64.
            #expect(relativeError(gradient.row(row), reference) < 1e-4, "\(layer), row \(row)")
          }
        }
      }
    }
  }

  /// Saliency of label words (Wang et al. 2023): |Σ over heads A · ∂L/∂A|.
  @Test(arguments: [5, 20]) func saliency(layer: Int) throws {
    let engine = try Golden.engine()
    let hook = HookPoint(.pattern, layer: layer)
    let result = try engine.gradients(
      GradientRequest(tokens: tokens, objective: .logProbability(target), hooks: [hook]))
    #expect(abs(Double(-result.value) - loss) < 5e-4)
    let length = tokens.count
    let pattern = try engine.forward(
      ForwardRequest(tokens: tokens, recordings: [Recording(hook)], logits: .none)
    ).recorded[0]
    let expectedGradient = try Tensor(golden, "grad_attn_pattern.\(layer)")
    let gradient = result.gradients[0]
    #expect(gradient.shape == expectedGradient.shape)
    // The objective is minus the loss.
    let scale = expectedGradient.values.map(abs).max() ?? 0
    #expect(
      largestDifference(gradient.values.map { -$0 }, expectedGradient.values) < 2e-3 * scale)
    let expected = try Tensor(golden, "saliency.\(layer)").values
    let heads = gradient.shape[0]
    let found = (0..<length * length).map { index -> Float in
      let (query, key) = (index / length, index % length)
      return abs(
        (0..<heads).reduce(Float(0)) { sum, head in
          sum + pattern[(query * heads + head) * length + key]
            * gradient[(head * length + query) * length + key]
        })
    }
    #expect(largestDifference(found, expected) < 2e-3 * (expected.max() ?? 0))
  }
}
