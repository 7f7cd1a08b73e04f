"""Plans asked for by the goal alone: what of an episode was needed, in words, without what was particular to the house.

An episode that looked for things, or a search's plan, has steps that another house does not ask for. Here the steps
that can be left out are left out, by trying in the world; going to a thing is told as walking, if walking will do; and
doors are left out unless the goal names one. So the same goal gets much the same plan in every house, which even a
small model can learn. Whoever acts by such a plan finds things and opens doors by itself (`agents.saycan`). Left out:
plans for one house, with where its things are (`chores.plans`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...envs.plans import succeeds, without_idle_steps
from ...envs.virtualhome.language.plans import PlanAction, ask_for_plan, read_deed, say_deed
from ...errors import ScriptError
from ..examples import Example
from .config import CorpusDraft
from .episodes import HouseholdEpisode
from .knowledge import named_nodes
from .splits import activity_of
from .words import count_words

if TYPE_CHECKING:
    from ...envs.virtualhome.engine.rules import Action
    from ..evaluation.plan_execution import PlanExecutor

_DOOR: Final = "door"
_WALK: Final = "WALK"
_LIKE_WALKING: Final = ("FIND", "RUN")
_PAIRS_UP_TO: Final = 12
"""Steps that only two together can be spared are sought in plans of so many steps: there are few left by then."""


def bare_plan(episode: HouseholdEpisode, max_words: int, trimmer: PlanTrimmer) -> Iterator[CorpusDraft]:
    """Ask for the plan of an episode that one character brought to its goal; nothing for any other."""
    if not episode.success or len(episode.start.characters) != 1:
        return
    needed = trimmer.needed(episode)
    if needed is None:
        return
    prompt, told = ask_for_plan(episode.task.goal.text), " ".join(map(say_deed, needed))
    if not needed or count_words(prompt) > max_words or count_words(told) > max_words:
        return
    answer = activity_of(episode.task) or episode.task.goal.text
    yield CorpusDraft(prompt, told, answer, episode.steps)


def commonest(examples: Sequence[Example]) -> list[Example]:
    """Return for each goal the plan that reached it most often, of equally many the shortest: there is no one plan."""
    plans: dict[str, Counter[str]] = {}
    for one in examples:
        plans.setdefault(one.prompt, Counter())[one.completion] += 1
    best = {prompt: min(found, key=lambda plan: (-found[plan], len(plan), plan)) for prompt, found in plans.items()}
    return [one for one in examples if one.completion == best[one.prompt]]


class PlanTrimmer:
    """Finds what of plans is needed, by carrying them out."""

    def __init__(self, executor: PlanExecutor) -> None:
        """Carry plans out in the environment of an executor."""
        self._executor = executor

    def needed(self, episode: HouseholdEpisode) -> list[PlanAction] | None:
        """Return the deeds of an episode that its goal needs; None if its actions do not reach the goal again."""
        plan = self._shortest(episode)
        if plan is None:
            return None
        classes = episode.start.classes
        doors = any(classes[node] == _DOOR for node in named_nodes(episode))
        deeds = [deed for deed in map(read_deed, plan) if deed is not None]
        return [deed for deed in deeds if doors or _DOOR not in deed.names]

    def _shortest(self, episode: HouseholdEpisode) -> list[str] | None:
        from ...envs.virtualhome.language.script import parse_line, write_line

        home: Any = self._executor.begin(episode.task)[0].unwrapped  # the household's own
        scene, rules, model = home.world.scene, home.world.rules, home.model()
        try:
            plan = [parse_line(action, scene, rules) for action in episode.actions]
        except ScriptError:
            return None
        if not succeeds(model, plan):
            return None
        kept = without_idle_steps(model, plan, pairs_up_to=0)
        kept = without_idle_steps(model, _walking(model, kept), pairs_up_to=_PAIRS_UP_TO)
        return [write_line(action, scene, rules) for action in kept]


def _walking(model: Any, plan: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return a plan in which whoever runs or looks for something walks there, where that does as well."""
    for place, action in enumerate(plan):
        if action.verb in _LIKE_WALKING:
            other = (*plan[:place], action._replace(verb=_WALK), *plan[place + 1 :])
            plan = other if succeeds(model, other) else plan
    return plan


__all__ = ["PlanTrimmer", "bare_plan"]
