"""Thin adapters for text worlds of other packages: MiniGrid and BabyAI, TextWorld, ScienceWorld.

Each is one file with its tasks and, where the package has one, its expert as the demonstration. The packages are
imported when an environment is made: `pip install '.[adapters]'`.
"""
