import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// What `onestep data inspect` prints.
struct DataOverview {
  private let data: ImageDataset
  private let split: DataSplit
  private let splits: [DataSplit]
  private let statistics: DatasetStatistics
  private let duplicateShare: Double

  init(_ data: ImageDataset, split: DataSplit, splits: [DataSplit]) {
    self.data = data
    self.split = split
    self.splits = splits
    statistics = DatasetStatistics(data)
    duplicateShare = Duplicates.share(in: data)
  }

  var json: JSONValue {
    let classes: [JSONValue] = data.classSizes.enumerated().map { index, count in
      [
        "label": .integer(index), "count": .integer(count),
        "name": className(index).map(JSONValue.string) ?? .null,
      ]
    }
    return [
      "name": .string(data.name), "split": .string(split.rawValue),
      "splits": .array(splits.map { .string($0.rawValue) }), "images": .integer(data.count),
      "shape": [
        .integer(data.shape.channels), .integer(data.shape.height), .integer(data.shape.width),
      ],
      "mean": .array(statistics.means.map { .number($0) }),
      "deviation": .array(statistics.deviations.map { .number($0) }),
      "duplicate_share": .number(duplicateShare),
      "classes": data.labels == nil ? .null : .array(classes),
    ]
  }

  func text(_ device: TerminalDevice) -> String {
    let parts = splits.map(\.rawValue).joined(separator: ", ")
    var text = "\(device.style.bold(data.name)), \(split.rawValue) split (of \(parts))\n"
    var rows = [
      ["images", "\(data.count)"], ["shape", "\(data.shape)"],
      ["duplicates", String(format: "%.2f %%", 100 * duplicateShare)],
    ]
    let names = data.shape.channels == 3 ? ["red", "green", "blue"] : ["grey"]
    for (channel, name) in names.enumerated() {
      rows.append([
        name,
        String(
          format: "mean %.4f, deviation %.4f", statistics.means[channel],
          statistics.deviations[channel]),
      ])
    }
    rows.append(["classes", data.labels == nil ? "no labels" : "\(data.classCount)"])
    for row in rows {
      text += row[0].padding(toLength: 12, withPad: " ", startingAt: 0) + row[1] + "\n"
    }
    // A row for each of very many classes would be no table.
    guard data.labels != nil, data.classCount <= 100 else { return text }
    let table = TextTable(
      headers: ["label", "name", "images", "share"],
      rows: data.classSizes.enumerated().map { index, count in
        [
          "\(index)", className(index) ?? "-", "\(count)",
          String(format: "%.2f %%", 100 * Double(count) / Double(data.count)),
        ]
      }, alignments: [.right, .left, .right, .right])
    return text + "\n" + table.text(on: device)
  }

  private func className(_ index: Int) -> String? {
    data.classNames.indices.contains(index) ? data.classNames[index] : nil
  }
}
