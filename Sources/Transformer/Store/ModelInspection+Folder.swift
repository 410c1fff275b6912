import Foundation
import TensorCore

extension ModelInspection {
  /// Takes what a Hugging Face folder's `config.json`, the headers of its safetensors files,
  /// `tokenizer.json` and the front matter of `README.md` say.
  mutating func readFolder(_ config: JSONValue) {
    architecture = Self.text(config["model_type"])
    readSizes(config)
    let entries = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    for name in weightFiles(of: entries) { readTensors(name) }
    if entries.contains("tokenizer.json") {
      let kind = (try? JSONValue(contentsOf: path + "/tokenizer.json"))?["model"]["type"]
      tokenizer = "\(kind.flatMap(Self.text) ?? "unknown kind") (tokenizer.json)"
    } else if entries.contains("tokenizer.model") {
      tokenizer = "SentencePiece (tokenizer.model)"
    }
    let files = entries.filter { $0.uppercased().hasPrefix("LICEN") }
    licence =
      frontMatterLicence() ?? Self.text(config["license"]) ?? files.first.map { "see its \($0)" }
  }

  private mutating func readSizes(_ config: JSONValue) {
    // Models of several kinds of input keep the language model's settings apart.
    let settings = config["text_config"].pairs.isEmpty ? config : config["text_config"]
    func size(_ keys: String...) -> Int? {
      for key in keys { if case .integer(let size) = settings[key] { return size } }
      return nil
    }
    let width = size("hidden_size", "n_embd", "d_model")
    let heads = size("num_attention_heads", "n_head", "n_heads")
    let sizes: [(String, Int?)] = [
      ("layers", size("num_hidden_layers", "n_layer", "n_layers")), ("width", width),
      ("heads", heads), ("key-value heads", size("num_key_value_heads", "num_kv_heads")),
      ("head width", size("head_dim") ?? Self.headWidth(width, heads)),
      ("MLP width", size("intermediate_size", "n_inner", "ffn_dim")),
      ("experts", size("num_local_experts", "num_experts", "n_routed_experts")),
      ("vocabulary", size("vocab_size")),
      ("context", size("max_position_embeddings", "n_positions", "n_ctx")),
    ]
    shapes = sizes.compactMap { name, value in value.map { (name, $0) } }
  }

  /// The model's own, not what else lies in its folder; all, where nothing says which those are.
  private func weightFiles(of entries: [String]) -> [String] {
    let weights = entries.filter { $0.hasSuffix(".safetensors") }
    if weights.contains("model.safetensors") { return ["model.safetensors"] }
    let index = try? JSONValue(contentsOf: path + "/model.safetensors.index.json")
    let listed = Set((index?["weight_map"].pairs ?? []).compactMap { Self.text($0.value) })
    return listed.isEmpty ? weights : listed.sorted()
  }

  private mutating func readTensors(_ name: String) {
    do {
      let file = try SafetensorsFile("\(path)/\(name)")
      for tensor in file.names {
        add(
          tensorOf: try file.typeName(of: tensor),
          parameters: try file.shape(of: tensor).reduce(1, *),
          bytes: try file.byteCount(of: tensor))
      }
    } catch {
      problems.append(UserError(any: error).description)
    }
  }

  /// `license`, or the name that stands for `other`, between the lines `---` at the top.
  private func frontMatterLicence() -> String? {
    guard let data = try? Files.read(path + "/README.md") else { return nil }
    let lines = String(decoding: data.prefix(1 << 16), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first?.trimmingCharacters(in: .whitespaces) == "---" else { return nil }
    let matter = lines.dropFirst().prefix { $0.trimmingCharacters(in: .whitespaces) != "---" }
    func value(_ key: String) -> String? {
      let line = matter.first { $0.hasPrefix("\(key):") }
      let text = line?.dropFirst(key.count + 1)
        .trimmingCharacters(in: .whitespaces.union(CharacterSet(charactersIn: "'\"")))
      return text.flatMap { $0.isEmpty ? nil : $0 }
    }
    let licence = value("license")
    return licence == "other" ? value("license_name") ?? licence : licence
  }

  private static func text(_ value: JSONValue) -> String? {
    if case .string(let text) = value { text } else { nil }
  }
}
