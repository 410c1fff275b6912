// Nothing to call: linked into a program, this target chooses between it and its portable form at start.
