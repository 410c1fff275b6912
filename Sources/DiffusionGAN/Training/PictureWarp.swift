import TensorCore

/// Augmented pictures and their labels.
///
/// An affine map is taken between two changes of resolution (Karras et al. 2020, "Training
/// Generative Adversarial Networks with Limited Data", appendix B): the picture, continued over its
/// edges by reflection, is brought to twice its resolution with the low-pass filter of the sym6
/// wavelets, sampled bilinearly, and brought back with the same filter. Of a picture that is not
/// moved nothing changes, and a move by whole pixels is exact: the filter is orthogonal to itself
/// at even distances.
///
/// The reference continues a batch's pictures as far as its farthest transform needs, this one each
/// as far as reflection goes: that is as much or more, and beyond both is 0.
public enum PictureWarp {
  /// Daubechies' least asymmetric wavelets, six vanishing moments.
  private static let filter: [Float] = [
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
  ]
  private static var taps: Int { filter.count }
  /// Pixels at each side of the result that the filter needs.
  private static var rim: Int { taps / 4 }

  /// - Parameters:
  ///   - pictures: `[batch, channels, height, width]`; transforms: one for each.
  /// - Returns: pictures of the same shape, and labels `[batch, 9]`.
  public static func apply(
    _ transforms: [GeometricTransform], to pictures: Tensor
  ) -> (pictures: Tensor, labels: Tensor) {
    precondition(
      pictures.shape.count == 4 && pictures.shape[0] == transforms.count,
      "\(transforms.count) transforms of pictures of shape \(pictures.shape)")
    let (channels, height, width) = (pictures.shape[1], pictures.shape[2], pictures.shape[3])
    let size = height * width
    let values = pictures.values
    let warped = Compute.pool.map(transforms.count) { index -> [Float] in
      let transform = transforms[index]
      let map = transform.source(width: width, height: height)
      return (index * channels..<(index + 1) * channels).flatMap { channel in
        let plane = flipped(
          values[channel * size..<(channel + 1) * size], height: height, width: width, transform)
        return map == AffineMap() ? plane.values : self.warped(plane, by: map).values
      }
    }
    return (
      Tensor(warped.flatMap(\.self), shape: pictures.shape),
      Tensor(
        transforms.flatMap(\.labels), shape: [transforms.count, GeometricTransform.labelCount])
    )
  }

  /// One channel of a picture.
  private struct Plane {
    let height: Int
    let width: Int
    var values: [Float]

    init(height: Int, width: Int) {
      self.height = height
      self.width = width
      values = [Float](repeating: 0, count: height * width)
    }

    var transposed: Plane {
      var result = Plane(height: width, width: height)
      for y in 0..<height {
        for x in 0..<width { result.values[x * height + y] = values[y * width + x] }
      }
      return result
    }
  }

  private static func flipped(
    _ source: ArraySlice<Float>, height: Int, width: Int, _ transform: GeometricTransform
  ) -> Plane {
    var plane = Plane(height: height, width: width)
    for y in 0..<height {
      let row = transform.flipsRows ? height - 1 - y : y
      for x in 0..<width {
        plane.values[y * width + x] =
          source[source.startIndex + row * width + (transform.flipsColumns ? width - 1 - x : x)]
      }
    }
    return plane
  }

  private static func warped(_ plane: Plane, by map: AffineMap) -> Plane {
    // Rows are worked on, so the plane is turned on its side and back.
    let large = enlarged(enlarged(plane).transposed).transposed
    let moved = sampled(large, of: plane, by: map)
    return reduced(reduced(moved).transposed).transposed
  }

  /// Rows continued by reflection and at twice the resolution: behind `width − 1` reflected pixels
  /// at each side.
  private static func enlarged(_ plane: Plane) -> Plane {
    let (width, margin) = (plane.width, plane.width - 1)
    let continued = width + 2 * margin
    var result = Plane(height: plane.height, width: 2 * continued)
    // Value i is Σ h[5 + i − 2j] x[j], where x are the pixels and h the filter.
    for y in 0..<plane.height {
      for i in 0..<2 * continued {
        var sum: Float = 0
        let first = max((i - taps / 2 + 1) / 2, 0)
        for j in first..<min((i + taps / 2 - 1) / 2 + 1, continued) {
          let x = abs(j - margin)
          sum +=
            filter[taps / 2 - 1 + i - 2 * j]
            * plane.values[y * width + (x < width ? x : 2 * margin - x)]
        }
        result.values[y * 2 * continued + i] = sum
      }
    }
    return result
  }

  /// What lies where the map says, at twice the resolution, with a rim; 0 outside the enlarged
  /// picture.
  private static func sampled(_ large: Plane, of plane: Plane, by map: AffineMap) -> Plane {
    var result = Plane(height: 2 * (plane.height + 2 * rim), width: 2 * (plane.width + 2 * rim))
    // Of the enlarged picture, places are counted from half a pixel before its centre, as the
    // filter moves it.
    let (centreX, centreY) = (Double(large.width / 2 - 1), Double(large.height / 2 - 1))
    func value(_ x: Int, _ y: Int) -> Float {
      (0..<large.width).contains(x) && (0..<large.height).contains(y)
        ? large.values[y * large.width + x] : 0
    }
    for row in 0..<result.height {
      for column in 0..<result.width {
        let x = Double(column - result.width / 2 + 1)
        let y = Double(row - result.height / 2 + 1)
        let fromX = map.a * x + map.b * y + 2 * map.e + centreX
        let fromY = map.c * x + map.d * y + 2 * map.f + centreY
        let (left, top) = (fromX.rounded(.down), fromY.rounded(.down))
        guard abs(left) < 1e6, abs(top) < 1e6 else { continue }
        let (u, v) = (Float(fromX - left), Float(fromY - top))
        let (i, j) = (Int(left), Int(top))
        let upper = value(i, j) * (1 - u) + value(i + 1, j) * u
        let lower = value(i, j + 1) * (1 - u) + value(i + 1, j + 1) * u
        result.values[row * result.width + column] = upper * (1 - v) + lower * v
      }
    }
    return result
  }

  /// Rows at half the resolution, without the rim.
  private static func reduced(_ plane: Plane) -> Plane {
    var result = Plane(height: plane.height, width: plane.width / 2 - 2 * rim)
    for y in 0..<plane.height {
      for x in 0..<result.width {
        var sum: Float = 0
        for tap in 0..<taps { sum += filter[tap] * plane.values[y * plane.width + 2 * x + 1 + tap] }
        result.values[y * result.width + x] = sum
      }
    }
    return result
  }
}
