/// Convolution of stride 1 without unfolding: six (or four) output channels at sixteen positions are
/// summed in registers while the kernel's taps and the input channels go by.
struct DirectConvolution: Sendable {
  /// About how many multiplications make a task, at most, and how many tasks a batch makes, at least.
  private static let taskSize = 4 << 20
  private static let fewestTasks = 8

  private let shape: ConvolutionShape
  private let image: PaddedImage
  private let positions: VectorPositions
  /// First output channel and number of channels of each block.
  private let blocks: [(first: Int, width: Int)]
  /// The weights in the order that the kernels read them: block, input channel, tap, channel of the
  /// block.
  private let packed: FloatBuffer
  /// For each input channel and tap, where it lies in the padded image.
  private let offsets: [Int32]
  private let isDense: Bool

  /// - Parameters:
  ///   - weight: `[outputs, inputs, height, width]`, or, if `isTransposed`, the weights of the
  ///     convolution whose input gradient this is, `[inputs, outputs, height, width]`, used turned
  ///     by half a circle.
  init(_ shape: ConvolutionShape, _ weight: Tensor, isTransposed: Bool) {
    // Without a frame, an image is one long row.
    isDense = shape.padding == 0 && shape.taps == 1
    self.shape = shape
    let (height, width) = isDense ? (1, shape.height * shape.width) : (shape.height, shape.width)
    image = PaddedImage(
      channels: shape.inputs, height: height, width: width, padding: shape.padding)
    positions = VectorPositions(
      height: isDense ? 1 : shape.outputHeight, width: isDense ? width : shape.outputWidth,
      inputRowStride: image.rowStride)
    blocks = Self.blocks(of: shape.outputs)
    packed = Self.pack(weight, shape, blocks, isTransposed: isTransposed)
    var offsets: [Int32] = []
    for input in 0..<shape.inputs {
      for y in 0..<shape.kernelHeight {
        for x in 0..<shape.kernelWidth {
          offsets.append(Int32(input * image.planeStride + y * image.rowStride + x))
        }
      }
    }
    self.offsets = offsets
  }

  /// Sixes, and fours for the rest; the last block may be only partly used.
  static func blocks(of outputs: Int) -> [(first: Int, width: Int)] {
    let rest = outputs % 6
    // 6 n + 4, 6 n + 8 and so on; what cannot be written so is rounded up.
    let fours = rest == 0 ? 0 : rest <= 2 && outputs >= 6 ? 2 : rest <= 4 ? 1 : 0
    let sixes = max((outputs - 4 * fours + 5) / 6, 0)
    var blocks: [(first: Int, width: Int)] = []
    var first = 0
    for index in 0..<sixes + fours {
      let width = index < sixes ? 6 : 4
      blocks.append((first, width))
      first += width
    }
    return blocks
  }

  private static func pack(
    _ weight: Tensor, _ shape: ConvolutionShape, _ blocks: [(first: Int, width: Int)],
    isTransposed: Bool
  ) -> FloatBuffer {
    let (inputs, outputs, taps) = (shape.inputs, shape.outputs, shape.taps)
    let source = weight.storage.pointer
    let packed = FloatBuffer(count: blocks.reduce(0) { $0 + $1.width } * inputs * taps)
    var target = packed.pointer
    let (outputStride, inputStride) = isTransposed ? (taps, outputs * taps) : (inputs * taps, taps)
    for block in blocks {
      let used = min(block.width, outputs - block.first)
      for input in 0..<inputs {
        let kernels = source + block.first * outputStride + input * inputStride
        for tap in 0..<taps {
          let from = kernels + (isTransposed ? taps - 1 - tap : tap)
          for place in 0..<used { target[place] = from[place * outputStride] }
          for place in used..<block.width { target[place] = 0 }
          target += block.width
        }
      }
    }
    return packed
  }

  func run(_ x: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.outputCount)
    let pool = Compute.pool
    let isCopied = !isDense || shape.height * shape.width < 8
    let scratch = FloatBuffer(count: isCopied ? pool.count * image.count : 0)
    if isCopied {
      for worker in 0..<pool.count { image.clear(scratch.pointer + worker * image.count) }
    }
    let work = max(shape.outputCount * shape.inputs * shape.taps, 1)
    let images = max(min(Self.taskSize / work, shape.batch / Self.fewestTasks), 1)
    let (source, bias) = (x.storage, bias)
    pool.forEachOnWorker((shape.batch + images - 1) / images) { task, worker in
      for index in task * images..<min((task + 1) * images, shape.batch) {
        var input = UnsafePointer(source.pointer + index * shape.inputCount)
        if isCopied {
          let padded = scratch.pointer + worker * image.count
          image.fill(padded, from: input)
          input = UnsafePointer(padded)
        }
        let biases = bias.map {
          UnsafePointer($0.storage.pointer) + ($0.shape.count == 2 ? index * shape.outputs : 0)
        }
        convolve(input, bias: biases, into: out.pointer + index * shape.outputCount)
      }
    }
    return Tensor(adopting: out, shape: shape.outputShape)
  }

  private func convolve(
    _ input: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    into out: UnsafeMutablePointer<Float>
  ) {
    let steps = offsets.count
    let plane = shape.outputHeight * shape.outputWidth
    let vectors = positions.input.count
    let valid = positions.valid
    offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for pair in stride(from: 0, to: vectors, by: 2) {
        let other = min(pair + 1, vectors - 1)
        let first = input + Int(positions.input[pair])
        let second = input + Int(positions.input[other])
        let (firstOut, secondOut) = (Int(positions.output[pair]), Int(positions.output[other]))
        var weights = UnsafePointer(packed.pointer)
        for block in blocks {
          let count = min(block.width, shape.outputs - block.first)
          let target = ChannelTile(
            out: out + block.first * plane, plane: plane, channels: count, valid: valid,
            first: firstOut, second: secondOut, bias: bias.map { $0 + block.first })
          if block.width == 6 {
            sumSixByTwo(first, second, weights, offsets, steps: steps, into: target)
          } else {
            sumFourByTwo(first, second, weights, offsets, steps: steps, into: target)
          }
          weights += block.width * steps
        }
      }
    }
  }
}
