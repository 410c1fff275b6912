import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// A narrow Inception of random weights against torch, as the graph of 2015 and as torchvision's:
/// the same weights in both, told apart by the rows of the classifying layer.
///
/// The golden numbers are of a script in f64 that follows pytorch-fid's blocks (averages without
/// padding, a maximum in the last), torchvision's, and TensorFlow 1's resizing.
@Suite struct InceptionTests {
  static let folder = Golden.folder + "/features/"
  static let sets = [[2, 1, 28, 28], [2, 3, 32, 41], [1, 3, 310, 305]]

  /// The committed weights with a classifying layer, at `path`; `change` may leave out or reshape
  /// arrays.
  static func write(
    classes: Int?, to path: String, _ change: (String, [Int]) -> [Int]? = { $1 }
  ) throws {
    let file = try SafetensorsFile(folder + "inception.weights.safetensors")
    var arrays = try file.names.filter { try file.type(of: $0) == .float32 }.map {
      ($0, try file.shape(of: $0), try file.floats($0))
    }
    if let classes {
      let values = (0..<classes * 128).map {
        Float(0.1 * sin(0.37 * Double($0 / 128) + 1.3 * Double($0 % 128)))
      }
      arrays.append(("fc.weight", [classes, 128], values))
    }
    try Safetensors.write(
      arrays.compactMap { array in change(array.0, array.1).map { (array.0, $0, array.2) } },
      to: path)
  }

  /// Bytes by a formula, as values in −1…1.
  static func pictures(_ set: Int) -> Tensor {
    let shape = sets[set]
    return Tensor(
      (0..<shape.reduce(1, *)).map {
        Float(($0 * $0 * 13 + $0 * 7919 + (set + 1) * 104_729) % 256) / 127.5 - 1
      }, shape: shape)
  }

  @Test(arguments: [("inception_2015", 1008), ("inception_torchvision", 1000)])
  func agreesWithTorch(_ name: String, _ classes: Int) throws {
    let scratch = try Scratch()
    let path = scratch.file("inception.safetensors")
    try Self.write(classes: classes, to: path)
    let network = try #require(try FeatureNetworkFile.load(path) as? Inception)
    #expect((network.variant == .tensorFlow2015) == (classes == 1008))
    #expect(network.preprocessing.contains("2015") == (classes == 1008))
    let golden = try SafetensorsFile(Self.folder + "\(name).golden.safetensors")
    for set in Self.sets.indices {
      let pictures = Self.pictures(set)
      let expected = try Tensor(golden, "\(set)/prepared")
      expectClose(
        Self.sampled(network.prepared(pictures), rows: 31, columns: 29), expected, 1e-4,
        "\(name) \(set) prepared")
      let vectors = try Tensor(golden, "\(set)/vectors")
      let maps = network.maps(pictures)
      expectClose(maps[3].pooled, vectors, 1e-4, "\(name) \(set) vectors")
      for (scale, map) in maps.enumerated() {
        let shape = try golden.floats("\(set)/shape\(scale)").map { Int($0) }
        #expect(map.shape == shape)
        let sums = Tensor.concatenated([map.pooled, map.squared().pooled], 0)
        expectClose(
          sums.reshaped([2, shape[0], shape[1]]), try Tensor(golden, "\(set)/map\(scale)"), 1e-4,
          "\(name) \(set) map \(scale)")
      }
      if network.variant == .tensorFlow2015 {
        let shares = network.probabilities(vectors)
        #expect(shares.shape == [pictures.shape[0], 1008])
        let some = Tensor(
          (0..<shares.count).filter { $0 % 1008 % 16 == 0 }.map { shares[$0] },
          shape: [shares.rows, 63])
        expectClose(some, try Tensor(golden, "\(set)/probabilities"), 1e-4, "\(set) classes")
      }
    }
    expectClose(
      network.vectors(Self.pictures(0)), try Tensor(golden, "0/vectors"), 1e-4, "\(name) vectors")
  }

  /// Doubled as TensorFlow 1 does it: no shift, the last value goes on.
  @Test func resizingFromTheOrigin() {
    let row = Tensor([0, 2, 6], shape: [1, 1, 1, 3])
    let found = row.resizedBilinearly(height: 2, width: 6, corners: .origin)
    #expect(found.shape == [1, 1, 2, 6])
    #expect(found.values == [0, 1, 2, 4, 6, 6, 0, 1, 2, 4, 6, 6])
    #expect(
      row.resizedBilinearly(height: 1, width: 6).values != Array(found.values.prefix(6)))
  }

  private static func sampled(_ x: Tensor, rows: Int, columns: Int) -> Tensor {
    let (height, width) = (x.shape[2], x.shape[3])
    let chosen = (0..<x.count).filter {
      $0 / width % height % rows == 0 && $0 % width % columns == 0
    }
    return Tensor(
      chosen.map { x[$0] },
      shape: [x.shape[0], x.shape[1], (height - 1) / rows + 1, (width - 1) / columns + 1])
  }

  @Test func mistakes() throws {
    let scratch = try Scratch()
    let path = scratch.file("inception.safetensors")
    let array = "Mixed_6c.branch7x7_2.conv.weight"
    try Self.write(classes: nil, to: path)
    expectUserError(path, "fc.weight", "1008") { _ = try FeatureNetworkFile.load(path) }
    try Self.write(classes: 1008, to: path) { $0 == array ? nil : $1 }
    expectUserError(path, array) { _ = try FeatureNetworkFile.load(path) }
    for array in [array, "fc.weight"] {
      try Self.write(classes: 1008, to: path) { $0 == array ? $1.reversed() + [1] : $1 }
      expectUserError(path, array, "shape") { _ = try FeatureNetworkFile.load(path) }
    }
  }

  /// As torch saves it, and inside a pickle, as NVIDIA publishes its Inception.
  @Test func programsAreNamed() throws {
    let scratch = try Scratch()
    let program = Self.folder + "scripted.pt"
    let bytes = try Array(Files.read(program))
    let length = withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) }
    let pickle = scratch.file("inception-2015-12-05.pkl")
    // Protocol 3; BINBYTES and its length; STOP.
    try Files.write(Data([0x80, 3, 0x42] + length + bytes + [0x2E]), to: pickle)
    for path in [program, pickle] {
      expectUserError(path, "TorchScript", "pt_inception-2015-12-05-6726825d.pth") {
        _ = try FeatureNetworkFile.load(path)
      }
    }
  }
}
