extension LanguageModel {
  /// What a head's share of the attention is multiplied by, value by value, on its way into the residual
  /// stream, `[width]`: the norm that may follow the attention, its scale held fixed at what these
  /// results make it, and the scale of the branch.
  ///
  /// - Parameter headResults: `attn.hook_result` of one position, `[heads · width]`.
  public func attentionFactors(layer: Int, headResults: [Double]) -> [Double] {
    let width = architecture.width
    let branch = Double(architecture.blocks[layer].branchScale)
    let block = weights.blocks[layer]
    guard let norm = block.attentionPostNorm else {
      return Array(repeating: branch, count: width)
    }
    let sums = (0..<width).map { column in
      stride(from: column, to: headResults.count, by: width)
        .reduce(Double(block.output.bias?[column] ?? 0)) { $0 + headResults[$1] }
    }
    let square = sums.reduce(0) { $0 + $1 * $1 } / Double(width)
    // No family has a layer norm here, whose mean would have to be taken out of every part.
    precondition(norm.kind == .rootMeanSquare, "a norm behind the attention takes the mean out")
    let scale = (square + Double(norm.epsilon)).squareRoot()
    return norm.weight.values.map { Double($0) / scale * branch }
  }
}
