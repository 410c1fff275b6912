import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct PresetTests {
  private func preset(_ text: String) throws -> Preset {
    try Preset(
      JSONReader(JSONValue(parsing: Data(text.utf8), place: "mine.json"), place: "mine.json"),
      name: "mine")
  }

  /// Of presets with images of one shape, a network's own is found.
  @Test func aNetworkHasItsPreset() throws {
    for name in ["fashion16", "fashion28", "stacked32", "cifar10", "ffhq64"] {
      var network = try Preset(name).network
      network.labels = 10
      #expect(try Preset(of: network).name == name)
    }
    var other = try Preset("stacked32").network
    other.baseChannels = 17
    expectUserError("no preset has such a network of images of 3×32×32", "--preset") {
      _ = try Preset(of: other)
    }
  }

  /// Karras et al. 2022, Table 7; Zheng & Yang 2025.
  @Test func presetsOfThePapers() throws {
    for (name, augmentation, dropout, batch, rates) in [
      ("cifar10", 0.12, 0.13 as Float, 512, [1e-4, 1e-4] as [Float]),
      ("ffhq64", 0.15, 0.05, 256, [2e-5, 4e-5]),
      ("imagenet64", 0, 0.1, 4096, [8e-6, 4e-5]),
    ] {
      let preset = try Preset(name)
      #expect(preset.pretraining.augmentation == augmentation)
      #expect(preset.network.dropout == dropout && preset.pretraining.batch == batch)
      #expect(
        preset.pretraining.schedule.value(seen: 5_000_000) == preset.pretraining.learningRate / 2)
      let adversarial = preset.adversarial.settled
      #expect([adversarial.generatorRate, adversarial.discriminatorRate ?? 0] == rates)
      #expect(adversarial.style == .reference && adversarial.startSigma == 80)
    }
    #expect(try Preset("cifar10").adversarial.penalty?.gamma == GradientPenalty.published())
  }

  @Test func smallPresets() throws {
    var settings = try Preset("fashion16").adversarial
    #expect(settings.settled.generatorRate == 1e-3)
    settings.freezing = .none
    #expect(settings.settled.generatorRate == 2e-4 && settings.settled.discriminatorRate == 2e-4)
    // What is said of the discriminator alone is not undone.
    settings.discriminatorRate = 5e-4
    #expect(settings.settled.generatorRate == 2e-4 && settings.settled.discriminatorRate == 5e-4)
    let pretraining = try Preset("fashion16").pretraining
    // A ramp of 100 steps, and a decay over the last quarter.
    #expect(pretraining.schedule.value(seen: 3_200) == 5e-4)
    #expect(pretraining.schedule.value(seen: 300_000) == 1e-3)
    #expect(abs(pretraining.schedule.value(seen: 350_000) - 5e-4) < 1e-9)
  }

  /// Colour images of a user's, without touching code.
  @Test func aFileChangesWhatItSays() throws {
    let mine = try preset(
      """
      {"base": "fashion16",
       "images": {"channels": 3, "height": 32, "width": 32},
       "network": {"model_channels": 32, "attn_resolutions": [16]},
       "pretrain": {"batch": 32, "learning_rate": 0.0005},
       "train": {"learning_rate": 0.002, "penalty_interval": 8, "head_channels": 128},
       "distill": {"learning_rate": 0.0001}, "classifier": {"shift": 2}}
      """)
    let base = try Preset("fashion16")
    #expect(mine.shape == ImageShape(channels: 3, height: 32, width: 32))
    #expect(mine.preparations.isEmpty)
    #expect(mine.network.resolution == 32 && mine.network.imageChannels == 3)
    #expect(mine.network.baseChannels == 32 && mine.network.multipliers == [1, 2])
    #expect(mine.pretraining.batch == 32 && mine.pretraining.learningRate == 5e-4)
    #expect(mine.pretraining.total == base.pretraining.total)
    let train = mine.adversarial
    #expect(train.generatorRate == 2e-3 && train.settled.discriminatorRate == 2e-3)
    #expect(train.unfrozenRate == nil && train.penalty?.interval == 8)
    // An option that says what holds already changes nothing beside it.
    var again = train
    try again.change(by: JSONReader(["loss": "non-saturating"], place: "test"))
    #expect(again == train)
    #expect(train.style.headChannels == 128 && train.style.mixingChannels == 32)
    // Four times as many pixels.
    #expect(train.penalty?.gamma == GradientPenalty.published(resolution: 32))
    #expect(mine.distillation.learningRate == 1e-4 && mine.classifier.shift == 2)
    _ = try UNet(mine.network)
  }

  @Test func whatIsWrongIsNamed() {
    for (text, words) in [
      ("{}", "the key \"base\" is missing"),
      ("{\"base\": \"fashion17\"}", "mine.json, base"),
      ("{\"base\": \"test\", \"pretrain\": {\"rate\": 1}}", "unknown key \"rate\""),
      ("{\"base\": \"test\", \"train\": {\"decay\": 2}}", "train.decay"),
      ("{\"base\": \"test\", \"train\": {\"adaptive\": 2}}", "train.adaptive: there is no"),
      ("{\"base\": \"test\", \"train\": {\"gamma\": -1}}", "train.gamma"),
      ("{\"base\": \"test\", \"train\": {\"freeze\": \"9\"}}", "train.freeze"),
      ("{\"base\": \"test\", \"distill\": {\"gan\": -1}}", "distill.gan"),
      ("{\"base\": \"test\", \"network\": {\"label_dim\": 10}}", "network.label_dim"),
      ("{\"base\": \"test\", \"images\": {\"width\": 9}}", "not square"),
      ("{\"base\": \"test\", \"images\": {\"prepare\": [\"halve it\"]}}", "\"halve it\""),
      ("{\"base\": \"test\", \"network\": {\"channels\": 8}}", "unknown key \"channels\""),
      ("{\"base\": \"test\", \"network\": {\"dropout\": -0.1}}", "dropout -0.1"),
      ("{\"base\": \"test\", \"network\": {\"dropout\": 1}}", "dropout 1"),
      (
        "{\"base\": \"test\", \"network\": {\"resample_filter\": [1, 2, 1]}}",
        "an even number of taps"
      ),
      ("{\"base\": \"test\", \"network\": {\"resample_filter\": [1, -1]}}", "do not sum to 0"),
      ("{\"base\": \"test\", \"network\": {\"resample_filter\": []}}", "an even number of taps"),
      ("{\"base\": \"test\", \"network\": {\"channel_mult_emb\": 0}}", "embedding of no channels"),
      ("{\"base\": \"test\", \"network\": {\"model_channels\": 1000000}}", "2000000 channels"),
      ("{\"base\": \"test\", \"network\": {\"img_resolution\": 16}}", "draws other images"),
      // A network of 32 and 16 has no attention at 8: EDM would leave it out without a word.
      (
        "{\"base\": \"fashion16\", \"images\": {\"height\": 32, \"width\": 32}}",
        "attention at 8×8"
      ),
    ] {
      expectUserError(words) { _ = try preset(text) }
    }
  }

  /// What is written is read as the same, setting by setting.
  /// Smaller pictures would only get black borders, and be taken for the preset's.
  @Test func presetsAreForPicturesOfTheirSize() throws {
    func pictures(_ side: Int) throws -> ImageDataset {
      try ImageDataset(
        name: "some", shape: ImageShape(channels: 1, height: side, width: side),
        pixels: [UInt8](repeating: 7, count: 2 * side * side))
    }
    let fashion = try Preset("fashion16")
    for side in [16, 28] { #expect(try fashion.prepare(pictures(side)).shape.height == 16) }
    for side in [8, 20, 32] {
      expectUserError(
        "some", "1×\(side)×\(side), the preset fashion16 is for 28×28 and for 1×16×16"
      ) {
        _ = try fashion.prepare(pictures(side))
      }
    }
    // Who says how, says so of any size.
    let own = try preset(
      "{\"base\": \"fashion16\", \"images\": {\"prepare\": [\"pad 32x32\", \"halve\"]}}")
    #expect(try own.prepare(pictures(20)).shape.height == 16)
  }

  @Test(arguments: Preset.named.map(\.name)) func settingsSurviveWriting(_ name: String) throws {
    func again<Settings: TrainingSettings & Equatable>(
      _ settings: Settings, over other: Settings
    ) throws {
      var read = other
      try read.change(by: JSONReader(.object(settings.json), place: "test"))
      read.seed = settings.seed
      #expect(read == settings)
    }
    let preset = try Preset(name)
    var train = preset.adversarial.settled
    train.loss = .relativistic
    train.penalty = GradientPenalty(
      gamma: 0.25, interval: 3, includesGenerated: true, sumsLogits: true)
    train.augmentation = Augmentation(
      [.colour, .cutout], adaptive: 500_000)
    train.freezing = .patterns(["*.qkv.*"])
    train.discriminator = .convolutional
    train.decay = 0.5
    try again(train, over: Preset("test").adversarial.settled)
    train.penalty = nil
    try again(train, over: Preset("test").adversarial.settled)
    try again(preset.pretraining, over: Preset("test").pretraining)
    try again(preset.classifier, over: ClassifierTraining.Settings(batch: 8, shift: 3))
    var distil = Distillation.Settings()
    try distil.change(by: JSONReader(.object(preset.distillation.json), place: "test"))
    #expect(distil.json.map(\.value) == preset.distillation.json.map(\.value))
  }

  @Test(arguments: Preset.named.map(\.name)) func aPresetIsAFile(_ name: String) throws {
    let preset = try Preset(name)
    let again = try self.preset(preset.json.prettyText)
    #expect(again.json == preset.json && again.network == preset.network)
    #expect(again.adversarial == preset.adversarial && again.name == "mine")
  }

  /// A run of constant learning rate can be told to go on, one that decays is planned for its length.
  @Test func theLengthDecidesWhereTheLearningRateDecays() throws {
    var settings = try Preset("fashion16").adversarial
    func hasTotal() -> Bool { settings.identity.contains { $0.key == "total" } }
    #expect(!hasTotal())
    settings.decay = 0.5
    #expect(hasTotal())
    #expect(try Preset("fashion16").pretraining.identity.contains { $0.key == "total" })
    #expect(try !Preset("cifar10").pretraining.identity.contains { $0.key == "total" })
  }
}
