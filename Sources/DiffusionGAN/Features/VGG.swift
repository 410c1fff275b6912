import TensorCore

/// The convolutions of a VGG (Simonyan & Zisserman 2015) with torchvision's names, with or without
/// batch normalisation; depth and widths are those of the file.
///
/// Pictures are taken at their own size, but enlarged to 32 pixels at least, or resized as asked for, and standardised
/// as for ImageNet. The published discriminators show it 224 pixels.
public struct VGG: FeatureNetwork {
  public let name: String
  /// Height and width that pictures are resized to; their own, or 32 where that is less, if nil.
  private let size: Int?
  /// Convolutions between two poolings.
  private let stages: [[FoldedConvolution]]

  private static let smallest = 32
  /// Of ImageNet, for values in 0…1.
  private static let mean: [Float] = [0.485, 0.456, 0.406]
  private static let deviation: [Float] = [0.229, 0.224, 0.225]

  /// Whether a file has the names of a VGG.
  static func fits(_ file: any ArrayFile) -> Bool {
    (try? file.shape(of: "features.0.weight"))?.count == 4
  }

  /// - Parameters:
  ///   - size: height and width that pictures are resized to; their own if nil.
  ///   - name: what reports call it; the file's path if nil.
  /// - Throws: `UserError` naming file and array.
  init(_ file: any ArrayFile, size: Int? = nil, name: String? = nil) throws {
    // A nonlinearity follows each convolution or its norm, and has a number without weights; one
    // more number without weights is a pooling.
    let numbers = file.names.compactMap { name -> Int? in
      name.hasPrefix("features.") && name.hasSuffix(".weight")
        ? Int(name.dropFirst("features.".count).dropLast(".weight".count)) : nil
    }.sorted()
    var stages: [[FoldedConvolution]] = [[]]
    var inputs = 3
    var next = 0
    var norm: Int?
    for number in numbers where number != norm {
      guard number == next || number == next + 1 && !stages[stages.count - 1].isEmpty else {
        throw UserError(
          "\"features.\(number).weight\" has no place in a VGG", at: file.path,
          remedy: "give the weights of a VGG with torchvision's names")
      }
      if number > next { stages.append([]) }
      let isNormed = file.contains("features.\(number + 1).running_mean")
      norm = isNormed ? number + 1 : nil
      let layer = try FoldedConvolution(
        file, "features.\(number)", norm: norm.map { "features.\($0)" }, inputs: inputs)
      stages[stages.count - 1].append(layer)
      inputs = layer.outputs
      next = number + (isNormed ? 3 : 2)
    }
    guard stages.count <= 6 else {
      throw UserError(
        "\(stages.count) scales are more than a VGG has", at: file.path,
        remedy: "give the weights of a VGG with torchvision's names")
    }
    self.stages = stages
    self.size = size
    self.name = name ?? file.path
  }

  public var preprocessing: String {
    (size.map { "\($0)×\($0)" } ?? "\(Self.smallest)×\(Self.smallest) at least")
      + ", bilinear, standardised as for ImageNet"
  }

  /// Activations before each pooling: of five, the last four.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    var x = prepared(pictures)
    var maps: [Tensor] = []
    for (index, stage) in stages.enumerated() {
      if index > 0 { x = x.maxPooled(size: 2, stride: 2) }
      for layer in stage { x = layer(x).relu() }
      maps.append(x)
    }
    return maps.suffix(4)
  }

  /// Means of the last activation over all positions.
  public func vectors(_ pictures: Tensor) -> Tensor {
    let maps = maps(pictures)
    return maps[maps.count - 1].pooled
  }

  private func prepared(_ pictures: Tensor) -> Tensor {
    var x = pictures
    let height = size ?? max(x.shape[2], Self.smallest)
    let width = size ?? max(x.shape[3], Self.smallest)
    if x.shape[2] != height || x.shape[3] != width {
      x = x.resizedBilinearly(height: height, width: width)
    }
    let factor = Tensor(Self.deviation.map { 0.5 / $0 }, shape: [3, 1, 1])
    let term = Tensor(zip(Self.mean, Self.deviation).map { (0.5 - $0) / $1 }, shape: [3, 1, 1])
    return x.coloured * factor + term
  }
}
