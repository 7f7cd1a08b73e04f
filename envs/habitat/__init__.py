"""Homes in three dimensions: Habitat's tasks in generated homes, on an embedded simulator.

Not here yet: habitat-sim itself, habitat-lab's files, image goals, tasks of two agents.
"""
