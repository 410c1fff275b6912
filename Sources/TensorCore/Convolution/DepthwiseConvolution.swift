/// Convolution of each channel with a kernel of its own, and the two products that are its
/// derivatives, each linear in both factors, as in `Convolution.swift`.
extension Tensor {
  /// Convolution (a correlation) of `[batch, channels, height, width]` with
  /// `[channels, 1, kernel, kernel]`, on the image as it is.
  ///
  /// - Precondition: a square kernel that fits the image, and as many channels.
  public func depthwiseConvolved(_ weight: Tensor, stride: Int = 1) -> Tensor {
    depthwise(weight, DepthwiseConvolution(shape, weight: weight.shape, stride: stride))
  }

  private func depthwise(_ weight: Tensor, _ plan: DepthwiseConvolution) -> Tensor {
    plan.forward(self, weight).recorded(
      Pullback(self) { $0.depthwiseInputGradient(weight, plan) },
      Pullback(weight) { self.depthwiseWeightGradient($0, plan) })
  }

  /// The gradient of the input, from this gradient of the output.
  private func depthwiseInputGradient(_ weight: Tensor, _ plan: DepthwiseConvolution) -> Tensor {
    plan.inputGradient(self, weight).recorded(
      Pullback(self) { $0.depthwise(weight, plan) },
      Pullback(weight) { $0.depthwiseWeightGradient(self, plan) })
  }

  /// The gradient of the weight, from this input and the gradient of the output.
  private func depthwiseWeightGradient(_ gradient: Tensor, _ plan: DepthwiseConvolution) -> Tensor {
    plan.weightGradient(self, gradient).recorded(
      Pullback(self) { gradient.depthwiseInputGradient($0, plan) },
      Pullback(gradient) { self.depthwise($0, plan) })
  }
}

/// The kernels: eight neighbouring positions of a row at a time, planes shared among threads.
///
/// A row is cut into as many phases as the stride (columns 0, s, 2s, …; 1, s + 1, …), so that what
/// neighbouring outputs need lies side by side at every stride.
struct DepthwiseConvolution: Sendable {
  private let batch: Int
  private let channels: Int
  private let height: Int
  private let width: Int
  private let kernel: Int
  private let stride: Int
  private let outputHeight: Int
  private let outputWidth: Int
  /// Columns of the output, filled up to whole vectors.
  private let lanes: Int
  /// Columns of a phase that taps can reach.
  private let reach: Int

  init(_ x: [Int], weight: [Int], stride: Int) {
    precondition(
      x.count == 4 && weight.count == 4 && weight[0] == x[1] && weight[1] == 1
        && weight[2] == weight[3] && stride > 0 && min(x[2], x[3]) >= weight[2],
      "depthwise convolution of shape \(x) with a kernel of shape \(weight), stride \(stride)")
    (batch, channels, height, width) = (x[0], x[1], x[2], x[3])
    (kernel, self.stride) = (weight[2], stride)
    outputHeight = (height - kernel) / stride + 1
    outputWidth = (width - kernel) / stride + 1
    lanes = (max(outputWidth, (width + stride - 1) / stride) + 7) / 8 * 8
    reach = lanes + (kernel - 1) / stride
  }

  func forward(_ x: Tensor, _ weight: Tensor) -> Tensor {
    let out = FloatBuffer(count: batch * channels * outputHeight * outputWidth)
    let (source, weights) = (x.storage, weight.storage)
    // Rows that follow one another without gaps are one long row, whose outputs between two of the plane's are
    // computed and left.
    let isOne = stride == 1
    let pitch = isOne ? width : reach
    let (runs, count) =
      isOne ? (1, (outputHeight - 1) * width + outputWidth) : (outputHeight, outputWidth)
    let places = (0..<kernel * kernel).map { tap in
      let (y, x) = (tap / kernel, tap % kernel)
      return isOne ? y * width + x : (y * stride + x % stride) * pitch + x / stride
    }
    let plane = (height * width, rows: isOne ? height * width : height * stride * pitch)
    let results = (count + Self.block - 1) / Self.block * Self.block
    let grain = max(Compute.grain / (plane.0 * kernel), 1)
    Compute.pool.forEachRange(of: batch * channels, grain: grain) { range in
      // What is read and written behind the end is in these.
      let rows = FloatBuffer(count: plane.rows + Self.block)
      let found = FloatBuffer(count: results)
      rows.pointer.update(repeating: 0, count: rows.count)
      for index in range {
        let image = source.pointer + index * plane.0
        if isOne {
          rows.pointer.update(from: image, count: plane.0)
        } else {
          split(image, into: rows.pointer)
        }
        let taps = weights.pointer + index % channels * places.count
        let target = out.pointer + index * outputHeight * outputWidth
        for run in 0..<runs {
          correlate(
            rows.pointer + run * stride * stride * pitch, count: count, taps, places,
            into: found.pointer)
          let lines = isOne ? outputHeight : 1
          for line in 0..<lines {
            let row = run + line
            (target + row * outputWidth).update(
              from: found.pointer + line * pitch, count: outputWidth)
          }
        }
      }
    }
    return Tensor(adopting: out, shape: [batch, channels, outputHeight, outputWidth])
  }

  /// Outputs that are computed at a time.
  private static let block = 32

  /// `count` neighbouring outputs, filled up to whole blocks: the taps in their order, each of its place beyond the
  /// output's own.
  @inline(__always)
  private func correlate(
    _ row: UnsafePointer<Float>, count: Int, _ taps: UnsafePointer<Float>, _ places: [Int],
    into result: UnsafeMutablePointer<Float>
  ) {
    places.withUnsafeBufferPointer { places in
      var first = 0
      while first < count {
        var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        if count - first > 8 {
          for tap in 0..<places.count {
            let factor = Lanes(repeating: taps[tap])
            let part = row + (first &+ places[tap])
            a = multiplyAdd(a, factor, part.lanes(0))
            b = multiplyAdd(b, factor, part.lanes(8))
            c = multiplyAdd(c, factor, part.lanes(16))
            d = multiplyAdd(d, factor, part.lanes(24))
          }
          result.store(b, first &+ 8)
          result.store(c, first &+ 16)
          result.store(d, first &+ 24)
        } else {
          for tap in 0..<places.count {
            a = multiplyAdd(
              a, Lanes(repeating: taps[tap]), (row + (first &+ places[tap])).lanes(0))
          }
        }
        result.store(a, first)
        first &+= Self.block
      }
    }
  }

  func inputGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    let out = FloatBuffer(count: batch * channels * height * width)
    let (source, weights) = (gradient.storage, weight.storage)
    let (margin, pitch) = (reach - lanes, reach)
    Compute.pool.forEach(batch * channels) { plane in
      // Zeros before each row stand for outputs that no column reaches.
      let rows = padded(
        source.pointer + plane * outputHeight * outputWidth, margin: margin, pitch: pitch)
      let taps = weights.pointer + plane % channels * kernel * kernel
      let target = out.pointer + plane * height * width
      rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress else { return }
        for row in 0..<height {
          for phase in 0..<min(stride, width) {
            let columns = (width - phase + stride - 1) / stride
            for first in Swift.stride(from: 0, to: columns, by: 8) {
              var sum = Lanes.zero
              for y in Swift.stride(from: row % stride, to: min(kernel, row + 1), by: stride) {
                let output = (row - y) / stride
                guard output < outputHeight else { continue }
                let line = rows + output * pitch + margin + first
                for x in Swift.stride(from: phase, to: kernel, by: stride) {
                  sum = multiplyAdd(
                    sum, Lanes(repeating: taps[y * kernel + x]), line.lanes(-(x / stride)))
                }
              }
              for lane in 0..<min(8, columns - first) {
                target[row * width + (first + lane) * stride + phase] = sum[lane]
              }
            }
          }
        }
      }
    }
    return Tensor(adopting: out, shape: [batch, channels, height, width])
  }

  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let out = FloatBuffer(count: channels * kernel * kernel)
    let (source, gradients) = (x.storage, gradient.storage)
    Compute.pool.forEach(channels) { channel in
      var sums = [Lanes](repeating: .zero, count: kernel * kernel)
      let phases = FloatBuffer(count: height * stride * reach)
      phases.pointer.update(repeating: 0, count: phases.count)
      for image in 0..<batch {
        let plane = image * channels + channel
        split(source.pointer + plane * height * width, into: phases.pointer)
        let rows = padded(
          gradients.pointer + plane * outputHeight * outputWidth, margin: 0, pitch: lanes)
        rows.withUnsafeBufferPointer { rows in
          guard let rows = rows.baseAddress else { return }
          for row in 0..<outputHeight {
            for first in Swift.stride(from: 0, to: outputWidth, by: 8) {
              let slope = rows.lanes(row * lanes + first)
              for tap in 0..<kernel * kernel {
                let (y, x) = (tap / kernel, tap % kernel)
                let line =
                  phases.pointer + ((row * stride + y) * stride + x % stride) * reach + first
                sums[tap] = multiplyAdd(sums[tap], slope, line.lanes(x / stride))
              }
            }
          }
        }
      }
      for tap in sums.indices { out.pointer[channel * kernel * kernel + tap] = sums[tap].sum() }
    }
    return Tensor(adopting: out, shape: [channels, 1, kernel, kernel])
  }

  /// An image's rows, phase by phase; what lies behind a phase's end stays zero.
  private func split(
    _ image: UnsafePointer<Float>, into phases: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<height {
      for phase in 0..<min(stride, width) {
        let (line, start) = (image + row * width, phases + (row * stride + phase) * reach)
        let count = (width - phase + stride - 1) / stride
        for index in 0..<count { start[index] = line[phase &+ index &* stride] }
      }
    }
  }

  /// The output's rows with zeros before and behind each.
  private func padded(_ image: UnsafePointer<Float>, margin: Int, pitch: Int) -> [Float] {
    var rows = [Float](repeating: 0, count: outputHeight * pitch)
    for row in 0..<outputHeight {
      for column in 0..<outputWidth {
        rows[row * pitch + margin + column] = image[row * outputWidth + column]
      }
    }
    return rows
  }
}
