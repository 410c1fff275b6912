import TensorCore

/// A network that learns, with its optimiser, and the one step that every training here is made of.
public struct Learner: Sendable {
  public internal(set) var weights: Parameters
  public internal(set) var optimiser: Adam

  /// - Parameter isTrained: whether training changes a weight, by its name.
  init(
    _ weights: Parameters, settings: Adam.Settings, isTrained: (String) -> Bool = { _ in true }
  ) {
    self.weights = weights
    optimiser = Adam(weights.filter(isTrained), settings: settings)
  }

  init(_ weights: Parameters, optimiser: Adam) {
    self.weights = weights
    self.optimiser = optimiser
  }

  /// The weights that training changes; the others cost neither a gradient nor the activations it would need.
  public var trainable: Parameters { weights.filter(optimiser.means.contains) }

  /// What a step did.
  public struct Step: Sendable {
    public let loss: Float
    /// Global norm of the gradient, before it is clipped.
    public let norm: Float
    /// Learning rate that the step was taken with.
    public let rate: Float
  }

  /// What is done to gradients before the optimiser sees them.
  struct Care: Sendable {
    /// Largest global norm.
    var norm: Float = .infinity
    /// Whether NaN and infinities are replaced, as in the EDM code, or end the run.
    var replacesNotFinite = false
  }

  /// One step down a gradient.
  ///
  /// - Parameters:
  ///   - found: a loss and its gradients by `trainable`, of the whole batch.
  ///   - seen: samples before this step.
  ///   - what: the loss as messages call it, and what to do where it diverges.
  /// - Throws: `Divergence` for a loss or a gradient that is not finite, before anything is changed.
  @discardableResult
  mutating func step(
    _ found: BatchLoss<Parameters, some Sendable>, rate: Float, seen: Int, of what: String = "",
    advice: String = Divergence.lowerRate, care: Care = Care()
  ) throws -> Step {
    let loss = found.value[0]
    guard loss.isFinite else {
      throw Divergence(
        "diverged: the \(what)loss is not finite after \(seen) images", advice)
    }
    var gradients = found.gradient
    if care.replacesNotFinite {
      gradients = gradients.replacingNotFinite()
    } else if let name = gradients.firstNotFinite {
      throw Divergence(
        "diverged: the \(what)gradient of \"\(name)\" is not finite after \(seen) images", advice)
    }
    let norm: Float
    (gradients, norm) = gradients.clipped(toNorm: care.norm)
    optimiser.step(&weights, gradients: gradients, rate: rate)
    return Step(loss: loss, norm: norm, rate: rate)
  }
}
