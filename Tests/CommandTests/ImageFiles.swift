import Foundation

/// Small image data for the commands, in folders of their own.
enum ImageFiles {
  /// A folder of MNIST's four files, not gzipped: `count` images of 4×4 a split, two classes.
  static func mnist(in scratch: Scratch, count: Int = 12) throws {
    for split in ["train", "t10k"] {
      try scratch.write(
        "\(split)-images-idx3-ubyte",
        Data([0, 0, 8, 3] + bigEndian(count) + bigEndian(4) + bigEndian(4) + pixels(count, split)))
      try scratch.write(
        "\(split)-labels-idx1-ubyte",
        Data([0, 0, 8, 1] + bigEndian(count) + (0..<count).map { UInt8($0 % 2) }))
    }
  }

  /// A safetensors file of one array.
  static func safetensors(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) -> Data
  {
    let header =
      #"{"\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[0,\#(bytes.count)]}}"#
    return withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      + Data(header.utf8) + Data(bytes)
  }

  /// `count` images of 4×4, no two alike, others for another `salt`.
  static func pixels(_ count: Int, _ salt: String = "") -> [UInt8] {
    let start = salt.utf8.reduce(7) { $0 * 31 + Int($1) }
    return (0..<count * 16).map { UInt8(($0 * 7919 + start * 104_729 + $0 * $0 * 13) % 251) }
  }

  private static func bigEndian(_ number: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) }
  }
}
