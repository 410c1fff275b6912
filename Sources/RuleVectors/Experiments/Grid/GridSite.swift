import TensorCore
import Transformer

/// A kind of activation that a grid patches, under TransformerLens' short name.
enum GridSite: String, Sendable, CaseIterable {
  case residualPre = "resid_pre"
  case residualPost = "resid_post"
  case attentionOutput = "attn_out"
  case mlpOutput = "mlp_out"
  case headOutput = "z"
  case query = "q"
  case key = "k"
  case value = "v"
  case pattern

  var site: HookPoint.Site {
    switch self {
    case .residualPre: .residualPre
    case .residualPost: .residualPost
    case .attentionOutput: .attentionOutput
    case .mlpOutput: .mlpOutput
    case .headOutput: .headOutput
    case .query: .query
    case .key: .key
    case .value: .value
    case .pattern: .pattern
    }
  }

  func hook(_ layer: Int) -> HookPoint { HookPoint(site, layer: layer) }
}

/// What one cell of a grid takes together, beside its layer.
enum GridAxis: String, Sendable, CaseIterable {
  /// One position of a pair; in an episode the tokens of one part of one demonstration.
  case position
  /// All tokens of one role, over all demonstrations.
  case role
  /// One head, at all positions.
  case head
}
