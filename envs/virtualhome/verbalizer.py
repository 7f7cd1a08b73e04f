"""The household in words, for corpora, language-model agents and plan checks (`pathei.envs.verbalizer.Verbalizer`).

An activity is unseen where the CRC-32 of its name, in lower case with hyphens, is a multiple of 5. A generated house is
unseen where its seed is a multiple of 5 (`generate_tasks(split="test")` makes such), a household from a file where the
CRC-32 of its name is. RobotHow's programs all play in one house, each with its own state of it: there the activity, a
program's title, decides for the house as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gymnasium.utils import seeding

from ...experience import Goal, Observation, Task
from .. import contract
from ..facts import Action, FactGraph, read_action
from ..facts.conditions import ConditionJson
from ..plans import PlanOutcome
from ..verbalizer import (
    TEST_EVERY,
    Lexicon,
    Sentence,
    Surroundings,
    Verbalizer,
    capitalised,
    is_kept_out,
    is_unseen_activity,
)
from .houses.catalogue import plan as catalogue
from .houses.furnishings import HOME
from .language.describe_goal import describe
from .language.grammar.names import read_name
from .language.grammar.sentences import read_instruction
from .language.grammar.unseen import read_unseen
from .language.lexicon import LEXICON
from .language.observation import read_surroundings
from .language.plans import noun, read_named_action, read_plan, say_action, say_plan
from .language.run_plan import run_plan
from .language.trim_plan import trim_plan
from .tasks.generate import ACTIVITIES, activity_of

if TYPE_CHECKING:
    import gymnasium

_CLASSES = frozenset(
    {row.name for row in catalogue(HOME).pieces}
    | {row.name for row in catalogue(HOME).things}
    | {*HOME.rooms, *HOME.more_rooms}
    | LEXICON.structure
)
_COMMON = frozenset({"GRABBABLE", "MOVABLE", "HANGABLE"})
_CONSISTENT_RULES = "clean"
"""Only under these rules what is carried comes along by the facts; the historical ones leave it where it was."""


class HomeVerbalizer(Verbalizer):
    """Words for `pathei/VirtualHome-v0`."""

    lexicon: Lexicon = LEXICON

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Take a script line apart, or plain English where each of its names means one thing of the graph."""
        action = read_action(text)
        return read_named_action(text, graph) if action is None and graph is not None else action

    def say_action(self, action: Action | str, numbered: Collection[str] = ()) -> str:
        """Return an action as a sentence, with the first phrase of its verb."""
        if isinstance(action, str):
            read = read_action(action)
            return capitalised(action.strip()) if read is None else say_action(read, numbered)
        return say_action(action, numbered)

    def say_plan(self, actions: Sequence[str], numbered: Collection[str] = ()) -> str:
        """Return script lines as sentences: "Walk to the fridge. Open the fridge."."""
        return say_plan(actions, numbered)

    def read_plan(self, text: str) -> tuple[Sentence, ...]:
        """Read a plan in words, or in script lines, with every reading of each sentence."""
        return read_plan(text)

    def noun(self, kind: str) -> str:
        """Return a class in words."""
        return noun(kind)

    def kind(self, name: str, kinds: Collection[str]) -> str | None:
        """Return the class that a name means among those of generated houses and the given ones."""
        found = read_name(name, _CLASSES.union(kinds))
        return found.classes[0] if found is not None and len(found.classes) == 1 else None

    def read_goal(self, text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
        """Return the conditions that words state about any house; see `language.grammar.unseen`."""
        return read_unseen(text, kinds, whole=whole)

    def purposes(self, kind: str) -> frozenset[str]:
        """Return a class's properties that say what it is for, or its category where it has none."""
        return _purposes(kind)

    def activity(self, task: Task) -> str | None:
        """Return the activity of a generated task, or the title of RobotHow's program."""
        if str(task.options.get("scene", "")).startswith("robothow:"):
            return task.goal.text.partition(":")[0].strip().lower() or None
        name = activity_of(task)
        return None if name is None else name.replace("-", " ")

    def activities(self) -> tuple[str, ...]:
        """Return the activities that tasks are generated of."""
        return tuple(name.replace("-", " ") for name in ACTIVITIES)

    def scene(self, task: Task) -> str:
        """Return the name of a task's house: `"house:7"`, `"robothow:file10_2"`, or the path of a graph file.

        A task without a scene plays in the house that its seed generates; this is that one's name.
        """
        scene = task.options.get("scene")
        if scene is None:
            scene = f"house:{int(seeding.np_random(task.seed)[0].integers(2**31))}"
        return str(scene)

    def is_unseen_scene(self, task: Task) -> bool:
        """Return whether a task's house is kept out of training; RobotHow's are not houses of their own, see above."""
        scene, activity = self.scene(task), self.activity(task)
        if scene.startswith("robothow:") and activity is not None:
            return is_unseen_activity(activity)
        return is_unseen_house(scene)

    def tracks_load(self, task: Task) -> bool:
        """Return whether the task is played under rules by which what is carried comes along."""
        return bool(task.options.get("rules", _CONSISTENT_RULES) == _CONSISTENT_RULES)

    def surroundings(self, observation: Observation) -> Surroundings:
        """Return the rooms, closed things and full hands that an observation names."""
        return read_surroundings(observation.text)

    def approach(self, kind: str) -> Action | None:
        """Return the action of walking to a thing."""
        return Action("WALK", (kind,), (0,))

    def opening(self, kind: str) -> Action | None:
        """Return the action of opening a thing."""
        return Action("OPEN", (kind,), (0,))

    def read_instruction(self, env: gymnasium.Env[Any, Any], text: str) -> Goal | None:
        """Return the goal that an instruction states, about the things of a household that was reset.

        Raises:
            GoalError: an instruction cannot be read as something to check, or names what is not there.
        """
        world: Any = env.unwrapped
        return read_instruction(text, world.world.scene, world.world.rules)

    def say_goal(self, env: gymnasium.Env[Any, Any], goal: Goal) -> str:
        """Return the conditions of a goal in words."""
        world: Any = env.unwrapped
        return describe(goal.conditions, world.world.scene)

    def trim_plan(self, env: gymnasium.Env[Any, Any], task: Task, actions: Sequence[str]) -> tuple[str, ...] | None:
        """Return a plan without what another house would not need; see `language.trim_plan`."""
        contract.reset(env, task)
        return trim_plan(env.unwrapped, task, actions)

    def run_plan(
        self, env: gymnasium.Env[Any, Any], info: Mapping[str, Any], text: str, *, skip_refused: bool = False
    ) -> PlanOutcome:
        """Carry out a plan, looking ahead to find out which things are meant; see `language.run_plan`."""
        return run_plan(env, info, text, skip_refused=skip_refused)


def is_unseen_house(name: str) -> bool:
    """Return whether a house is kept out of training, by the name that `HomeVerbalizer.scene` gives it."""
    kind, _, rest = name.partition(":")
    return int(rest) % TEST_EVERY == 0 if kind == "house" and rest.isdecimal() else is_kept_out(name)


@lru_cache(maxsize=1 << 12)
def _purposes(kind: str) -> frozenset[str]:
    house = catalogue(HOME)
    rows = [(row.name, row.properties, row.category) for row in house.pieces]
    rows += [(row.name, row.properties, row.category) for row in house.things]
    for own, properties, category in rows:
        if own == kind:
            return frozenset(properties) - _COMMON or frozenset({category})
    return frozenset({kind})
