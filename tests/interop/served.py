"""What an agent in this process sees of a task: what every other way to an environment must show, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.envs.registry import get_demonstration
from pathei.experience import Observation, Task

OPENENV = Path(sys.prefix) / "hubs" / "openenv" / "bin" / "python"
"""An interpreter with OpenEnv, which cannot be installed beside mcp 2."""


def demonstrated(task: Task) -> tuple[list[str], list[Observation]]:
    """Return a task's demonstration, and what an agent in this process sees of it."""
    envs, actions = Envs(), list(get_demonstration(task))
    try:
        recorder = Recorder(envs.get(task), task, max_steps=30)
        seen = [recorder.reset()]
        for action in actions:
            recorder.step(action)
            seen.append(recorder.observation)
    finally:
        envs.close()
    return actions, [one.seen() for one in seen]
