import TensorCore

/// One number or choice of a record of settings, declared once: what files call it, what it may be, how it is read
/// and written. Presets' files, options of commands and the identity of a run all come from it.
public struct Setting<Record>: Sendable {
  /// What a setting takes on the command line.
  public enum Kind: Sendable {
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case text(choices: [String])
    case flag
  }

  /// In files, such as `learning_rate`.
  public let key: String
  public let kind: Kind
  /// What its option says of it and shows for its value; nil for what only files hold.
  public let help: String?
  public let valueName: String
  /// What the option says of its default, where that is not the preset's value.
  public let defaultText: String?
  private let read: @Sendable (JSONReader, inout Record) throws -> Void
  /// Null where there is nothing to say.
  let write: @Sendable (Record) -> JSONValue

  /// Its option's name.
  public var option: String { key.replacing("_", with: "-") }

  init(
    _ key: String, _ kind: Kind, _ help: String?, valueName: String = "N",
    defaultText: String? = nil, read: @escaping @Sendable (JSONReader, inout Record) throws -> Void,
    write: @escaping @Sendable (Record) -> JSONValue
  ) {
    self.key = key
    self.kind = kind
    self.help = help
    self.valueName = valueName
    self.defaultText = defaultText
    self.read = read
    self.write = write
  }

  /// Takes over a value.
  ///
  /// - Throws: `UserError` at the value's place where it is not allowed.
  public func set(_ value: JSONReader, in record: inout Record) throws {
    do { try read(value, &record) } catch let error as UserError where error.place == nil {
      throw UserError(error.problem, at: value.place, remedy: error.remedy)
    }
  }

  static func integer(
    _ key: String, _ path: any WritableKeyPath<Record, Int> & Sendable, in range: ClosedRange<Int>,
    _ help: String? = nil, defaultText: String? = nil
  ) -> Setting {
    Setting(key, .integer(range), help, defaultText: defaultText) {
      $1[keyPath: path] = try $0.integer(in: range)
    } write: {
      .integer($0[keyPath: path])
    }
  }

  static func number<Number: SettingNumber>(
    _ key: String, _ path: any WritableKeyPath<Record, Number> & Sendable,
    in range: ClosedRange<Double>, _ help: String? = nil, defaultText: String? = nil
  ) -> Setting {
    Setting(key, .number(range), help, valueName: "X", defaultText: defaultText) {
      $1[keyPath: path] = try $0.setting(in: range)
    } write: {
      $0[keyPath: path].settingValue.map(JSONValue.number) ?? .null
    }
  }

  /// Of the average of the weights that are trained.
  static func halfLife(
    _ path: any WritableKeyPath<Record, some SettingNumber> & Sendable
  ) -> Setting {
    .number("half_life", path, in: 0...1e12, "Half-life of the average of weights, in images.")
  }

  static func halfLifeRampUp(
    _ path: any WritableKeyPath<Record, some SettingNumber> & Sendable
  ) -> Setting {
    .number(
      "half_life_ramp_up", path, in: 0...1e6, "Largest half-life, as a share of the images seen.")
  }

  static func choice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ key: String, _ path: any WritableKeyPath<Record, Choice> & Sendable, _ help: String? = nil,
    defaultText: String? = nil
  ) -> Setting {
    let names = Choice.allCases.map(\.rawValue)
    return Setting(key, .text(choices: names), help, valueName: "NAME", defaultText: defaultText) {
      $1[keyPath: path] =
        Choice(rawValue: try $0.choice(of: names)) ?? $1[keyPath: path]
    } write: {
      .string($0[keyPath: path].rawValue)
    }
  }

  /// A flag whose preset may be on.
  static func onOff(
    _ key: String, _ path: any WritableKeyPath<Record, Bool> & Sendable, _ help: String
  ) -> Setting {
    let names = ["on", "off"]
    return Setting(key, .text(choices: names), help, valueName: "on|off") {
      $1[keyPath: path] = try $0.choice(of: names) == names[0]
    } write: {
      .string(names[$0[keyPath: path] ? 0 : 1])
    }
  }

  static func flag(
    _ key: String, _ path: any WritableKeyPath<Record, Bool> & Sendable, _ help: String? = nil
  ) -> Setting {
    Setting(key, .flag, help) {
      $1[keyPath: path] = try $0.bool()
    } write: {
      .bool($0[keyPath: path])
    }
  }
}

/// Settings of a way to train, which a file or a command may change one by one.
public protocol TrainingSettings: Sendable {
  var seed: UInt64 { get set }
  /// Samples of the whole run.
  var total: Int { get set }
  /// In this order they are read: a later one may be set by an earlier one.
  static var all: [Setting<Self>] { get }
  /// Whether the length of a run decides nothing of its steps, so that it can be told to go on.
  var isOpenEnded: Bool { get }
  /// Keys of settings that do nothing beside the others.
  var idle: Set<String> { get }
}

extension TrainingSettings {
  public var idle: Set<String> { [] }

  /// Everything that the record says, under the keys that it is read by.
  public var json: [(key: String, value: JSONValue)] {
    Self.all.map { ($0.key, $0.write(self)) }.filter { $0.value != .null }
  }

  /// What of it decides a run's numbers.
  public var identity: [(key: String, value: JSONValue)] {
    let left = idle.union(isOpenEnded ? ["total"] : [])
    return [("seed", .integer(Int(seed)))] + json.filter { !left.contains($0.key) }
  }

  /// Takes over what an object says; what it does not name stays.
  ///
  /// - Throws: `UserError` with the key that is not known or whose value is not allowed.
  public mutating func change(by reader: JSONReader) throws {
    let found = try reader.object(required: [], optional: Self.all.map(\.key))
    for setting in Self.all {
      if let value = found[setting.key] { try setting.set(value, in: &self) }
    }
  }
}

/// A floating-point setting, or one that may be left open.
protocol SettingNumber: Sendable {
  init(setting: Double?)
  var settingValue: Double? { get }
}

extension Double: SettingNumber {
  init(setting: Double?) { self = setting ?? 0 }
  var settingValue: Double? { self }
}

extension Float: SettingNumber {
  init(setting: Double?) { self = Float(setting ?? 0) }
  /// The decimal number that stands for it, not the binary one nearest to it.
  var settingValue: Double? { Double("\(self)") }
}

extension Optional: SettingNumber where Wrapped: SettingNumber {
  init(setting: Double?) { self = setting.map { Wrapped(setting: $0) } }
  var settingValue: Double? { flatMap(\.settingValue) }
}

extension JSONReader {
  func setting<Number: SettingNumber>(in range: ClosedRange<Double>) throws -> Number {
    let found = try number()
    guard range.contains(found) else {
      throw UserError(
        "found \(found), allowed is \(range.lowerBound) to \(range.upperBound)", at: place,
        remedy: "mend the value")
    }
    return Number(setting: found)
  }
}

/// A learning rate that rises, stays and decays: the settings of pretraining and of classifiers.
protocol ScheduledSettings: TrainingSettings {
  var batch: Int { get set }
  var learningRate: Float { get set }
  var rampUp: Int { get set }
  var decay: Double { get set }
}

extension ScheduledSettings {
  public var isOpenEnded: Bool { decay == 0 }

  static var scheduled: [Setting<Self>] {
    [
      .integer("batch", \.batch, in: 1...65_536, "Images of a step."),
      .integer("total", \.total, in: 0...10_000_000_000),
      .number("learning_rate", \.learningRate, in: 1e-12...10, "Learning rate."),
      .integer("ramp_up", \.rampUp, in: 0...10_000_000_000),
      .number(
        "decay", \.decay, in: 0...1,
        "Share of the run, at its end, over which the learning rate decays to 0."),
    ]
  }
}
