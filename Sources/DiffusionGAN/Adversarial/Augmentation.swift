import TensorCore

/// Random changes to all pictures that the discriminator sees, real and generated, through which
/// gradients flow (Zhao et al. 2020, DiffAugment).
public struct Augmentation: Sendable, Equatable {
  public enum Operation: String, Sendable, CaseIterable {
    /// Brightness and contrast, and saturation where there are colours.
    case colour
    /// Moves by up to an eighth of each side, rounded; what comes in is 0.
    case translation
    /// A rectangle of half the sides, set to 0. (StyleGAN-XL's copy has a fifth; GDD's training none.)
    case cutout
  }

  /// The mean sign of real logits that the probability is steered to (Karras et al. 2020, ADA).
  private static let target = 0.6

  public var operations: [Operation]
  /// How many pictures the probability takes to go from 0 to 1; nil for probability 1 throughout.
  public var adaptive: Double?

  init(_ operations: [Operation], adaptive: Double? = nil) {
    self.operations = operations
    self.adaptive = adaptive
  }

  /// The next probability, after a batch whose real logits were positive with mean sign `sign`.
  func adapted(_ probability: Double, sign: Double, batch: Int) -> Double {
    guard let adaptive else { return probability }
    let step = Double(batch) / adaptive
    return min(max(probability + (sign > Self.target ? step : -step), 0), 1)
  }

  /// - Parameters:
  ///   - probability: of each operation for each picture.
  ///   - streams: one for each picture.
  func callAsFunction(_ x: Tensor, probability: Double, _ streams: [RandomStream]) -> Tensor {
    var streams = streams
    return operations.reduce(x) { pictures, operation in
      Change(operation, of: pictures.shape, probability: probability, &streams)(pictures)
    }
  }
}

/// What an operation does to each picture of a batch.
enum Change {
  /// x + brightness − ½, then differences from the pixel's mean over channels by 2 · saturation, then those from the
  /// picture's mean by contrast + ½; one uniform number each.
  case colour(brightness: [Float], saturation: [Float], contrast: [Float])
  /// Rows and columns by which a picture moves down and right.
  case translation([(rows: Int, columns: Int)])
  /// Where the middle of the square is; nil without one.
  case cutout([(row: Int, column: Int)?])

  /// Drawn for every picture, so that the others' numbers do not depend on who is changed.
  ///
  /// - Parameters:
  ///   - shape: `[batch, channels, height, width]`.
  ///   - streams: one for each picture.
  init(
    _ operation: Augmentation.Operation, of shape: [Int], probability: Double,
    _ streams: inout [RandomStream]
  ) {
    let (height, width) = (shape[2], shape[3])
    let isChanged = streams.indices.map { Double(streams[$0].uniform()) < probability }
    func numbers(neutral: Float) -> [Float] {
      streams.indices.map {
        let number = streams[$0].uniform()
        return isChanged[$0] ? number : neutral
      }
    }
    /// One number of 0 ..< bound for each axis.
    func places(_ rows: Int, _ columns: Int) -> [(Int, Int)] {
      streams.indices.map {
        (streams[$0].integer(below: rows), streams[$0].integer(below: columns))
      }
    }
    switch operation {
    case .colour:
      let brightness = numbers(neutral: 0.5)
      let saturation =
        shape[1] == 3 ? numbers(neutral: 0.5) : [Float](repeating: 0.5, count: streams.count)
      self = .colour(
        brightness: brightness, saturation: saturation, contrast: numbers(neutral: 0.5))
    case .translation:
      let (rows, columns) = ((height + 4) / 8, (width + 4) / 8)
      self = .translation(
        zip(places(2 * rows + 1, 2 * columns + 1), isChanged).map { place, isChanged in
          isChanged ? (place.0 - rows, place.1 - columns) : (0, 0)
        })
    case .cutout:
      let square = Self.square(of: shape)
      self = .cutout(
        zip(
          places(height + 1 - square.height % 2, width + 1 - square.width % 2), isChanged
        ).map { place, isChanged in isChanged ? place : nil })
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .colour(let brightness, let saturation, let contrast):
      func each(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count, 1, 1, 1]) }
      var x = x + each(brightness.map { $0 - 0.5 })
      if x.shape[1] == 3 {
        let mean = x.mean(over: [1])
        x = (x - mean) * each(saturation.map { 2 * $0 }) + mean
      }
      let mean = x.mean(over: [1, 2, 3])
      return (x - mean) * each(contrast.map { $0 + 0.5 }) + mean
    case .translation(let moves):
      return Tensor.concatenated(
        moves.enumerated().map { index, move in
          x.slice(0, index..<index + 1).moved(2, by: move.rows).moved(3, by: move.columns)
        }, 0)
    case .cutout(let middles): return x * Self.mask(middles, x.shape)
    }
  }

  /// Half the sides, rounded.
  private static func square(of shape: [Int]) -> (height: Int, width: Int) {
    ((shape[2] + 1) / 2, (shape[3] + 1) / 2)
  }

  /// 0 inside the squares, as far as they lie in the picture, and 1 elsewhere.
  private static func mask(_ middles: [(row: Int, column: Int)?], _ shape: [Int]) -> Tensor {
    let (height, width) = (shape[2], shape[3])
    let square = square(of: shape)
    var mask = [Float](repeating: 1, count: shape[0] * height * width)
    for (index, middle) in middles.enumerated() {
      guard let middle else { continue }
      let (top, left) = (middle.row - square.height / 2, middle.column - square.width / 2)
      for row in (top..<top + square.height).clamped(to: 0..<height) {
        for column in (left..<left + square.width).clamped(to: 0..<width) {
          mask[(index * height + row) * width + column] = 0
        }
      }
    }
    return Tensor(mask, shape: [shape[0], 1, height, width])
  }
}

extension Tensor {
  /// Moved along `axis`, with zeros where nothing was.
  fileprivate func moved(_ axis: Int, by steps: Int) -> Tensor {
    guard steps != 0 else { return self }
    let length = shape[axis]
    return steps > 0
      ? slice(axis, 0..<length - steps).padded(axis, before: steps, after: 0)
      : slice(axis, -steps..<length).padded(axis, before: 0, after: -steps)
  }
}
