"""Language models by name, and the tiny built-in one."""
