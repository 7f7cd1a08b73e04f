"""Memory builders: what turns a trajectory into episodes, skills and facts."""
