"""MiniGrid and BabyAI in words: `pathei/MiniGrid-v0`.

What the agent sees is described as BabyAI-Text does (Carta et al. 2023): each object by its number of steps forward and
to the side. Its six actions have names. Everything else is MiniGrid's: levels, rewards, limits. Not here: `done`, which
almost no level uses.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any, Final

import gymnasium

from ...errors import ConfigError, unknown
from ...experience import Goal, Task, shorten
from ...extras import needed_by
from ..contract import Requirement
from ..facts import FactGraph
from ..facts.contradictions import require_possible
from ..facts.goals import progress
from ..facts.graph import Fact, changes_between
from ..text_env import TextEnv, require_reset
from .minigrid_graph import LEVELS, LevelGraph, conditions_of

ACTIONS: Final = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle")
"""In the order of MiniGrid's numbers."""
ENV: Final = "pathei/MiniGrid-v0"
_DEFAULT: Final = LEVELS[0]
_DOOR_STATES: Final = ("open", "closed", "locked")
_NOT_OBJECTS: Final = frozenset({"unseen", "empty", "wall", "floor", "agent"})
_VIEW: Final = 7
_TILE: Final = 32
"""Pixels along a side of a cell."""


class MiniGridEnv(TextEnv[str]):
    """A level of MiniGrid or BabyAI; `options["level"]` names it by its gymnasium id.

    A goal in `options["goal"]` that states the level's own mission is judged by the level; any other is shown in the
    mission's place and judged by its conditions, on the graph of `minigrid_graph`, and the change in its progress is
    the reward.

    `info["facts"]` holds the agent's position and direction and every object of the grid, and the graph or what changed
    in it as `pathei.envs.facts` describes.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012  # gymnasium declares it so
    title = "MiniGrid"
    option_names = ("level", "goal")

    def __init__(self, *, level: str = _DEFAULT, render_mode: str | None = None) -> None:
        """Create the environment.

        Args:
            level: The level, unless `reset` names another.
            render_mode: None, `"ansi"` for the text, or `"rgb_array"` for a picture of what the agent sees.

        Raises:
            MissingDependencyError: MiniGrid is not installed.
            ConfigError: there is no such level.
        """
        super().__init__(max_text=20_000, max_action=1_000, render_mode=render_mode, defaults={"level": level})
        self._grids = {level: _grid(level)}
        self._grid = self._grids[level]
        self._text, self._over = "", True
        self._reader: LevelGraph | None = None
        self._facts: frozenset[Fact] = frozenset()
        self._goal, self._progress = Goal(""), 0.0

    def fact_graph(self) -> FactGraph:
        """Return what holds now as a graph; not to be changed."""
        return require_reset(self._reader).graph(self._facts)

    def walls(self) -> tuple[int, int, frozenset[tuple[int, int]]]:
        """Return the width and height of the level, in cells, and the cells `(x, y)` that are walls."""
        grid = self._grid.grid
        cells = ((x, y) for x in range(grid.width) for y in range(grid.height))
        return grid.width, grid.height, frozenset(one for one in cells if getattr(grid.get(*one), "type", "") == "wall")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin a level.

        Raises:
            ConfigError: there is no such level, or an option is not known.
            GoalError: the goal's conditions are malformed or contradict each other.
        """
        given = self.begin(seed, options)
        level = given["level"]
        # Its first draw comes from ours, so that a reset without a seed goes on from the last one.
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        with redirect_stdout(io.StringIO()):  # BabyAI prints every level that it draws and rejects
            if level not in self._grids:
                self._grids[level] = _grid(level)
            self._grid = self._grids[level]
            observation, _ = self._grid.reset(seed=drawn)
        goal = given.get("goal") or {}
        own = goal.get("text") in (None, "", observation["mission"])
        self._goal = Goal("" if own else str(goal["text"]), () if own else tuple(goal.get("conditions") or ()))
        self._reader = reader = LevelGraph(self._grid)
        self._facts = reader.facts()
        graph = reader.graph(self._facts)
        require_possible(graph, self._goal.conditions)
        self._progress = progress(graph, self._goal.conditions) if self._goal.conditions else 0.0
        self._text, self._over = self._described(observation), False
        return self._text, self._info(False, {"graph": graph.to_json()})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one of the six actions."""
        word, reward, terminated, truncated, error = action.strip().lower(), 0.0, False, False, None
        success, changed = False, list[list[Any]]()
        if self._over:
            error, terminated = "The episode is over.", True
        elif word not in ACTIONS:
            error = f"{shorten(action)} is no action here: say {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}."
        else:
            observation, reward, terminated, truncated, _ = self._grid.step(ACTIONS.index(word))
            before, self._facts = self._facts, require_reset(self._reader).facts()
            changed = changes_between(before, self._facts)
            success = bool(terminated and float(reward) > 0)
            if self._goal.conditions:
                reward, success = self._judged(changed)
                # The level's own mission is not the goal here, but lava ends the episode all the same.
                terminated = success or self._in_lava()
            self._text, self._over = self._described(observation), bool(terminated)
        info = self._info(success, {"changes": changed})
        if error is None:
            return self._text, float(reward), bool(terminated), bool(truncated), info
        return f"{error}\n{self._text}", 0.0, terminated, False, {**info, "error": error}

    def text(self) -> str:
        """Return what was observed last."""
        return self._text

    def render(self) -> Any:
        """Return the text, or a picture `[224, 224, 3]` of the cells in view, by the render mode."""
        if self.render_mode == "rgb_array":
            return self._grid.get_pov_render(tile_size=_TILE)
        return super().render()

    def snapshot(self) -> Any:
        """Return the present state: a copy of all that the level holds."""
        state = {name: value for name, value in vars(self._grid).items() if name not in ("window", "clock")}
        # Instructions refer back to their environment, which is not to be copied with them.
        held = copy.deepcopy(state, {id(self._grid): self._grid})
        episode = self._text, self._over, self._reader, self._facts, self._goal, self._progress
        return self._grid, held, episode, self.np_random.bit_generator.state

    def restore(self, state: Any, /) -> None:
        """Go back to a state."""
        self._grid, held, episode, self.np_random.bit_generator.state = state
        self._text, self._over, self._reader, self._facts, self._goal, self._progress = episode
        vars(self._grid).update(copy.deepcopy(held, {id(self._grid): self._grid}))

    def close(self) -> None:
        """Close the levels that were played."""
        for grid in self._grids.values():
            grid.close()

    def _judged(self, changed: list[list[Any]]) -> tuple[float, bool]:
        """Return the change in the goal's progress, and whether the goal holds."""
        if not changed:
            return 0.0, self._progress >= 1.0
        reached = progress(self.fact_graph(), self._goal.conditions)
        before, self._progress = self._progress, reached
        return reached - before, reached >= 1.0

    def _in_lava(self) -> bool:
        under = self._grid.grid.get(*self._grid.agent_pos)
        return under is not None and under.type == "lava"

    def _described(self, observation: dict[str, Any]) -> str:
        from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT

        seen, ahead = [], _VIEW
        middle = _VIEW // 2
        for across, column in enumerate(observation["image"].tolist()):
            for down, (kind, colour, state) in enumerate(column):
                name, forward, side = IDX_TO_OBJECT[kind], _VIEW - 1 - down, across - middle
                if name == "wall" and side == 0 and forward:
                    ahead = min(ahead, forward)
                if name in _NOT_OBJECTS or (forward == 0 and side == 0):
                    continue
                which = f"{_DOOR_STATES[state]} {IDX_TO_COLOR[colour]}" if name == "door" else IDX_TO_COLOR[colour]
                seen.append((forward + abs(side), forward, side, f"a {which} {name} {_where(forward, side)}"))
        mission = (self._goal.text or observation["mission"]).rstrip(".")
        lines = [f"Mission: {mission}."]
        lines.append(f"You see {', '.join(text for *_, text in sorted(seen))}." if seen else "You see no objects.")
        if ahead < _VIEW:
            lines.append(f"There is a wall {_steps(ahead)} ahead.")
        carried = self._grid.carrying
        lines.append(f"You carry a {carried.color} {carried.type}." if carried else "You carry nothing.")
        return "\n".join(lines)

    def _info(self, success: bool, graph: dict[str, Any]) -> dict[str, Any]:
        grid = self._grid
        width = grid.grid.width
        objects = [
            [thing.type, thing.color, place % width, place // width]
            for place, thing in enumerate(grid.grid.grid)
            if thing is not None and thing.type not in _NOT_OBJECTS
        ]
        x, y = (int(value) for value in grid.agent_pos)
        facts = {"agent": [x, y, int(grid.agent_dir)], "objects": objects, **graph}
        reached = self._progress if self._goal.conditions else float(success)
        return {"actions": ACTIONS, "success": success, "progress": reached, "facts": facts}


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return tasks that take turns through `LEVELS`; the mission of each stands in its goal."""
    found = []
    grids = {level: _grid(level) for level in LEVELS[: min(n, len(LEVELS))]}
    for number in range(n):
        level, world = LEVELS[number % len(LEVELS)], seed * 100_000 + number
        with redirect_stdout(io.StringIO()):
            mission = grids[level].reset(seed=world)[0]["mission"]
        LevelGraph(grids[level])  # numbers the things, which conditions may name
        goal = Goal(mission, conditions_of(grids[level]))
        found.append(Task(f"minigrid:{level}/{world}", ENV, world, goal, {"level": level}))
    return found


def demonstration(task: Task) -> Sequence[str]:
    """Return what BabyAI's own bot does.

    Raises:
        ConfigError: the level is not BabyAI's, or the bot is lost.
    """
    from minigrid.utils.baby_ai_bot import BabyAIBot

    level = str(task.options.get("level", _DEFAULT))
    if not level.startswith("BabyAI"):
        raise ConfigError(f"Only levels of BabyAI have a bot to demonstrate them, not {level!r}.")
    grid = _grid(level)
    with redirect_stdout(io.StringIO()):
        grid.reset(seed=task.seed)
    make_bot: Any = BabyAIBot
    bot, actions, done = make_bot(grid), list[str](), False
    try:
        while not done:
            action = bot.replan(ACTIONS.index(actions[-1]) if actions else None)
            actions.append(ACTIONS[int(action)])
            _, _, terminated, truncated, _ = grid.step(int(action))
            done = bool(terminated or truncated)
    except (AssertionError, IndexError, AttributeError) as error:
        raise ConfigError(f"BabyAI's bot is lost in {task.id!r}: {error!r}.") from error
    return actions


def check_minigrid() -> Sequence[Requirement]:
    """Look whether MiniGrid is installed."""
    return [Requirement.packages("minigrid", "minigrid", extra="adapters")]


def _grid(level: str) -> Any:
    with needed_by("The environment minigrid", "adapters"):
        import minigrid  # noqa: F401  # registers the levels
    known = [name for name in gymnasium.registry if name.startswith(("BabyAI-", "MiniGrid-"))]
    if level not in known:
        raise ConfigError(str(unknown("level of MiniGrid", level, known)))
    return gymnasium.make(level, disable_env_checker=True).unwrapped


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"


def _where(forward: int, side: int) -> str:
    parts = [f"{_steps(forward)} forward"] * (forward > 0)
    parts += [f"{_steps(abs(side))} {'right' if side > 0 else 'left'}"] * (side != 0)
    return " and ".join(parts)
