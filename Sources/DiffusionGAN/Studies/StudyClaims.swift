import Foundation
import Reports
import TensorCore

/// The sentences that a study's results speak to: what its cells allow to be compared is compared.
///
/// All tests are t tests on differences and contrasts of means over seeds, with the spread between seeds
/// and the errors of measurement (`UncertainValue`). They are about other seeds of the same training,
/// given the networks that it begins from. Nothing here knows which way they fall. Cells whose residual
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

  private let results: StudyResults

  public init(_ results: StudyResults) { self.results = results }

  /// All sentences, not yet adjusted for their number.
  public var all: [Claim] { minima + freezing + ability + frequency }

  private var students: [StudyCell] {
    results.cells {
      $0.method == .gan && $0.network != Study.random && !results.checkpoints(of: $0).isEmpty
    }
  }

  // MARK: - (a) Minima

  private var minima: [Claim] {
    let distilled = results.cells {
      $0.method.isDistillation && !results.checkpoints(of: $0).isEmpty
    }
    let teachers = results.cells { $0.method == .teacher && !results.checkpoints(of: $0).isEmpty }
    guard !distilled.isEmpty || !teachers.isEmpty else { return [] }
    return students.flatMap { student -> [Claim] in
      var claims: [Claim] = []
      if !distilled.isEmpty, let images = results.commonBudget(of: [student] + distilled) {
        for space in results.spaces {
          claims += every(
            distilled, farther: .frechet, than: student, in: space, at: images,
            name: "closer-to-data",
            sentence:
              "The GAN-only student `\(student.name)` is closer to the data than every distilled "
              + "one at the same number of images, in \(words(space)).")
          guard let place = longestTeacher else { continue }
          claims += every(
            [student], farther: .toTeacher(place), than: distilled, in: space, at: images,
            name: "farther-from-teacher",
            sentence:
              "The GAN-only student `\(student.name)` is farther from its teacher's images than "
              + "every distilled one, in \(words(space)).")
        }
      }
      guard let teacher = teachers.max(by: { ($0.steps ?? 0) < ($1.steps ?? 0) }),
        let images = results.commonBudget(of: [student])
      else { return claims }
      for space in results.spaces {
        claims += below(.frechet, student, teacher, in: space, at: images)
      }
      if let space = results.spaces.first {
        claims += below(.recall, student, teacher, in: space, at: images)
      }
      return claims
    } + teacherTrend(distilled)
  }

  /// The teacher with the most steps, by its place in the study.
  private var longestTeacher: Int? {
    results.study.teachers.indices.max {
      results.study.teachers[$0].steps < results.study.teachers[$1].steps
    }
  }

  /// Whether a student is at least as good as a teacher.
  private func below(
    _ quantity: StudyQuantity, _ student: StudyCell, _ teacher: StudyCell, in space: String,
    at images: Int
  ) -> [Claim] {
    guard let ours = results.mean(quantity, in: space, of: student, at: images),
      let theirs = results.mean(quantity, in: space, of: teacher, at: 0)
    else { return [] }
    let isRecall = quantity == .recall
    let steps = teacher.steps ?? 0
    return [
      claim(
        .minima, "\(isRecall ? "recall" : "distance")-of-teacher-\(student.name)-\(space)",
        isRecall
          ? "The one-step student `\(student.name)` has at least the recall of its teacher in "
            + "\(steps) Heun steps, in \(words(space))."
          : "The one-step student `\(student.name)` is as close to the data as its teacher in "
            + "\(steps) Heun steps, or closer, in \(words(space)).",
        evidence: "\(isRecall ? "Recall" : "Distance") \(text(ours, quantity)) after "
          + "\(images) images, of the teacher \(text(theirs, quantity)).",
        isRecall ? ours - theirs : theirs - ours,
        samples: count(quantity, student, space, images))
    ]
  }

  /// Whether the distances of all of `others` are above that of `student`. Every single one has to be,
  /// so the largest p counts (intersection–union test, Berger 1982); that a sentence is contradicted
  /// takes one of them below, with Bonferroni's correction for choosing it.
  private func every(
    _ others: [StudyCell], farther quantity: StudyQuantity, than student: StudyCell,
    in space: String, at images: Int, name: String, sentence: String
  ) -> [Claim] {
    every(
      pairs: others.map { ($0, student) }, quantity, in: space, at: images,
      name: "\(name)-\(student.name)-\(space)", sentence: sentence)
  }

  private func every(
    _ student: [StudyCell], farther quantity: StudyQuantity, than others: [StudyCell],
    in space: String, at images: Int, name: String, sentence: String
  ) -> [Claim] {
    every(
      pairs: student.flatMap { student in others.map { (student, $0) } }, quantity, in: space,
      at: images, name: "\(name)-\(student.map(\.name).joined())-\(space)", sentence: sentence)
  }

  private func every(
    pairs: [(far: StudyCell, near: StudyCell)], _ quantity: StudyQuantity, in space: String,
    at images: Int, name: String, sentence: String
  ) -> [Claim] {
    let found = pairs.compactMap { pair -> (words: String, difference: UncertainValue)? in
      guard let far = results.mean(quantity, in: space, of: pair.far, at: images),
        let near = results.mean(quantity, in: space, of: pair.near, at: images)
      else { return nil }
      return (
        "`\(pair.far.name)` \(text(far, quantity)) against `\(pair.near.name)` "
          + "\(text(near, quantity))", far - near
      )
    }
    guard found.count == pairs.count, !found.isEmpty else { return [] }
    let negative = found.filter { $0.difference.estimate <= 0 }
    let decisive =
      negative.isEmpty
      ? found.max { key($0.difference) < key($1.difference) }
      : negative.min { key($0.difference) < key($1.difference) }
    guard let decisive else { return [] }
    let p = decisive.difference.pValue
    return [
      Claim(
        Topic.minima.rawValue, name: name, sentence: sentence,
        evidence: "After \(images) images: " + found.map(\.words).joined(separator: "; ") + ".",
        difference: decisive.difference.estimate,
        pValue: negative.isEmpty ? p : min(1, p * Double(found.count)),
        samples: pairs.map {
          min(
            count(quantity, $0.far, space, images), count(quantity, $0.near, space, images))
        }
        .min() ?? 0)
    ]
  }

  private func key(_ value: UncertainValue) -> Double { value.pValue.isNaN ? 2 : value.pValue }

  private func teacherTrend(_ distilled: [StudyCell]) -> [Claim] {
    guard let images = results.commonBudget(of: distilled) else { return [] }
    return StudyCell.Method.allCases.filter(\.isDistillation).flatMap { method -> [Claim] in
      let cells = distilled.filter { $0.method == method }
      guard Set(cells.map(\.steps)).count > 1 else { return [] }
      return results.spaces.flatMap { space in
        trend(
          .minima, "more-teacher-steps-\(method.name)-\(space)", cells, in: space,
          sentence:
            "Students of \(method.name) get closer to the data with more steps of their "
            + "teacher, in \(words(space)).",
          given: cells.contains(where: \.hasOnePool)
            ? "the teacher and the pool of its pictures that all seeds learn" : "the teacher",
          x: { log(Double(max($0.steps ?? 1, 1))) }, label: { "\($0.steps ?? 0) steps" },
          at: images)
      }
    }
  }

  // MARK: - (b) Freezing

  private var freezing: [Claim] {
    let all = results.cells {
      $0.method == .gan && !$0.hasDeadBranches && !results.checkpoints(of: $0).isEmpty
    }
    var claims: [Claim] = []
    for free in all where free.freezing == .none {
      for frozen in all
      where frozen.freezing != .none && frozen.network == free.network
        && frozen.pretraining == free.pretraining
      {
        guard let images = results.commonBudget(of: [free, frozen]) else { continue }
        let begins = free.network == Study.random ? "from random weights" : "from `\(free.network)`"
        for space in results.spaces {
          claims += smaller(
            frozen, than: free, in: space, at: images,
            name: "freezing-\(frozen.name)-\(free.name)-\(space)",
            sentence:
              "Starting \(begins), \(words(frozen.freezing)) reaches a smaller distance than "
              + "freezing nothing, in \(words(space)).")
        }
      }
    }
    for random in all where random.network == Study.random {
      for trained in all
      where trained.network != Study.random && trained.freezing == random.freezing {
        guard let images = results.commonBudget(of: [random, trained]),
          let space = results.spaces.first
        else { continue }
        claims += smaller(
          trained, than: random, in: space, at: images,
          name: "pretrained-over-random-\(trained.name)-\(random.name)",
          sentence:
            "With \(words(random.freezing)), starting from `\(trained.network)` reaches a smaller "
            + "distance than from random weights, in \(words(space)).")
      }
    }
    return claims
  }

  private func smaller(
    _ cell: StudyCell, than other: StudyCell, in space: String, at images: Int, name: String,
    sentence: String
  ) -> [Claim] {
    guard let ours = results.mean(.frechet, in: space, of: cell, at: images),
      let theirs = results.mean(.frechet, in: space, of: other, at: images)
    else { return [] }
    return [
      claim(
        .freezing, name, sentence,
        evidence: "After \(images) images \(text(ours, .frechet)) against "
          + "\(text(theirs, .frechet)).", theirs - ours,
        samples: min(
          count(.frechet, cell, space, images), count(.frechet, other, space, images)))
    ]
  }

  // MARK: - (c) Ability

  private var ability: [Claim] {
    let cells = results.cells {
      $0.method == .gan && $0.pretraining != nil && !$0.hasDeadBranches
        && !results.checkpoints(of: $0).isEmpty
    }
    guard Set(cells.map(\.pretraining)).count > 1,
      let images = results.commonBudget(of: cells)
    else { return [] }
    return results.spaces.flatMap { space in
      trend(
        .ability, "later-snapshots-\(space)", cells, in: space,
        sentence:
          "One-step students are closer to the data the more images the snapshot that they begin "
          + "from had seen, in \(words(space)).",
        given: "these snapshots, not over pretrainings",
        x: { log(1 + Double($0.pretraining ?? 0) / 1000) },
        label: { "\(($0.pretraining ?? 0) / 1000) thousand images" }, at: images)
    }
  }

  /// A falling trend of ln distance over `x`: the least-squares slope through the cells' means, as a
  /// contrast of these. The cells are what they are: its error is that of the means, over seeds, and
  /// says nothing of how other cells would lie about the line.
  private func trend(
    _ topic: Topic, _ name: String, _ cells: [StudyCell], in space: String, sentence: String,
    given: String, x: (StudyCell) -> Double, label: (StudyCell) -> String, at images: Int
  ) -> [Claim] {
    let logarithms = cells.map { cell in
      let values = results.values(.frechet, in: space, of: cell, at: images)
      return UncertainValue(
        values: values.map { log($0.value) },
        standardErrors: values.map { value in value.standardError.map { $0 / value.value } })
    }
    let mean = cells.reduce(0) { $0 + x($1) } / Double(cells.count)
    let spread = cells.reduce(0) { $0 + (x($1) - mean) * (x($1) - mean) }
    let fall = UncertainValue.combination(
      zip(cells, logarithms).map { (-(x($0) - mean) / spread, $1) })
    let means = cells.sorted { x($0) < x($1) }.compactMap { cell in
      results.mean(.frechet, in: space, of: cell, at: images).map {
        "\(text($0, .frechet)) with \(label(cell))"
      }
    }
    return [
      claim(
        topic, name, sentence,
        evidence: "After \(images) images the distance is " + means.joined(separator: ", ")
          + ". Over seeds of the students, given \(given).", fall,
        samples: cells.reduce(0) { $0 + count(.frechet, $1, space, images) })
    ]
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
        let reader = JSONReader(claim, place: "claims")
        func number(_ key: String) -> Double {
          (try? JSONReader(claim[key], place: reader.place).number()) ?? .nan
        }
        return Claim(
          Topic.frequency.rawValue, name: name, sentence: sentence, evidence: evidence,
          difference: number("difference"), pValue: number("p"), samples: images)
      }
    }
  }

  // MARK: - Words

  private func claim(
    _ topic: Topic, _ name: String, _ sentence: String, evidence: String,
    _ difference: UncertainValue, samples: Int
  ) -> Claim {
    Claim(
      topic.rawValue, name: name, sentence: sentence, evidence: evidence,
      difference: difference.estimate, pValue: difference.pValue, samples: samples)
  }

  private func count(
    _ quantity: StudyQuantity, _ cell: StudyCell, _ space: String, _ images: Int
  ) -> Int { results.values(quantity, in: space, of: cell, at: images).count }

  private func text(_ value: UncertainValue, _ quantity: StudyQuantity) -> String {
    value.interval().text(digits: quantity == .recall ? 3 : 2)
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
