import Foundation

/// What the figures of adversarial training say about its health.
///
/// The bounds are rules of thumb from runs on 16×16 pictures: healthy runs keep mean logits within
/// about ±0.5 and a twentieth of near duplicates.
struct AdversarialHealth {
  private let figures: [TrainingFigure]
  private let seen: Int

  /// Difference of the mean logits above which the generator learns little more.
  private static let wonGap = 4.0
  /// Difference below which the discriminator has not learned anything, after this many samples.
  private static let lostGap = 0.005
  private static let patience = 10_000
  private static let mostDuplicates = 0.5
  /// Share of the discriminator's gain over chance above which the penalty outweighs what it learns.
  private static let mostPenalty = 0.5
  /// Norm of a gradient that no healthy run has.
  private static let largestGradient = 1e4

  init(_ figures: [TrainingFigure], seen: Int) {
    self.figures = figures
    self.seen = seen
  }

  /// One line for each thing that looks wrong, with what usually helps.
  var advice: [String] {
    var lines: [String] = []
    if let share = figures["near_duplicates"], share > Self.mostDuplicates {
      lines.append(
        String(
          format:
            "warning: collapse: %.0f %% of the generated pictures are near duplicates; lower --learning-rate, "
            + "freeze more (--freeze 1) or go back to an earlier snapshot", 100 * share))
    }
    if let real = figures["real_logit"], let fake = figures["fake_logit"] {
      if real - fake > Self.wonGap {
        lines.append(
          String(
            format: "warning: the discriminator has won: mean logits %+.1f for real and %+.1f for "
              + "generated pictures; raise --gamma, add --augment or lower --discriminator-learning-rate",
            real, fake))
      } else if seen > Self.patience, abs(real - fake) < Self.lostGap {
        lines.append(
          String(
            format: "warning: the discriminator tells nothing apart: mean logits %+.3f and %+.3f; "
              + "raise --discriminator-learning-rate or give it --features", real, fake))
      }
    }
    if seen > Self.patience, let penalty = figures["penalty"],
      let gain = figures["discriminator_gain"],
      gain > 0, penalty > Self.mostPenalty * gain
    {
      lines.append(
        String(
          format:
            "warning: the penalty outweighs the loss: it is %.0f %% of what the discriminator "
            + "gains over chance; lower --gamma", 100 * penalty / gain))
    }
    for (key, whose) in [
      ("generator_gradient", "generator's"), ("discriminator_gradient", "discriminator's"),
    ] {
      if let norm = figures[key], norm > Self.largestGradient {
        lines.append(
          String(
            format:
              "warning: divergence: the \(whose) gradient has norm %.1e; lower its learning rate",
            norm
          ))
      }
    }
    return lines
  }
}
