import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Folders and zip archives of PNG files; whatever holds for one holds for the other.
@Suite struct PNGImagesTests {
  enum Kind: CaseIterable { case folder, stored, deflated }

  static let labels = #"{"labels": [["00/b.png", 1], ["00/a.png", 4], ["c.PNG", 0]]}"#

  static func threeImages() throws -> [(String, [UInt8])] {
    [
      ("c.PNG", try DataFixtures.png(20)), ("00/b.png", try DataFixtures.png(10)),
      ("00/a.png", try DataFixtures.png(0)), ("readme.txt", Array("no image".utf8)),
    ]
  }

  private func load(_ files: [(String, [UInt8])], _ kind: Kind) throws -> ImageDataset {
    let scratch = try Scratch()
    var path = scratch.file("data")
    if kind == .folder {
      for (name, bytes) in files { try scratch.write("data/\(name)", bytes) }
    } else {
      let zip = ZipBuilder(files, method: kind == .stored ? 0 : 8)
      path = try scratch.write("data.zip", zip.bytes)
    }
    return try DataSource(path).load(.train, pool: ThreadPool(count: 2))
  }

  @Test(arguments: Kind.allCases) func imagesInTheOrderOfTheirNames(_ kind: Kind) throws {
    let data = try load(Self.threeImages(), kind)
    #expect(data.shape == DataFixtures.shape)
    #expect(data.pixels == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25])
    #expect(data.labels == nil)
    #expect(data.classCount == 0)
  }

  @Test func aLinkToAFolder() throws {
    let scratch = try Scratch()
    try scratch.write("data/a.png", DataFixtures.png(3))
    let link = scratch.file("link")
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: scratch.file("data"))
    let data = try DataSource(link).load(.train, pool: ThreadPool(count: 1))
    #expect(data.name == "link")
    #expect(data.pixels == [3, 4, 5, 6, 7, 8])
  }

  /// What Git leaves of a picture that was not downloaded, be it in a folder or an archive of one.
  @Test(arguments: Kind.allCases) func gitPointersAreNamed(_ kind: Kind) throws {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 77\n"
    let files = [("a.png", try DataFixtures.png(0)), ("b.png", Array(pointer.utf8))]
    expectUserError("b.png", "is a Git-LFS pointer, not the file itself, which has 77 bytes") {
      _ = try load(files, kind)
    }
  }

  /// The same letter as one character and as two: two files, as a folder has them.
  @Test(arguments: Kind.allCases) func namesAreTheirBytes(_ kind: Kind) throws {
    let files = [
      ("caf\u{E9}.png", try DataFixtures.png(3)), ("cafe\u{301}.png", try DataFixtures.png(5)),
    ]
    #expect(try load(files, kind).count == 2)
  }

  @Test(arguments: Kind.allCases) func labelsByName(_ kind: Kind) throws {
    let data = try load(
      Self.threeImages() + [("dataset.json", Array(Self.labels.utf8))], kind)
    #expect(data.labels == [4, 1, 0])
    #expect(data.classCount == 5)
    let oneHot =
      #"{"labels": [["00/b.png", [0, 1, 0]], ["00/a.png", [0, 0, 1.0]], ["c.PNG", [1, 0, 0]]]}"#
    #expect(
      try load(Self.threeImages() + [("dataset.json", Array(oneHot.utf8))], kind).labels
        == [2, 1, 0])
    let none = try load(
      Self.threeImages() + [("dataset.json", Array(#"{"labels": null}"#.utf8))], kind)
    #expect(none.labels == nil)
  }

  /// Archives are often made of a folder, labels and all.
  @Test(arguments: Kind.allCases) func labelsInTheCommonFolder(_ kind: Kind) throws {
    let json = #"{"labels": [["00/b.png", 1], ["a.png", 0]]}"#
    let files = try [
      ("faces/00/b.png", DataFixtures.png(9)), ("faces/a.png", DataFixtures.png(1)),
      ("faces/dataset.json", [UInt8](json.utf8)),
    ]
    #expect(try load(files, kind).labels == [1, 0])
    // Of two, the one at the top.
    let top = #"{"labels": [["faces/00/b.png", 0], ["faces/a.png", 1]]}"#
    #expect(try load(files + [("dataset.json", [UInt8](top.utf8))], kind).labels == [0, 1])
    // One of some images only is none of all.
    #expect(try load(files + [("c.png", DataFixtures.png(2))], kind).labels == nil)
  }

  @Test func namesFromWindows() throws {
    let json = #"{"labels": [["00/b.png", 1], ["00/a.png", 0]]}"#
    let files = try [
      (#"00\b.png"#, DataFixtures.png(9)), (#"00\a.png"#, DataFixtures.png(1)),
      ("dataset.json", [UInt8](json.utf8)),
    ]
    #expect(try load(files, .stored).labels == [0, 1])
    let other = json.replacing("00/", with: #"00\\"#)
    #expect(
      try load(files.dropLast() + [("dataset.json", [UInt8](other.utf8))], .stored).labels == [
        0, 1,
      ])
  }

  @Test(arguments: Kind.allCases) func otherPicturesAreNotLeftOutSilently(_ kind: Kind) throws {
    let mixed = try [
      ("a.png", DataFixtures.png(1)), ("b.jpg", [0xFF, 0xD8]), ("c.JPEG", [0xFF, 0xD8]),
    ]
    expectUserError("2 pictures", "b.jpg", "1 that are") { _ = try load(mixed, kind) }
    expectUserError("no PNG files", "2 of other") { _ = try load(Array(mixed.dropFirst()), kind) }
  }

  /// A file's gamma does not change what it stores.
  @Test func storedValuesWhateverTheColourSpace() throws {
    let png = try DataFixtures.png(60)
    func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
      let body = [UInt8](type.utf8) + data
      let checksum = body.withUnsafeBytes { Inflate.checksum($0) }
      return [0, 0, 0, UInt8(data.count)] + body
        + withUnsafeBytes(of: checksum.bigEndian) { Array($0) }
    }
    // 33 bytes are signature and header. A gamma of 1.
    let gamma = png[..<33] + chunk("gAMA", [0, 1, 0x86, 0xA0]) + png[33...]
    let picture = try PNGPicture(Data(gamma), place: "gamma")
    #expect(picture.pixels == Array(60..<66))
  }

  @Test(arguments: Kind.allCases) func unequalSizes(_ kind: Kind) throws {
    let larger = ImageShape(channels: 1, height: 3, width: 3)
    expectUserError("d.png: is 1×3×3 where the images before it are 1×2×3") {
      _ = try load(Self.threeImages() + [("d.png", DataFixtures.png(0, larger))], kind)
    }
    let colour = ImageShape(channels: 3, height: 2, width: 3)
    expectUserError("d.png: is 3×2×3 where the images before it are 1×2×3") {
      _ = try load(Self.threeImages() + [("d.png", DataFixtures.png(0, colour))], kind)
    }
  }

  @Test(arguments: Kind.allCases) func badImages(_ kind: Kind) throws {
    let image = try DataFixtures.png(7)
    expectUserError("d.png: is not a PNG file", "convert it") {
      _ = try load(Self.threeImages() + [("d.png", Array("GIF89a".utf8))], kind)
    }
    expectUserError("d.png: is damaged") {
      _ = try load(Self.threeImages() + [("d.png", image.dropLast(20))], kind)
    }
    expectUserError("holds no PNG files") { _ = try load([("a.txt", [1])], kind) }
  }

  @Test(
    arguments: [
      (#"{"labels": [["00/a.png", 1], ["c.PNG", 0]]}"#, "2 labels for 3 images, none for 00/b.png"),
      (
        #"{"labels": [["00/a.png", 1], ["c.PNG", 0], ["00/b.png", 2], ["x.png", 2]]}"#,
        "4 labels for 3 images, there is no x.png"
      ),
      (#"{"labels": [["00/a.png", 1], ["00/a.png", 0]]}"#, "00/a.png has two labels"),
      (#"{"labels": [["00/a.png"]]}"#, "labels[0]: found 1 values"),
      (#"{"labels": [["00/a.png", -1]]}"#, "found -1, allowed is 0"),
      (#"{"labels": [["00/a.png", 1.5]]}"#, "found a number where a whole number belongs"),
      (
        #"{"labels": [["00/a.png", [0.5, 0.5]]]}"#,
        "labels[0][1]: holds a vector that is not one-hot"
      ),
      (#"{"labels": 3}"#, "found a whole number where a list belongs"),
      (#"{"labels": ["#, "not valid JSON"),
    ]) func wrongLabels(_ json: String, _ problem: String) throws
  {
    for kind in Kind.allCases {
      expectUserError("dataset.json", problem) {
        _ = try load(Self.threeImages() + [("dataset.json", Array(json.utf8))], kind)
      }
    }
  }
}
