import DiffusionGAN
import TensorCore
import Terminal

/// `onestep presets`: what networks and settings there are, and what they hold.
enum PresetsCommand: Command {
  static let specification = CommandSpecification(
    name: "presets", summary: "Print presets: images, networks and settings of training.",
    discussion: """
      With a name, the whole preset as JSON: a file to change and to give to --preset. Such a file \
      may be short: what it does not say is as in its base. Sections: images, network (arguments of \
      EDM's networks), pretrain, train, distill, classifier.
      """,
    arguments: [
      ArgumentSpecification(
        name: "NAME", help: "Name of a preset, or a .json file.", isOptional: true)
    ],
    examples: [
      CommandExample(
        line: "onestep presets fashion28 > faces.json", comment: "to be edited"),
      CommandExample(
        line: "onestep pretrain --data faces.zip --preset faces.json", comment: "and used"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    if let name = parsed.argument("NAME") { return print(try Preset(name).json.prettyText) }
    let rows = try Preset.named.map { preset in
      let parameters = try UNet(preset.network).trainableCount
      return [
        preset.name, "\(preset.shape)", "\(parameters)", "\(preset.pretraining.total / 1000)",
        "\(preset.adversarial.total / 1000)",
      ]
    }
    print(
      TextTable(
        headers: ["preset", "images", "parameters", "kimg to pretrain", "to train"], rows: rows,
        alignments: [.left, .left, .right, .right, .right]
      ).text(on: .standardOutput), terminator: "")
  }
}
