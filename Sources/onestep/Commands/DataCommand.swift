import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// `onestep data inspect`: what data hold, as training would see them.
enum DataCommand: Command {
  static let specification = CommandSpecification(
    name: "data", summary: "Look at image data.", subcommands: [inspect])

  private static let inspect = CommandSpecification(
    name: "inspect", summary: "Print what data hold, and draw some of the images.",
    discussion: """
      All images are read, so whatever is wrong with them shows here. Means and deviations are of \
      pixel values in −1…1.
      """,
    options: [
      CommonOptions.data, CommonOptions.preset,
      OptionSpecification(
        long: "split", valueName: "NAME", help: "Which part of the data.", defaultText: "train",
        choices: DataSplit.allCases.map(\.rawValue)),
      OptionSpecification(
        long: "out", valueName: "FILE",
        help: "Draw a grid of images, shuffled by the seed, into this PNG file."),
      OptionSpecification(
        long: "images", valueName: "N", help: "Images in the grid.", defaultText: "64"),
      CommonOptions.seed, CommonOptions.threads, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "onestep data inspect --data fashion-mnist --preset fashion16 --out grid.png",
        comment: "60,000 images at 16×16, and what they look like"),
      CommandExample(
        line: "onestep data inspect --data faces.zip --json", comment: "a zip of PNG files"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    try parsed.refuse("images", "seed", unless: "out")
    let most = try parsed.integer("images", in: 1...10_000) ?? 64
    let seed = try CommonOptions.seed(parsed)
    if let path = parsed.string("out") {
      guard Files.pathExtension(of: path) == "png" else {
        throw UserError(
          "a grid is a PNG picture", at: path, remedy: "give a .png", status: .usage)
      }
      try Files.requireWritable(path)
    }
    let pool = try CommonOptions.pool(parsed)
    let source = try CommonOptions.source(parsed)
    let split = DataSplit(rawValue: parsed.string("split") ?? "") ?? .train
    let data = try CommonOptions.load(split, of: source, parsed, pool: pool)
    if let path = parsed.string("out") {
      var order = ShuffledOrder(count: data.count, seed: seed)
      let chosen = order.samples(0..<min(most, data.count))
      let pixels = chosen.flatMap { data.pixels[data.range(of: $0)] }
      try PictureGrid.picture(of: pixels, shape: data.shape).write(to: path)
    }
    let overview = DataOverview(data, split: split, splits: source.splits)
    print(
      parsed.flag("json") ? overview.json.text + "\n" : overview.text(.standardOutput),
      terminator: "")
  }
}
