"""The household as a search sees it: the same transitions as `VirtualHomeEnv.step`, without a word of text.

`HomeModel` is one character's view; `TeamModel` lets several act, with the character as a part of each action.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import ScriptError
from ...stable_random import StableRandom
from ..facts import read_actor
from ..model import StepResult
from .engine.preconditions import Holds
from .engine.rules import EngineAction, RuleSheet
from .engine.scene import bits
from .language.script import parse_line, write_line

if TYPE_CHECKING:
    from .engine.world import World, WorldSnapshot
    from .goals.check import GoalCheck
    from .goals.landmarks import Landmarks
    from .goals.relevance import Relevance

_TRIES: Final = 64
_ANOTHER: Final = 1 / 64
"""How likely it is, of several characters, that another one than the last acts next."""


class _Candidate(NamedTuple):
    """An action that fixed conditions allow, with the others to ask."""

    action: EngineAction
    """With -1 for an object that is to be chosen from what is held."""
    checks: tuple[tuple[Holds, Any], ...]


class _Judged:
    """A world and the check of a goal in it: what the models of one and of several characters share."""

    _world: World
    _check: GoalCheck | None

    def key(self) -> Hashable:
        """Return the world's 64-bit key, with the actions counted; whose turn it is makes no difference to a plan."""
        return (self._world.key, self._check.history) if self._check else self._world.key

    def success(self) -> bool | None:
        """Return whether the goal holds."""
        return self._check.satisfied() if self._check else None

    def _go_back(self, version: WorldSnapshot, history: tuple[int, ...]) -> None:
        """Restore the world and the actions counted."""
        self._world.restore(version)
        if self._check is not None:
            self._check.history = history


class HomeModel(_Judged):
    """One character's view of one world; see `pathei.envs.model.Model`."""

    def __init__(
        self,
        world: World,
        check: GoalCheck | None,
        *,
        character: int | None = None,
        nodes: int | None = None,
        verbs: Collection[str] | None = None,
        relevance: Relevance | None = None,
        landmarks: Landmarks | None = None,
    ) -> None:
        """Look at a world from where it is now.

        Args:
            world: The world; the model moves it.
            check: The goal; without one there is no reward and no end.
            character: Index of the character that acts; the first if None.
            nodes: Bitset of the nodes that actions may name; those of `relevance` if None, without it all.
            verbs: The verbs to use, in upper case; those of `relevance` if None, without it all of the rules.
            relevance: What the goal is likely to need: the prior of actions, and how often `sample` tries each.
            landmarks: Credit for the way to the goal, added to the reward.
        """
        self._world = world
        self._check = check
        self._character = world.characters[0] if character is None else character
        self._relevance = relevance
        every_node, every_verb = world.scene.everything, frozenset(world.rules.table)
        usual = (every_node, every_verb) if relevance is None else (relevance.nodes, relevance.verbs)
        self._nodes: int = usual[0] if nodes is None else nodes
        self._verbs: frozenset[str] = usual[1] if verbs is None else frozenset(verbs)
        self._sheet = RuleSheet(bound for verb, bound in world.bound.items() if verb in self._verbs)
        self._landmarks = landmarks
        self._potential = self._measure()
        self._candidates: list[_Candidate] | None = None

    def _list_candidates(self) -> list[_Candidate]:
        """Everything that fixed conditions do not rule out, for `sample` to try, each as often as it weighs."""
        weight: Callable[[EngineAction], int] = self._relevance.weight if self._relevance else lambda action: 1
        found: list[_Candidate] = []
        for verb, bound in self._world.bound.items():
            if verb not in self._verbs:
                continue
            checks = bound.first.checks
            first, second = bound.first.nodes & self._nodes, bound.second.nodes & self._nodes
            if bound.arity == 0:
                actions = [EngineAction(verb)] if bound.first.nodes >> self._character & 1 else []
            elif bound.arity == 1:
                actions = [EngineAction(verb, n) for n in bits(first)]
            else:  # what is held is the object, so the destination alone is chosen
                actions, checks = [EngineAction(verb, -1, n) for n in bits(second)] if first else [], ()
            for action in actions:
                found += [_Candidate(action, checks)] * weight(action)
        return found

    def actions(self) -> Sequence[EngineAction]:
        """Return the admissible actions with these verbs and nodes."""
        if self.success():
            return ()
        return self._world.admissible(self._character, self._nodes, self._sheet)

    def prior(self, actions: Sequence[EngineAction]) -> Sequence[float]:
        """Return the relevance of actions to the goal, shape `[actions]`; uniform where nothing is known of it."""
        return self._relevance.prior(actions) if self._relevance else [1.0] * len(actions)

    def sample(self, draws: StableRandom) -> EngineAction | None:
        """Return an admissible action, by trying what the fixed conditions allow; None if many tries failed."""
        if self._candidates is None:  # a search that grows best first may find its plan without them
            self._candidates = self._list_candidates()
        world, character, candidates, uniform = self._world, self._character, self._candidates, draws.uniform
        count = len(candidates)
        for _ in range(_TRIES if count else 0):
            action, checks = candidates[int(uniform() * count)]
            if action.second >= 0:
                held = [n for n in bits(world.held(character)) if self._nodes >> n & 1]
                if not held:
                    continue
                action = EngineAction(action.verb, held[draws.below(len(held))], action.second)
                if world.possible(action, character):
                    return action
                continue
            node = action.first if action.first >= 0 else character
            for holds, _says in checks:
                if not holds(world, character, node):
                    break
            else:
                return action
        return None

    def possible(self, action: EngineAction, /) -> bool:
        """Return whether an action is admissible now."""
        return self._world.possible(action, self._character)

    def step(self, action: EngineAction, /) -> StepResult:
        """Do an action; the reward is the change in progress and credit, and reaching the goal ends the episode."""
        self._world.apply(action, self._character)
        check = self._check
        if check is None:
            return StepResult(0.0, False)
        check.note(action)
        potential = self._measure()
        reward, self._potential = potential - self._potential, potential
        return StepResult(reward, reward > 0 and check.satisfied())

    def _measure(self) -> float:
        """The progress of the goal, with the credit for landmarks."""
        if self._check is None:
            return 0.0
        progress = self._check.progress()
        return progress if self._landmarks is None else progress + self._landmarks.potential(self._character)

    def snapshot(self) -> tuple[WorldSnapshot, tuple[int, ...], float]:
        """Return the present moment: a pointer, the actions counted, and the potential."""
        return self._world.version, self._check.history if self._check else (), self._potential

    def restore(self, state: tuple[WorldSnapshot, tuple[int, ...], float], /) -> object:
        """Go to a moment."""
        version, history, self._potential = state
        self._go_back(version, history)
        return None

    def text(self, action: EngineAction, /) -> str:
        """Return the action as a script line."""
        return write_line(action, self._world.scene, self._world.rules)

    def read(self, line: str) -> EngineAction:
        """Return the action of a script line.

        Raises:
            ScriptError: it is no script line of this household.
        """
        return parse_line(line, self._world.scene, self._world.rules)

    def potential(self) -> float:
        """Return the progress of the goal, with the credit for landmarks."""
        return self._measure()


class TeamAction(NamedTuple):
    """An action with the character that does it; `verb`, `first` and `second` are those of an `EngineAction`."""

    verb: str
    first: int
    second: int
    character: int
    """The index of its node."""


TeamSnapshot = tuple["WorldSnapshot", tuple[int, ...], float, int]
"""The world's version, the actions counted for the goal, the potential, and who acts next unless another is named."""


class TeamModel(_Judged):
    """Several characters in one world; see `pathei.envs.model.Model`.

    An action names its character, and those whose turn would come before wait, as in `VirtualHomeEnv.step`. The prior
    and `sample` prefer the one that acted last: a plan in which one goes on with what it began is easier to find.
    """

    def __init__(self, views: Sequence[HomeModel], world: World, check: GoalCheck | None, turn: int) -> None:
        """Put the views of the characters together.

        Args:
            views: One for each character of the world, in its order, all of the same goal.
            world: The world; the model moves it.
            check: The goal; without one there is no reward and no end.
            turn: Place of the character whose turn it is.
        """
        self._views = dict(zip(world.characters, views, strict=True))
        self._world = world
        self._check = check
        self._characters = world.characters
        self._turn = self._last = turn
        self._potential = self._measure()

    @property
    def character(self) -> int:
        """The index of the character whose turn it is."""
        return self._characters[self._turn]

    def actions(self) -> Sequence[TeamAction]:
        """Return the admissible actions of all characters."""
        return [TeamAction(*action, c) for c, view in self._views.items() for action in view.actions()]

    def prior(self, actions: Sequence[TeamAction]) -> Sequence[float]:
        """Return the relevance of actions to the goal, less for those of characters that did not act last."""
        last, view = self._characters[self._last], next(iter(self._views.values()))
        weights = view.prior([EngineAction(*action[:3]) for action in actions])
        return [
            weight if action.character == last else weight * _ANOTHER
            for weight, action in zip(weights, actions, strict=True)
        ]

    def sample(self, draws: StableRandom) -> TeamAction | None:
        """Return an admissible action, mostly of the character that acted last; None if many tries failed."""
        other = draws.uniform() < _ANOTHER
        place = draws.below(len(self._characters)) if other else self._last
        character = self._characters[place]
        action = self._views[character].sample(draws)
        return None if action is None else TeamAction(*action, character)

    def possible(self, action: TeamAction, /) -> bool:
        """Return whether an action is admissible now."""
        return self._views[action.character].possible(EngineAction(*action[:3]))

    def step(self, action: TeamAction, /) -> StepResult:
        """Do an action; the reward is the change in progress and credit, and reaching the goal ends the episode."""
        done = EngineAction(*action[:3])
        self._world.apply(done, action.character)
        self._last = self._characters.index(action.character)
        self._turn = (self._last + 1) % len(self._characters)
        if self._check is None:
            return StepResult(0.0, False)
        self._check.note(done)
        potential = self._measure()
        reward, self._potential = potential - self._potential, potential
        return StepResult(reward, reward > 0 and self._check.satisfied())

    def _measure(self) -> float:
        return max(view.potential() for view in self._views.values())

    def snapshot(self) -> tuple[TeamSnapshot, int]:
        """Return the present moment, and who acted last."""
        history = self._check.history if self._check else ()
        return (self._world.version, history, self._potential, self._turn), self._last

    def restore(self, state: tuple[TeamSnapshot, int], /) -> object:
        """Go to a moment."""
        (version, history, self._potential, self._turn), self._last = state
        self._go_back(version, history)
        return None

    def text(self, action: TeamAction, /) -> str:
        """Return the action as a script line with its character."""
        line = write_line(EngineAction(*action[:3]), self._world.scene, self._world.rules)
        return f"<char{self._characters.index(action.character)}> {line}"

    def read(self, line: str) -> TeamAction:
        """Return the action of a script line; one that names no character is done by the first.

        Raises:
            ScriptError: it is no script line of this household.
        """
        place, rest = read_actor(line)
        if place is not None and place >= len(self._characters):
            raise ScriptError(f"The line {line.strip()!r} names a character that there is not.")
        action = parse_line(rest, self._world.scene, self._world.rules)
        return TeamAction(*action, self._characters[place or 0])
