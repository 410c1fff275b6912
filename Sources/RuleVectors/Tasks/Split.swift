/// Which part of a task's items an episode may use: choices such as the best layer are made on
/// development items and reported on held-out ones.
public enum Split: String, Sendable, CaseIterable {
  case development
  case heldOut = "held-out"
  /// Further episodes of development items, to choose a design by before anything is reported.
  case pilot

  /// The split's part of a list in the order of the task file: items 0, 3, 6, … are development
  /// items, the others held out. By position, so that adding items at the end moves none.
  public func items<Item>(of list: [Item]) -> [Item] {
    list.enumerated().filter { ($0.offset % 3 == 0) == (self != .heldOut) }.map(\.element)
  }
}
