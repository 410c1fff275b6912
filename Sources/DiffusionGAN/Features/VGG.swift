import TensorCore

/// The convolutions of a VGG (Simonyan & Zisserman 2015) with torchvision's names, with or without
/// batch normalisation; depth and widths are those of the file.
///
/// Pictures are taken at their own size, but enlarged to 32 pixels at least, and standardised as for
/// ImageNet.
public struct VGG: FeatureNetwork {
  public let name: String
  /// Convolutions between two poolings.
  private let stages: [[FoldedConvolution]]

  private static let smallest = 32
  /// Of ImageNet, for values in 0…1.
  private static let mean: [Float] = [0.485, 0.456, 0.406]
  private static let deviation: [Float] = [0.229, 0.224, 0.225]

  /// Whether a file has the names of a VGG.
  static func isTold(by file: any ArrayFile) -> Bool {
    (try? file.shape(of: "features.0.weight"))?.count == 4
  }

  /// - Throws: `UserError` naming file and array.
  init(_ file: any ArrayFile) throws {
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
    name = file.path
  }

  public var preprocessing: String {
    "\(Self.smallest)×\(Self.smallest) at least, bilinear, standardised as for ImageNet"
  }

  /// Activations before each pooling: of five, the last four.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    var x = Self.prepared(pictures)
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

  private static func prepared(_ pictures: Tensor) -> Tensor {
    var x = pictures
    let (height, width) = (max(x.shape[2], smallest), max(x.shape[3], smallest))
    if x.shape[2] != height || x.shape[3] != width {
      x = x.resizedBilinearly(height: height, width: width)
    }
    let factor = Tensor(deviation.map { 0.5 / $0 }, shape: [3, 1, 1])
    let term = Tensor(zip(mean, deviation).map { (0.5 - $0) / $1 }, shape: [3, 1, 1])
    return x.coloured * factor + term
  }
}
