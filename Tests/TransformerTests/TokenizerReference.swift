import Foundation
import TensorCore
import Transformer

/// Reference ids and bytes in Resources/tokenizer, by other implementations.
enum TokenizerReference {
  /// A text and its ids, without special tokens.
  struct Row {
    let text: String
    let ids: [Int]
    let decoded: [UInt8]
  }

  /// Ids in any order, mostly not well-formed text.
  struct Decoding {
    let ids: [Int]
    let bytes: [UInt8]
    let lossyText: String
  }

  /// A text with special tokens in it.
  struct Special {
    let text: String
    let parsed: [Int]
    let unparsed: [Int]
  }

  static func rows(_ name: String) throws -> [Row] {
    let data = try Data(contentsOf: url("\(name).jsonl"))
    return try data.split(separator: UInt8(ascii: "\n")).enumerated().map { line, data in
      let place = "\(name).jsonl:\(line + 1)"
      let fields = try fields(
        JSONReader(JSONValue(parsing: Data(data), place: place), place: place))
      return Row(
        text: String(decoding: try bytes(fields, "utf8_hex"), as: UTF8.self),
        ids: try ids(fields, "ids"), decoded: try bytes(fields, "decoded_hex"))
    }
  }

  static func decodings(_ name: String) throws -> [Decoding] {
    try list("decode_cases.json", name).map {
      Decoding(
        ids: try ids($0, "ids"), bytes: try bytes($0, "bytes_hex"),
        lossyText: try field($0, "lossy_text").string())
    }
  }

  static func specials(_ name: String) throws -> [Special] {
    try list("special_tokens.json", name).map {
      Special(
        text: try field($0, "text").string(), parsed: try ids($0, "ids_parse_special_true"),
        unparsed: try ids($0, "ids_parse_special_false"))
    }
  }

  private static func url(_ file: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("Resources/tokenizer/\(file)")
  }

  private static func list(_ file: String, _ name: String) throws -> [[String: JSONReader]] {
    let root = try fields(JSONReader(contentsOf: url(file).path))
    return try field(root, name).list().map(fields)
  }

  private static func fields(_ reader: JSONReader) throws -> [String: JSONReader] {
    Dictionary(uniqueKeysWithValues: try reader.entries())
  }

  private static func field(_ fields: [String: JSONReader], _ key: String) throws -> JSONReader {
    guard let reader = fields[key] else { throw UserError("no key \(key)") }
    return reader
  }

  private static func ids(_ fields: [String: JSONReader], _ key: String) throws -> [Int] {
    try field(fields, key).list().map { try $0.integer() }
  }

  private static func bytes(_ fields: [String: JSONReader], _ key: String) throws -> [UInt8] {
    let hex = Array(try field(fields, key).string())
    return try stride(from: 0, to: hex.count, by: 2).map { index in
      guard let byte = UInt8(String(hex[index..<index + 2]), radix: 16) else {
        throw UserError("not hexadecimal: \(String(hex))")
      }
      return byte
    }
  }
}
