import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct CIFAR10Tests {
  /// A record whose planes hold 1, 2 and 3.
  static func record(_ label: UInt8) -> [UInt8] {
    [label] + (1...3).flatMap { [UInt8](repeating: UInt8($0), count: 1024) }
  }

  private func load(_ path: String, _ split: DataSplit = .train) throws -> ImageDataset {
    try DataSource(path).load(split, pool: ThreadPool(count: 1))
  }

  @Test func batchesInOrder() throws {
    let scratch = try Scratch()
    try scratch.write("data_batch_2.bin", Self.record(7))
    try scratch.write("data_batch_1.bin", Self.record(3) + Self.record(9))
    try scratch.write("test_batch.bin", Self.record(1))
    try scratch.write("batches.meta.txt", [0x61])
    // Two of five would pass for all.
    expectUserError("data_batch_3.bin", "is missing") { _ = try load(scratch.path) }
    for number in 3...5 {
      try scratch.write("data_batch_\(number).bin", Self.record(UInt8(number)))
    }
    let train = try load(scratch.path)
    #expect(train.labels == [3, 9, 7, 3, 4, 5])
    #expect(train.shape == ImageShape(channels: 3, height: 32, width: 32))
    #expect(train.pixels[0] == 1 && train.pixels[1024] == 2 && train.pixels[3071] == 3)
    #expect(train.classCount == 10 && train.classNames[3] == "cat")
    #expect(try load(scratch.path, .test).labels == [1])
    #expect(try load(scratch.file("data_batch_1.bin")).labels == [3, 9])
  }

  @Test(arguments: [
    ("data_batch_1", "holds CIFAR-10 as Python's pickles"),
    ("fine_label_names.txt", "holds CIFAR-100"),
  ])
  func otherFormsAreNamed(file: String, words: String) throws {
    let scratch = try Scratch()
    try scratch.write(file, [1])
    expectUserError(words, "data_batch_1.bin") { _ = try load(scratch.path) }
  }

  @Test func badFiles() throws {
    let scratch = try Scratch()
    for number in 2...5 { try scratch.write("data_batch_\(number).bin", Self.record(1)) }
    let path = try scratch.write("data_batch_1.bin", Self.record(3).dropLast())
    expectUserError(path, "has 3072 bytes, no multiple of the 3073") { _ = try load(scratch.path) }
    try scratch.write("data_batch_1.bin", Self.record(3) + Self.record(10))
    expectUserError(path, "label 10 of record 1 is out of range") { _ = try load(scratch.path) }
    expectUserError("has no test split", "it has train") { _ = try load(scratch.path, .test) }
  }
}

@Suite struct SafetensorsImagesTests {
  /// A safetensors file of arrays as bytes.
  static func file(_ arrays: [(name: String, type: String, shape: [Int], bytes: [UInt8])])
    -> [UInt8]
  {
    var entries: [String] = []
    var body: [UInt8] = []
    for array in arrays {
      let end = body.count + array.bytes.count
      entries.append(
        #""\#(array.name)":{"dtype":"\#(array.type)","shape":\#(array.shape),"#
          + #""data_offsets":[\#(body.count),\#(end)]}"#)
      body += array.bytes
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    return DataFixtures.littleEndian(UInt64(header.count)) + header + body
  }

  private func load(_ bytes: [UInt8]) throws -> ImageDataset {
    let scratch = try Scratch()
    return try DataSource(scratch.write("a.safetensors", bytes))
      .load(.train, pool: ThreadPool(count: 1))
  }

  private func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { DataFixtures.littleEndian($0.bitPattern) }
  }

  @Test func bytesWithLabels() throws {
    let data = try load(
      Self.file([
        ("images", "U8", [2, 1, 1, 3], [1, 2, 3, 4, 5, 6]),
        ("labels", "I64", [2], DataFixtures.littleEndian(5) + DataFixtures.littleEndian(0)),
      ]))
    #expect(data.pixels == [1, 2, 3, 4, 5, 6])
    #expect(data.labels == [5, 0])
    #expect(data.classCount == 6)
  }

  @Test func floatsAreRounded() throws {
    let data = try load(
      Self.file([("images", "F32", [1, 1, 2, 2], floats([-1.25, -1, 0, 1]))]))
    #expect(data.pixels == [0, 0, 128, 255])
    #expect(data.labels == nil)
  }

  @Test func oneHotLabels() throws {
    let pixels: [UInt8] = [1, 2, 3, 4, 5, 6]
    for (type, bytes) in [
      ("F32", floats([0, 0, 1, 0, 1, 0, 0, 0])), ("U8", [0, 0, 1, 0, 1, 0, 0, 0]),
    ] {
      let data = try load(
        Self.file([("images", "U8", [2, 1, 1, 3], pixels), ("labels", type, [2, 4], bytes)]))
      #expect(data.labels == [2, 0] && data.classCount == 4)
    }
    for wrong: [Float] in [[0, 0, 0, 1], [1, 1, 1, 0], [0.5, 0.5, 1, 0]] {
      expectUserError("a.safetensors, labels: holds a vector that is not one-hot") {
        _ = try load(
          Self.file([
            ("images", "U8", [2, 1, 1, 3], pixels), ("labels", "F32", [2, 2], floats(wrong)),
          ]))
      }
    }
  }

  @Test func picturesFromZeroToOneAreNotTakenForOthers() throws {
    for values: [Float] in [[0, 0.5, 1], [-0.01, 0.5, 1]] {
      expectUserError("images: holds next to no value below 0", "2·x − 1") {
        _ = try load(Self.file([("images", "F32", [1, 1, 1, 3], floats(values))]))
      }
    }
    // Those that this program drew are known to be in −1…1, bright as they may be.
    let scratch = try Scratch()
    let path = scratch.file("drawn.safetensors")
    try Safetensors.write([("images", [1, 1, 1, 3], [0, 0.5, 1])], to: path)
    #expect(
      try SafetensorsImages.read(path, name: "drawn", mayBeBright: true).pixels == [128, 191, 255])
  }

  /// As ImageNet's mean and deviation leave them; samplers overshoot by less, and seldom.
  @Test func normalisedPicturesAreNotCutOff() throws {
    let normalised = (0..<100).map { Float($0) / 99 * 4.7 - 2.1 }
    expectUserError("images: 37 % of the values lie beyond ±1.5", "normalised") {
      _ = try load(Self.file([("images", "F32", [1, 1, 10, 10], floats(normalised))]))
    }
    let overshooting = (0..<99).map { Float($0) / 98 * 2.2 - 1.1 } + [3]
    #expect(
      try load(Self.file([("images", "F32", [1, 1, 10, 10], floats(overshooting))])).count == 1)
  }

  @Test func wrongArrays() throws {
    let pixels: [UInt8] = [1, 2, 3, 4, 5, 6]
    expectUserError("\"images\" is an array of I64", "store pictures as U8") {
      _ = try load(
        Self.file([("images", "I64", [1, 1, 1, 1], [UInt8](repeating: 0, count: 8))]))
    }
    expectUserError("has no array \"images\" (it has x)") {
      _ = try load(Self.file([("x", "U8", [6], pixels)]))
    }
    for shape in [[6], [1, 2, 1, 3], [1, 6, 1, 1]] {
      expectUserError("\"images\" has the shape \(shape)", "1 or 3 channels") {
        _ = try load(Self.file([("images", "U8", shape, pixels)]))
      }
    }
    expectUserError("a.safetensors: 1 labels for 2 images") {
      _ = try load(
        Self.file([("images", "U8", [2, 1, 1, 3], pixels), ("labels", "U8", [1], [0])]))
    }
    expectUserError("label -1 of image 1 is out of range") {
      _ = try load(
        Self.file([("images", "U8", [2, 1, 1, 3], pixels), ("labels", "I8", [2], [0, 0xFF])]))
    }
    expectUserError("label 65536 of image 0 is out of range", "labels are 0 to 65535") {
      _ = try load(
        Self.file([
          ("images", "U8", [1, 1, 1, 3], [1, 2, 3]),
          ("labels", "I32", [1], DataFixtures.littleEndian(UInt32(65_536))),
        ]))
    }
    expectUserError("value 1 is 255.0, which is no picture in −1…1", "U8 in 0…255") {
      _ = try load(Self.file([("images", "F32", [1, 1, 1, 2], floats([-1, 255]))]))
    }
    expectUserError("value 0 is not finite") {
      _ = try load(Self.file([("images", "F32", [1, 1, 1, 2], floats([.nan, 0]))]))
    }
  }
}

@Suite struct DataSourceTests {
  @Test func unknownData() throws {
    expectUserError("no-such: there is no such data", "fashion-mnist") {
      _ = try DataSource("no-such")
    }
    let scratch = try Scratch()
    let path = try scratch.write("a.txt", [1])
    expectUserError(path, "no kind of data that can be read") { _ = try DataSource(path) }
  }
}
