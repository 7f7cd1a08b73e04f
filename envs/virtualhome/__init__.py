"""VirtualHome's household as a symbolic world: scenes, rules, goals and tasks, without Unity."""
