"""Tasks of the Minecraft world: generated ones (`generate`), and those of MineDojo (`dojo`), with what solves them."""

from .generate import ENV, LONGEST, TIERS, demonstration, generate_tasks, play, playing, task_of

__all__ = ["ENV", "LONGEST", "TIERS", "demonstration", "generate_tasks", "play", "playing", "task_of"]
