import Reports
import TensorCore

extension Decoding {
  func section(_ records: [Record<DecodingRow>], _ findings: Findings) throws -> Section {
    return Section(heading: findings.title)
  }
}
