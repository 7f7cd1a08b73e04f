"""A memory for other programs: JSON lines, `SKILL.md` folders, and a server that speaks the Model Context Protocol."""
