import Foundation
import TensorCore

/// A report on disk: `index.html`, every figure as `.svg` and `.csv`, every sentence that was tested in
/// `sentences.csv`, `summary.json`.
public enum ReportFolder {
  /// Writes all files into the folder `path`, which is made where it is missing. The page comes last,
  /// so that it never names a figure that is not there.
  public static func write(
    _ page: HTMLPage, sentences: CSV, summary: JSONValue, to path: String
  ) throws {
    try Files.makeFolder(path)
    Files.removeAbandoned(in: path)
    for figure in page.figures {
      for file in figure.files {
        try Files.write(Data(file.contents.utf8), to: "\(path)/\(file.name)")
      }
    }
    try Files.write(Data(sentences.text.utf8), to: path + "/sentences.csv")
    try Files.write(Data(summary.prettyText.utf8), to: path + "/summary.json")
    try Files.write(Data(page.html.utf8), to: path + "/index.html")
  }
}
