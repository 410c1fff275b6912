import TensorCore

/// Activations of many prompts in one safetensors file: an array a hook point, with a row for each
/// position that is recorded, prompt by prompt.
///
/// Shapes are `[rows, width]`, `[rows, heads, headWidth]` where values are laid out by head, and
/// `[rows, heads, keys]` for scores and patterns of prompts of equal length. Scores are −∞ for keys
/// that the query does not see.
public struct ActivationFile {
  /// One prompt, and where it is recorded.
  public struct Prompt: Sendable {
    public let tokens: [Int]
    /// Ascending, each once.
    public let positions: [Int]

    public init(tokens: [Int], positions: [Int]) {
      self.tokens = tokens
      self.positions = positions
    }
  }

  private let engine: Engine
  private let hooks: [HookPoint]
  private let prompts: [Prompt]
  /// Most numbers that are held at a time, but at least one prompt's, or of a long one some positions'.
  private let most: Int

  /// - Throws: `UserError` where there is nothing to record, or prompts of several lengths are asked for
  ///   their scores or patterns.
  public init(
    _ prompts: [Prompt], at hooks: [HookPoint], engine: Engine, most: Int = 1 << 24
  ) throws {
    guard prompts.contains(where: { !$0.positions.isEmpty }), !hooks.isEmpty else {
      throw UserError(
        "there is nothing to record", remedy: "name hook points and positions that are there",
        status: .usage)
    }
    let lengths = Set(prompts.map(\.tokens.count)).sorted()
    if let hook = hooks.first(where: { $0.width(in: engine.model.architecture) == nil }),
      lengths.count > 1
    {
      throw UserError(
        "a row has a number for each token, and the prompts have \(lengths[0]) to "
          + "\(lengths[lengths.count - 1]) tokens", at: hook.description,
        remedy: "record it of prompts of one length", status: .usage)
    }
    self.engine = engine
    self.hooks = hooks
    self.prompts = prompts
    // A sixteenth of the default memory.
    self.most = max(min(most, engine.memory.limit / 16 / MemoryLayout<Float>.stride), 1)
  }

  /// Rows of every array.
  public var rows: Int { prompts.reduce(0) { $0 + $1.positions.count } }

  /// Shape of the array of a hook point.
  public func shape(of hook: HookPoint) -> [Int] {
    let architecture = engine.model.architecture
    guard let width = hook.width(in: architecture) else {
      return [rows, architecture.heads, prompts.first?.tokens.count ?? 0]
    }
    let heads = hook.heads(in: architecture)
    return hook.site.hasHeads ? [rows, heads, width / heads] : [rows, width]
  }

  /// Records everything, or the rows of some units alone, one unit at a time.
  ///
  /// - Parameters:
  ///   - progress: called with the number of prompts done.
  ///   - beforeNaming: called when everything is on the disk, before the file has its name.
  /// - Throws: `UserError`, also where the model's file was changed: the rows may be of neither file.
  public func write(
    _ some: [Unit]? = nil, to path: String, metadata: [String: String] = [:],
    progress: (Int) -> Void = { _ in }, beforeNaming: () throws -> Void = {}
  ) throws {
    let units = some ?? units
    let rows = units.reduce(0) { $0 + $1.rows }
    let file = try SafetensorsStream(
      hooks.map { ($0.description, [rows] + shape(of: $0).dropFirst()) }, metadata: metadata,
      to: path)
    var row = 0
    for unit in units {
      let prompts = unit.prompts.filter { !$0.positions.isEmpty }
      let results = try engine.forward(
        prompts.map { prompt in
          ForwardRequest(
            tokens: prompt.tokens,
            recordings: hooks.map { Recording($0, positions: prompt.positions) }, logits: .none)
        })
      for (prompt, result) in zip(prompts, results) {
        for (hook, tensor) in zip(hooks, result.recorded) {
          try file.write(tensor.values, of: hook.description, at: row)
        }
        row += prompt.positions.count
      }
      progress(unit.done)
    }
    try MappedFile.requireUnchanged()
    try file.finish(beforeNaming: beforeNaming)
  }

  /// Consecutive rows of the arrays that are computed together; what is in a unit depends on the prompts, the hook
  /// points and the memory alone.
  public struct Unit: Sendable {
    fileprivate let prompts: [Prompt]
    /// Prompts that are done with this unit.
    public let done: Int

    public var rows: Int { prompts.reduce(0) { $0 + $1.positions.count } }
  }

  /// Tokens of a unit, unless one prompt alone has more: enough that unpacking the weights for them is a small part of
  /// the work, and few enough that a record can be shared out.
  static let mostTokens = 2048

  /// All rows in their order.
  public var units: [Unit] {
    let numbers = hooks.reduce(0) { $0 + shape(of: $1).dropFirst().reduce(1, *) }
    var units: [Unit] = []
    var (held, tokens) = (0, 0)
    for (prompt, done) in pieces(numbers) {
      let values = prompt.positions.count * numbers
      if let last = units.last, held + values <= most,
        tokens + prompt.tokens.count <= Self.mostTokens
      {
        units[units.count - 1] = Unit(prompts: last.prompts + [prompt], done: done)
        (held, tokens) = (held + values, tokens + prompt.tokens.count)
      } else {
        units.append(Unit(prompts: [prompt], done: done))
        (held, tokens) = (values, prompt.tokens.count)
      }
    }
    return units
  }

  /// The prompts, those of very many positions cut into pieces that are run one by one, each with the
  /// number of prompts that are done after it.
  ///
  /// - Parameter numbers: those of a position.
  private func pieces(_ numbers: Int) -> [(prompt: Prompt, done: Int)] {
    // To run a prompt again is dear: only where it would take a quarter of the memory.
    let longest = max(engine.memory.limit / 4 / MemoryLayout<Float>.stride / max(numbers, 1), 1)
    return prompts.enumerated().flatMap { number, prompt in
      guard prompt.positions.count > longest else { return [(prompt, number + 1)] }
      return stride(from: 0, to: prompt.positions.count, by: longest).map { start in
        let positions = Array(prompt.positions[start...].prefix(longest))
        let isLast = start + longest >= prompt.positions.count
        return (Prompt(tokens: prompt.tokens, positions: positions), isLast ? number + 1 : number)
      }
    }
  }
}
