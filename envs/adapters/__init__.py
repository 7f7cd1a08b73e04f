"""Thin adapters for text worlds of other packages."""
