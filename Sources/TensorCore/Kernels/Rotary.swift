/// Rotates the first `2 · pairs` values of a head in place (Su et al. 2021): value *i* and value
/// *i + pairs* form a pair, as in Hugging Face's layout.
public func rotate(
  _ head: UnsafeMutablePointer<Float>, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
  pairs: Int
) {
  var index = 0
  while index + 8 <= pairs {
    let a = head.lanes(index)
    let b = head.lanes(index + pairs)
    let c = cosines.lanes(index)
    let s = sines.lanes(index)
    head.store(a * c - b * s, index)
    head.store(b * c + a * s, index + pairs)
    index += 8
  }
  while index < pairs {
    let a = head[index]
    let b = head[index + pairs]
    head[index] = a * cosines[index] - b * sines[index]
    head[index + pairs] = b * cosines[index] + a * sines[index]
    index += 1
  }
}

/// Rotates the first `2 · pairs` values of a head in place: values *2i* and *2i + 1* form a pair, as in
/// GPT-J.
public func rotateNeighbours(
  _ head: UnsafeMutablePointer<Float>, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
  pairs: Int
) {
  for index in 0..<pairs {
    let a = head[2 * index]
    let b = head[2 * index + 1]
    head[2 * index] = a * cosines[index] - b * sines[index]
    head[2 * index + 1] = b * cosines[index] + a * sines[index]
  }
}
