"""Homes in three dimensions by Habitat's conventions: a back-end interface and an embedded simulator of box scenes.

Not here yet: generated homes, Habitat's tasks, and an environment for agents.
"""
