"""Habitat's files: scene data sets that its simulator opens, and episodes in habitat-lab's form."""
