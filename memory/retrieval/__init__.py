"""Answering a query: candidates by meaning and by words, ranked together."""
