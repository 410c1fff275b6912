import TensorCore

/// A place in the forward pass where activations can be read or changed, with the text name that
/// TransformerLens uses.
public struct HookPoint: Hashable, Sendable, CustomStringConvertible {
  public enum Site: String, CaseIterable, Sendable {
    /// Token embedding, scaled where the model scales it and before learned positions are added.
    /// `[width]`
    case embedding = "hook_embed"
    /// Learned vectors of the positions, before they are added to the embedding; only where there
    /// are any. `[width]`
    case positionEmbedding = "hook_pos_embed"
    /// Residual stream before a block. `[width]`
    case residualPre = "hook_resid_pre"
    /// What the attention's input is divided by: √(mean square + ε), of a layer norm √(variance + ε).
    /// `[1]`
    case attentionNormScale = "ln1.hook_scale"
    /// Input of the attention, normalised, before the norm's weight and bias. `[width]`
    case attentionNormalized = "ln1.hook_normalized"
    /// Queries before their normalisation and rotation. `[heads, headWidth]`
    case query = "attn.hook_q"
    /// Keys before their normalisation and rotation. `[keyValueHeads, headWidth]`
    case key = "attn.hook_k"
    /// Values. `[keyValueHeads, headWidth]`
    case value = "attn.hook_v"
    /// Queries after rotation; not where positions are learned. `[heads, headWidth]`
    case rotatedQuery = "attn.hook_rot_q"
    /// Keys after rotation; not where positions are learned. `[keyValueHeads, headWidth]`
    case rotatedKey = "attn.hook_rot_k"
    /// Scores before the softmax, scaled and soft-capped; −∞ for keys that the query does not see,
    /// which edits leave alone.
    /// `[heads, keys]`
    case scores = "attn.hook_attn_scores"
    /// Attention weights; 0 for keys that the query does not see, which edits leave alone.
    /// `[heads, keys]`
    case pattern = "attn.hook_pattern"
    /// Output of each head before the output matrix. `[heads, headWidth]`
    case headOutput = "attn.hook_z"
    /// Share of each head in the attention's output: behind the output matrix, before its bias and
    /// before the norm that may follow. `[heads, width]`
    case headResult = "attn.hook_result"
    /// What the attention adds to the residual stream, after the norm that may follow it. `[width]`
    case attentionOutput = "hook_attn_out"
    /// Residual stream between attention and MLP; not where they read the same stream. `[width]`
    case residualMiddle = "hook_resid_mid"
    /// What the MLP's input is divided by, as `attentionNormScale`. `[1]`
    case mlpNormScale = "ln2.hook_scale"
    /// Input of the MLP, normalised, before the norm's weight and bias. `[width]`
    case mlpNormalized = "ln2.hook_normalized"
    /// Input of the MLP's activation, of its gate where it is gated. `[hiddenWidth]`
    case hiddenPre = "mlp.hook_pre"
    /// Linear branch of the MLP; only where it is gated. `[hiddenWidth]`
    case hiddenLinear = "mlp.hook_pre_linear"
    /// Activations inside the MLP, times the linear branch where it is gated. `[hiddenWidth]`
    case hidden = "mlp.hook_post"
    /// What the MLP adds to the residual stream, after the norm that may follow it. `[width]`
    case mlpOutput = "hook_mlp_out"
    /// Residual stream after a block. `[width]`
    case residualPost = "hook_resid_post"
    /// What the residual stream is divided by at the end, as `attentionNormScale`. `[1]`
    case finalNormScale = "ln_final.hook_scale"
    /// Residual stream after the last normalisation, before its weight and bias. `[width]`
    case finalNormalized = "ln_final.hook_normalized"

    /// Whether the site belongs to a block, not to the model.
    public var isInBlock: Bool {
      switch self {
      case .embedding, .positionEmbedding, .finalNormScale, .finalNormalized: false
      default: true
      }
    }

    /// Whether the site's values are laid out by head.
    public var hasHeads: Bool {
      switch self {
      case .query, .key, .value, .rotatedQuery, .rotatedKey, .scores, .pattern, .headOutput,
        .headResult:
        true
      default: false
      }
    }

    /// Whether the site is what a norm divides by.
    public var isNormScale: Bool {
      switch self {
      case .attentionNormScale, .mlpNormScale, .finalNormScale: true
      default: false
      }
    }

    /// Other names of TransformerLens, canonical since version 3.
    static let aliases: [String: Site] = [
      "hook_in": .residualPre, "hook_out": .residualPost, "ln1.hook_in": .residualPre,
      "attn.q.hook_out": .query, "attn.k.hook_out": .key, "attn.v.hook_out": .value,
      "attn.o.hook_in": .headOutput, "mlp.out.hook_in": .hidden,
      "embed.hook_out": .embedding, "pos_embed.hook_out": .positionEmbedding,
    ]
  }

  public let site: Site
  /// Block, counted from 0; nil for sites outside the blocks.
  public let layer: Int?

  public init(_ site: Site, layer: Int? = nil) {
    self.site = site
    self.layer = site.isInBlock ? layer ?? 0 : nil
  }

  /// TransformerLens' name: `blocks.3.hook_resid_post`.
  ///
  /// `…hook_normalized` is before a norm's weight and bias, for RMS and for layer norms, as in
  /// TransformerLens' bridge and wherever it has folded the weights into what follows.
  public var description: String {
    layer.map { "blocks.\($0).\(site.rawValue)" } ?? site.rawValue
  }

  /// - Throws: `UserError` that lists the known names.
  public init(parsing name: String, place: String? = nil) throws {
    let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count == 3, parts[0] == "blocks", let layer = Int(parts[1]), layer >= 0,
      let site = Site(rawValue: String(parts[2])) ?? Site.aliases[String(parts[2])], site.isInBlock
    {
      self.init(site, layer: layer)
      return
    }
    if let site = Site(rawValue: name) ?? Site.aliases[name], !site.isInBlock {
      self.init(site)
      return
    }
    let known = Site.allCases.map { HookPoint($0, layer: 0).description }
    throw UserError(
      "unknown hook point \"\(name)\"", at: place,
      remedy: "known are, for block 0: \(known.joined(separator: ", "))", status: .usage)
  }

  /// Checks that the model has such a place.
  ///
  /// - Throws: `UserError` for a layer out of range, and for a site that the family does not have.
  func validate(for architecture: Architecture) throws {
    if let layer, layer < 0 || layer >= architecture.layers {
      throw UserError(
        "layer \(layer) is out of range", at: description,
        remedy: "use 0 to \(architecture.layers - 1)")
    }
    guard let (reason, remedy) = absence(in: architecture) else { return }
    throw UserError(reason, at: description, remedy: remedy)
  }

  /// Why a model of this kind has no such place, and what to use instead; nil where it has.
  private func absence(in architecture: Architecture) -> (reason: String, remedy: String)? {
    let family = architecture.family
    guard let layer else {
      return site == .positionEmbedding && !architecture.learnsPositions
        ? (
          "a \(family) model has no learned positions",
          "use hook_embed, or attn.hook_rot_q and attn.hook_rot_k of a block"
        ) : nil
    }
    let block = architecture.blocks[layer]
    switch site {
    case .residualMiddle where block.order != .sequential:
      return (
        "attention and MLP of a \(family) block read the same residual stream, there is none between "
          + "them", "use hook_resid_pre, hook_attn_out or hook_resid_post"
      )
    case .rotatedQuery where block.rotary == nil, .rotatedKey where block.rotary == nil:
      return (
        "block \(layer) of this \(family) model does not rotate queries and keys",
        "use attn.hook_q and attn.hook_k"
      )
    case .hiddenLinear where !block.mlp.isGated:
      return (
        "the MLP of a \(family) model is not gated", "use mlp.hook_pre or mlp.hook_post"
      )
    case .attentionNormScale where block.attentionNorm == nil,
      .attentionNormalized where block.attentionNorm == nil:
      return (
        "the attention of a \(family) block reads the residual stream as it is",
        "use hook_resid_pre"
      )
    case .mlpNormScale where block.order == .parallelWithOneNorm,
      .mlpNormalized where block.order == .parallelWithOneNorm:
      return (
        "attention and MLP of a \(family) block have one norm", "use ln1.hook_normalized"
      )
    case .mlpNormScale where block.mlpNorm == nil, .mlpNormalized where block.mlpNorm == nil:
      return (
        "the MLP of a \(family) block reads the residual stream as it is", "use hook_resid_mid"
      )
    default: return nil
    }
  }

  /// Values of one position, or nil where it is the number of heads times the sequence's length.
  public func width(in architecture: Architecture) -> Int? {
    switch site {
    case .embedding, .positionEmbedding, .residualPre, .attentionNormalized, .attentionOutput,
      .residualMiddle, .mlpNormalized, .mlpOutput, .residualPost, .finalNormalized:
      architecture.width
    case .attentionNormScale, .mlpNormScale, .finalNormScale: 1
    case .headResult: architecture.heads * architecture.width
    case .query, .rotatedQuery, .headOutput: architecture.queryWidth
    case .key, .value, .rotatedKey: architecture.keyWidth
    case .hiddenPre, .hiddenLinear, .hidden: architecture.hiddenWidth
    case .scores, .pattern: nil
    }
  }

  /// Number of heads at this site; 1 where values are not laid out by head.
  public func heads(in architecture: Architecture) -> Int {
    switch site {
    case .key, .value, .rotatedKey: architecture.keyValueHeads
    case _ where site.hasHeads: architecture.heads
    default: 1
    }
  }
}
