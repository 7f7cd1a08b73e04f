"""The commands for people who add parts: list them, check an environment, begin a package of one."""
