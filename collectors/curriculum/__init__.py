"""The automatic curriculum: goal proposers, and the collector that tries their goals."""
