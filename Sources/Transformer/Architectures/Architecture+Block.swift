import TensorCore

extension Architecture {
  /// A normalisation.
  public struct Norm: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable {
      /// Division by the root of the mean square.
      case rootMeanSquare
      /// Mean and variance taken out.
      case layer
    }

    public var kind: Kind
    /// Added under the root.
    public var epsilon: Float
    public var hasWeight: Bool
    public var hasBias: Bool

    public init(
      _ kind: Kind, epsilon: Float = 0, hasWeight: Bool = true, hasBias: Bool = false
    ) {
      self.kind = kind
      self.epsilon = epsilon
      self.hasWeight = hasWeight
      self.hasBias = hasBias
    }

    public static let rootMeanSquare = Norm(.rootMeanSquare)
    public static let layer = Norm(.layer, hasBias: true)
  }

  /// The normalisation of queries and keys before they are rotated.
  public struct HeadNorm: Codable, Sendable, Hashable {
    public enum Span: String, Codable, Sendable {
      /// Each head by itself, all with the same weights.
      case head
      /// Each head by itself, with weights of its own.
      case headWithOwnWeights
      /// All heads of a position together.
      case allHeads
    }

    public var norm: Norm
    public var span: Span

    public init(_ norm: Norm, over span: Span) {
      self.norm = norm
      self.span = span
    }
  }

  /// How attention and MLP of a block follow each other.
  public enum Order: String, Codable, Sendable {
    /// The MLP reads what the attention has added to.
    case sequential
    /// Both read the same residual stream, each through its own norm.
    case parallel
    /// Both read the same residual stream through the attention's norm.
    case parallelWithOneNorm
  }

  /// The multilayer perceptron of a block.
  public struct MLP: Codable, Sendable, Hashable {
    public var activation: Activation
    /// Whether the activation is multiplied by a second linear map of the input.
    public var isGated: Bool

    public init(_ activation: Activation, isGated: Bool) {
      self.activation = activation
      self.isGated = isGated
    }
  }

  /// Which linear maps of a block have a bias.
  public struct Biases: Codable, Sendable, Hashable {
    /// Queries, keys and values.
    public var query: Bool
    /// The attention's output.
    public var output: Bool
    public var mlp: Bool

    public init(query: Bool = false, output: Bool = false, mlp: Bool = false) {
      self.query = query
      self.output = output
      self.mlp = mlp
    }

    public static let all = Biases(query: true, output: true, mlp: true)
  }

  /// What one block computes. As it is made it is a block of Llama.
  public struct Block: Codable, Sendable, Hashable {
    /// Of what the attention reads; nil where it reads the residual stream as it is.
    public var attentionNorm: Norm?
    /// Of what the attention adds; nil where it is added as it is.
    public var attentionPostNorm: Norm?
    /// Of what the MLP reads; nil where it reads the residual stream as it is, or through the
    /// attention's norm.
    public var mlpNorm: Norm?
    /// Of what the MLP adds.
    public var mlpPostNorm: Norm?
    public private(set) var order: Order
    public var biases: Biases
    /// Largest magnitude of queries, keys and values, or none.
    public var queryKeyValueClip: Float?
    public var headNorm: HeadNorm?
    /// How queries and keys are rotated by their position; nil where they are not.
    public var rotary: Rotary?
    /// Factor of the inner products of queries and keys: mostly 1/√headWidth.
    public var attentionScale: Float = 0
    /// Bound that scores approach smoothly, or none.
    public var attentionSoftCap: Float?
    /// How many of the latest positions a query sees, itself included; nil for all.
    public var window: Int?
    public var mlp: MLP
    /// Factor of what attention and MLP add to the residual stream.
    public var branchScale: Float = 1

    /// - Parameter norm: before attention and MLP, or before neither.
    public init(
      norm: Norm? = .rootMeanSquare, attentionPostNorm: Norm? = nil, mlpPostNorm: Norm? = nil,
      order: Order = .sequential, biases: Biases = Biases(), headNorm: HeadNorm? = nil,
      rotary: Rotary? = Rotary(), mlp: MLP = MLP(.silu, isGated: true)
    ) {
      attentionNorm = norm
      mlpNorm = norm
      self.attentionPostNorm = attentionPostNorm
      self.mlpPostNorm = mlpPostNorm
      self.order = order
      self.biases = biases
      self.headNorm = headNorm
      self.rotary = rotary
      self.mlp = mlp
      setOrder(order)
    }

    /// First position that a query at `position` sees.
    func firstVisible(from position: Int) -> Int {
      window.map { max(0, position + 1 - $0) } ?? 0
    }

    /// Attention and MLP in another order, the MLP with a norm like the attention's or with the attention's.
    public mutating func setOrder(_ order: Order) {
      self.order = order
      mlpNorm = order == .parallelWithOneNorm ? nil : attentionNorm
    }

    mutating func setEpsilon(_ epsilon: Float) {
      attentionNorm?.epsilon = epsilon
      attentionPostNorm?.epsilon = epsilon
      mlpNorm?.epsilon = epsilon
      mlpPostNorm?.epsilon = epsilon
      headNorm?.norm.epsilon = epsilon
    }
  }
}
