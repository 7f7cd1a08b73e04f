"""The commands of `pathei memory`."""
