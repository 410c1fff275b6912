import COpenBLAS
import Foundation

/// The machine that numbers are made on.
public enum Machine {
  /// Processor, cores, and which of OpenBLAS' kernels run: bits may differ between them.
  public static var description: JSONValue {
    [
      "processor": .string(processorName), "processors": .integer(ThreadPool.processors),
      "openblas_core": .string(String(cString: openblas_get_corename())),
      "openblas": .string(String(cString: openblas_get_config())),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
    ]
  }

  private static var processorName: String {
    let text = (try? Files.read("/proc/cpuinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown"
  }
}
