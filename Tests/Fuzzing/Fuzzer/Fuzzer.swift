import Foundation

/// libFuzzer's loop over inputs.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The name that the package manager gives `main` of an executable target called `fuzzer`.
@_cdecl("fuzzer_main")
public func main(
  _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  var (count, arguments) = (count, arguments)
  return runFuzzer(&count, &arguments) { start, count in
    FuzzedReader.chosen.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
}

extension FuzzedReader {
  /// `FUZZED_READER` names the reader.
  fileprivate static let chosen: FuzzedReader = {
    let name = ProcessInfo.processInfo.environment["FUZZED_READER"] ?? ""
    guard let reader = FuzzedReader(rawValue: name) else {
      let known = allCases.map(\.rawValue).joined(separator: ", ")
      fatalError("FUZZED_READER is \"\(name)\", known are \(known)")
    }
    return reader
  }()
}
