import Foundation
import TensorCore

/// Feature networks by what a user calls them: a file, told apart by what it holds, or the name of a
/// published network that was fetched; `@SIZE` behind either is the size that pictures are resized to, `@channels` has a
/// classifier of grey pictures look at the channels of coloured ones.
public enum FeatureNetworkFile {
  static let channelsSuffix = "@channels"

  /// A user's words, taken apart.
  struct Reference: Equatable {
    let path: String
    /// Height and width that pictures are resized to, where that is asked for.
    let size: Int?
    /// Whether channels are looked at one by one.
    let isChannelwise: Bool

    static let sizes = 32...1024

    /// - Throws: `UserError` for a network that was not fetched, and a size that is none.
    init(_ name: String, store: ModelStore = ModelStore()) throws {
      // A file's name may have the sign in it.
      let parts = name.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
      if parts.count < 2 || FileManager.default.fileExists(atPath: name) {
        (path, size, isChannelwise) = (try Self.file(name, store), nil, false)
        return
      }
      path = try Self.file(parts.dropLast().joined(separator: "@"), store)
      isChannelwise = name.hasSuffix(FeatureNetworkFile.channelsSuffix)
      if isChannelwise {
        size = nil
        return
      }
      guard let size = Int(parts[parts.count - 1]), Self.sizes.contains(size), size % 32 == 0 else {
        throw UserError(
          "what follows the @ in '\(name)' must be channels, or a multiple of 32 from \(Self.sizes.lowerBound) to "
            + "\(Self.sizes.upperBound)", remedy: "name the network as \(parts[0])@64",
          status: .usage)
      }
      self.size = size
    }

    private static func file(_ name: String, _ store: ModelStore) throws -> String {
      let name = DataFolder.network(name)
      guard !FileManager.default.fileExists(atPath: name),
        let entry = FeatureNetworkCatalogue.entry(named: name)
      else {
        return name
      }
      guard store.isFetched(entry) else {
        throw UserError(
          "the feature network \"\(name)\" is not here yet", at: store.path(of: entry),
          remedy: "get it with: onestep features fetch \(name)")
      }
      return store.path(of: entry)
    }
  }

  /// A classifier that `onestep features train` wrote, a VGG or an Inception-v3 with torchvision's
  /// names, or an EfficientNet-Lite, as safetensors or as torch's own files.
  ///
  /// - Throws: `UserError`, naming the array at fault, for other files and for weights that are
  ///   missing or misshapen.
  public static func load(_ name: String) throws -> any FeatureNetwork {
    let reference = try Reference(name)
    let file = try WeightsFile.open(reference.path)
    if EfficientNetLite.fits(file) {
      return try EfficientNetLite(file, size: reference.size, name: name)
    }
    guard reference.size == nil || VGG.fits(file) else {
      throw UserError(
        "sees pictures at a size of its own", at: reference.path,
        remedy: "leave out what stands behind the @", status: .usage)
    }
    if Classifier.fits(file) {
      let classifier = try Classifier(file)
      return reference.isChannelwise ? try ChannelwiseClassifier(classifier) : classifier
    }
    guard !reference.isChannelwise else {
      throw UserError(
        "is no classifier of grey pictures", at: reference.path,
        remedy: "leave out \(channelsSuffix)", status: .usage)
    }
    if Inception.fits(file) { return try Inception(file) }
    if VGG.fits(file) { return try VGG(file, size: reference.size, name: name) }
    throw UserError(
      "is no feature network that is known", at: reference.path,
      remedy: "give a classifier of onestep features train, a VGG or an Inception-v3 with "
        + "torchvision's names, or an EfficientNet-Lite")
  }

  /// What identifies the network in a run's options: the digest of its file, and the size asked for.
  public static func identity(of name: String) throws -> String {
    let reference = try Reference(name)
    let digest = try SHA256.hash(ofFile: reference.path)
    if reference.isChannelwise { return digest + channelsSuffix }
    return reference.size.map { "\(digest)@\($0)" } ?? digest
  }
}
