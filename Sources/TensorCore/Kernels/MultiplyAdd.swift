/// `c + a · b` in one rounding where the processor has it; two elsewhere, since a call for each lane
/// would take tens of times as long.
@inline(__always)
func multiplyAdd(_ c: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
  #if FUSED_MULTIPLY_ADD
    c.addingProduct(a, b)
  #else
    c + a * b
  #endif
}
