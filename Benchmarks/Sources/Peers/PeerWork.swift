import Foundation
import RuleVectors
import TensorCore
import Transformer

/// The work that peers and project both do: prompts of the default task, and patches between them.
struct PeerWork {
  /// A donor, a recipient and the two tokens whose logit difference is read.
  struct Pair {
    let donor: [Int]
    let recipient: [Int]
    let answers: [Int]
    let candidates: [Int]
  }

  /// The residual stream after a block, replaced at some positions.
  struct Patch {
    let pair: Int
    let layer: Int
    let positions: [Int]
  }

  let pairs: [Pair]
  /// By name, all patches of a sweep.
  let sweeps: [(name: String, patches: [Patch])]
  /// By name, whole prompts of which one token's next-token logit is compared.
  let prompts: [(name: String, prompts: [[Int]])]
  /// The token of `prompts`.
  let token: Int

  static let episodes = 32
  /// The prompt of `single`, for a larger model.
  static let largeSingle = "single_qwen_1_5b"

  init(model: LanguageModel, tasks: String) throws {
    let task = try RuleTask(named: "multi-demo-rule", in: tasks)
    let sampler = EpisodeSampler(task: task, tokenizer: model.tokenizer)
    let pairs = try (0..<Self.episodes).map { index in
      let episode = try sampler.episode(index: index, split: .heldOut, demonstrations: 12, seed: 0)
      let donor = try Prompt(episode, template: task.template, tokenizer: model.tokenizer)
      let recipient = try Prompt(
        try episode.flippedRule(), template: task.template, tokenizer: model.tokenizer)
      let contrast = try donor.contrast()
      return Pair(
        donor: donor.tokens + contrast.prefix, recipient: recipient.tokens + contrast.prefix,
        answers: donor.answerPositions, candidates: [contrast.right, contrast.wrong])
    }
    let layers = 0..<model.architecture.layers
    let grid = layers.flatMap { layer in
      pairs[0].recipient.indices.map { Patch(pair: 0, layer: layer, positions: [$0]) }
    }
    var last: [Patch] = []
    var answers: [Patch] = []
    for (index, pair) in pairs.enumerated() {
      for layer in layers {
        last.append(Patch(pair: index, layer: layer, positions: [pair.recipient.count - 1]))
        answers.append(Patch(pair: index, layer: layer, positions: pair.answers))
      }
    }
    self.pairs = pairs
    sweeps = [("grid", grid), ("last", last), ("answers", answers)]
    token = pairs[0].candidates[0]
    // One long prompt of real text: prompts one after the other.
    let long = Array(pairs.flatMap(\.donor).prefix(1300))
    prompts = [
      ("single", [pairs[0].donor]), ("batch", pairs.prefix(16).map(\.donor)), ("prefill", [long]),
      (Self.largeSingle, [pairs[0].donor]),
    ]
  }

  /// Patches for the peers, which take too long for all: drawn at random, those of one pair together,
  /// in an order whose beginnings are samples too.
  static func sample(_ patches: [Patch], _ count: Int) -> [Int] {
    var random = RandomStream(seed: 0, path: [0x9EE2])
    // Few pairs, so that few donors have to be recorded.
    let pairs = Set(patches.map(\.pair)).sorted().prefix(8)
    let pool = patches.indices.filter { pairs.contains(patches[$0].pair) }
    return random.sample(min(count, pool.count), of: pool)
  }

  /// The fields of the description that workers read; sweeps hold the sampled patches only.
  func description(threads: Int, samples: [String: [Int]]) -> [(key: String, value: JSONValue)] {
    func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .integer($0) }) }
    var fields: [(key: String, value: JSONValue)] = [
      ("threads", .integer(threads)),
      (
        "pairs",
        .array(
          pairs.map {
            [
              "donor": list($0.donor), "recipient": list($0.recipient),
              "candidates": list($0.candidates),
            ]
          })
      ),
    ]
    for (name, patches) in sweeps {
      let chosen = (samples[name] ?? []).map { index -> JSONValue in
        let patch = patches[index]
        return [
          "pair": .integer(patch.pair), "layer": .integer(patch.layer),
          "positions": list(patch.positions),
        ]
      }
      fields.append((name, ["patches": .array(chosen)]))
    }
    for (name, prompts) in prompts {
      fields.append((name, ["prompts": .array(prompts.map(list)), "token": .integer(token)]))
    }
    return fields
  }
}
