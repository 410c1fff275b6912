import TensorCore

/// Files of feature networks, told apart by what they hold.
public enum FeatureNetworkFile {
  /// The network in the file at `path`: a classifier that `onestep features train` wrote, or a VGG or
  /// an Inception-v3 with torchvision's names, as safetensors or as torch's own files.
  ///
  /// - Throws: `UserError`, naming the array at fault, for other files and for weights that are
  ///   missing or misshapen.
  public static func load(_ path: String) throws -> any FeatureNetwork {
    let file = try WeightsFile.open(path)
    if Classifier.isTold(by: file) { return try Classifier(file) }
    if Inception.isTold(by: file) { return try Inception(file) }
    if VGG.isTold(by: file) { return try VGG(file) }
    throw UserError(
      "is no feature network that is known", at: path,
      remedy: "give a classifier of onestep features train, or a VGG or an Inception-v3 with "
        + "torchvision's names")
  }
}
