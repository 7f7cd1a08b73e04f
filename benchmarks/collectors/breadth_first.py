"""Steps of the environment that a search takes to its first success, next to those of breadth-first search.

    python benchmarks/collectors/breadth_first.py [WORLD ...] [--seeds 3] [--limit 3.0] [--markdown]

Worlds are CliffWalking, three levels of Sokoban written here, MiniGrid's levels with the whole grid as observation
(`grid:NAME`) and as `pathei/MiniGrid-v0` shows them in words (`words:NAME`). Breadth first goes through true states by
the level's own copy, each once, and stops at the first success; its transitions are counted. The search is
`pathei collect mcts`'s for MiniGrid in words and the default `SearchConfig` with PUCT elsewhere; it ends unsolved at
`--limit` times breadth-first's transitions. In CliffWalking a plan is a whole episode, so success is the best return.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

import pathei.envs  # noqa: F401  registers the environments
from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.envs.model import EnvModel
from pathei.envs.replay import VerifiedReplay

LEVELS: Final = (
    "#######\n#     #\n# .$. #\n#  $@ #\n#     #\n#######",
    "########\n#  .   #\n# $$@  #\n#  .#  #\n#      #\n########",
    "#########\n#   #   #\n# $ . $ #\n#  @#.  #\n#   #   #\n#########",
)
GRIDS: Final = (
    ("MiniGrid-DoorKey-8x8-v0", 40),
    ("MiniGrid-LavaCrossingS9N1-v0", 30),
    ("MiniGrid-KeyCorridorS3R2-v0", 45),
)
WORDS: Final = (
    "MiniGrid-Empty-8x8-v0", "MiniGrid-LavaCrossingS9N1-v0", "MiniGrid-DoorKey-6x6-v0", "MiniGrid-Unlock-v0",
    "MiniGrid-FourRooms-v0", "BabyAI-GoToObj-v0", "BabyAI-UnlockLocal-v0", "BabyAI-PutNextLocal-v0",
)  # fmt: skip
WORLDS: Final = (
    "cliff", "sokoban:0", "sokoban:1", "sokoban:2", *(f"grid:{name}" for name, _ in GRIDS),
    *(f"words:{name}" for name in WORDS),
)  # fmt: skip
_SEED_OF_WORDS: Final = 3
_MOVES: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))


class Sokoban(gymnasium.Env[Any, Any]):
    """Boxes are pushed onto goals; a box on a goal earns 1, all of them 2 more."""

    def __init__(self, level: int) -> None:
        """Read a level: `#` wall, `$` box, `.` goal, `@` the one who pushes."""
        cells = [(mark, (y, x)) for y, row in enumerate(LEVELS[level].split("\n")) for x, mark in enumerate(row)]
        self.walls = {at for mark, at in cells if mark == "#"}
        self.goals = {at for mark, at in cells if mark == "."}
        self._begin = frozenset(at for mark, at in cells if mark == "$")
        self._at = next(at for mark, at in cells if mark == "@")
        self.action_space = spaces.Discrete(4)
        self.observation_space = spaces.Box(0, 99, (2 + 2 * len(self._begin),), np.int64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin."""
        super().reset(seed=seed)
        self.me, self.boxes = self._at, self._begin
        return self._seen(), {}

    def _seen(self) -> np.ndarray[Any, Any]:
        return np.array([*self.me, *(value for box in sorted(self.boxes) for value in box)], np.int64)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Go or push."""
        (y, x), (dy, dx) = self.me, _MOVES[int(action)]
        to, behind = (y + dy, x + dx), (y + 2 * dy, x + 2 * dx)
        before = len(self.boxes & self.goals)
        if to in self.boxes and behind not in self.walls and behind not in self.boxes:
            self.boxes, self.me = self.boxes - {to} | {behind}, to
        elif to not in self.boxes and to not in self.walls:
            self.me = to
        done = self.boxes == self.goals
        reward = len(self.boxes & self.goals) - before + (2.0 if done else 0.0)
        return self._seen(), float(reward), done, False, {"success": done}

    def snapshot(self) -> Any:
        """Return the state."""
        return self.me, self.boxes

    def restore(self, state: Any) -> None:
        """Go back to a state."""
        self.me, self.boxes = state


class WholeGrid(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A MiniGrid level that shows all of its grid, as numbers, and can be saved."""

    snapshot_fields = ()

    def __init__(self, name: str) -> None:
        """Make the level."""
        super().__init__(gymnasium.make(f"minigrid:{name}"))
        self.action_space = spaces.Discrete(6)
        self.observation_space = spaces.Box(0, 255, (1,), np.uint8)

    def state(self) -> tuple[Any, ...]:
        """Return what distinguishes states."""
        level: Any = self.unwrapped
        held = level.carrying
        carried = None if held is None else (held.type, held.color)
        return tuple(level.agent_pos), int(level.agent_dir), level.grid.encode().tobytes(), carried

    def _seen(self) -> np.ndarray[Any, Any]:
        at, way, grid, carried = self.state()
        number = 0 if carried is None else 1 + sum(map(ord, "".join(carried))) % 200
        return np.concatenate([np.frombuffer(grid, np.uint8), np.array([*at, way, number], np.uint8)])

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin."""
        self.env.reset(**options)
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act."""
        _, reward, ended, cut, info = self.env.step(action)
        return self._seen(), float(reward), ended, cut, {**info, "success": bool(ended and float(reward) > 0)}

    def snapshot(self) -> Any:
        """Return a copy of the level's state."""
        level: Any = self.unwrapped
        held = copy.deepcopy(level.carrying)
        return copy.deepcopy(level.grid), tuple(level.agent_pos), level.agent_dir, held, level.step_count

    def restore(self, state: Any) -> None:
        """Go back to it."""
        level: Any = self.unwrapped
        grid, level.agent_pos, level.agent_dir, held, level.step_count = state
        level.grid, level.carrying = copy.deepcopy(grid), copy.deepcopy(held)


class Exhausted(NamedTuple):
    """What breadth-first search took."""

    plan: int | None
    """The fewest steps to success; None if `most` transitions did not do."""
    states: int
    steps: int


def state_in_words(env: Any) -> Callable[[], Hashable]:
    """Return what distinguishes the states of a level that is shown in words; restoring may exchange the level."""

    def state() -> Hashable:
        level: Any
        [level] = [value.unwrapped for value in vars(env).values() if isinstance(value, gymnasium.Env)]
        held = level.carrying
        carried = None if held is None else (held.type, held.color)
        return tuple(level.agent_pos), int(level.agent_dir), level.grid.encode().tobytes(), carried

    return state


def breadth_first(env: Any, state: Callable[[], Hashable], actions: Sequence[Any], seed: int, most: int) -> Exhausted:
    """Search every state in the order of its distance."""
    env.reset(seed=seed)
    seen, queue, steps = {state()}, deque([(env.snapshot(), 0)]), 0
    while queue and steps < most:
        at, depth = queue.popleft()
        for action in actions:
            env.restore(at)
            if isinstance(env, WholeGrid):
                env.unwrapped.step_count = 0  # type: ignore[attr-defined]
            _, _, ended, _, info = env.step(action)
            steps += 1
            if info["success"]:
                return Exhausted(depth + 1, len(seen), steps)
            if not ended and state() not in seen:
                seen.add(state())
                queue.append((env.snapshot(), depth + 1))
    return Exhausted(None, len(seen), steps)


class Measured(NamedTuple):
    """One search."""

    solved: bool
    plan: int
    steps: int


def measured(model: EnvModel, seed: int, most: int, depth: int, **options: Any) -> Measured:
    """Search until the first success."""
    config = SearchConfig(
        simulations=10**6, env_steps=most, depth=depth, selection="puct", stop_on_success=True, **options
    )
    result = Search(model, config, np.random.default_rng(seed)).run()
    return Measured(bool(result.success), len(result.plan), result.env_steps)


def in_cliff(seed: int, limit: float) -> tuple[Exhausted, Measured]:
    """Find a whole episode of CliffWalking with the best return, of -13, by doubling what may be searched."""
    env: Any = gymnasium.make("CliffWalking-v1").unwrapped
    env.reset(seed=0)
    seen, queue, steps, best = {env.s}, deque([(env.s, 0)]), 0, None
    while queue and best is None:
        at, depth = queue.popleft()
        for action in range(4):
            env.s = at
            *_, ended, _, _ = env.step(action)
            steps += 1
            if ended:
                best = depth + 1
                break
            if env.s not in seen:
                seen.add(env.s)
                queue.append((env.s, depth + 1))
    share = 0.25
    while share <= limit:
        replayed = VerifiedReplay(gymnasium.make("CliffWalking-v1"))
        observation, info = replayed.reset(seed=0)
        model = EnvModel(replayed, info, observation=observation, observed_state=True)
        config = SearchConfig(simulations=10**6, env_steps=int(share * steps), depth=30, discount=1.0, may_stop=False)
        result = Search(model, config, np.random.default_rng(seed)).run()
        if result.value >= -13 - 1e-6:
            return Exhausted(best, len(seen), steps), Measured(True, len(result.plan), result.env_steps)
        share += 0.25
    return Exhausted(best, len(seen), steps), Measured(False, 0, int(limit * steps))


def rows(world: str, seeds: int, limit: float, most: int) -> Iterator[tuple[Exhausted, Measured]]:
    """Measure one world with several seeds of the search."""
    kind, _, name = world.partition(":")
    if kind == "cliff":
        yield from (in_cliff(seed, limit) for seed in range(seeds))
        return
    begin = _SEED_OF_WORDS if kind == "words" else 0
    first: Any = Sokoban(int(name)) if kind == "sokoban" else WholeGrid(name)
    state = first.snapshot if kind == "sokoban" else first.state
    actions: Sequence[Any] = range(first.action_space.n)
    if kind == "words":
        first = gymnasium.make("pathei/MiniGrid-v0", level=name).unwrapped
        state, actions = state_in_words(first), first.reset(seed=begin)[1]["actions"]
    found = breadth_first(first, state, actions, begin, most)
    depth = dict(GRIDS).get(name, 30) if kind == "grid" else 40 if kind == "words" else 30
    for seed in range(seeds):
        env: Any = gymnasium.make("pathei/MiniGrid-v0", level=name) if kind == "words" else copy.deepcopy(first)
        observation, info = env.reset(seed=begin)
        model = EnvModel(env, info, observation=observation, observed_state=kind != "words")
        options = {"exploration": 0.5} if kind == "words" else {}
        yield found, measured(model, seed, int(limit * found.steps), depth, **options)


def main() -> None:
    """Print a row for each world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="*", default=list(WORLDS), help="some of them; all by default")
    parser.add_argument("--seeds", type=int, default=3, help="searches in each world")
    parser.add_argument("--limit", type=float, default=3.0, help="times breadth-first's transitions, then it ends")
    parser.add_argument("--most", type=int, default=400_000, help="breadth-first's transitions, then it ends")
    args = parser.parse_args()
    print("| world | states | shortest plan | breadth-first, steps | search, steps | times | solved |", flush=True)
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for world in args.worlds:
        began = time.process_time()
        both = list(rows(world, args.seeds, args.limit, args.most))
        found = both[0][0]
        low, high = min(one.steps for _, one in both), max(one.steps for _, one in both)
        solved = sum(one.solved for _, one in both)
        print(
            f"| {world} | {found.states:,} | {found.plan or 'none'} | {found.steps:,} | {low:,} to {high:,} |"
            f" {low / found.steps:.2f} to {high / found.steps:.2f} | {solved} of {len(both)} |",
            flush=True,
        )
        print(f"<!-- {time.process_time() - began:.0f} s of processor time -->", flush=True)


if __name__ == "__main__":
    main()
