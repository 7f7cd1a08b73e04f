"""Agents that ask a language model: back ends, prompts, likelihoods."""
