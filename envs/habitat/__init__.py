"""Homes in three dimensions by Habitat's conventions: a back-end interface, an embedded simulator and generated homes.

Not here yet: Habitat's tasks, and an environment for agents.
"""
