"""Homes in three dimensions: Habitat's tasks in generated homes, on an embedded simulator or on habitat-sim."""
