import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Constructor arguments as EDM's training script passes them to `EDMPrecond`, and a network keeps them: what is
/// left to the constructors has their defaults.
@Suite struct PublishedConfigurationTests {
  private func configuration(_ text: String) throws -> NetworkConfiguration {
    try NetworkConfiguration(
      JSONReader(JSONValue(parsing: Data(text.utf8), place: "arguments"), place: "arguments"))
  }

  private func millions(_ configuration: NetworkConfiguration) throws -> Double {
    let parameters = try UNet(configuration).specifications.filter(\.isTrainable)
    return Double(parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }) / 1e6
  }

  /// `--arch=ddpmpp`, CIFAR-10.
  @Test func ddpmpp() throws {
    let found = try configuration(
      """
      {"img_resolution": 32, "img_channels": 3, "label_dim": 0, "model_type": "SongUNet",
       "embedding_type": "positional", "encoder_type": "standard", "decoder_type": "standard",
       "channel_mult_noise": 1, "resample_filter": [1, 1], "model_channels": 128,
       "channel_mult": [2, 2, 2], "augment_dim": 9, "dropout": 0.13, "use_fp16": false}
      """)
    var expected = NetworkConfiguration.ddpmpp(
      resolution: 32, imageChannels: 3, baseChannels: 128, multipliers: [2, 2, 2], blocks: 4,
      attentionResolutions: [16], dropout: 0.13)
    expected.augmentLabels = 9
    #expect(found == expected)
    // Karras et al. 2022, Table 7: 56 million.
    #expect(abs(try millions(found) - 56) < 0.5)
  }

  /// `--arch=ncsnpp --cres=1,2,2,2`, FFHQ at 64×64.
  @Test func ncsnpp() throws {
    let found = try configuration(
      """
      {"img_resolution": 64, "img_channels": 3, "label_dim": 0, "model_type": "SongUNet",
       "embedding_type": "fourier", "encoder_type": "residual", "decoder_type": "standard",
       "channel_mult_noise": 2, "resample_filter": [1, 3, 3, 1], "model_channels": 128,
       "channel_mult": [1, 2, 2, 2], "augment_dim": 9, "dropout": 0.05, "use_fp16": true,
       "class_name": "training.networks.EDMPrecond"}
      """)
    var expected = NetworkConfiguration.ddpmpp(
      resolution: 64, imageChannels: 3, baseChannels: 128, multipliers: [1, 2, 2, 2], blocks: 4,
      attentionResolutions: [16], dropout: 0.05
    ).ncsnpp
    expected.augmentLabels = 9
    #expect(found == expected)
    // Table 7: 63 million.
    #expect(abs(try millions(found) - 63) < 0.7)
  }

  /// `--arch=adm`, ImageNet at 64×64 with classes.
  @Test func adm() throws {
    let found = try configuration(
      """
      {"img_resolution": 64, "img_channels": 3, "label_dim": 1000, "model_type": "DhariwalUNet",
       "model_channels": 192, "channel_mult": [1, 2, 3, 4], "dropout": 0.1, "use_fp16": true}
      """)
    #expect(
      found
        == NetworkConfiguration.adm(
          resolution: 64, imageChannels: 3, baseChannels: 192, multipliers: [1, 2, 3, 4], blocks: 3,
          attentionResolutions: [32, 16, 8], labels: 1000, dropout: 0.1))
    // Table 7: 296 million.
    #expect(abs(try millions(found) - 296) < 0.5)
  }

  /// The constructor's own defaults, all of them.
  @Test func nothingPassed() throws {
    let found = try configuration(#"{"img_resolution": 64, "img_channels": 3}"#)
    #expect(found.architecture == .dhariwal && found.baseChannels == 192 && found.blocks == 3)
    #expect(found.multipliers == [1, 2, 3, 4] && found.attentionResolutions == [32, 16, 8])
    let song = try configuration(
      #"{"img_resolution": 32, "img_channels": 3, "model_type": "SongUNet"}"#)
    #expect(song.baseChannels == 128 && song.multipliers == [1, 2, 2, 2] && song.blocks == 4)
    #expect(song.attentionResolutions == [16] && song.dropout == 0.1)
  }

  @Test func otherPreconditioningsAreNamed() {
    #expect {
      try configuration(
        #"{"img_resolution": 32, "img_channels": 3, "class_name": "training.networks.VPPrecond"}"#)
    } throws: {
      "\($0)".contains("training.networks.VPPrecond") && "\($0)".contains("--precond=edm")
    }
  }
}
