import CCrypto
import Foundation

/// The SHA-256 digest (FIPS 180-4), for naming the exact files that a run used.
///
/// Bytes may come in parts of any size: the digest is that of their concatenation. OpenSSL computes
/// it, with the processor's own instructions where it has them.
public struct SHA256: ~Copyable {
  private let context: OpaquePointer

  /// Bytes that a file is read in; they stay in the processor's cache until they are digested.
  private static let pieceSize = 1 << 19

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto has no memory for a SHA-256 context")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// The digest of `data` as 64 lower-case hexadecimal digits.
  public static func hash(of data: Data) -> String {
    var hash = SHA256()
    hash.update(data)
    return hash.finalize()
  }

  /// The digest of the file at `path`, read in pieces so that a model costs no memory.
  ///
  /// - Throws: `UserError` naming the file and what keeps it from being read.
  public static func hash(ofFile path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.systemError("cannot be read", at: path) }
    defer { close(descriptor) }
    return try hash(of: descriptor, from: 0, path: path)
  }

  /// The digest of an open file from the byte `start` on.
  ///
  /// - Parameters:
  ///   - count: how many bytes, or nil for all to the end; a shorter file gives the digest of what
  ///     it has.
  ///   - path: the file's name, for error messages.
  /// - Throws: `UserError` naming the file and what keeps it from being read.
  public static func hash(
    of descriptor: Int32, from start: Int, count: Int? = nil, path: String
  ) throws -> String {
    posix_fadvise(descriptor, off_t(start), off_t(count ?? 0), POSIX_FADV_SEQUENTIAL)
    var hash = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 64)
    defer { buffer.deallocate() }
    var done = 0
    while done < count ?? Int.max {
      let wanted = min(pieceSize, (count ?? Int.max) - done)
      let read = pread(descriptor, buffer.baseAddress, wanted, off_t(start + done))
      if read < 0 {
        if errno == EINTR { continue }
        throw Files.systemError("cannot be read", at: path)
      }
      if read == 0 { break }
      hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
      done += read
    }
    return hash.finalize()
  }

  /// Whether `text` is written as digests are here.
  public static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  public mutating func update(_ data: Data) {
    data.withUnsafeBytes { update($0) }
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let isTaken = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
    precondition(isTaken, "libcrypto refuses bytes for SHA-256")
  }

  /// The digest of all bytes as 64 lower-case hexadecimal digits.
  public consuming func finalize() -> String {
    let digest = [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
      let isDone = EVP_DigestFinal_ex(context, bytes.baseAddress, nil) == 1
      precondition(isDone, "libcrypto has no SHA-256 digest")
      count = 32
    }
    return digest.map { byte in
      let hex = String(byte, radix: 16)
      return byte < 16 ? "0" + hex : hex
    }.joined()
  }
}
