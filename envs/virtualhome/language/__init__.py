"""The household in words: actions, goals, plans and observations, read and written."""
