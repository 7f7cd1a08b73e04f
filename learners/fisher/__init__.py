"""Fisher information: estimating, storing and reading it."""
