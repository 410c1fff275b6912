import COpenBLAS
import Foundation

/// The machine that numbers are made on.
public enum Machine {
  /// Processor, cores, and which of OpenBLAS' kernels run: bits may differ between them.
  public static var description: JSONValue {
    [
      "processor": .string(processorName), "processors": .integer(ThreadPool.processors),
      "openblas_core": .string(blasCore), "kernels": .string("\(PanelKernelSet.best)"),
      "openblas": .string(String(cString: openblas_get_config())),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
    ]
  }

  /// What decides the last bits of a number beside the program's input: for the identity of a run,
  /// so that one that was begun by another build or on another kind of processor is not continued.
  public static var arithmetic: JSONValue {
    [
      "build": .string(build), "blas_core": .string(blasCore), "vector": .string(vector),
      "products": .string(PanelKernelSet.best.isFused ? "fused" : "rounded twice"),
    ]
  }

  /// The running program: the first 16 hexadecimal digits of its executable's SHA-256.
  public static let build: String = {
    // The link leads to the file that runs, even if another has taken its name since.
    let digest = try? SHA256.hash(ofFile: "/proc/self/exe")
    return digest.map { String($0.prefix(16)) } ?? "unknown"
  }()

  /// The kind of processor that OpenBLAS chose its kernels for.
  public static var blasCore: String { String(cString: openblas_get_corename()) }

  /// The instructions that the program was compiled for.
  public static var vector: String {
    #if arch(x86_64) && FUSED_MULTIPLY_ADD
      "avx2"
    #else
      "portable"
    #endif
  }

  private static var processorName: String {
    let text = (try? Files.read("/proc/cpuinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown"
  }
}
