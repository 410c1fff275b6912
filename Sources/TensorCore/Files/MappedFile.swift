import Foundation

/// A whole file mapped read-only into memory; pages come from the disk when they are first read.
///
/// Where the file is cut while it is mapped, reading a page past its new end ends the process with a line
/// that says so; where it is written to, `requireUnchanged` finds it.
public final class MappedFile: @unchecked Sendable {
  public let path: String
  /// The file's bytes, valid for as long as this object lives.
  public let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// Maps the file at `path`.
  ///
  /// - Throws: `UserError` for a file that is missing, unreadable, empty, not a regular file, or a
  ///   Git-LFS pointer.
  public init(_ path: String) throws {
    // Opening a named pipe would otherwise wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Files.systemError("cannot be read", at: path) }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      throw Files.systemError("cannot be read", at: path)
    }
    switch information.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw UserError("is a folder, not a file", at: path, remedy: "name a file")
    default: throw UserError("is not a regular file", at: path, remedy: "name a file on disk")
    }
    guard information.st_size > 0 else {
      throw UserError("is empty", at: path, remedy: "download or copy the file again")
    }
    let count = Int(information.st_size)
    // MAP_FAILED is the pointer with all bits set; Swift does not import the macro's cast.
    let failed = UnsafeMutableRawPointer(bitPattern: -1)
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != failed else {
      throw Files.systemError("cannot be mapped into memory", at: path)
    }
    self.path = path
    isMapped = true
    bytes = UnsafeRawBufferPointer(start: base, count: count)
    Mappings.shared.add(bytes, path, information)
    try GitLFSPointer.refuse(bytes, at: path)
  }

  /// A file that is in memory only: no byte behind its end can be read unseen, as it can be in a
  /// mapping's last page.
  ///
  /// - Parameter path: what messages call it.
  public init(copying contents: some Collection<UInt8>, path: String) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 1)
    copy.copyBytes(from: contents)
    self.path = path
    isMapped = false
    bytes = UnsafeRawBufferPointer(copy)
  }

  deinit {
    if isMapped {
      Mappings.shared.remove(bytes)
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    } else {
      bytes.deallocate()
    }
  }
}
