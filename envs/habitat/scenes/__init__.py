"""Homes: what they are made of, and files of boxes."""
