/// Memory of its own at a 64-byte boundary, freed with the object.
final class AlignedBuffer: @unchecked Sendable {
  let start: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    start = .allocate(byteCount: max(byteCount, 1), alignment: 64)
    self.byteCount = byteCount
  }

  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  deinit { start.deallocate() }
}
