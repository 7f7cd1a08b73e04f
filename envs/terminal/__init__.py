"""A persistent shell in a sandbox."""
