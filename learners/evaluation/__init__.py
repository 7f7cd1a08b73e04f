"""Measuring a model: answers, executed plans, and the language it kept."""
