import Foundation
import TensorCore

/// An experiment as data: `probes/NAME.json`.
public struct Probe: Sendable, Equatable {
  /// Which positions of a prompt are patched together.
  public enum PositionGroup: String, Sendable, CaseIterable {
    /// The last token of every demonstration's answer.
    case answers
    /// The last token of every demonstration's input: as many positions, a control.
    case inputs
    /// The last token of the prompt.
    case last
  }

  /// Where patched activations come from.
  public enum Donor: String, Sendable, CaseIterable {
    /// The episode's own run under its rule.
    case clean
    /// The same rule, but each slot holds an item of the other class: labels as in the flipped
    /// prompt, so that copying a label and following the rule predict opposite answers.
    case swappedSlots = "swapped-slots"
  }

  /// Which run is patched with which.
  public enum Direction: String, Sendable, CaseIterable {
    /// Sufficiency: do the donor's activations bring its rule?
    case donorIntoRecipient = "donor-into-recipient"
    /// Necessity: does the donor's run lose its rule with the recipient's activations?
    case recipientIntoDonor = "recipient-into-donor"
  }

  /// Recipient of a global vector.
  public enum Recipient: String, Sendable, CaseIterable {
    case zeroShot = "zero-shot"
    case dummyDemonstrations = "dummy-demonstrations"
  }

  public enum Layers: Sendable, Equatable {
    case all
    case some([Int])

    func resolved(layers: Int) -> [Int] {
      switch self {
      case .all: Array(0..<layers)
      case .some(let list): list
      }
    }
  }

  /// A layer, or how development episodes choose it.
  public enum LayerChoice: Sendable, Equatable {
    case fixed(Int)
    /// The layer at which `positions` recover most on `episodes` development episodes.
    case development(donor: Donor, positions: PositionGroup, episodes: Int)
  }

  public enum Experiment: Sendable, Equatable {
    /// Position groups, each patched together, layer by layer.
    case layerSweep(donor: Donor, positions: [PositionGroup], layers: Layers)
    /// The mean last-position residual of `donors` other episodes of the same rule, put into prompts
    /// without demonstrations; `controls` are knowledge tasks that show that the method can work.
    case globalVector(
      donors: Int, recipients: [Recipient], layers: Layers, controls: [String],
      development: Int)
    /// At one layer: each answer position alone, all but one, and `subsets` random choices of every
    /// other number.
    case aggregation(donor: Donor, layer: LayerChoice, subsets: Int, directions: [Direction])
  }

  public let name: String
  public let title: String
  /// The question that the experiment answers.
  public let question: String
  public let experiment: Experiment
  /// SHA-256 of the file.
  public let digest: String
  /// The file, for messages.
  public let place: String

  /// Reads `path`.
  public init(contentsOf path: String) throws {
    let data = try Files.read(path)
    try self.init(
      JSONReader(try JSONValue(parsing: data, place: path), place: path),
      digest: SHA256.hash(of: data))
    let file = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    guard file == name else {
      throw UserError(
        "the probe is called \"\(name)\" in a file called \"\(file)\"", at: path,
        remedy: "use one name for both")
    }
  }

  /// Reads a probe by name from `folder`, or by path.
  public init(named name: String, in folder: String) throws {
    guard !name.contains("/"), !name.hasSuffix(".json") else {
      try self.init(contentsOf: name)
      return
    }
    let known = try Self.names(in: folder)
    guard known.contains(name) else {
      throw UserError(
        "no probe is called \"\(name)\"", at: folder,
        remedy: "known are: \(known.joined(separator: ", "))", status: .usage)
    }
    try self.init(contentsOf: "\(folder)/\(name).json")
  }

  /// Names of the probes in `folder`, sorted.
  public static func names(in folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    } catch {
      throw UserError(
        "the folder of probes cannot be read", at: folder,
        remedy: "run in the project's folder, or name a probe's file")
    }
  }
}
