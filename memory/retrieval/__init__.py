"""Answering a query: candidates by meaning and words, ranked."""
