import TensorCore

/// A network that learns, with its optimiser.
struct Learner: Sendable {
  var weights: Parameters
  var optimiser: Adam

  var trainable: Parameters { weights.filter(optimiser.means.contains) }
}
