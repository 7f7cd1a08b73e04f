"""A world of a few lamps with its own goals, for tests of what must not know households.

Its id makes gymnasium import this file. Run as a program it plays a curriculum into a store, so that it can be killed.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium

from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig
from pathei.collectors.curriculum.proposers import NoveltyProposer
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs.goal_space import GoalCandidate, GoalCondition
from pathei.envs.spaces import UnicodeText
from pathei.errors import GoalError
from pathei.experience import Goal, Task
from pathei.store import ExperienceStore

LAMPS = ("red lamp", "green lamp", "blue lamp", "white lamp")
ID = "pathei.tests.support.switchboard:Switchboard-v0"


class Switchboard(gymnasium.Env[str, str]):
    """Four lamps, two actions for each; `press red lamp` toggles it, `look red lamp` does nothing."""

    def __init__(self) -> None:
        self.observation_space = UnicodeText(1000)
        self.action_space = UnicodeText(100)
        self.lit: frozenset[str] = frozenset()
        self._goal: tuple[str, ...] = ()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Put all lamps out, or with the option `stay` leave them as they are."""
        super().reset(seed=seed)
        self.lit = self.lit if (options or {}).get("stay") else frozenset()
        self._goal = tuple(one["lit"] for one in ((options or {}).get("goal") or {}).get("conditions", ()))
        return self._seen(), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Press or look, or crash."""
        before = self._progress()
        verb, _, lamp = action.partition(" ")
        if verb == "crash":
            raise RuntimeError("the fuse blew")
        if verb == "press" and lamp in LAMPS:
            self.lit ^= {lamp}
        info = self._info()
        return self._seen(), self._progress() - before, bool(info.get("success")), False, info

    def snapshot(self) -> Any:
        """Return the lamps that are lit, and the goal."""
        return self.lit, self._goal, self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Go back to that."""
        self.lit, self._goal, self.np_random.bit_generator.state = state

    def _progress(self) -> float:
        return len(self.lit & set(self._goal)) / max(1, len(self._goal))

    def _seen(self) -> str:
        return f"Lit: {', '.join(sorted(self.lit)) or 'nothing'}."

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {"actions": tuple(f"{verb} {lamp}" for lamp in LAMPS for verb in ("press", "look"))}
        if self._goal:
            info |= {"success": set(self._goal) <= self.lit, "progress": self._progress()}
        return info


class LampGoals:
    """The goals of the switchboard: each lamp lit, and combinations."""

    def present(self, env: gymnasium.Env[Any, Any]) -> "LampGoals":
        """Return the goals; they do not depend on the state."""
        return self

    def aim(self, goal: Goal) -> GoalCandidate:
        """Return a goal as an aim."""
        if not goal.conditions:
            raise GoalError("The goal has no conditions.")
        return GoalCandidate(
            goal, tuple(GoalCondition(("_ lit", f"{one['lit']} lit"), (one["lit"],)) for one in goal.conditions)
        )

    def aims(self) -> Sequence[GoalCandidate]:
        """Return each lamp lit."""
        return [self.aim(Goal(f"the {lamp} is lit", ({"lit": lamp},))) for lamp in LAMPS]

    def kinds(self) -> Mapping[str, Sequence[GoalCandidate]]:
        """Return them as the one kind that there is."""
        return {"_ lit": self.aims()}

    def named(self, name: str) -> GoalCandidate | None:
        """Find one by name."""
        return next((aim for aim in self.aims() if aim.parts[0].name == name), None)

    def join(self, aims: Sequence[GoalCandidate]) -> GoalCandidate | None:
        """Join some, each lamp once."""
        conditions = tuple(condition for aim in aims for condition in aim.goal.conditions)
        if len({one["lit"] for one in conditions}) < len(conditions):
            return None
        return self.aim(Goal(" and ".join(aim.goal.text for aim in aims), conditions))

    def read(self, text: str) -> GoalCandidate:
        """Read what `grammar` says."""
        found = next((aim for aim in self.aims() if aim.goal.text == text.lower().rstrip(".")), None)
        if found is None:
            raise GoalError(f"{text!r} is no goal here.")
        return found

    def grammar(self) -> str:
        """Say the one form."""
        return "  the COLOUR lamp is lit"


def boards(count: int) -> list[Task]:
    """Return so many worlds to play in."""
    return [Task(f"board-{number}", ID, number, Goal("")) for number in range(count)]


def curriculum(config: CurriculumConfig) -> Curriculum:
    """Return the curriculum that the tests of resuming use: everything in it learns."""
    return Curriculum(LampGoals(), NoveltyProposer(), SkillPolicy(LampGoals(), effort=40), config, seed=3)


gymnasium.register(
    "Switchboard-v0", entry_point="pathei.tests.support.switchboard:Switchboard", disable_env_checker=True
)

if __name__ == "__main__":
    path, count, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with ExperienceStore.open(path) as store:
        running = curriculum(CurriculumConfig(run="killed", pause=2))
        running.resume(store)
        for record in running.collect(boards(count)):
            time.sleep(pause)
            store.append(record)
