"""Plans: checked by doing them, rid of steps that do not matter, carried out from words, made by other planners.

An environment that can say its tasks in the Planning Domain Definition Language (PDDL) has a method `pddl()`, which
returns its present episode as a `PddlTask`. Not here: reordering, and replacing several steps by fewer others; a search
does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import ConfigError
from ..experience import Task
from .contract import reset
from .model import Model, StepResult

if TYPE_CHECKING:
    import gymnasium

ARTICLES: Final = ("the", "a", "an", "my", "your", "some", "this", "that", "another", "other")
ARTICLE: Final = re.compile(rf"^(?:{'|'.join(ARTICLES)})\s+")
"""Matches the article or determiner that a noun phrase begins with."""
PAIRS_UP_TO = 40
"""The default of `pairs_up_to` below."""
DOMAIN: Final = "domain.pddl"
PROBLEM: Final = "problem.pddl"


class PddlTask(NamedTuple):
    """A task as planners read it."""

    domain: str
    """The text of the domain."""
    problem: str
    """The text of the problem."""
    read: Callable[[str], tuple[str, ...]]
    """Takes a plan, one `(action object ...)` after another as planners write it, and returns the environment's
    actions; raises `ScriptError` for a step that is not of this domain."""

    def save(self, folder: Path) -> None:
        """Write `domain.pddl` and `problem.pddl` into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DOMAIN).write_text(self.domain, "utf-8")
        (folder / PROBLEM).write_text(self.problem, "utf-8")


def pddl_of(env: gymnasium.Env[Any, Any]) -> PddlTask:
    """Return the present episode of an environment in PDDL.

    Raises:
        ConfigError: the environment does not say its tasks in PDDL, or not this one.
        GoalError: a condition of the goal cannot be written.
    """
    write = getattr(env.unwrapped, "pddl", None)
    if write is None:
        raise ConfigError(f"{type(env.unwrapped).__name__} does not say its tasks in PDDL.")
    task: PddlTask = write()
    return task


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """The result of carrying out a plan."""

    success: bool
    """Whether the goal held at the end, or on the way if the episode ends there."""
    progress: float
    """How far the goal was at the end, in [0, 1]; 0 for a goal without conditions."""
    steps: tuple[str, ...]
    """The actions that were done, as the environment takes them."""
    refused: str | None = None
    """The first sentence that could not be done; None if all could."""
    reason: str | None = None
    """Why not, in the words of the environment."""
    sentences: int = 0
    """How many sentences the plan had; an episode that reaches its goal may end before the last."""


def succeeds(model: Model[Any, Any], plan: Sequence[Any]) -> bool:
    """Do a plan from where the model is, and return whether every step was possible and the goal held at the end.

    The model is left where it was. A goal that was reached on the way and undone later does not count.
    """
    start = model.snapshot()
    try:
        for action in plan:
            if not model.possible(action):
                return False
            model.step(action)
        return bool(model.success())
    finally:
        model.restore(start)


def without_idle_steps(
    model: Model[Any, Any], plan: Sequence[Any], *, pairs_up_to: int = PAIRS_UP_TO
) -> tuple[Any, ...]:
    """Return a plan with every step removed that can be, alone or together with one other, the last ones first.

    Each candidate is done from where the model is; what is returned was done and succeeded. What remains needs each of
    its steps, and each pair of them.

    Args:
        model: The environment before the plan; left there.
        plan: A plan that succeeds; one that does not is returned as it is.
        pairs_up_to: Longer plans are not searched for pairs of steps that can only be removed together.
    """
    best = tuple(plan)
    if not succeeds(model, best):
        return best
    shorter: tuple[Any, ...] | None = best
    while shorter is not None:
        best = shorter
        shorter = _shorter(model, best, pairs_up_to)
    return best


def _shorter(model: Model[Any, Any], plan: tuple[Any, ...], pairs_up_to: int) -> tuple[Any, ...] | None:
    places = range(len(plan) - 1, -1, -1)
    pairs = combinations(places, 2) if len(plan) <= pairs_up_to else ()
    for left_out in (*((place,) for place in places), *pairs):
        candidate = tuple(action for place, action in enumerate(plan) if place not in left_out)
        if succeeds(model, candidate):
            return candidate
    return None


_TRIMMED_PAIRS: Final = 12
_WORD: Final = re.compile(r"[a-z0-9]+")


class _Restarted:
    """What `succeeds` asks of a model, of any environment whose tasks begin in the same way each time.

    To go back is to begin again: for the few steps of a plan that costs less than most snapshots, and needs none.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], task: Task) -> None:
        self._env, self._task = env, task
        self._info: Mapping[str, Any] = {}
        self._over = False
        self.restore(None)

    def possible(self, action: Any, /) -> bool:
        return not self._over

    def step(self, action: Any, /) -> StepResult:
        _, reward, terminated, truncated, self._info = self._env.step(action)
        self._over = bool(terminated or truncated or self.success())
        return StepResult(float(reward), self._over)

    def snapshot(self) -> None:
        return None

    def restore(self, state: None, /) -> None:
        self._info = reset(self._env, self._task)[1]
        self._over = bool(self.success())

    def success(self) -> bool:
        return bool(self._info.get("success"))


def trim_plan(env: gymnasium.Env[Any, Any], task: Task, actions: Sequence[str]) -> tuple[str, ...] | None:
    """Return a plan without the steps that its goal does not need, tried out from the task's beginning each time.

    Args:
        env: The task's environment; it is reset.
        task: Where the plan begins, and its goal.
        actions: The plan, as `step` takes it.

    Returns:
        The shorter plan; None if it does not reach the goal.
    """
    model: Any = _Restarted(env, task)  # of a model, what trying a plan needs
    if not succeeds(model, actions):
        return None
    return without_idle_steps(model, actions, pairs_up_to=_TRIMMED_PAIRS)


def run_plan(
    env: gymnasium.Env[Any, Any],
    info: Mapping[str, Any],
    sentences: Sequence[str],
    say: Callable[[str], str],
    *,
    skip_refused: bool = False,
) -> PlanOutcome:
    """Carry out sentences one by one: each does the admissible action whose words it has.

    Args:
        env: The environment, just reset.
        info: What its reset returned.
        sentences: The plan.
        say: Returns an admissible action as a sentence, to compare.
        skip_refused: Whether to go on after a sentence that cannot be done.
    """
    done: list[str] = []
    refused: str | None = None
    reason: str | None = None
    over = False
    for one in sentences:
        if over:
            break
        action, why = _meant(one, info.get("actions"), say), f"no action here is {one!r}"
        if action is not None:
            _, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
            why = str(info.get("error") or "")
            if not why:
                done.append(action)
        if why and refused is None:
            refused, reason = one, why
        if why and not skip_refused:
            break
    success, progress = bool(info.get("success", False)), float(info.get("progress", 0.0))
    return PlanOutcome(success, progress, tuple(done), refused, reason, len(sentences))


def _meant(text: str, actions: Sequence[str] | None, say: Callable[[str], str]) -> str | None:
    """The listed action that a sentence means; the sentence itself where none are listed."""
    if actions is None:
        return text
    wanted = _content(text)
    close: list[tuple[int, int]] = []
    for place, action in enumerate(actions):
        for said in (_content(action), _content(say(action))):
            if said == wanted:
                return action
            if said[:1] == wanted[:1] and (set(wanted) <= set(said) or set(said) <= set(wanted)):
                close.append((abs(len(said) - len(wanted)), place))
    return actions[min(close)[1]] if close else None


def _content(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in ARTICLES]
