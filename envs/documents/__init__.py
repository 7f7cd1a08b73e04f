"""Browsing and searching a collection of linked documents."""
