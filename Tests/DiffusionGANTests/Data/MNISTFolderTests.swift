import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct MNISTFolderTests {
  static let pool = ThreadPool(count: 2)

  /// A folder of both splits: three images of 2×2 and their labels.
  static func folder() throws -> Scratch {
    let scratch = try Scratch()
    let images = DataFixtures.idx([3, 2, 2], (0..<12).map { UInt8($0) })
    let labels = DataFixtures.idx([3], [2, 0, 2])
    try scratch.write("train-images-idx3-ubyte.gz", DataFixtures.gzip(images))
    try scratch.write("train-labels-idx1-ubyte.gz", DataFixtures.gzip(labels))
    try scratch.write("t10k-images-idx3-ubyte", images)
    try scratch.write("t10k-labels-idx1-ubyte", labels)
    return scratch
  }

  private func load(_ scratch: Scratch, _ split: DataSplit = .train) throws -> ImageDataset {
    try DataSource(scratch.path).load(split, pool: Self.pool)
  }

  @Test(arguments: [DataSplit.train, .test]) func smallFolder(_ split: DataSplit) throws {
    let scratch = try Self.folder()
    let source = try DataSource(scratch.path + "/")
    #expect(source.splits == [.train, .test] && scratch.path.hasSuffix("/\(source.name)"))
    let data = try load(scratch, split)
    #expect(data.shape == ImageShape(channels: 1, height: 2, width: 2))
    #expect(data.pixels == (0..<12).map { UInt8($0) })
    #expect(data.labels == [2, 0, 2])
    #expect(data.classSizes == [1, 0, 2])
  }

  /// Of three training images two train; the other one is kept back, and the test split stays.
  @Test func someTrainingImagesAreKeptBack() throws {
    let scratch = try Self.folder()
    let source = try DataSource(scratch.path + ":2")
    #expect(source.splits == DataSplit.allCases && source.name.hasSuffix("-2"))
    let splits = try DataSplit.allCases.map { try source.load($0, pool: Self.pool) }
    #expect(splits.map(\.count) == [2, 1, 3])
    #expect(Set(splits[0].pixels).isDisjoint(with: splits[1].pixels))
    #expect(splits[..<2].flatMap { $0.labels ?? [] }.sorted() == [0, 2, 2])
    #expect(Set(splits[0].pixels + splits[1].pixels) == Set(0..<12))
    for count in [0, 3, -1] {
      expectUserError(
        "\(scratch.path.split(separator: "/").last ?? "")", "of 3 training images", "1 to 2"
      ) {
        _ = try DataSource("\(scratch.path):\(count)").load(.train, pool: Self.pool)
      }
    }
    expectUserError("cut twice") { _ = try DataSource("fashion-mnist:10:5") }
    expectUserError("no-such", "no such data") { _ = try DataSource("no-such:5") }
  }

  /// No garment is in stacks of two splits.
  @Test func stacksAreKeptBackWithTheirImages() throws {
    let source = try DataSource("stacked-fashion-mnist:59000")
    #expect(source.splits == DataSplit.allCases && source.name == "stacked-fashion-mnist-59000")
    let garments = try DataSplit.allCases.prefix(2).map { split in
      let data = try source.load(split, pool: Self.pool)
      #expect(data.count == (split == .train ? 59_000 : 1_000))
      let size = data.pixels.count / data.count / 3
      return Set(
        stride(from: 0, to: min(data.pixels.count, 3 * 20_000 * size), by: size).map {
          data.pixels[$0..<$0 + size]
        })
    }
    #expect(garments[1].count > 900 && garments[0].isDisjoint(with: garments[1]))
  }

  /// A number after a colon may belong to a name.
  @Test func aPathThatIsThereCountsMore() throws {
    let scratch = try Self.folder()
    let path = scratch.path + "/x:2"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"] {
      try FileManager.default.copyItem(
        atPath: scratch.file(name), toPath: "\(path)/\(name)")
    }
    #expect(try DataSource(path).load(.train, pool: Self.pool).count == 3)
  }

  @Test func namesWithADot() throws {
    let scratch = try Self.folder()
    for name in ["t10k-images", "t10k-labels"] {
      let kind = name.hasSuffix("images") ? "idx3" : "idx1"
      try FileManager.default.moveItem(
        atPath: scratch.file("\(name)-\(kind)-ubyte"),
        toPath: scratch.file("\(name).\(kind)-ubyte"))
    }
    #expect(try load(scratch, .test).labels == [2, 0, 2])
  }

  /// Counts and the first label are those of Fashion-MNIST's README and label file.
  @Test func fashionMNIST() throws {
    let source = try DataSource("fashion-mnist")
    let train = try source.load(.train, pool: Self.pool)
    let test = try source.load(.test, pool: Self.pool)
    #expect((train.count, test.count) == (60_000, 10_000))
    #expect(train.shape == ImageShape(channels: 1, height: 28, width: 28))
    #expect(train.classSizes == [Int](repeating: 6000, count: 10))
    #expect(test.classSizes == [Int](repeating: 1000, count: 10))
    #expect(train.classNames[try #require(train.labels?.first)] == "Ankle boot")
    // Mean and deviation that the field normalises Fashion-MNIST by: 0.2860 and 0.3530.
    let statistics = DatasetStatistics(train)
    #expect(abs((statistics.means[0] + 1) / 2 - 0.2860) < 1e-4)
    #expect(abs(statistics.deviations[0] / 2 - 0.3530) < 1e-4)
  }

  @Test(arguments: [1, 5, 20, 40]) func truncatedGzip(_ bytes: Int) throws {
    let scratch = try Self.folder()
    let path = scratch.file("train-images-idx3-ubyte.gz")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(whole.count > bytes)
    try scratch.write("train-images-idx3-ubyte.gz", whole.prefix(bytes))
    expectUserError(path) { _ = try load(scratch) }
  }

  @Test func truncatedGzipSaysSo() throws {
    let scratch = try Self.folder()
    let path = scratch.file("train-images-idx3-ubyte.gz")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try scratch.write("train-images-idx3-ubyte.gz", whole.dropLast(12))
    expectUserError(path, "cut short", "download or copy the file again") {
      _ = try load(scratch)
    }
  }

  /// Some programs write a gzip file in pieces, and `cat` joins files.
  @Test func gzipOfSeveralMembers() throws {
    let scratch = try Self.folder()
    let images = DataFixtures.idx([3, 2, 2], (0..<12).map { UInt8($0) })
    func write(_ pieces: [[UInt8]]) throws {
      try scratch.write("train-images-idx3-ubyte.gz", pieces.flatMap { $0 })
    }
    // Between header and values, within both, and an empty one.
    let cuts = [0, 3, 16, 20, images.count, images.count]
    let members = zip(cuts, cuts.dropFirst()).map { DataFixtures.gzip(Array(images[$0..<$1])) }
    try write(members)
    #expect(try load(scratch).pixels == (0..<12).map { UInt8($0) })
    try write(members.dropLast(2) + [Array(members[3].dropLast(9))])
    expectUserError("cut short") { _ = try load(scratch) }
    try write(members + [DataFixtures.gzip([1])])
    expectUserError("holds more values") { _ = try load(scratch) }
  }

  @Test func damagedGzip() throws {
    let scratch = try Self.folder()
    let path = scratch.file("train-images-idx3-ubyte.gz")
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // The stored CRC-32 of the content.
    bytes[bytes.count - 8] ^= 1
    try scratch.write("train-images-idx3-ubyte.gz", bytes)
    expectUserError(path, "is damaged", "incorrect data check") { _ = try load(scratch) }
  }

  @Test func wrongExtents() throws {
    let scratch = try Self.folder()
    for (extents, values, problem) in [
      ([3, 2, 2], 11, "holds 11 values where its header promises 12"),
      ([3, 2, 2], 13, "holds more values where its header promises 12"),
      ([1 << 31, 1 << 31, 1 << 31], 12, "claims 2147483648×2147483648×2147483648 values"),
      ([1 << 20, 1 << 10, 1], 12, "claims 1048576×1024×1 values"),
      ([0, 2, 2], 0, "claims 0×2×2 values"),
    ] {
      let bytes = DataFixtures.idx(extents, [UInt8](repeating: 0, count: values))
      try scratch.write("t10k-images-idx3-ubyte", bytes)
      expectUserError("t10k-images-idx3-ubyte: ", problem) { _ = try load(scratch, .test) }
      try scratch.write("train-images-idx3-ubyte.gz", DataFixtures.gzip(bytes))
      expectUserError("train-images-idx3-ubyte.gz: ", problem) { _ = try load(scratch) }
    }
  }

  @Test func wrongKinds() throws {
    let scratch = try Self.folder()
    try scratch.write("t10k-labels-idx1-ubyte", DataFixtures.idx([2], [0, 1]))
    expectUserError("t10k-labels-idx1-ubyte", "holds 2 labels for the 3 images") {
      _ = try load(scratch, .test)
    }
    try scratch.write("t10k-labels-idx1-ubyte", DataFixtures.idx([3, 1], [0, 1, 2]))
    expectUserError("is not an IDX file of bytes with 1 axis") { _ = try load(scratch, .test) }
    try scratch.write("t10k-labels-idx1-ubyte", [])
    expectUserError("is empty") { _ = try load(scratch, .test) }
    try FileManager.default.removeItem(atPath: scratch.file("t10k-labels-idx1-ubyte"))
    expectUserError("has no t10k-labels-idx1-ubyte[.gz]", "add the file") {
      _ = try load(scratch, .test)
    }
  }
}
