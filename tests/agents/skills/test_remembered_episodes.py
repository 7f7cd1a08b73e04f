"""An agent whose memory holds no skill for a goal does what episodes did that reached a goal of the same words."""

from pathlib import Path
from typing import Any

import gymnasium
import pytest

from pathei.agents import ScriptedAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.policy import AgentPolicy
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs import UnicodeText
from pathei.experience import Goal, Task, Trajectory
from pathei.memory import make_builders, open_memory
from pathei.memory.experience_memory import ExperienceMemory

ROOMS = ("cellar", "attic", "shed")
ID = "PatheiChest-v0"
GOAL = Goal("open the chest")


class ChestEnv(gymnasium.Env[str, str]):
    """The key lies in the room that the seed names, the chest stands in the hall; there are no facts."""

    def __init__(self) -> None:
        self.observation_space, self.action_space = UnicodeText(200), UnicodeText(50)
        self._room, self._key, self._has, self._open = "hall", "", False, False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin in the hall."""
        super().reset(seed=seed)
        self._room, self._key, self._has, self._open = "hall", ROOMS[(seed or 0) % len(ROOMS)], False, False
        return self._seen(0.0)[0], self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Walk, take the key, or open the chest."""
        if action not in self._actions():
            return "You cannot.", 0.0, False, False, self._info() | {"error": "it cannot be done"}
        if action.startswith("go to the "):
            self._room = action.removeprefix("go to the ")
        self._has |= action == "take the key"
        self._open |= action == "open the chest"
        return self._seen(float(self._open))

    def _actions(self) -> tuple[str, ...]:
        there = tuple(f"go to the {room}" for room in ("hall", *ROOMS) if room != self._room)
        take = ("take the key",) if self._room == self._key and not self._has else ()
        return (*there, *take, *(("open the chest",) if self._room == "hall" and self._has else ()))

    def _info(self) -> dict[str, Any]:
        return {"actions": self._actions(), "success": self._open}

    def _seen(self, reward: float) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return f"You are in the {self._room}.", reward, self._open, False, self._info()


@pytest.fixture(autouse=True, scope="module")
def registered() -> None:
    gymnasium.register(ID, entry_point=ChestEnv)


def task(seed: int) -> Task:
    return Task(f"chest-{seed}", ID, seed, GOAL)


def shown(seed: int) -> Trajectory:
    """Return an episode that opens the chest."""
    there = f"go to the {ROOMS[seed]}"
    agent = ScriptedAgent([there, "take the key", "go to the hall", "open the chest"])
    [found] = Rollout(AgentPolicy(lambda task: agent), name="scripted").collect([task(seed)])
    assert isinstance(found, Trajectory)
    assert found.success
    return found


def played(memory: ExperienceMemory, seed: int, *, explores: bool) -> Trajectory:
    """Let the agent play."""

    def agent_of(_: Task) -> SkillAgent:
        return SkillAgent(memory, env=ID, explores=explores)

    [found] = Rollout(AgentPolicy(agent_of), name="agent", max_steps=20).collect([task(seed)])
    assert isinstance(found, Trajectory)
    return found


def test_it_tries_them_one_after_the_other_and_skips_what_it_has_done(tmp_path: Path) -> None:
    builders = make_builders(("episodes",))
    with open_memory(tmp_path / "memory", embedder="ngrams", builders=builders, create=True) as memory:
        memory.add_all([shown(0), shown(1)])
        for seed in (0, 1):
            found = played(memory, seed, explores=True)
            assert found.success
            assert not any("error" in step.info for step in found.steps)
            items = {item for step in found.steps for item in step.info["agent"]["memory"]}
            # The right episode; or the other one as far as it goes, and then the right one.
            assert (len(found.steps), len(items)) in {(4, 1), (5, 2)}
        assert not played(memory, 2, explores=False).success  # nobody has shown the shed
