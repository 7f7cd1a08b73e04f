"""Small deterministic worlds for the tests of the search, written as tables, and what runs through them by hand.

Worker processes import what is here by name.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.tree import TreeNode
from pathei.envs import contract
from pathei.envs.model import EnvModel, StepResult
from pathei.envs.replay import VerifiedReplay
from pathei.experience import Task
from pathei.stable_random import StableRandom
from pathei.tests.support.lantern import lantern_task

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

State = Hashable


class Move(NamedTuple):
    """What an action leads to."""

    to: State
    reward: float = 0.0
    done: bool = False


Moves = Mapping[State, Mapping[Any, Move]]
"""For each state its actions; a state that is missing, or has none, is the end."""


class Table:
    """A world that is a table, as a model. It counts its transitions."""

    def __init__(
        self, moves: Moves, start: State = 0, *, known: bool = True, goal: Callable[[State], bool] | None = None
    ) -> None:
        self.moves = moves
        self.start = self.state = start
        self.known = known
        self.goal = goal
        self.steps = 0

    def actions(self) -> Sequence[str]:
        """Return the actions of the state, in the table's order."""
        return tuple(self.moves.get(self.state, {}))

    def sample(self, draws: StableRandom) -> str | None:
        """Return one of them."""
        actions = self.actions()
        return actions[draws.below(len(actions))] if actions else None

    def possible(self, action: str, /) -> bool:
        """Return whether there is such an action."""
        return action in self.actions()

    def step(self, action: str, /) -> StepResult:
        """Look it up."""
        self.state, reward, done = self.moves[self.state][action]
        self.steps += 1
        return StepResult(reward, done)

    def snapshot(self) -> State:
        """Return the state."""
        return self.state

    def restore(self, state: State, /) -> object:
        """Set the state."""
        self.state = state
        return None

    def key(self) -> Hashable | None:
        """Return the state, where it may be known."""
        return self.state if self.known else None

    def success(self) -> bool | None:
        """Return whether the goal holds."""
        return None if self.goal is None else self.goal(self.state)

    def text(self, action: str, /) -> str:
        """Return the action."""
        return action


def table_of(start: State, move: Callable[[Any, str], Move | None], actions: str) -> Moves:
    """Write down every state that can be reached; actions are letters, `move` says None where one is not possible."""
    moves: dict[State, dict[str, Move]] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state not in moves:
            found = {action: move(state, action) for action in actions}
            moves[state] = {action: it for action, it in found.items() if it is not None}
            waiting += [it.to for it in moves[state].values() if not it.done]
    return moves


def return_of(moves: Moves, start: State, plan: Sequence[Any], discount: float) -> tuple[float, State, bool]:
    """Do a plan by the table alone: its discounted return, where it ends, and whether that is the episode's end."""
    state, value, over = start, 0.0, False
    for place, action in enumerate(plan):
        assert not over, "a plan goes on after the end"
        state, reward, over = moves[state][action]
        value += discount**place * reward
    return value, state, over or not moves.get(state)


def corridor(length: int, *, prize: float = 1.0) -> Moves:
    """One way to go, and a prize at its end."""
    return {n: {"go": Move(n + 1, prize if n == length - 1 else 0.0, n == length - 1)} for n in range(length)}


def counter() -> Moves:
    """Count from 0 to exactly 7 by 1, 2 or 3; every step costs, and beyond 7 costs dearly: no return is positive."""

    def move(n: int, action: str) -> Move:
        to = n + int(action)
        return Move(to, -1.0 if to <= 7 else -5.0, to >= 7)

    return table_of(0, move, "123")


def ring(size: int = 5) -> Moves:
    """A cycle: round and round for ever; the toll differs from place to place, and one place pays for leaving it."""

    def move(n: int, action: str) -> Move | None:
        if action == "x":
            return Move(n, 2.0, True) if n == size // 2 else None
        return Move((n + (1 if action == "r" else -1)) % size, (-0.25, 0.5, -1.0)[n % 3])

    return table_of(0, move, "lrx")


def key_and_door() -> Moves:
    """A grid of 4 x 3 with a wall: fetch the key on the left, unlock the door, and leave on the right.

    A state is (column, row, whether the key is held, whether the door is open).
    """

    def move(state: tuple[int, int, bool, bool], action: str) -> Move | None:
        x, y, key, opened = state
        if action == "k":
            return None if key or (x, y) != (0, 2) else Move((x, y, True, opened))
        if action == "o":
            return None if opened or not key or (x, y) != (1, 1) else Move((x, y, key, True), 0.1)
        dx, dy = {"l": (-1, 0), "r": (1, 0), "u": (0, -1), "d": (0, 1)}[action]
        to = (x + dx, y + dy)
        if not (0 <= to[0] < 4 and 0 <= to[1] < 3) or (to[0] == 2 and not (to[1] == 1 and opened)):
            return None
        return Move((*to, key, opened), float(to == (3, 0)), to == (3, 0))

    return table_of((0, 0, False, False), move, "lrudko")


def tables(ends: bool = True) -> "SearchStrategy[Moves]":
    """Draw small worlds; where there are ends, some moves end the episode and some states have no action."""
    # Here, so that worker processes need not import hypothesis.
    from hypothesis import strategies as st

    def of(states: int) -> "SearchStrategy[Moves]":
        rewards = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0])
        move = st.builds(Move, st.integers(0, states - 1), rewards, st.booleans() if ends else st.just(False))
        actions = st.dictionaries(st.sampled_from("abc"), move, min_size=0 if ends else 1, max_size=3)
        return st.fixed_dictionaries(dict.fromkeys(range(states), actions))

    return st.integers(1, 5).flatmap(of)


def key_and_door_model() -> Table:
    """Return that grid as a model; a function that a process can import."""
    return Table(key_and_door(), (0, 0, False, False))


LANTERNS = lantern_task(3, rooms=4)
"""A corridor of four rooms, in one of which the lamp is lit."""


def lanterns(task: Task = LANTERNS, **options: Any) -> EnvModel:
    """Return the corridor with lamps as a model, freshly reset; a function that a process can import."""
    env = VerifiedReplay(contract.make(task))
    observation, info = contract.reset(env, task)
    return EnvModel(env, info, observation=observation, **options)


def tree_alone(*fields: Any, **named: Any) -> SearchConfig:
    """Return a configuration of the search as published; what was added to it here is off unless it is named."""
    return SearchConfig(*fields, **{**TREE_ALONE, **named})


def nodes_of(root: TreeNode) -> list[TreeNode]:
    """Return every node of a tree, once."""
    found = {id(root): root}
    waiting = [root]
    while waiting:
        for edge in waiting.pop().edges:
            if id(edge.child) not in found:
                found[id(edge.child)] = edge.child
                waiting.append(edge.child)
    return list(found.values())
