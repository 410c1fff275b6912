/// The text that Git leaves in place of a large file which was not downloaded.
///
/// Source: the specification `docs/spec.md` of git-lfs: fewer than 1024 bytes, lines `version`, `oid`
/// and `size`.
public enum GitLFSPointer {
  /// Refuses the contents of a file if they are a pointer, and says how large the file itself is.
  public static func refuse(_ bytes: some Collection<UInt8>, at place: String) throws {
    guard bytes.count < 1024, bytes.starts(with: "version https://git-lfs.github.com/spec/".utf8)
    else { return }
    let size = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
      .first { $0.hasPrefix("size ") }
      .flatMap { Int($0.dropFirst(5)) }
    throw UserError(
      "is a Git-LFS pointer, not the file itself" + (size.map { ", which has \($0) bytes" } ?? ""),
      at: place, remedy: "run 'git lfs pull' in its folder, or download the file")
  }
}
