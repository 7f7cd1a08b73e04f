"""Tasks of the terminal: generated file systems, chores, and published task files."""
