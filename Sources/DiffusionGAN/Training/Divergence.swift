import Foundation
import TensorCore

/// Training has come to where more steps do not help: its numbers have left every scale, nothing is
/// learned any more, or all pictures are one.
///
/// An error of its own, so that a study can pass over a learning rate that leads here.
public struct Divergence: Error, CustomStringConvertible, Equatable {
  /// What was seen, as a clause.
  public let finding: String
  /// What to do about it, beside going back.
  public let advice: String
  /// The run's folder, and images of the last saved state; nil without one.
  public var place: String?
  public var saved: Int?

  /// Losses are about 1 and below, those of discriminators below 100.
  private static let largestLoss = 1e6
  private static let largestGradient = 1e8
  /// Deviation of pictures from one another, on the scale −1…1, below which they are one picture
  /// but for rounding.
  private static let leastSpread = 0.005
  /// Before so many images a student still draws the teacher's picture of nothing but noise, which
  /// is the mean of the data.
  private static let patience = 10_000

  init(_ finding: String, _ advice: String) {
    self.finding = finding
    self.advice = advice
  }

  public var description: String {
    let kept =
      saved.map { "the state of \($0) images is kept" } ?? "no state has been saved yet"
    return UserError(finding, at: place, remedy: "\(kept); \(advice)").description
  }

  static let lowerRate = "begin anew with a lower --learning-rate and another --out"
  /// Where the learning rate of the preset is not to blame.
  static let lookAtData =
    "look at the data (onestep data inspect), or begin anew with a lower --learning-rate"

  /// - Parameter figures: means of a tick: losses end in `loss`, the norms of the gradients of what
  ///   draws are `gradient` or `generator_gradient`.
  /// - Throws: `Divergence` where they are what no run comes back from.
  static func check(_ figures: [TrainingFigure], seen: Int, advice: String = lowerRate) throws {
    for figure in figures {
      let name = figure.name.replacing("_", with: " ")
      // Of a single loss it is what clipping and replacing what is not finite make of it.
      let isGradient = figure.name.hasSuffix("_gradient")
      if figure.name.hasSuffix("loss") || isGradient,
        abs(figure.value) > (isGradient ? largestGradient : largestLoss)
      {
        throw Divergence(
          String(format: "diverged: the \(name) is %.1e after \(seen) images", figure.value),
          advice)
      }
      if figure.name == "gradient" || figure.name == "generator_gradient", figure.value == 0 {
        throw Divergence(
          "diverged: the \(name) is 0 after \(seen) images, so nothing more is learned", advice)
      }
    }
  }

  /// - Parameter pictures: `[n, channels, height, width]`.
  /// - Throws: `Divergence` where they are one picture, late enough in training.
  static func check(pictures: Tensor, seen: Int, advice: String = lowerRate) throws {
    guard seen >= patience, pictures.shape[0] > 1,
      PictureSpread.deviation(of: pictures) < leastSpread
    else { return }
    throw Divergence(
      "collapsed: all \(pictures.shape[0]) pictures drawn after \(seen) images are one picture",
      advice)
  }
}
