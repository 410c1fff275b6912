import Foundation
import TensorCore
import Testing

@Suite struct SHA256Tests {
  /// Message and digest: the examples of FIPS 180-4 and the empty message.
  static let known = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]

  @Test(arguments: known)
  func knownMessages(message: String, digest: String) {
    #expect(SHA256.hash(of: Data(message.utf8)) == digest)
  }

  @Test func aMillionLetters() {
    let digest = SHA256.hash(of: Data(repeating: UInt8(ascii: "a"), count: 1_000_000))
    #expect(digest == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func partsOfAnySizeGiveTheSameDigest() {
    var random = RandomStream(seed: 1)
    for length in [1, 55, 56, 63, 64, 65, 119, 120, 128, 1000] {
      let data = Data((0..<length).map { _ in UInt8(random.integer(below: 256)) })
      var hash = SHA256()
      var start = 0
      while start < length {
        let end = min(length, start + 1 + random.integer(below: 70))
        hash.update(data[start..<end])
        start = end
      }
      #expect(hash.finalize() == SHA256.hash(of: data), "\(length) bytes")
    }
  }

  @Test func fileAndMissingFile() throws {
    let path = NSTemporaryDirectory() + "sha256-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("abc".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try SHA256.hash(ofFile: path) == Self.known[1].1)
    #expect(throws: UserError.self) { try SHA256.hash(ofFile: path + ".missing") }
  }
}
