import DiffusionGAN
import TensorCore
import Terminal

/// `onestep evaluate`: how far generated images are from real ones.
enum EvaluateCommand: Command {
  static let specification = CommandSpecification(
    name: "evaluate", summary: "Measure generated images against real ones.",
    discussion: """
      Prints Fréchet distance, KID, precision and recall, and beside them the floor: the same \
      for as many real training images. The reference is the test split; data without one are \
      cut into two random halves. Standard errors follow ±; a Fréchet distance grows as images \
      get fewer, so compare equal numbers only.
      """,
    options: [
      OptionSpecification(
        long: "images", valueName: "PATH",
        help: "Generated images: a .safetensors with images, or a folder or .zip of PNG files.",
        isRequired: true),
      CommonOptions.data, CommonOptions.preset,
      OptionSpecification(
        long: "features", valueName: "NAME", help: "What images are compared by.",
        defaultText: "pixels", choices: ["pixels"]),
      OptionSpecification(
        long: "count", valueName: "N", help: "Most images of each kind.", defaultText: "10000"),
      CommonOptions.seed, CommonOptions.threads, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "onestep evaluate --images fakes.safetensors --data fashion-mnist --preset fashion16",
        comment: "images at 16×16 against the test split"),
      CommandExample(
        line: "onestep evaluate --images samples/ --data faces.zip --json", comment: "for scripts"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let count = try parsed.integer("count", in: 4...1_000_000) ?? 10_000
    let seed = try CommonOptions.seed(parsed)
    let pool = try CommonOptions.pool(parsed)
    // The generated images first: they are where a mistake is likeliest.
    let images = try DataSource(parsed.requiredString("images"))
    let source = try CommonOptions.source(parsed)
    let generated = try CommonOptions.load(.train, of: images, parsed, pool: pool)
    let train = try CommonOptions.load(.train, of: source, parsed, pool: pool)
    let test =
      source.splits.contains(.test)
      ? try CommonOptions.load(.test, of: source, parsed, pool: pool) : nil
    let sets = try EvaluationSets(
      generated: generated, train: train, test: test, count: count, seed: seed)
    let report = try EvaluationReport(sets, train: train, seed: seed, pool: pool)
    print(
      parsed.flag("json") ? report.json.text + "\n" : report.text(.standardOutput),
      terminator: "")
  }
}
