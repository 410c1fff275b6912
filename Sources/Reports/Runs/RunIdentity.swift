import Foundation
import TensorCore

/// Comparing what decides the numbers of two runs.
public enum RunIdentity {
  /// A place where two identities differ.
  struct Difference {
    /// Keys from the outside in.
    let keys: [String]
    /// The values; nil where there is none.
    let theirs: JSONValue?
    let ours: JSONValue?

    /// In words: `probes.positions: digest differs`, or `seed is 0 there, 1 here`.
    var text: String {
      let name = keys.isEmpty ? "identity" : keys.joined(separator: ".")
      if case .string(let a) = theirs, case .string(let b) = ours, isDigest(a), isDigest(b) {
        return "\(name): digest differs"
      }
      return "\(name) is \(short(theirs)) there, \(short(ours)) here"
    }

    /// Whether the two differ only in which program computes, and on what.
    var isOfArithmetic: Bool { ["arithmetic", "version"].contains(keys.first) }

    private func isDigest(_ text: String) -> Bool {
      text.utf8.count == 64 && text.allSatisfy(\.isHexDigit)
    }

    private func short(_ value: JSONValue?) -> String {
      guard let text = value?.text else { return "absent" }
      return text.count <= 60 ? text : text.prefix(57) + "..."
    }
  }

  /// The value as it comes back from a file.
  ///
  /// - Throws: `UserError` where a key appears twice, which could be written but never read.
  static func canonical(_ value: JSONValue, place: String) throws -> JSONValue {
    do {
      return try JSONValue(parsing: Data(value.text.utf8), place: place)
    } catch let error as UserError {
      throw UserError(error.problem, at: place, remedy: "name each thing once")
    }
  }

  /// Where a run that is there first differs from the one that is wanted, in words; nil if it does not.
  public static func difference(ours: JSONValue, theirs: JSONValue) -> String? {
    differences(ours: ours, theirs: theirs).first?.text
  }

  /// Where the two differ, in the order of `ours`; the order of keys does not matter.
  static func differences(
    ours: JSONValue, theirs: JSONValue, keys: [String] = []
  ) -> [Difference] {
    guard case .object(let mine) = ours, case .object(let others) = theirs else {
      return ours == theirs ? [] : [Difference(keys: keys, theirs: theirs, ours: ours)]
    }
    let inOurs = mine.flatMap { key, value in
      others.first { $0.key == key }.map {
        differences(ours: value, theirs: $0.value, keys: keys + [key])
      } ?? [Difference(keys: keys + [key], theirs: nil, ours: value)]
    }
    return inOurs
      + others.filter { other in !mine.contains { $0.key == other.key } }
      .map { Difference(keys: keys + [$0.key], theirs: $0.value, ours: nil) }
  }
}
