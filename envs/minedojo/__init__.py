"""MineDojo's tasks, played by the real `minedojo` package in an interpreter of its own: `pathei/MineDojo-v0`.

`runtime` installs the package with the pins that it needs, `bridge` runs inside that interpreter, `env` is the
environment, `words` says its actions and observations, and `tasks` lists the package's tasks. Not here: Minecraft
itself, which the package starts by Java.
"""

from .env import MineDojoEnv

__all__ = ["MineDojoEnv"]
