import TensorCore

/// A place in the forward pass where activations can be read or changed, with the text name that
/// TransformerLens uses.
public struct HookPoint: Hashable, Sendable, CustomStringConvertible {
  public enum Site: String, CaseIterable, Sendable {
    /// Token embedding, scaled where the model scales it and before learned positions are added.
    /// `[width]`
    case embedding = "hook_embed"
    /// Residual stream before a block. `[width]`
    case residualPre = "hook_resid_pre"
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
    /// Scores before the softmax, scaled and soft-capped; −∞ for keys that the query does not see.
    /// `[heads, keys]`
    case scores = "attn.hook_attn_scores"
    /// Attention weights. `[heads, keys]`
    case pattern = "attn.hook_pattern"
    /// Output of each head before the output matrix. `[heads, headWidth]`
    case headOutput = "attn.hook_z"
    /// What the attention adds to the residual stream, after the norm that may follow it. `[width]`
    case attentionOutput = "hook_attn_out"
    /// Residual stream between attention and MLP; not where they read the same stream. `[width]`
    case residualMiddle = "hook_resid_mid"
    /// Activations inside the MLP, times the linear branch where it is gated. `[hiddenWidth]`
    case hidden = "mlp.hook_post"
    /// What the MLP adds to the residual stream, after the norm that may follow it. `[width]`
    case mlpOutput = "hook_mlp_out"
    /// Residual stream after a block. `[width]`
    case residualPost = "hook_resid_post"
    /// Residual stream after the last normalisation. `[width]`
    case finalNorm = "ln_final.hook_normalized"

    /// Whether the site belongs to a block, not to the model.
    public var isInBlock: Bool { self != .embedding && self != .finalNorm }

    /// Whether the site's values are laid out by head.
    public var hasHeads: Bool {
      switch self {
      case .query, .key, .value, .rotatedQuery, .rotatedKey, .scores, .pattern, .headOutput: true
      default: false
      }
    }
  }

  public let site: Site
  /// Block, counted from 0; nil for sites outside the blocks.
  public let layer: Int?

  public init(_ site: Site, layer: Int? = nil) {
    self.site = site
    self.layer = site.isInBlock ? layer ?? 0 : nil
  }

  /// TransformerLens' name: `blocks.3.hook_resid_post`.
  public var description: String {
    layer.map { "blocks.\($0).\(site.rawValue)" } ?? site.rawValue
  }

  /// - Throws: `UserError` that lists the known names.
  public init(parsing name: String, place: String? = nil) throws {
    let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count == 3, parts[0] == "blocks", let layer = Int(parts[1]), layer >= 0,
      let site = Site(rawValue: String(parts[2])), site.isInBlock
    {
      self.init(site, layer: layer)
      return
    }
    if let site = Site(rawValue: name), !site.isInBlock {
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
    switch site {
    case .residualMiddle where architecture.isParallel:
      throw UserError(
        "attention and MLP of a \(architecture.family) block read the same residual stream, there "
          + "is none between them",
        at: description, remedy: "use hook_resid_pre, hook_attn_out or hook_resid_post")
    case .rotatedQuery where architecture.rotary == nil,
      .rotatedKey where architecture.rotary == nil:
      throw UserError(
        "a \(architecture.family) model does not rotate queries and keys", at: description,
        remedy: "use attn.hook_q and attn.hook_k")
    default: break
    }
  }

  /// Values of one position, or nil where it is the number of heads times the sequence's length.
  public func width(in architecture: Architecture) -> Int? {
    switch site {
    case .embedding, .residualPre, .attentionOutput, .residualMiddle, .mlpOutput, .residualPost,
      .finalNorm:
      architecture.width
    case .query, .rotatedQuery, .headOutput: architecture.queryWidth
    case .key, .value, .rotatedKey: architecture.keyWidth
    case .hidden: architecture.hiddenWidth
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
