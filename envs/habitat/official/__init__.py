"""habitat-sim itself, in an interpreter of its own: the same tasks and agents on the official simulator."""
