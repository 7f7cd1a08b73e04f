"""MiniGrid and BabyAI in words: `pathei/MiniGrid-v0`.

What the agent sees is told as BabyAI-Text does (Carta et al. 2023): each object by how many steps forward and to which
side. Its six actions have names. Everything else is MiniGrid's: levels, rewards, limits. Left out: `done`, which
almost no level uses.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import gymnasium

from ...errors import ConfigError, MissingDependencyError, unknown
from ...experience import Goal, Task
from ..registry import Requirement
from ..text_env import TextEnv

ACTIONS: Final = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle")
"""In the order of MiniGrid's numbers."""
LEVELS: Final = (
    "BabyAI-GoToRedBall-v0",
    "BabyAI-GoToObj-v0",
    "BabyAI-GoToLocal-v0",
    "BabyAI-GoToDoor-v0",
    "BabyAI-OpenDoor-v0",
    "BabyAI-PickupLoc-v0",
    "BabyAI-PickupDist-v0",
    "BabyAI-PutNextLocal-v0",
    "BabyAI-UnlockLocal-v0",
    "BabyAI-OneRoomS8-v0",
)
"""The levels of generated tasks; any other may be named in a task's options."""
ENV: Final = "pathei/MiniGrid-v0"
_DEFAULT: Final = LEVELS[0]
_DOOR_STATES: Final = ("open", "closed", "locked")
_NOT_OBJECTS: Final = frozenset({"unseen", "empty", "wall", "floor", "agent"})
_VIEW: Final = 7


class MiniGridEnv(TextEnv[str]):
    """A level of MiniGrid or BabyAI; `options["level"]` names it by its gymnasium id.

    `info["facts"]` holds the agent's position and direction and every object of the grid.
    """

    title = "MiniGrid"
    option_names = ("level", "goal")

    def __init__(self, *, level: str = _DEFAULT, render_mode: str | None = None) -> None:
        """Create the environment.

        Args:
            level: The level, unless `reset` names another.
            render_mode: None or `"ansi"`.

        Raises:
            MissingDependencyError: MiniGrid is not installed.
            ConfigError: there is no such level.
        """
        super().__init__(max_text=20_000, max_action=1_000, render_mode=render_mode, defaults={"level": level})
        self._grids = {level: _grid(level)}
        self._grid = self._grids[level]
        self._text, self._over = "", True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin a level.

        Raises:
            ConfigError: there is no such level, or an option is not known.
        """
        level = self.begin(seed, options)["level"]
        if level not in self._grids:
            self._grids[level] = _grid(level)
        self._grid = self._grids[level]
        # Its first draw comes from ours, so that a reset without a seed goes on from the last one.
        observation, _ = self._grid.reset(seed=int(self.np_random.integers(2**31)) if seed is None else seed)
        self._text, self._over = self._told(observation), False
        return self._text, self._info(False)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one of the six actions."""
        word, reward, terminated, truncated, error = action.strip().lower(), 0.0, False, False, None
        if self._over:
            error, terminated = "The episode is over.", True
        elif word not in ACTIONS:
            error = f"{action!r} is no action here: say {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}."
        else:
            observation, reward, terminated, truncated, _ = self._grid.step(ACTIONS.index(word))
            self._text, self._over = self._told(observation), bool(terminated)
        info = self._info(bool(terminated and float(reward) > 0))
        if error is None:
            return self._text, float(reward), bool(terminated), bool(truncated), info
        return f"{error}\n{self._text}", 0.0, terminated, False, {**info, "error": error}

    def text(self) -> str:
        """Return what was observed last."""
        return self._text

    def snapshot(self) -> Any:
        """Return the present state: a copy of all that the level holds."""
        state = {name: value for name, value in vars(self._grid).items() if name not in ("window", "clock")}
        # Instructions refer back to their environment, which is not to be copied with them.
        return self._grid, copy.deepcopy(state, {id(self._grid): self._grid}), self._text, self._over, self._random()

    def restore(self, state: Any, /) -> None:
        """Go back to a state."""
        self._grid, held, self._text, self._over, self.np_random.bit_generator.state = state
        vars(self._grid).update(copy.deepcopy(held, {id(self._grid): self._grid}))

    def close(self) -> None:
        """Close the levels that were played."""
        for grid in self._grids.values():
            grid.close()

    def _random(self) -> Any:
        return self.np_random.bit_generator.state

    def _told(self, observation: dict[str, Any]) -> str:
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
        lines = [f"Mission: {observation['mission']}."]
        lines.append(f"You see {', '.join(text for *_, text in sorted(seen))}." if seen else "You see no objects.")
        if ahead < _VIEW:
            lines.append(f"There is a wall {_steps(ahead)} ahead.")
        carried = self._grid.carrying
        lines.append(f"You carry a {carried.color} {carried.type}." if carried else "You carry nothing.")
        return "\n".join(lines)

    def _info(self, success: bool) -> dict[str, Any]:
        grid = self._grid
        objects = [
            [thing.type, thing.color, column, row]
            for row in range(grid.grid.height)
            for column in range(grid.grid.width)
            if (thing := grid.grid.get(column, row)) is not None and thing.type not in _NOT_OBJECTS
        ]
        x, y = (int(value) for value in grid.agent_pos)
        facts = {"agent": [x, y, int(grid.agent_dir)], "objects": objects}
        return {"actions": ACTIONS, "success": success, "progress": float(success), "facts": facts}


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return tasks that take turns through `LEVELS`; the mission of each stands in its goal."""
    found = []
    grids = {level: _grid(level) for level in LEVELS[: min(n, len(LEVELS))]}
    for number in range(n):
        level, world = LEVELS[number % len(LEVELS)], seed * 100_000 + number
        mission = grids[level].reset(seed=world)[0]["mission"]
        found.append(Task(f"minigrid:{level}/{world}", ENV, world, Goal(mission), {"level": level}))
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
    import importlib.util

    there = importlib.util.find_spec("minigrid") is not None
    return [Requirement("minigrid", there, "installed" if there else "pip install 'pathei[adapters]'")]


def _grid(level: str) -> Any:
    try:
        import minigrid  # noqa: F401  # registers the levels
    except ImportError as error:
        raise MissingDependencyError("MiniGrid is not installed: pip install 'pathei[adapters]'.") from error
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


__all__ = ["ACTIONS", "ENV", "LEVELS", "MiniGridEnv", "check_minigrid", "demonstration", "generate_tasks"]
