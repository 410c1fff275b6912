import TensorCore

/// Published feature networks that Python packages carry.
public enum FeatureNetworkCatalogue {
  public static let entries = [
    entry(
      "efficientnet-lite0", "EfficientNet-Lite0, trained on ImageNet", file: "57934424.pth",
      bytes: 18_826_032,
      digest: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    entry(
      "efficientnet-lite2", "EfficientNet-Lite2, trained on ImageNet", file: "9656183e.pth",
      bytes: 24_666_229,
      digest: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
  ]

  public static func entry(named name: String) -> CatalogueEntry? {
    entries.first { $0.name == name }
  }

  private static func entry(
    _ name: String, _ title: String, file: String, bytes: Int, digest: String
  ) -> CatalogueEntry {
    let package = "\(name)-pytorch-model"
    let module = package.split(separator: "-").joined(separator: "_")
    return CatalogueEntry(
      name: name, title: title, file: "\(name)-\(file)", bytes: bytes, digest: digest,
      licence: "Apache-2.0",
      parts: [
        CatalogueEntry.Part(
          package: package, version: "0.1.0", path: "\(module)/models/\(name)-\(file)",
          bytes: bytes, digest: digest)
      ])
  }
}
