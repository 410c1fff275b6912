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
      let digest = hash.finalize()
      #expect(digest == SHA256.hash(of: data), "\(length) bytes")
    }
  }

  @Test func fileAndMissingFile() throws {
    let path = NSTemporaryDirectory() + "sha256-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("abc".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try SHA256.hash(ofFile: path) == Self.known[1].1)
    let folder = NSTemporaryDirectory()
    for (place, reason) in [(path + ".missing", "No such file"), (folder, "Is a directory")] {
      #expect {
        try SHA256.hash(ofFile: place)
      } throws: { "\($0)".hasPrefix("\(place): cannot be read: \(reason)") }
    }
  }

  @Test func aPieceOfAFile() throws {
    let path = NSTemporaryDirectory() + "sha256-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    // Longer than what is read at a time, and "abc" across such a border.
    let border = 1 << 19
    var data = Data(repeating: 0, count: border + 100)
    data.replaceSubrange(border - 1..<border + 2, with: Data("abc".utf8))
    try data.write(to: URL(fileURLWithPath: path))
    #expect(try SHA256.hash(ofFile: path) == SHA256.hash(of: data))
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    func hash(from start: Int, count: Int?) throws -> String {
      try SHA256.hash(of: file.fileDescriptor, from: start, count: count, path: path)
    }
    #expect(try hash(from: border - 1, count: 3) == Self.known[1].1)
    #expect(try hash(from: 0, count: border + 7) == SHA256.hash(of: data.prefix(border + 7)))
    #expect(try hash(from: border, count: nil) == SHA256.hash(of: data.dropFirst(border)))
    #expect(try hash(from: data.count, count: 5) == Self.known[0].1)
  }
}
