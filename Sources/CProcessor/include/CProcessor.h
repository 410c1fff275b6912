// Linked into a program, this target chooses between it and its portable form at start.

/// Keeps freed blocks for the next of their size: for programs that need the same large ones again and again, to
/// which each new page costs as much as filling it.
void keepLargeBlocks(void);
