"""Builders that use a language model: lessons, facts and verified skills."""
