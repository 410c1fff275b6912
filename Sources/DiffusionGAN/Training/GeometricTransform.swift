import Foundation
import TensorCore

/// One picture's augmentation in EDM's pretraining: flips, then one affine map (Karras et al. 2022,
/// appendix F.2; of the pipeline of Karras et al. 2020, "Training Generative Adversarial Networks
/// with Limited Data", what the training script of the published networks switches on).
///
/// Each operation happens with the same probability, but for the flip from left to right, which is
/// a coin's toss for every picture. The network sees it as nine `labels`: zeros are no
/// augmentation.
public struct GeometricTransform: Sendable, Equatable {
  /// Whether left and right, top and bottom are exchanged.
  public var flipsColumns = false
  public var flipsRows = false
  /// Steps of 2^0.2 that the picture is enlarged by; of a standard normal distribution, as
  /// `stretch` and both translations are.
  public var scale: Double = 0
  /// Radians, in −π…π.
  public var rotation: Double = 0
  /// Steps of 2^0.2 that one axis is enlarged and the other made smaller by, and the angle of that
  /// axis.
  public var stretch: Double = 0
  public var stretchAngle: Double = 0
  /// Eighths of width and height that the picture is moved by, to the right and downwards.
  public var translationX: Double = 0
  public var translationY: Double = 0

  /// Number of labels, EDM's `augment_dim`.
  public static let labelCount = 9

  private static let logarithmicStep = 0.2
  private static let translationStep = 0.125
  private static let turnedShare: Float = 0.5

  public init() {}

  /// A picture's transform by its random stream.
  ///
  /// - Parameter probability: of each operation; above 0.
  public init(probability: Double, from stream: inout RandomStream) {
    // All numbers are drawn whatever happens, so that one operation does not depend on another.
    func happens() -> Bool { Double(stream.uniform()) < probability }
    func angle() -> Double { (2 * Double(stream.uniform()) - 1) * Double.pi }
    flipsColumns = stream.integer(below: 2) == 1
    let flips = stream.integer(below: 2) == 1
    flipsRows = happens() && flips
    let scale = Double(stream.normal())
    self.scale = happens() ? scale : 0
    let rotation = angle()
    self.rotation = happens() ? rotation : 0
    let stretch = Double(stream.normal())
    let stretchAngle = angle()
    self.stretch = happens() ? stretch : 0
    let isTurned = stream.uniform() < Self.turnedShare
    self.stretchAngle = isTurned && self.stretch != 0 ? stretchAngle : 0
    let (x, y) = (Double(stream.normal()), Double(stream.normal()))
    (translationX, translationY) = happens() ? (x, y) : (0, 0)
  }

  /// What the network sees of it.
  public var labels: [Float] {
    [
      flipsColumns ? 1 : 0, flipsRows ? 1 : 0, Float(scale), Float(cos(rotation) - 1),
      Float(sin(rotation)), Float(stretch * cos(stretchAngle)), Float(stretch * sin(stretchAngle)),
      Float(translationX), Float(translationY),
    ]
  }

  /// Where the picture at a place comes from: pixels from the centre to pixels from the centre.
  ///
  /// The inverses of the operations, the last one first.
  func source(width: Int, height: Int) -> AffineMap {
    let (size, ratio) = (exp2(Self.logarithmicStep * scale), exp2(Self.logarithmicStep * stretch))
    return AffineMap.scaling(1 / size, 1 / size)
      .after(.rotation(rotation))
      .after(.rotation(-stretchAngle)).after(.scaling(1 / ratio, ratio))
      .after(.rotation(stretchAngle))
      .after(
        .translation(
          -translationX * Self.translationStep * Double(width),
          -translationY * Self.translationStep * Double(height)))
  }
}

/// `(x, y) ↦ (a x + b y + e, c x + d y + f)`.
struct AffineMap: Sendable, Equatable {
  var a = 1.0
  var b = 0.0
  var c = 0.0
  var d = 1.0
  var e = 0.0
  var f = 0.0

  static func scaling(_ x: Double, _ y: Double) -> AffineMap { AffineMap(a: x, d: y) }

  static func rotation(_ angle: Double) -> AffineMap {
    AffineMap(a: cos(angle), b: -sin(angle), c: sin(angle), d: cos(angle))
  }

  static func translation(_ x: Double, _ y: Double) -> AffineMap { AffineMap(e: x, f: y) }

  /// First `first`, then this.
  func after(_ first: AffineMap) -> AffineMap {
    AffineMap(
      a: a * first.a + b * first.c, b: a * first.b + b * first.d,
      c: c * first.a + d * first.c, d: c * first.b + d * first.d,
      e: a * first.e + b * first.f + e, f: c * first.e + d * first.f + f)
  }
}
