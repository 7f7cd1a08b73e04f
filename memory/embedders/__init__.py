"""Text embedders by name."""
