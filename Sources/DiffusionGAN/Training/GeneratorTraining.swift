import TensorCore

/// Training of a network that draws.
public protocol GeneratorTraining: ResumableTraining {
  /// The network so far, of the averaged weights.
  var generator: NetworkFile { get }

  /// How it draws a grid to look at.
  var sampler: Sampler { get }

  /// What to do where all its pictures are one; nil where they may be.
  var collapseRemedy: String? { get }
}

extension GeneratorTraining {
  public var sampler: Sampler { Sampler() }
  public var collapseRemedy: String? { remedy }

  /// The network, and a grid of what it draws.
  public func writeSnapshot(in directory: TrainingDirectory) throws {
    let generator = generator
    let pictures = try SeededSampling(generator, sampler: sampler)((0..<64).map { UInt64($0) })
    if let remedy = collapseRemedy {
      try Divergence.check(pictures: pictures, seen: seen, advice: remedy)
    }
    try generator.write(to: directory.file("snapshot", seen: seen, "safetensors"))
    let path = directory.file("fakes", seen: seen, "png")
    try PictureGrid.picture(of: pictures, place: path).write(to: path)
  }
}
