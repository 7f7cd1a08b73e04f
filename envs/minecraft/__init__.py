"""A survival world of Minecraft's protocol: `pathei/Minecraft-v0`.

The world and the client that plays in it (mineflayer) run in one node process, on a clock of its own. The rules are
pathei's, made from the tables of minecraft-data, and not Mojang's code; `docs/guide/envs/minecraft.md` says where they
differ. `server/` is the node part; `game` drives it, `env` is the environment, `goals` what can be asked for, `plans`
the way along the recipe graph, `tasks` the tasks.
"""

from .env import MinecraftEnv

__all__ = ["MinecraftEnv"]
