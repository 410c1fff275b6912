/// Cosines and sines of a rotary encoding, row by row of what is rotated.
public struct RotaryAngles: Sendable {
  /// `[rows, pairs]`.
  let cosines: Tensor
  /// `[rows, pairs]`.
  let sines: Tensor
  /// Whether values *2i* and *2i + 1* form a pair, and not *i* and *i + pairs*.
  let pairsNeighbours: Bool

  public init(cosines: Tensor, sines: Tensor, pairsNeighbours: Bool) {
    precondition(cosines.shape == sines.shape && cosines.shape.count == 2)
    self.cosines = cosines
    self.sines = sines
    self.pairsNeighbours = pairsNeighbours
  }

  /// The angles of some rows.
  public func gathered(_ rows: [Int]) -> Self {
    Self(
      cosines: cosines.gathered(rows), sines: sines.gathered(rows),
      pairsNeighbours: pairsNeighbours)
  }

  /// The adjoint of the rotation, which is its inverse where cosines and sines are those of an angle.
  var adjoint: Self {
    Self(cosines: cosines, sines: -sines, pairsNeighbours: pairsNeighbours)
  }
}

extension Tensor {
  /// The heads of each row, `[rows, heads · headWidth]`, rotated in their first values by the row's
  /// angles (Su et al. 2021).
  public func rotated(_ angles: RotaryAngles, headWidth: Int) -> Tensor {
    let pairs = angles.cosines.columns
    precondition(
      shape.count == 2 && shape[0] == angles.cosines.shape[0] && columns % headWidth == 0
        && 2 * pairs <= headWidth,
      "rotation of shape \(shape) by angles of shape \(angles.cosines.shape)")
    let width = columns
    let (source, cosines, sines) = (storage, angles.cosines.storage, angles.sines.storage)
    let out = FloatBuffer(count: count)
    Compute.pool.forEachRange(of: shape[0], grain: max(Compute.grain / max(width, 1), 1)) {
      range in
      for row in range {
        let target = out.pointer + row * width
        target.update(from: source.pointer + row * width, count: width)
        let (c, s) = (cosines.pointer + row * pairs, sines.pointer + row * pairs)
        for head in stride(from: 0, to: width, by: headWidth) {
          if angles.pairsNeighbours {
            rotateNeighbours(target + head, cosines: c, sines: s, pairs: pairs)
          } else {
            rotate(target + head, cosines: c, sines: s, pairs: pairs)
          }
        }
      }
    }
    return Tensor(adopting: out, shape: shape).recorded(
      Pullback(self) { $0.rotated(angles.adjoint, headWidth: headWidth) })
  }
}
