// Without Foundation, which hands on the C library's variables as ones that are not safe to read.
@preconcurrency import Glibc

enum StandardOutput {
  /// Whether something that was printed since the program's start could not be written.
  static var hasFailed: Bool { ferror(stdout) != 0 }
}
