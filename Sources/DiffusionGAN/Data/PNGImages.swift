import Foundation
import TensorCore

/// Reading a folder or zip archive of PNG files, with EDM's `dataset.json` where there is one, beside them or in
/// the folder that all of them lie in.
enum PNGImages {
  /// Reads every PNG file, in the order of their names.
  ///
  /// - Throws: `UserError` for the first file that cannot be read or differs in shape from the
  ///   others, and for labels that do not fit.
  static func read(_ files: ImageFiles, name: String, pool: ThreadPool) throws -> ImageDataset {
    let names = files.names
    let images = names.filter(isPicture)
    let others = names.filter { isVisible($0) && otherEndings.contains(ending($0)) }
    guard let first = images.first else {
      throw UserError(
        others.isEmpty
          ? "holds no PNG files" : "holds no PNG files, but \(others.count) of other pictures",
        at: files.path,
        remedy: others.isEmpty
          ? "name a folder or zip archive of PNG files" : "convert them (\(others[0])) to PNG")
    }
    guard others.isEmpty else {
      throw UserError(
        "holds \(others.count) pictures that are no PNG files (\(others[0])) beside "
          + "\(images.count) that are", at: files.path,
        remedy: "convert them to PNG, or take them out")
    }
    let shape = try PNGPicture(files.read(first), place: files.place(of: first)).shape
    // Labels first: they are quick to check.
    let labels =
      try DatasetLabels.file(among: names, for: images)
      .flatMap { try DatasetLabels.read(files, $0, images: images) }
    var pixels = [UInt8](repeating: 0, count: images.count * shape.count)
    let errors = pixels.withUnsafeMutableBufferPointer { buffer -> [(any Error)?] in
      let target = PixelMemory(start: buffer.baseAddress)
      return pool.map(images.count) { index in
        do {
          let place = files.place(of: images[index])
          let picture = try PNGPicture(files.read(images[index]), place: place, expecting: shape)
          let planes = picture.planes
          for i in planes.indices { target.start?[index * shape.count + i] = planes[i] }
          return nil
        } catch {
          return error
        }
      }
    }
    if let error = errors.lazy.compactMap(\.self).first { throw error }
    return try ImageDataset(name: name, shape: shape, pixels: pixels, labels: labels)
  }

  /// Whether a file's name ends in `.png`; files that macOS hides in archives do not count.
  static func isPicture(_ name: String) -> Bool { ending(name) == "png" && isVisible(name) }

  /// Of pictures that are not read.
  private static let otherEndings: Set = [
    "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm",
  ]

  private static func ending(_ name: String) -> String {
    Files.pathExtension(of: name).lowercased()
  }

  private static func isVisible(_ name: String) -> Bool {
    !name.split(separator: "/").contains { $0.hasPrefix(".") || $0 == "__MACOSX" }
  }
}

/// Memory that several threads write, each its own part.
private struct PixelMemory: @unchecked Sendable {
  let start: UnsafeMutablePointer<UInt8>?
}
