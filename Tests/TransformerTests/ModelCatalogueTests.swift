import Foundation
import Testing

@testable import TensorCore
@testable import Transformer

@Suite struct ModelCatalogueTests {
  let folder: TemporaryFolder
  static let digest = String(repeating: "0123456789abcdef", count: 4)

  init() throws { folder = try TemporaryFolder() }

  /// An entry of 7 bytes in two parts, with one text replaced.
  private func entry(_ old: String = "", _ new: String = "") -> String {
    let text = """
      {"name": "own", "title": "My own", "file": "own.gguf", "bytes": 7,
       "sha256": "\(Self.digest)", "licence": "MIT", "needs_acceptance": true,
       "parts": [
         {"package": "own-part1", "version": "1.0", "path": "own/a.bin", "bytes": 4},
         {"package": "own-part2", "version": "1.0", "path": "own/b.bin", "bytes": 3,
          "sha256": "\(Self.digest)"}]}
      """
    return old.isEmpty ? text : text.replacing(old, with: new, maxReplacements: 1)
  }

  private func catalogue(_ text: String) throws -> ModelCatalogue {
    try folder.write(text, to: "models.json")
    return try ModelCatalogue(environment: ["ICL_PROBE_CATALOGUE": folder.path + "/models.json"])
  }

  @Test func theProgramsOwnIsConsistent() throws {
    let catalogue = try ModelCatalogue(environment: ["HOME": folder.path])
    #expect(
      catalogue.entries.map(\.name) == [
        "smollm2", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "gemma3-270m",
      ])
    let sizes = [
      "smollm2": (98_362_432, 1), "qwen2.5-coder-0.5b": (491_400_064, 6),
      "qwen2.5-coder-1.5b": (1_117_320_768, 22), "gemma3-270m": (253_113_024, 4),
    ]
    for entry in catalogue.entries {
      #expect(entry.bytes == sizes[entry.name]?.0 && entry.parts.count == sizes[entry.name]?.1)
      #expect(entry.needsAcceptance == (entry.name == "gemma3-270m"))
      #expect(entry.parts.allSatisfy { $0.digest != nil })
      for (number, part) in entry.parts.enumerated() where entry.parts.count > 1 {
        #expect(part.package.hasSuffix("part\(number + 1)"))
        let digits = part.path.replacing(".bin", with: "").reversed().prefix { $0.isNumber }
        let first = entry.name == "gemma3-270m" ? 0 : 1
        #expect(Int(String(digits.reversed())) == number + first, "\(part.path)")
      }
    }
    // What is here is what the catalogue says.
    let smollm = try catalogue.entry(named: "smollm2")
    #expect(try SHA256.hash(ofFile: ModelStore().path(of: smollm)) == smollm.digest)
  }

  @Test func usersAddTheirOwn() throws {
    let catalogue = try catalogue("[\(entry())]")
    #expect(catalogue.entries.count == 5)
    let own = try catalogue.entry(named: "own")
    #expect(own.bytes == 7 && own.digest == Self.digest && own.licence == "MIT")
    #expect(own.needsAcceptance && own.parts.map(\.digest) == [nil, Self.digest])
    #expect(own.parts.map(\.requirement) == ["own-part1==1.0", "own-part2==1.0"])
    // In the configuration folder, where nothing else is named.
    try FileManager.default.createDirectory(
      atPath: folder.path + "/.config/icl-probe", withIntermediateDirectories: true)
    try folder.copy(folder.path + "/models.json", to: ".config/icl-probe/models.json")
    let found = try ModelCatalogue(environment: ["HOME": folder.path])
    #expect(found.entries == catalogue.entries)
    let elsewhere = try ModelCatalogue(
      environment: ["HOME": "/nowhere", "XDG_CONFIG_HOME": folder.path + "/.config"])
    #expect(elsewhere.entries == catalogue.entries)
  }

  /// Models that come with the program need nothing fetched, wherever the program runs.
  @Test func theProgramsOwnModelsAreHere() throws {
    let catalogue = try ModelCatalogue(environment: ["HOME": folder.path])
    #expect(
      catalogue.local.map(\.name).filter { $0.hasPrefix("rule-") } == catalogue.local.map(\.name))
    #expect(catalogue.local.count >= 3)
    let store = ModelStore(environment: ["HOME": folder.path])
    for model in catalogue.local {
      #expect(model.isHere && model.bytes < 5_000_000)
      #expect(try store.resolve(model.name) == model.path)
      #expect(try LanguageModel(path: model.path).name == model.name)
    }
  }

  @Test func usersHaveLocalModels() throws {
    let text = #"{"name": "near", "title": "Near", "path": "models/near", "licence": "MIT"}"#
    let found = try #require(try catalogue("[\(text)]").local(named: "near"))
    #expect(found.path == folder.path + "/models/near" && !found.isHere && found.bytes == 0)
    let store = ModelStore(environment: [
      "ICL_PROBE_CATALOGUE": folder.path + "/models.json", "ICL_PROBE_MODELS": folder.path,
    ])
    #expect {
      try store.resolve("near")
    } throws: { "\($0)".contains("models/near: the model \"near\" is not beside its catalogue") }
    try FileManager.default.createDirectory(
      atPath: folder.path + "/models/near", withIntermediateDirectories: true)
    try folder.write("12345", to: "models/near/config.json")
    #expect(try store.resolve("near") == folder.path + "/models/near" && found.bytes == 5)
    // A user's model stands in for one of the program's, fetched or not.
    let replaced = try catalogue("[\(text.replacing("near\",", with: "smollm2\","))]")
    #expect(replaced.local(named: "smollm2") != nil)
    #expect(!replaced.entries.contains { $0.name == "smollm2" })
    #expect {
      try catalogue("[\(text), \(entry("\"own\"", "\"near\""))]")
    } throws: { "\($0)".contains("two models have the name \"near\"") }
    #expect {
      try catalogue("[\(text.replacing("models/near", with: ""))]")
    } throws: { "\($0)".contains("models.json[0], path: found an empty text") }
    #expect {
      try catalogue("[\(text.replacing("\"title\"", with: "\"file\""))]")
    } throws: { "\($0)".contains("unknown key \"file\"; allowed are name, title, path, licence") }
  }

  @Test func usersReplaceAnEntry() throws {
    let catalogue = try catalogue("[\(entry("\"own\"", "\"smollm2\""))]")
    #expect(catalogue.entries.count == 4)
    #expect(try catalogue.entry(named: "smollm2").title == "My own")
  }

  @Test func aNameThatIsNotThere() throws {
    let catalogue = try catalogue("[\(entry())]")
    #expect {
      try catalogue.entry(named: "owm")
    } throws: {
      "\($0)".contains("no model is called \"owm\"") && "\($0)".contains("gemma3-270m, own")
        && ($0 as? UserError)?.status == .usage
    }
  }

  @Test(arguments: [
    ("\"title\"", "\"titel\"", "models.json[0]: unknown key \"titel\"; allowed are name, title"),
    ("\"title\": \"My own\", ", "", "models.json[0]: the key \"title\" is missing"),
    ("\"own\"", "\"../own\"", "models.json[0], name: found \"../own\""),
    ("own.gguf", "../own.gguf", "models.json[0], file: found \"../own.gguf\""),
    ("own.gguf", "own.bin", "models.json[0], file: found \"own.bin\""),
    ("own.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf", "two models have the file \"SmolLM2"),
    ("\"bytes\": 7", "\"bytes\": 8", "models.json[0], parts: the parts have 7 bytes, the file 8"),
    ("\"bytes\": 4", "\"bytes\": \"4\"", "models.json[0], parts[0].bytes: found a text"),
    ("\"bytes\": 4", "\"bytes\": -4", "models.json[0], parts[0].bytes: found -4"),
    ("0123456789abcdef", "0123", "models.json[0], sha256: found \"0123"),
    ("own-part1", "--index-url", "models.json[0], parts[0].package: found \"--index-url\""),
    ("own-part1", "own @ file:///x", "models.json[0], parts[0].package: found \"own @"),
    ("1.0", ">=1", "models.json[0], parts[0].version: found \">=1\""),
    ("true", "\"yes\"", "models.json[0], needs_acceptance: found a text"),
  ]) func whatIsWrongIsTold(_ old: String, _ new: String, _ problem: String) throws {
    #expect {
      try catalogue("[\(entry(old, new))]")
    } throws: { "\($0)".contains(problem) }
  }

  @Test func fileErrors() throws {
    #expect(throws: UserError.self) { try catalogue("[") }
    #expect {
      try catalogue("{}")
    } throws: { "\($0)".contains("found an object where a list belongs") }
    #expect {
      try catalogue("[\(entry()), \(entry("own.gguf", "b.gguf"))]")
    } throws: { "\($0)".contains("two models have the name \"own\"") }
    #expect {
      try ModelCatalogue(environment: ["ICL_PROBE_CATALOGUE": "/nowhere/models.json"])
    } throws: { "\($0)".contains("/nowhere/models.json: cannot be read") }
  }

  /// A path needs no catalogue, and a damaged one is no reason not to run a file.
  @Test func pathsNeedNoCatalogue() throws {
    try folder.write("[", to: "models.json")
    let store = ModelStore(environment: [
      "ICL_PROBE_CATALOGUE": folder.path + "/models.json", "ICL_PROBE_MODELS": folder.path,
    ])
    #expect(try store.resolve("/x/y.gguf") == "/x/y.gguf")
    try folder.write("", to: "z.gguf")
    #expect(try store.resolve("z") == folder.path + "/z.gguf")
    #expect(throws: UserError.self) { try store.resolve("smollm2") }
  }
}
