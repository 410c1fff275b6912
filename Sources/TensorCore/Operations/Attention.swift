extension Tensor {
  /// Scaled dot-product attention (Vaswani et al. 2017) with positions along the last axis:
  /// `[…, channels, positions]` for queries and keys, `[…, values, keys]` for values; the result is
  /// `[…, values, queries]`.
  public static func attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor {
    precondition(
      query.shape.count >= 2 && query.shape.dropLast() == key.shape.dropLast()
        && key.shape.last == value.shape.last,
      "attention of queries \(query.shape), keys \(key.shape) and values \(value.shape)")
    let channels = query.shape[query.shape.count - 2]
    let scores = product(query, key, transposeA: true)
    let weights = scores.softmax(scale: 1 / Float(channels).squareRoot())
    return product(value, weights, transposeB: true)
  }
}
