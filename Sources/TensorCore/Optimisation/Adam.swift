import Glibc

/// Adam (Kingma & Ba 2015), and AdamW (Loshchilov & Hutter 2019) where `weightDecay` is not 0.
public struct Adam: Sendable {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var beta1: Double = 0.9
    public var beta2: Double = 0.999
    /// Added to the square root.
    public var epsilon: Float = 1e-8
    /// Share of a weight that is taken away at each step, times the learning rate.
    public var weightDecay: Float = 0

    public init(
      beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0
    ) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }
  }

  public var settings: Settings
  /// Steps taken.
  public private(set) var steps: Int
  /// Running means of gradients and of their squares, without correction of the bias.
  public private(set) var means: Parameters
  public private(set) var squares: Parameters

  /// An optimiser that has taken no step yet.
  public init(_ parameters: Parameters, settings: Settings = Settings()) {
    let zeros = parameters.mapTensors { Tensor(zeros: $0.shape) }
    self.init(settings: settings, steps: 0, means: zeros, squares: zeros)
  }

  /// An optimiser as it was when saved.
  public init(settings: Settings, steps: Int, means: Parameters, squares: Parameters) {
    self.settings = settings
    self.steps = steps
    self.means = means
    self.squares = squares
  }

  /// One step: `p −= rate · m̂ / (√v̂ + ε)` for every parameter that has a gradient.
  public mutating func step(
    _ parameters: inout Parameters, gradients: Parameters, rate: Float
  ) {
    steps += 1
    let corrections = (
      1 - pow(settings.beta1, Double(steps)), (1 - pow(settings.beta2, Double(steps))).squareRoot()
    )
    // 1 − β is taken in f64: of 0.999 in f32 it would have five digits.
    let update = Update(
      beta1: Float(settings.beta1), share1: Float(1 - settings.beta1),
      beta2: Float(settings.beta2), share2: Float(1 - settings.beta2), epsilon: settings.epsilon,
      decay: 1 - rate * settings.weightDecay, size: Float(Double(rate) / corrections.0),
      correction: Float(1 / corrections.1))
    for (name, gradient) in gradients.pairs {
      parameters.update(name) { parameter in
        means.update(name) { mean in
          squares.update(name) { square in
            update.apply(to: &parameter, mean: &mean, square: &square, gradient)
          }
        }
      }
    }
  }
}

/// A step's numbers, and what they do to a tensor.
private struct Update: Sendable {
  let beta1: Float
  let share1: Float
  let beta2: Float
  let share2: Float
  let epsilon: Float
  let decay: Float
  let size: Float
  let correction: Float

  func apply(
    to parameter: inout Tensor, mean: inout Tensor, square: inout Tensor, _ gradient: Tensor
  ) {
    precondition(
      parameter.shape == gradient.shape,
      "Adam: a parameter of shape \(parameter.shape) has a gradient of shape \(gradient.shape)")
    let count = parameter.count
    let source = gradient.storage
    parameter.withMutablePointer { p in
      mean.withMutablePointer { m in
        square.withMutablePointer { v in
          let (p, m) = (MatrixView(p, stride: 0), MatrixView(m, stride: 0))
          let v = MatrixView(v, stride: 0)
          Compute.pool.forEachRange(of: count, grain: Compute.grain) { range in
            let start = range.lowerBound
            let g = source.pointer + start
            let (p, m, v) = (p.pointer + start, m.pointer + start, v.pointer + start)
            mapLanes(m, g, count: range.count, into: m) { $0 * beta1 + $1 * share1 }
            mapLanes(v, g, count: range.count, into: v) { $0 * beta2 + $1 * $1 * share2 }
            var index = 0
            while index + 8 <= range.count {
              let deviation = v.lanes(index).squareRoot() * correction + epsilon
              p.store(p.lanes(index) * decay - m.lanes(index) / deviation * size, index)
              index += 8
            }
            while index < range.count {
              let deviation = v[index].squareRoot() * correction + epsilon
              p[index] = p[index] * decay - m[index] / deviation * size
              index += 1
            }
          }
        }
      }
    }
  }
}
