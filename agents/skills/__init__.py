"""The agent that acts by the skills and facts of a memory, without a model."""
