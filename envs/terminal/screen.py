"""A terminal with a screen as a gymnasium environment: `pathei/TerminalScreen-v0`.

The shell of `pathei/Terminal-v0` on a pseudo-terminal of a fixed size, for what needs one: editors, pagers, prompts,
interactive interpreters, programs with menus. An action is `keys ...` (see `keys`), `wait`, or `submit ANSWER`. The
observation is the screen, once nothing moves on it any more. Files, goals, limits and rewards are the terminal's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from ...errors import ConfigError, GoalError, options_of
from ...extras import missing
from ..text_env import TEXT_BUDGET, explain, require_reset
from .env import TerminalEnv, TerminalEpisodeState, TerminalSnapshot
from .keys import quote, read_keys, say_keys
from .sandbox.sandbox import Frozen
from .sandbox.screen import Appeared, ScreenSandbox
from .suggestions import MOST, VERBS, named_in

if TYPE_CHECKING:
    from .emulator import Emulator

SCREEN_VERBS: Final = (*VERBS, "vi", "less", "python3", "run", "keys")
"""The verbs of a terminal, and those of a screen: programs on what the instruction names, and single keys."""
_SIZE: Final = re.compile(r"(\d{2,3})x(\d{1,3})")
_FURTHER: Final = 600
"""Characters of an observation besides the screen, at most."""
_KEYS: Final = ("Enter", "Escape", "Tab", "Up", "Down", "Space", "q", "y", "n", "i", "C-c", "C-d")
_NEW: Final = 1.0
"""Seconds that `wait` waits for something to change."""
_ANSWERS: Final = 8


class ScreenSnapshot(NamedTuple):
    """A moment of an episode with its screen."""

    terminal: TerminalSnapshot
    screen: Emulator


class TerminalScreenEnv(TerminalEnv):
    """A sandboxed shell on a screen; `docs/guide/envs/terminal.md` gives the grammar of actions.

    The options of `reset` are those of `TerminalEnv`, and `size`, `"80x24"` if not given: columns and lines. The option
    `start` is typed when the episode begins, so the program that it names is there. Conditions that run programs
    (those of InterCode and AgentBench) are not possible here.
    """

    title = "The terminal's screen"
    verbs: ClassVar[Sequence[str]] = SCREEN_VERBS
    option_names: ClassVar[Sequence[str]] = (*TerminalEnv.option_names, "size")
    partial_snapshots: ClassVar[bool] = True
    """Snapshots are refused at some moments: a search replays instead."""

    def __init__(self, **options: Any) -> None:
        """Create the environment; see `TerminalEnv`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(**options)
        self._screen: Emulator | None = None
        self._size = (80, 24)
        self._running: tuple[str, ...] = ()

    @property
    def screen(self) -> Emulator:
        """The screen; only to be looked at."""
        return require_reset(self._screen)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode with an empty screen and a prompt; see `TerminalEnv.reset`.

        Raises:
            ConfigError: an option is not known or has no possible value.
            GoalError: a condition cannot be read, or is not possible on a screen.
            MissingDependencyError, WorldError: the sandbox does not start, or the package pyte is not installed.
        """
        chosen = {**self._defaults, **options_of(options, self.title)}
        self._size = _read_size(chosen.get("size") or "80x24")
        goal = chosen.get("goal") or {}
        for condition in goal.get("conditions") or () if isinstance(goal, Mapping) else ():
            if isinstance(condition, Mapping) and {"intercode", "match", "checks"} & set(condition):
                raise GoalError(f"The condition {str(condition)[:80]} is judged by the terminal without a screen only.")
        return super().reset(seed=seed, options=options)

    def new_sandbox(self) -> ScreenSandbox:
        """Start a sandbox."""
        return ScreenSandbox(self.limits)

    @property
    def sandbox(self) -> ScreenSandbox:
        """The sandbox, for collectors and tests; agents may not look into it."""
        sandbox = super().sandbox
        assert isinstance(sandbox, ScreenSandbox)
        return sandbox

    def snapshot(self) -> ScreenSnapshot:  # type: ignore[override]
        """Freeze the present moment.

        Raises:
            SnapshotError: a program runs, or all snapshots together take too much memory.
        """
        return ScreenSnapshot(super().snapshot(), self.screen.copy())

    def restore(self, state: ScreenSnapshot) -> None:  # type: ignore[override]
        """Go back to a moment that `snapshot` of this environment returned.

        Raises:
            SnapshotError: another environment returned it.
        """
        super().restore(state.terminal)
        self._screen, self._running = state.screen.copy(), ()
        self._size = state.screen.columns, state.screen.lines

    def text(self) -> str:
        """Return the screen, where the cursor is, and what runs."""
        moment = self._moment
        if moment.answer is not None:
            return f"Submitted: {moment.answer[:TEXT_BUDGET]}"
        screen = self.screen
        line, column = screen.cursor()
        state = f"The cursor is in line {line}, column {column}."
        if self._running:
            state += f" Running: {', '.join(dict.fromkeys(self._running))[:100]}."
        if marked := screen.highlighted():
            state += f" Highlighted: {'; '.join(marked)}."
        return explain(moment.error, "\n".join([*screen.rows(), f"[{state[:_FURTHER]}]"]))

    def _base(self, files: Any, setup: str, cwd: str) -> Frozen:
        self.sandbox.screen = None
        base = super()._base(files, setup, cwd)
        self.sandbox.screen = self._size
        return base

    def _start(self, at: Frozen) -> None:
        # The prompt names the host and the directory: what the shell was left with stays as it was.
        self.sandbox.screen = self._size
        super()._start(at)

    def _wake(self, start: str) -> None:
        self._screen, self._running = _new_screen(*self._size), ()
        self.sandbox.wake()
        self._draw(Appeared(self.sandbox.first, "", ()))
        if start:
            self._type((f"{start}\r".encode(),))

    def _done(self, action: str, moment: TerminalEpisodeState) -> TerminalEpisodeState:
        verb, _, rest = action.strip().partition(" ")
        if verb == "wait" and not rest:
            stopped = self._type((), _NEW)
        elif verb == "keys":
            parts = read_keys(rest)
            if isinstance(parts, str):
                return moment._replace(error=parts)
            stopped = self._type(parts)
        else:
            form = f"keys {quote(' '.join(action.split())[:60])} Enter"
            return moment._replace(
                error=f"an action is `keys ...`, `wait` or `submit ...`; a command is typed with `{form}`"
            )
        return moment._replace(error=self._stopped(stopped) if stopped else None)

    def _type(self, parts: tuple[bytes, ...], least: float = 0.0) -> str:
        """Type keys, draw what appears, and return which limit ended a program, if one did."""
        seen = self.sandbox.type(parts, least=least)
        stopped = seen.stopped
        # A program that asks the terminal something waits for the answer.
        for _ in range(_ANSWERS):
            answers = self._draw(seen)
            if not answers:
                break
            seen = self.sandbox.type((answers,))
            stopped = stopped or seen.stopped
        return stopped

    def _draw(self, seen: Appeared) -> bytes:
        self._running = seen.running
        return self.screen.feed(seen.output)

    def _suggested(self) -> tuple[str, ...]:
        """Return keys worth pressing: commands at a prompt, else single keys and the words of the instruction."""
        episode = self.episode
        known = [verb for verb in episode.verbs if verb in VERBS]
        named = named_in(episode.text)
        words = [say_keys(word) for word in named]
        single = [say_keys(key) for key in _KEYS]
        submit = [f"submit {word}" for word in dict.fromkeys("\n".join(self.screen.rows()).split())][:_ANSWERS]
        if self._running:
            actions = [*single, *words, *(f"{word} Enter" for word in words), *(submit if "submit" in known else ())]
            return tuple(dict.fromkeys(actions))[:MOST]
        programs = [verb for verb in episode.verbs if verb in ("vi", "less")]
        actions = [f"keys {quote(f'{verb} {name}')} Enter" for verb in programs for name in named if "." in name]
        actions += ["keys 'python3' Enter"] if "python3" in episode.verbs else []
        actions += [f"keys {quote(f'./{name}')} Enter" for name in named if "run" in episode.verbs]
        commands = super()._suggested()
        actions += [one if one.startswith("submit") else f"keys {quote(one)} Enter" for one in commands]
        return tuple(dict.fromkeys(actions))[:MOST]


def _new_screen(columns: int, lines: int) -> Emulator:
    try:
        from .emulator import Emulator
    except ImportError as error:
        raise missing("The terminal's screen", error) from error
    return Emulator(columns, lines)


def _read_size(size: Any) -> tuple[int, int]:
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    columns, lines = (int(found[1]), int(found[2])) if found else (0, 0)
    if columns < 20 or lines < 5 or (columns + 1) * lines > TEXT_BUDGET - 2 * _FURTHER:
        raise ConfigError(
            f"The size of a screen is '80x24': at least 20 columns and 5 lines, and at most "
            f"{TEXT_BUDGET - 2 * _FURTHER} characters in all, not {size!r}."
        )
    return columns, lines
