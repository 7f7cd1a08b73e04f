"""Playing tasks: one episode, many episodes, and worker processes."""
