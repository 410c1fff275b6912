import Foundation
import TensorCore

/// A line of `metric-NAME.jsonl`: StyleGAN's keys, and behind them what says which images and
/// features the values are of.
public enum MetricRecord {
  /// - Parameters:
  ///   - seconds: that it took, drawing and features included.
  ///   - timestamp: seconds since 1970.
  ///   - network: the network's file; nil for images that were given.
  ///   - folder: what the network's path is told from; as it was given if nil.
  ///   - names: what the generated images and the training images are called.
  ///   - features: where they come from.
  ///   - deviations: what keeps the values from being compared with published ones.
  public static func json(
    _ metric: NamedMetric, _ figures: NamedMetric.Figures, seconds: Double, timestamp: Double,
    network: String?, from folder: String?, names: (generated: String, reference: String),
    seed: UInt64, features: any FeatureNetwork, deviations: [String]
  ) -> JSONValue {
    let snapshot = network.map { network in folder.map { path(network, from: $0) } ?? network }
    return [
      "results": .object(figures.results.map { (key: $0.name, value: .number($0.value)) }),
      "metric": .string(metric.rawValue), "total_time": .number(seconds),
      "total_time_str": .string(text(ofSeconds: seconds)), "num_gpus": 0,
      "snapshot_pkl": snapshot.map(JSONValue.string) ?? .null, "timestamp": .number(timestamp),
      "standard_error": figures.standardError.map(JSONValue.number) ?? .null,
      "features": .string(features.name), "preprocessing": .string(features.preprocessing),
      "generated": ["from": .string(names.generated), "images": .integer(metric.generated)],
      "reference": figures.reference > 0
        ? ["from": .string(names.reference), "images": .integer(figures.reference)] : .null,
      "seed": .integer(Int(clamping: seed)),
      "deviations": .array(deviations.map(JSONValue.string)),
    ]
  }

  /// The file of a metric's lines.
  public static func path(of metric: NamedMetric, in folder: String) -> String {
    "\(folder)/metric-\(metric.rawValue).jsonl"
  }

  /// A time in StyleGAN's words: `7s`, `1m 02s`, `3h 04m 05s`, `2d 03h 04m`.
  static func text(ofSeconds seconds: Double) -> String {
    let whole = Int(seconds.rounded(.toNearestOrEven))
    let (minutes, hours) = (whole / 60, whole / 3600)
    return switch whole {
    case ..<60: "\(whole)s"
    case ..<3600: String(format: "%dm %02ds", minutes, whole % 60)
    case ..<86_400: String(format: "%dh %02dm %02ds", hours, minutes % 60, whole % 60)
    default: String(format: "%dd %02dh %02dm", hours / 24, hours % 24, minutes % 60)
    }
  }

  /// `path` as seen from `folder`, by their texts alone.
  static func path(_ path: String, from folder: String) -> String {
    func parts(_ path: String) -> [Substring] {
      let whole =
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
      return whole.split(separator: "/").reduce(into: []) { parts, part in
        switch part {
        case ".": break
        case "..": _ = parts.popLast()
        default: parts.append(part)
        }
      }
    }
    let (target, start) = (parts(path), parts(folder))
    let common = zip(target, start).prefix { $0 == $1 }.count
    let steps = [Substring](repeating: "..", count: start.count - common) + target[common...]
    return steps.joined(separator: "/")
  }
}
