/// Words of a command line that an error tells the user to type.
public enum ShellWord {
  /// The word as a POSIX shell reads it back: in quotes where it needs them.
  public static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./,:=+@%".utf8.contains(byte)
      }
    }
    guard word.isEmpty || !plain else { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }

  /// The words as one line.
  public static func line(_ words: [String]) -> String {
    words.map(quoted).joined(separator: " ")
  }
}
