"""Learning from pairs of a better and a worse answer (`training`)."""
