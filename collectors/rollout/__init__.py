"""Playing tasks: the loop, its policies, worker processes, and the way into a store."""
