import TensorCore

/// Cross-validated linear decoding of a target of two values, scored by forced choice between two
/// samples: which of the two has the value +1? Chance is one half.
///
/// Samples belong to groups, such as episodes, within which they are not independent. No group is
/// both trained and tested on, penalties are chosen within the training groups alone, and chance is
/// what remains when the targets of whole groups change sign together.
public struct ForcedChoice: Sendable {
  /// Groups that a decoder is fitted to and groups that it is tested on.
  public struct Fold: Sendable, Equatable {
    public let training: [Int]
    public let testing: [Int]

    public init(training: [Int], testing: [Int]) {
      precondition(Set(training).isDisjoint(with: testing), "a group is trained and tested on")
      self.training = training
      self.testing = testing
    }
  }

  /// Penalties as multiples of the mean of the training kernel's diagonal.
  public static let penalties = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10]

  /// Of each sample, +1 or −1.
  public let targets: [Double]
  /// Of each sample, counted from 0.
  public let groups: [Int]
  /// Of each group: penalties are chosen by leaving out one block of training groups after another.
  public let blocks: [Int]
  /// Samples of the targets +1 and −1 of one group.
  public let pairs: [(positive: Int, negative: Int)]
  public let folds: [Fold]

  public init(
    targets: [Double], groups: [Int], blocks: [Int],
    pairs: [(positive: Int, negative: Int)], folds: [Fold]
  ) {
    precondition(targets.count == groups.count)
    precondition(pairs.allSatisfy { groups[$0.positive] == groups[$0.negative] })
    self.targets = targets
    self.groups = groups
    self.blocks = blocks
    self.pairs = pairs
    self.folds = folds
  }

  /// Samples of a fold's training groups, and pairs of its testing ones.
  func members(of fold: Fold) -> (samples: [Int], pairs: [Int]) {
    let training = Set(fold.training)
    let testing = Set(fold.testing)
    return (
      groups.indices.filter { training.contains(groups[$0]) },
      pairs.indices.filter { testing.contains(groups[pairs[$0].positive]) }
    )
  }

  /// Training samples of one block each, as places among `samples`.
  func blocks(of samples: [Int]) -> [[Int]] {
    Dictionary(grouping: samples.indices) { blocks[groups[samples[$0]]] }
      .sorted { $0.key < $1.key }.map(\.value)
  }

  /// Entries of a kernel between samples.
  public static func part(_ kernel: [Double], _ count: Int, rows: [Int], columns: [Int]) -> [Double]
  {
    rows.flatMap { row in columns.map { kernel[row * count + $0] } }
  }

  public static func scale(_ kernel: [Double], _ samples: [Int], _ count: Int) -> Double {
    let sum = samples.reduce(0) { $0 + kernel[$1 * count + $1] }
    // Where every vector is zero any penalty will do.
    return sum > 0 ? sum / Double(samples.count) : 1
  }

  /// Whether the sample of the target +1 has the larger score, pair by pair: 1, 0, or ½ where the two
  /// differ by rounding alone; nil where a pair was not tested.
  public static func choices(_ differences: [Double?]) -> [Double?] {
    let tested = differences.compactMap(\.self)
    let size = (tested.reduce(0) { $0 + $1 * $1 } / Double(max(tested.count, 1))).squareRoot()
    return differences.map { difference in
      difference.map { $0.magnitude <= rounding * size ? 0.5 : $0 > 0 ? 1 : 0 }
    }
  }

  /// Differences so much smaller than others are none: activations are known to single precision.
  static let rounding = 1e-5
}

/// Outcomes of forced choices, pair by pair.
public struct ForcedChoiceOutcome: Sendable {
  /// 1, ½ or 0; nil for a pair that no fold tested.
  public let choices: [Double?]
  /// The group of each pair.
  public let groups: [Int]

  public init(choices: [Double?], groups: [Int]) {
    precondition(choices.count == groups.count)
    self.choices = choices
    self.groups = groups
  }

  /// The share of right choices of each group that was tested, in the groups' order.
  public var shares: [(group: Int, share: Double)] {
    var sums: [Int: (sum: Double, count: Int)] = [:]
    for (choice, group) in zip(choices, groups) {
      guard let choice else { continue }
      sums[group, default: (0, 0)].sum += choice
      sums[group, default: (0, 0)].count += 1
    }
    return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sum / Double($0.value.count)) }
  }

  /// The mean share with Student's interval over groups.
  public var accuracy: Interval { MeanInterval.student(shares.map(\.share)) }
}
