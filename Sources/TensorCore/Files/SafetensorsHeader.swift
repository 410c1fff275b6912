import Foundation

/// The header of a safetensors file: its length in 8 bytes, then a JSON object with `dtype`,
/// `shape` and `data_offsets` (from the end of the header) of each array.
enum SafetensorsHeader {
  /// The format's own limit, which keeps a damaged length from costing minutes of parsing.
  private static let longest = 100_000_000

  /// Reads and checks the header: arrays must follow each other without gaps to the end of the
  /// file.
  static func read(
    _ file: MappedFile
  ) throws -> (entries: [String: SafetensorsFile.Entry], metadata: [String: String]) {
    func damaged(_ problem: String) -> UserError {
      UserError(problem, at: file.path, remedy: "download or copy the file again")
    }
    if let length = file.bytes.count >= 8 ? file.bytes.loadUnaligned(as: UInt64.self) : nil,
      UInt64(littleEndian: length) > UInt64(longest),
      let error = MisplacedFile.error(file.bytes, at: file.path)
    {
      throw error
    }
    guard file.bytes.count >= 8 else { throw damaged("is too short for a safetensors file") }
    let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(longest), Int(length) <= file.bytes.count - 8 else {
      throw damaged("is not a safetensors file or is cut short (its header claims \(length) bytes)")
    }
    let start = 8 + Int(length)
    let text = Data(file.bytes[8..<start])
    guard text.first == UInt8(ascii: "{") else { throw damaged("is not a safetensors file") }
    let place = "\(file.path), header"
    let header = JSONReader(try JSONValue(parsing: text, place: place), place: place)

    var entries: [String: SafetensorsFile.Entry] = [:]
    var metadata: [String: String] = [:]
    for (name, reader) in try header.entries() {
      if name == "__metadata__" {
        guard reader.value != .null else { continue }
        for (key, value) in try reader.entries() { metadata[key] = try value.string() }
      } else {
        entries[name] = try entry(reader, dataStart: start)
      }
    }
    if let end = entries.values.map(\.range.upperBound).max(), end > file.bytes.count {
      throw damaged("is cut short: \(file.bytes.count) bytes are there of \(end)")
    }
    var end = start
    for (name, entry) in entries.sorted(by: { before($0.value.range, $1.value.range) }) {
      guard entry.range.lowerBound == end else {
        throw damaged("the array \"\(name)\" overlaps the one before it or leaves a gap")
      }
      end = entry.range.upperBound
    }
    guard end == file.bytes.count else {
      throw damaged("has \(file.bytes.count - end) bytes behind its last array")
    }
    return (entries, metadata)
  }

  /// Order in the file; an empty array comes before the one that begins at the same byte.
  private static func before(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
    (a.lowerBound, a.upperBound) < (b.lowerBound, b.upperBound)
  }

  private static func entry(
    _ reader: JSONReader, dataStart: Int
  ) throws -> SafetensorsFile.Entry {
    let fields = try reader.object(required: ["dtype", "shape", "data_offsets"])
    func damaged(_ problem: String) -> UserError {
      UserError(problem, at: reader.place, remedy: "download or copy the file again")
    }
    guard let typeReader = fields["dtype"], let shapeReader = fields["shape"],
      let offsetsReader = fields["data_offsets"]
    else { throw damaged("is incomplete") }
    let typeName = try typeReader.string()
    let shape = try shapeReader.list().map { try $0.integer(in: 0...Int.max) }
    let offsets = try offsetsReader.list().map { try $0.integer(in: 0...1 << 60) }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw damaged("data_offsets are not a beginning and an end")
    }
    let range = dataStart + offsets[0]..<dataStart + offsets[1]
    let entry = SafetensorsFile.Entry(shape: shape, typeName: typeName, range: range)
    var size = entry.type?.size ?? 1
    for dimension in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw damaged("has the impossible shape \(shape)") }
      size = product
    }
    // Arrays that nobody needs may have types of later versions of the format.
    guard entry.type == nil || size == offsets[1] - offsets[0] else {
      throw damaged(
        "a \(typeName) array of shape \(shape) has \(offsets[1] - offsets[0]) bytes, not \(size)")
    }
    return entry
  }
}
