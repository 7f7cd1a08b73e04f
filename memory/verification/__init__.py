"""Verifying skills by executing them."""
