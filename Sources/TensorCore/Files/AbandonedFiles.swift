import Foundation

extension Files {
  /// Removes temporary files in the folder `path` that processes left which are gone: those of this machine that
  /// were killed while they wrote. Files of other machines, and of processes that cannot be seen from here, stay.
  public static func removeAbandoned(in path: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      guard let found = name.wholeMatch(of: /.+\.([0-9a-f]+)-([0-9]+)-[0-9]+\.tmp/),
        found.1 == place, let process = pid_t(found.2), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      // Whoever else removes it at the same time is welcome.
      unlink("\(path)/\(name)")
    }
  }

  /// Machine and process namespace, as temporary names have them: only there does a process number say who it was.
  static let place: String = {
    var host = [CChar](repeating: 0, count: 65)
    gethostname(&host, host.count - 1)
    var namespace = [CChar](repeating: 0, count: 65)
    _ = readlink("/proc/self/ns/pid", &namespace, namespace.count - 1)
    let bytes = (host.prefix { $0 != 0 } + namespace.prefix { $0 != 0 }).map(
      UInt8.init(bitPattern:))
    let digits = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return String(digits & 0xFFFF_FFFF, radix: 16)
  }()
}
