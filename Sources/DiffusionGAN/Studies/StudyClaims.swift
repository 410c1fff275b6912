import Foundation
import Reports
import TensorCore

/// The sentences that a study's results speak to: what its cells allow to be compared is compared. Which way
/// they fall is for `StudyStatistics` to say.
///
/// They are about other seeds of the same training, given the networks that it begins from. Cells whose residual
/// branches are off by construction are compared with nothing (`StudyCell.hasDeadBranches`).
public struct StudyClaims {
  /// What a sentence is about.
  public enum Topic: String, Sendable, CaseIterable {
    /// Students of a teacher beside students of the data alone.
    case minima
    case freezing
    case ability
    case frequency
  }

  /// How much of the data is drawn, by the one measure and by the other.
  private static let shares: [(String, StudyQuantity)] = [
    ("recall", .recall), ("coverage", .coverage),
  ]

  private let results: StudyResults
  private let statistics: StudyStatistics

  public init(_ results: StudyResults) {
    self.results = results
    statistics = StudyStatistics(results)
  }

  /// All sentences, not yet adjusted for their number.
  public var all: [Claim] { minima + freezing + ability + frequency }

  private func measured(_ isWanted: (StudyCell) -> Bool) -> [StudyCell] {
    results.cells { isWanted($0) && !results.checkpoints(of: $0).isEmpty }
  }

  private var distilled: [StudyCell] { measured(\.method.isDistillation) }

  // MARK: - (a) Minima

  private var minima: [Claim] {
    let teachers = measured { $0.method == .teacher }
    guard !distilled.isEmpty || !teachers.isEmpty else { return [] }
    let students = measured { $0.method == .gan && $0.network != Study.random }
    return students.flatMap { besideDistilled($0) + besideTeacher($0, teachers) } + teacherTrends
  }

  private func besideDistilled(_ student: StudyCell) -> [Claim] {
    guard !distilled.isEmpty, let images = results.commonBudget(of: [student] + distilled) else {
      return []
    }
    let longest = results.study.teachers.indices.max {
      results.study.teachers[$0].steps < results.study.teachers[$1].steps
    }
    return results.spaces.flatMap { space -> [Claim] in
      let closer = claim(
        .minima, "closer-to-data-\(student.name)-\(space)",
        "The GAN-only student `\(student.name)` is closer to the data than every distilled one at the "
          + "same number of images, in \(words(space)).",
        statistics.each(
          distilled.map { ($0, student) }, .frechet, in: space, at: images))
      let shares = Self.shares.flatMap { share, quantity in
        claim(
          .minima, "\(share)-\(student.name)-\(space)",
          "The GAN-only student `\(student.name)` has a higher \(share) than every distilled one at the "
            + "same number of images, in \(words(space)).",
          statistics.each(distilled.map { (student, $0) }, quantity, in: space, at: images))
      }
      let farther = longest.map { teacher in
        claim(
          .minima, "farther-from-teacher-\(student.name)-\(space)",
          "The GAN-only student `\(student.name)` is farther from its teacher's images than every "
            + "distilled one, in \(words(space)).",
          statistics.each(
            distilled.map { (student, $0) }, .toTeacher(teacher), in: space, at: images))
      }
      return closer + shares + (farther ?? [])
    }
  }

  /// In recall and coverage in the first space alone.
  private func besideTeacher(_ student: StudyCell, _ teachers: [StudyCell]) -> [Claim] {
    guard let teacher = teachers.max(by: { ($0.steps ?? 0) < ($1.steps ?? 0) }),
      let images = results.commonBudget(of: [student])
    else { return [] }
    let steps = "its teacher in \(teacher.steps ?? 0) Heun steps"
    return results.spaces.flatMap { space in
      claim(
        .minima, "distance-of-teacher-\(student.name)-\(space)",
        "The one-step student `\(student.name)` is as close to the data as \(steps), or closer, in "
          + "\(words(space)).",
        statistics.each([(teacher, student)], .frechet, in: space, at: images))
    }
      + results.spaces.prefix(1).flatMap { space in
        Self.shares.flatMap { share, quantity in
          claim(
            .minima, "\(share)-of-teacher-\(student.name)-\(space)",
            "The one-step student `\(student.name)` has at least the \(share) of \(steps), in "
              + "\(words(space)).",
            statistics.each([(student, teacher)], quantity, in: space, at: images))
        }
      }
  }

  private var teacherTrends: [Claim] {
    guard let images = results.commonBudget(of: distilled) else { return [] }
    return StudyCell.Method.allCases.filter(\.isDistillation).flatMap { method -> [Claim] in
      let cells = distilled.filter { $0.method == method }
      guard Set(cells.map(\.steps)).count > 1 else { return [] }
      return results.spaces.flatMap { space in
        claim(
          .minima, "more-teacher-steps-\(method.name)-\(space)",
          "Students of \(method.name) get closer to the data with more steps of their teacher, in "
            + "\(words(space)).",
          statistics.fall(
            over: [cells], in: space, at: images, x: { log(Double(max($0.steps ?? 1, 1))) },
            label: { "\($0.steps ?? 0) steps" }),
          over: "seeds of the students, given the teacher"
            + (cells.contains(where: \.hasOnePool)
              ? " and the pool of its pictures that all seeds learn" : ""))
      }
    }
  }

  // MARK: - (b) Freezing

  private var freezing: [Claim] {
    let all = measured { $0.method == .gan && !$0.hasDeadBranches }
    let levels = all.filter { $0.freezing == .none }.flatMap { free in
      all.filter {
        $0.freezing != .none && $0.network == free.network && $0.pretraining == free.pretraining
      }.flatMap { frozen -> [Claim] in
        guard let images = results.commonBudget(of: [free, frozen]) else { return [] }
        let start = free.network == Study.random ? "from random weights" : "from `\(free.network)`"
        return results.spaces.flatMap { space -> [Claim] in
          let closer = claim(
            .freezing, "freezing-\(frozen.name)-\(free.name)-\(space)",
            "Starting \(start), \(words(frozen.freezing)) reaches a smaller distance than freezing "
              + "nothing, in \(words(space)).",
            statistics.each([(free, frozen)], .frechet, in: space, at: images))
          return closer
            + Self.shares.flatMap { share, quantity in
              claim(
                .freezing, "freezing-\(share)-\(frozen.name)-\(free.name)-\(space)",
                "Starting \(start), \(words(frozen.freezing)) keeps a higher \(share) than freezing "
                  + "nothing, in \(words(space)).",
                statistics.each([(frozen, free)], quantity, in: space, at: images))
            }
        }
      }
    }
    let starts = all.filter { $0.network == Study.random }.flatMap { random in
      all.filter { $0.network != Study.random && $0.freezing == random.freezing }
        .flatMap { trained -> [Claim] in
          guard let images = results.commonBudget(of: [random, trained]),
            let space = results.spaces.first
          else { return [] }
          return claim(
            .freezing, "pretrained-over-random-\(trained.name)-\(random.name)",
            "With \(words(random.freezing)), starting from `\(trained.network)` reaches a smaller "
              + "distance than from random weights, in \(words(space)).",
            statistics.each([(random, trained)], .frechet, in: space, at: images))
        }
    }
    return levels + starts
  }

  // MARK: - (c) Ability

  private var ability: [Claim] {
    let cells = measured {
      $0.method == .gan && $0.pretraining != nil && !$0.hasDeadBranches
    }
    let runs = Dictionary(grouping: cells, by: \.run).sorted { ($0.key ?? "") < ($1.key ?? "") }
      .map(\.value).filter { Set($0.map(\.pretraining)).count > 1 }
    guard !runs.isEmpty, let images = results.commonBudget(of: cells) else { return [] }
    return results.spaces.flatMap { space in
      claim(
        .ability, "later-snapshots-\(space)",
        "One-step students are closer to the data the more images the snapshot that they begin from had "
          + "seen, in \(words(space)).",
        statistics.fall(
          over: runs, in: space, at: images, x: { log(1 + Double($0.pretraining ?? 0) / 1000) },
          label: { "\(($0.pretraining ?? 0) / 1000) thousand images" }),
        over: runs.count == 1
          ? "seeds of the students, given these snapshots, not over pretrainings"
          : "\(runs.count) pretrainings")
    }
  }

  // MARK: - (d) Frequency

  /// The sentences of frequency analyses, as they were tested over images.
  private var frequency: [Claim] {
    results.spectra.flatMap { _, summary -> [Claim] in
      guard case .array(let claims) = summary["claims"] else { return [] }
      return claims.compactMap { claim in
        guard case .string(let name) = claim["name"],
          case .string(let sentence) = claim["sentence"],
          case .string(let evidence) = claim["evidence"],
          case .integer(let images) = claim["images"]
        else { return nil }
        func number(_ key: String) -> Double {
          (try? JSONReader(claim[key], place: "claims").number()) ?? .nan
        }
        return Claim(
          Topic.frequency.rawValue, name: name, sentence: sentence, evidence: evidence,
          difference: number("difference"), pValue: number("p"), samples: images)
      }
    }
  }

  // MARK: - Words

  /// The sentence with what was found; nothing where nothing was measured.
  private func claim(
    _ topic: Topic, _ name: String, _ sentence: String, _ found: StudyStatistics.Finding?,
    over population: String? = nil
  ) -> [Claim] {
    guard let found else { return [] }
    return [
      Claim(
        topic.rawValue, name: name, sentence: sentence,
        evidence: found.words + (population.map { " Over \($0)." } ?? ""),
        difference: found.difference, pValue: found.pValue, samples: found.samples)
    ]
  }

  private func words(_ space: String) -> String {
    space == StudyEvaluation.pixels ? "raw pixels" : "the features of \(space)"
  }

  private func words(_ freezing: Freezing) -> String {
    switch freezing {
    case .none: "freezing nothing"
    case .convolutions: "freezing level 1"
    case .attention: "freezing level 2"
    case .skips: "freezing level 3"
    case .allButNormsAndAffines: "training norms and affine layers only"
    case .patterns(let patterns): "freezing `\(patterns.joined(separator: ","))`"
    }
  }
}
