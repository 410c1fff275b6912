import TensorCore

/// Random changes to all pictures that the discriminator sees, real and generated, through which
/// gradients flow (Zhao et al. 2020, DiffAugment).
public struct Augmentation: Sendable, Equatable {
  public enum Operation: String, Sendable, CaseIterable {
    /// Brightness and contrast, and saturation where there are colours.
    case colour
    /// Moves by up to an eighth of the side, rounded; what comes in is 0.
    case translation
    /// A square of half the side, set to 0.
    case cutout
  }

  public var operations: [Operation]
  /// The share of positive signs of real logits that the probability is steered to, and how many
  /// pictures it takes to go from 0 to 1 (Karras et al. 2020, ADA); nil for probability 1 throughout.
  public var adaptive: (target: Double, pictures: Double)?

  public init(_ operations: [Operation], adaptive: (target: Double, pictures: Double)? = nil) {
    self.operations = operations
    self.adaptive = adaptive
  }

  public static func == (a: Augmentation, b: Augmentation) -> Bool {
    a.operations == b.operations && a.adaptive?.target == b.adaptive?.target
      && a.adaptive?.pictures == b.adaptive?.pictures
  }

  /// The next probability, after a batch whose real logits were positive with mean sign `sign`.
  func adapted(_ probability: Double, sign: Double, batch: Int) -> Double {
    guard let adaptive else { return probability }
    let step = Double(batch) / adaptive.pictures
    return min(max(probability + (sign > adaptive.target ? step : -step), 0), 1)
  }

  /// - Parameters:
  ///   - probability: of each operation for each picture.
  ///   - streams: one for each picture.
  func callAsFunction(_ x: Tensor, probability: Double, _ streams: [RandomStream]) -> Tensor {
    var streams = streams
    var x = x
    for operation in operations {
      // Drawn for every picture, so that the others' numbers do not depend on who is changed.
      let isChanged = streams.indices.map { Double(streams[$0].uniform()) < probability }
      func numbers(_ neutral: Float, _ value: (Float) -> Float) -> Tensor {
        Tensor(
          streams.indices.map {
            let number = value(streams[$0].uniform())
            return isChanged[$0] ? number : neutral
          }, shape: [streams.count, 1, 1, 1])
      }
      switch operation {
      case .colour:
        x = x + numbers(0) { $0 - 0.5 }
        if x.shape[1] == 3 {
          let mean = x.mean(over: [1])
          x = (x - mean) * numbers(1) { 2 * $0 } + mean
        }
        let mean = x.mean(over: [1, 2, 3])
        x = (x - mean) * numbers(1) { $0 + 0.5 } + mean
      case .translation:
        let reach = max((min(x.shape[2], x.shape[3]) + 4) / 8, 1)
        let moves = streams.indices.map { index in
          let move = (
            streams[index].integer(below: 2 * reach + 1) - reach,
            streams[index].integer(below: 2 * reach + 1) - reach
          )
          return isChanged[index] ? move : (0, 0)
        }
        x = Tensor.concatenated(
          moves.enumerated().map { index, move in
            x.slice(0, index..<index + 1).moved(2, by: move.0).moved(3, by: move.1)
          }, 0)
      case .cutout: x = x * cutout(x.shape, isChanged, &streams)
      }
    }
    return x
  }

  /// 0 inside a random square of half the side, which may reach over the border, and 1 elsewhere.
  private func cutout(
    _ shape: [Int], _ isChanged: [Bool], _ streams: inout [RandomStream]
  ) -> Tensor {
    let (height, width) = (shape[2], shape[3])
    var mask = [Float](repeating: 1, count: shape[0] * height * width)
    for index in streams.indices {
      let top = streams[index].integer(below: height + 1) - height / 4
      let left = streams[index].integer(below: width + 1) - width / 4
      guard isChanged[index] else { continue }
      for row in max(top, 0)..<max(min(top + height / 2, height), max(top, 0)) {
        for column in max(left, 0)..<max(min(left + width / 2, width), max(left, 0)) {
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
