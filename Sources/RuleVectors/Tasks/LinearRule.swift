/// y = factor · x + offset, in whole numbers.
public struct LinearRule: Sendable, Equatable {
  public let factor: Int
  public let offset: Int

  func callAsFunction(_ x: Int) -> Int { factor * x + offset }

  /// The answer to a number as it stands in a prompt; nil for what is no number.
  func callAsFunction(_ text: String) -> String? { Int(text).map { String(self($0)) } }
}

extension RuleTask.Numbers {
  /// Every rule that can be drawn, in the order of the file.
  var rules: [LinearRule] {
    factors.flatMap { factor in offsets.map { LinearRule(factor: factor, offset: $0) } }
  }

  /// The rules that answer no input as `rule` does.
  func rules(apartFrom rule: LinearRule) -> [LinearRule] {
    rules.filter { other in inputs.allSatisfy { rule($0) != other($0) } }
  }
}
