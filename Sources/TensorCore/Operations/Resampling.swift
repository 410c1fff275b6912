/// A separable filter that halves or doubles pictures, as in EDM (Karras et al. 2022) and StyleGAN.
public struct ResampleFilter: Sendable, Equatable {
  /// Taps of one axis; their sum is 1.
  public let taps: [Float]

  public init(_ taps: [Float]) {
    let sum = taps.reduce(0, +)
    self.taps = taps.map { $0 / sum }
  }

  /// Zeros around the picture that make the result exactly half or twice as large.
  public var padding: Int { (taps.count - 1) / 2 }
}

extension Tensor {
  /// `[batch, channels, height, width]` filtered and every second value kept:
  /// `y[i] = Σ f[t] x[2i + t − padding]` along both axes.
  public func downsampled(_ filter: ResampleFilter, padding: Int? = nil) -> Tensor {
    let padding = padding ?? filter.padding
    precondition(shape.count == 4, "downsampling of a tensor of shape \(shape)")
    let (height, width) = (shape[2], shape[3])
    let target = [height, width].map { ($0 + 2 * padding - filter.taps.count) / 2 + 1 }
    return thinned(filter.taps, padding: padding, to: target, like: [height, width])
  }

  /// Zeros put between the values and filtered, so that the mean stays:
  /// `y[2i + t − padding] += 2 f[t] x[i]` along both axes.
  public func upsampled(_ filter: ResampleFilter, padding: Int? = nil) -> Tensor {
    let padding = padding ?? filter.padding
    precondition(shape.count == 4, "upsampling of a tensor of shape \(shape)")
    let target = [shape[2], shape[3]].map { ($0 - 1) * 2 + filter.taps.count - 2 * padding }
    return spread(filter.taps.map { 2 * $0 }, padding: padding, to: target)
  }

  /// 2×2 means.
  public func averagePooled() -> Tensor { downsampled(ResampleFilter([1, 1])) }

  private func thinned(
    _ taps: [Float], padding: Int, to target: [Int], like source: [Int]
  ) -> Tensor {
    ResampleKernel(taps: taps, padding: padding, large: source, small: target).thin(self)
      .recorded(Pullback(self) { $0.spread(taps, padding: padding, to: source) })
  }

  private func spread(_ taps: [Float], padding: Int, to target: [Int]) -> Tensor {
    let source = [shape[2], shape[3]]
    return ResampleKernel(taps: taps, padding: padding, large: target, small: source).spread(self)
      .recorded(Pullback(self) { $0.thinned(taps, padding: padding, to: source, like: target) })
  }
}

private struct ResampleKernel: Sendable {
  let taps: [Float]
  let padding: Int
  /// `[height, width]` of the fine and of the coarse pictures.
  let large: [Int]
  let small: [Int]

  /// Runs `body` for every picture, with room for one of the coarse height and the fine width.
  private func forEachPlane(
    _ planes: Int, _ body: @Sendable (Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    let size = small[0] * large[1]
    let pool = Compute.pool
    let scratch = FloatBuffer(count: pool.count * size)
    let grain = max(Compute.grain / max(large[0] * large[1], 1), 1)
    pool.forEachOnWorker((planes + grain - 1) / grain) { task, worker in
      for plane in task * grain..<min((task + 1) * grain, planes) {
        body(plane, scratch.pointer + worker * size)
      }
    }
  }

  func thin(_ x: Tensor) -> Tensor {
    let planes = x.shape[0] * x.shape[1]
    let out = FloatBuffer(count: planes * small[0] * small[1])
    let source = x.storage
    let width = large[1]
    forEachPlane(planes) { plane, rows in
      let image = source.pointer + plane * large[0] * width
      for row in 0..<small[0] {
        let target = rows + row * width
        target.update(repeating: 0, count: width)
        for (tap, factor) in taps.enumerated() {
          let from = 2 * row + tap - padding
          guard from >= 0, from < large[0] else { continue }
          mapLanes(target, image + from * width, count: width, into: target) { $0 + $1 * factor }
        }
      }
      let target = out.pointer + plane * small[0] * small[1]
      target.update(repeating: 0, count: small[0] * small[1])
      for (tap, factor) in taps.enumerated() {
        let valid = columns(tap)
        for row in 0..<small[0] {
          let (line, to) = (rows + row * width + tap - padding, target + row * small[1])
          for column in valid { to[column] += line[2 * column] * factor }
        }
      }
    }
    return Tensor(adopting: out, shape: [x.shape[0], x.shape[1]] + small)
  }

  func spread(_ x: Tensor) -> Tensor {
    let planes = x.shape[0] * x.shape[1]
    let out = FloatBuffer(count: planes * large[0] * large[1])
    let source = x.storage
    let width = large[1]
    forEachPlane(planes) { plane, rows in
      let image = source.pointer + plane * small[0] * small[1]
      rows.update(repeating: 0, count: small[0] * width)
      for (tap, factor) in taps.enumerated() {
        let valid = columns(tap)
        for row in 0..<small[0] {
          let (to, line) = (rows + row * width + tap - padding, image + row * small[1])
          for column in valid { to[2 * column] += line[column] * factor }
        }
      }
      let target = out.pointer + plane * large[0] * width
      target.update(repeating: 0, count: large[0] * width)
      for row in 0..<small[0] {
        for (tap, factor) in taps.enumerated() {
          let at = 2 * row + tap - padding
          guard at >= 0, at < large[0] else { continue }
          let line = target + at * width
          mapLanes(line, rows + row * width, count: width, into: line) { $0 + $1 * factor }
        }
      }
    }
    return Tensor(adopting: out, shape: [x.shape[0], x.shape[1]] + large)
  }

  /// Coarse columns whose tap `tap` lies inside the fine picture.
  private func columns(_ tap: Int) -> Range<Int> {
    let shift = tap - padding
    let first = shift < 0 ? (1 - shift) / 2 : 0
    let last = large[1] - 1 - shift < 0 ? -1 : (large[1] - 1 - shift) / 2
    return first..<max(min(last + 1, small[1]), first)
  }
}
