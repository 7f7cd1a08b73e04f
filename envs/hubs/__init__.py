"""Environments of other hubs as environments of pathei: `openenv:URL` is a server, `verifiers:NAME` a package.

Both are deterministic where the environment behind them is, so a search takes snapshots of them by verified replay.
Not here: serving ours to those hubs (`pathei.interop`, `pathei.integrations`).
"""

from typing import Final

from ..registry import EnvSpec

OPENENV: Final = EnvSpec(
    id="pathei/OpenEnv-v0",
    entry_point="pathei.envs.hubs.openenv:OpenEnvEnv",
    max_episode_steps=None,
    name="openenv",
    what="the environment of an OpenEnv server, as openenv:URL",
    needs="the extra 'openenv', and a server",
    doctor="hubs.openenv:check_openenv",
    tasks="hubs.openenv:generate_tasks",
    search_steps=400,
)
"""An OpenEnv server."""

VERIFIERS: Final = EnvSpec(
    id="pathei/Verifiers-v0",
    entry_point="pathei.envs.hubs.verifiers:VerifiersEnv",
    max_episode_steps=None,
    name="verifiers",
    what="the environment of a package for verifiers, as verifiers:NAME",
    needs="the extra 'verifiers', and the package",
    doctor="hubs.verifiers:check_verifiers",
    tasks="hubs.verifiers:generate_tasks",
    search_steps=400,
)
"""A package for verifiers."""

__all__ = ["OPENENV", "VERIFIERS"]
