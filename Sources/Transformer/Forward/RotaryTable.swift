import Foundation
import TensorCore

/// Cosines and sines of the rotary encoding, `[positions, pairs]`.
struct RotaryTable: Sendable {
  let pairs: Int
  let cosines: Tensor
  let sines: Tensor

  init(_ rotary: Architecture.Rotary, length: Int) {
    let frequencies = rotary.frequencies
    let pairs = frequencies.count
    self.pairs = pairs
    func table(_ function: (Double) -> Double) -> Tensor {
      Tensor(shape: [length, pairs]) { out in
        for position in 0..<length {
          for (pair, frequency) in frequencies.enumerated() {
            out[position * pairs + pair] = Float(function(Double(position) * frequency))
          }
        }
      }
    }
    cosines = table(cos)
    sines = table(sin)
  }
}
