"""pathei: learning through what one lives. agents live in simulators and learn from what they experience."""

__version__ = "0.1.0"
