import TensorCore

/// Pretraining on a set of pictures.
public struct PretrainingRun: ResumableTraining {
  public private(set) var pretraining: Pretraining
  private let source: any PictureSource

  public init(_ pretraining: Pretraining, on source: any PictureSource) {
    self.pretraining = pretraining
    self.source = source
  }

  public var seen: Int { pretraining.seen }

  public mutating func step() throws -> [TrainingFigure] {
    let done = try pretraining.step(source)
    return [
      TrainingFigure("loss", Double(done.loss)), TrainingFigure("gradient", Double(done.norm)),
      TrainingFigure("learning_rate", Double(done.rate)),
    ]
  }

  public func save(to path: String) throws { try pretraining.save(to: path) }

  static let advice = Divergence.lookAtData

  public func check(_ figures: [TrainingFigure]) throws {
    try Divergence.check(figures, seen: seen, advice: Self.advice)
  }

  /// The averaged weights, and a grid of what they draw.
  public func writeSnapshot(in directory: TrainingDirectory) throws {
    let network = NetworkFile(pretraining.denoiser, weights: pretraining.average.weights)
    let pictures = try SeededSampling(network)((0..<64).map { UInt64($0) })
    try Divergence.check(pictures: pictures, seen: seen, advice: Self.advice)
    try network.write(to: directory.file("snapshot", seen: seen, "safetensors"))
    let path = directory.file("fakes", seen: seen, "png")
    try PictureGrid.picture(of: pictures, place: path).write(to: path)
  }
}
