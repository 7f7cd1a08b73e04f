"""Corpora: questions with answers, made from stored experience."""
