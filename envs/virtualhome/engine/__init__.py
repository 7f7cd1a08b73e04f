"""The state of a household and the rules that change it."""
