"""Learning into an external memory: episodes, skills, facts. Nothing is here yet."""
