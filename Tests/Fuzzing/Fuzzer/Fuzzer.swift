import Foundation

/// What libFuzzer calls with each input; `FUZZED_READER` names the reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  FuzzedReader.chosen.check(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

extension FuzzedReader {
  fileprivate static let chosen: FuzzedReader = {
    let name = ProcessInfo.processInfo.environment["FUZZED_READER"] ?? ""
    guard let reader = FuzzedReader(rawValue: name) else {
      let known = allCases.map(\.rawValue).joined(separator: ", ")
      fatalError("FUZZED_READER is \"\(name)\", known are \(known)")
    }
    return reader
  }()
}
