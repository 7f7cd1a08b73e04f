"""Gymnasium's Taxi (Dietterich 2000) in words: `pathei/Taxi-v0`. Fetch a passenger and drive to the destination.

The transitions are those of gymnasium's own table. Not here: its rewards (-1 a step, +20 at the end); the reward is the
change in progress, as in the other text environments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from ...errors import ConfigError
from ...experience import Goal, Task, shorten
from ..text_env import TextEnv, explain, require_reset

ENV: Final = "pathei/Taxi-v0"
ACTIONS: Final = ("south", "north", "east", "west", "pick up", "drop off")
"""In the order of gymnasium's numbers."""
STOPS: Final = ("red", "green", "yellow", "blue")
_PLACES: Final = ((0, 0), (0, 4), (4, 0), (4, 3))
_IN_TAXI: Final = 4


class TaxiEnv(TextEnv[str]):
    """A taxi on a grid of 5 by 5 with walls; everything is observed.

    Options of `reset`: `state`, one of gymnasium's 500 numbers, instead of one that follows from the seed; and `goal`,
    whose words are the agent's. The destination is part of the state, so any goal is judged by reaching it.
    """

    title = "Taxi"
    option_names = ("state", "goal")
    saved = ("_state", "_error", "_over")
    snapshot, restore = TextEnv.save_fields, TextEnv.load_fields

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; options given here are the defaults of `reset`."""
        super().__init__(max_text=1_000, max_action=100, render_mode=render_mode, defaults=defaults)
        self._state: int | None = None
        self._error: str | None = None
        self._over = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode.

        Raises:
            ConfigError: an option is not known, or the state does not exist or is an end.
        """
        given = self.begin(seed, options)
        starts = _starts()
        state = given.get("state", int(self.np_random.choice(starts)))
        if state not in starts:
            raise ConfigError(f"Taxi has no state {state!r} to begin in: use one of the {len(starts)} in `_starts()`.")
        self._state, self._error, self._over = state, None, False
        return self.text(), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one of the six actions; one that changes nothing is refused."""
        before, word = require_reset(self._state), action.strip().lower()
        progress, self._error = _progress(before, self._over), None
        if self._over:
            self._error = "the passenger has arrived, and the episode is over"
        elif word not in ACTIONS:
            self._error = f"{shorten(action)} is not an action; the actions are {', '.join(ACTIONS)}"
        else:
            (_, after, _, done), *_ = _table()[before][ACTIONS.index(word)]
            if after == before and not done:
                self._error = "there is a wall" if word in ACTIONS[:4] else f"you cannot {word} here"
            self._state, self._over = int(after), bool(done)
        info = self._info()
        return self.text(), info["progress"] - progress, self._over, False, info

    def text(self) -> str:
        """Say where the taxi is and where the passenger wants to go."""
        row, column, passenger, destination = _parts(require_reset(self._state))
        at = f" at the {STOPS[_PLACES.index((row, column))]} stop" if (row, column) in _PLACES else ""
        where = "is in the taxi" if passenger == _IN_TAXI else f"waits at the {STOPS[passenger]} stop"
        stops = ", ".join(f"{name} in row {r}, column {c}" for name, (r, c) in zip(STOPS, _PLACES, strict=True))
        where = "has arrived" if self._over else f"{where} and wants to go to the {STOPS[destination]} stop"
        text = f"The taxi is in row {row}, column {column}{at}. The passenger {where}.\nStops: {stops}."
        return explain(self._error, text)

    def _info(self) -> dict[str, Any]:
        error = {"error": self._error} if self._error else {}
        progress = _progress(require_reset(self._state), self._over)
        actions = () if self._over else _admissible(require_reset(self._state))
        return {"actions": actions, "success": self._over, "progress": progress, **error}


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return `n` tasks; the state that each begins in follows from the seed."""
    states = np.random.default_rng(seed).choice(_starts(), size=n)
    return [
        Task(f"taxi:{state}/{seed}-{number}", ENV, seed + number, Goal(_goal(int(state))), {"state": int(state)})
        for number, state in enumerate(states)
    ]


def demonstration(task: Task) -> Sequence[str]:
    """Return a shortest way to the end, by breadth-first search."""
    start = int(task.options["state"])
    ways: dict[int, tuple[str, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for number, action in enumerate(ACTIONS):
            (_, after, _, done), *_ = _table()[state][number]
            if done:
                return (*ways[state], action)
            if after not in ways:
                ways[after] = (*ways[state], action)
                waiting.append(after)
    raise ConfigError(f"The destination of {task.id!r} cannot be reached.")


def _goal(state: int) -> str:
    return f"take the passenger to the {STOPS[_parts(state)[3]]} stop"


@lru_cache(maxsize=500)
def _admissible(state: int) -> tuple[str, ...]:
    """Return the actions that change something."""
    return tuple(
        word
        for word, ((_, after, _, done), *_) in zip(ACTIONS, _table()[state].values(), strict=True)
        if done or after != state
    )


def _progress(state: int, over: bool) -> float:
    return 1.0 if over else 0.5 if _parts(state)[2] == _IN_TAXI else 0.0


def _parts(state: int) -> tuple[int, int, int, int]:
    """Return the row, the column, the passenger's stop (4: in the taxi) and the destination, as gymnasium has them."""
    return state // 100, state // 20 % 5, state // 4 % 5, state % 4


@lru_cache(maxsize=1)
def _table() -> Any:
    """Return gymnasium's transitions: `[state][action]` is `[(probability, state, reward, done)]`."""
    from gymnasium.envs.toy_text.taxi import TaxiEnv as Taxi

    return Taxi().P


def _starts() -> list[int]:
    """Return the states in which the passenger waits elsewhere than at the destination."""
    return [state for state in range(500) if _parts(state)[2] not in (_IN_TAXI, _parts(state)[3])]
