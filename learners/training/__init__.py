"""Training loops: configuration, batches, losses, checkpoints."""
