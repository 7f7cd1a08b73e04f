"""Checking skills by executing them."""
