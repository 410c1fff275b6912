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
    Compute.pool.forEach(batch * channels) { plane in
      var phases = [Float](repeating: 0, count: height * stride * reach)
      split(source.pointer + plane * height * width, into: &phases)
      let taps = weights.pointer + plane % channels * kernel * kernel
      let target = out.pointer + plane * outputHeight * outputWidth
      phases.withUnsafeBufferPointer { phases in
        guard let phases = phases.baseAddress else { return }
        for row in 0..<outputHeight {
          for first in Swift.stride(from: 0, to: outputWidth, by: 8) {
            var sum = Lanes.zero
            for y in 0..<kernel {
              let line = phases + (row * stride + y) * stride * reach + first
              for x in 0..<kernel {
                let part = line.lanes(x % stride * reach + x / stride)
                sum = multiplyAdd(sum, Lanes(repeating: taps[y * kernel + x]), part)
              }
            }
            let place = row * outputWidth + first
            if first + 8 <= outputWidth {
              target.store(sum, place)
            } else {
              for lane in 0..<outputWidth - first { target[place + lane] = sum[lane] }
            }
          }
        }
      }
    }
    return Tensor(adopting: out, shape: [batch, channels, outputHeight, outputWidth])
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
      var phases = [Float](repeating: 0, count: height * stride * reach)
      for image in 0..<batch {
        let plane = image * channels + channel
        split(source.pointer + plane * height * width, into: &phases)
        let rows = padded(
          gradients.pointer + plane * outputHeight * outputWidth, margin: 0, pitch: lanes)
        phases.withUnsafeBufferPointer { phases in
          rows.withUnsafeBufferPointer { rows in
            guard let phases = phases.baseAddress, let rows = rows.baseAddress else { return }
            for row in 0..<outputHeight {
              for first in Swift.stride(from: 0, to: outputWidth, by: 8) {
                let slope = rows.lanes(row * lanes + first)
                for tap in 0..<kernel * kernel {
                  let (y, x) = (tap / kernel, tap % kernel)
                  let line = phases + ((row * stride + y) * stride + x % stride) * reach + first
                  sums[tap] = multiplyAdd(sums[tap], slope, line.lanes(x / stride))
                }
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
  private func split(_ image: UnsafePointer<Float>, into phases: inout [Float]) {
    for row in 0..<height {
      for phase in 0..<min(stride, width) {
        let start = (row * stride + phase) * reach
        for (index, column) in Swift.stride(from: phase, to: width, by: stride).enumerated() {
          phases[start + index] = image[row * width + column]
        }
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
