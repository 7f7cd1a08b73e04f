"""What text environments share: their options, spaces, rendering, and snapshots made of attributes.

An environment may derive from `TextEnv` or be any `gymnasium.Env`; nothing in pathei asks for this class. Deriving
saves writing the same constructor, `render`, `snapshot` and `restore` again. Not here: the episode itself, which each
environment begins and steps in its own way.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

import gymnasium

from ..errors import ConfigError, options_of
from .spaces import UnicodeText

ObsType = TypeVar("ObsType")
Value = TypeVar("Value")

MAX_TEXT: Final = 1 << 20
"""The longest observation and action, in characters, unless an environment sets other limits."""
TEXT_BUDGET: Final = 8_000
"""The number of characters that an observation shows at once. `scroll` and `find` reach the rest."""
_LONG_LINE: Final = 1_000
_SCROLL: Final = re.compile(r"scroll[\[ ](down|up)\]?|find(?:\[(.+)\]| (.+))", re.DOTALL)


class EnvSnapshot(NamedTuple):
    """A saved moment of a `TextEnv`; see `pathei.envs.snapshots`."""

    values: tuple[Any, ...]
    """The attributes that `TextEnv.saved` lists, in that order; last, where a long observation is looked at."""
    random_state: Mapping[str, Any]


class TextEnv(gymnasium.Env[ObsType, str]):
    """The base of environments whose actions are text.

    A subclass sets the class variables and writes `reset`, `step` and `text`; `reset` starts with `begin`. One whose
    `saved` attributes are never modified in place is `Snapshotable` by `TextEnv`'s methods: it says so with
    `snapshot, restore = save_fields, load_fields`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"]}  # noqa: RUF012  # gymnasium declares it so
    _first, _whole = 0, ""  # the line that a long observation begins with, and all of it
    title: ClassVar[str]
    """What error messages call the environment, at the beginning of a sentence: `"The shop"`."""
    option_names: ClassVar[Sequence[str]] = ("goal",)
    """The names of the options of `reset`, each of which the constructor takes as a default."""
    saved: ClassVar[Sequence[str]] = ()
    """The names of the attributes that a snapshot holds."""

    def __init__(
        self,
        *,
        max_text: int = MAX_TEXT,
        max_action: int = MAX_TEXT,
        render_mode: str | None = None,
        defaults: Mapping[str, Any],
    ) -> None:
        """Create the environment.

        Args:
            max_text: The longest observation, in characters.
            max_action: The longest action, in characters.
            render_mode: None or `"ansi"`.
            defaults: Options of `reset` that hold unless `reset` is given others.

        Raises:
            ConfigError: an option is not known.
        """
        check_options(self.title, defaults, self.option_names)
        self.render_mode = render_mode
        self.observation_space: gymnasium.Space[Any] = UnicodeText(max_text)
        self.action_space = UnicodeText(max_action)
        self._defaults = dict(defaults)

    def begin(self, seed: int | None, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Seed the random generator and return the options of the episode: those given over the defaults.

        Raises:
            ConfigError: an option is not known.
        """
        super().reset(seed=seed)
        self._first = 0
        check_options(self.title, options or {}, self.option_names)
        return {**self._defaults, **(options or {})}

    def numbered(self, given: Mapping[str, Any], items: Sequence[Value]) -> Value:
        """Return the item that the option `number` names; without it, one that follows from the seed.

        Raises:
            ConfigError: there is no item of that number.
        """
        number = given.get("number")
        if number is None:
            return items[int(self.np_random.integers(len(items)))]
        if not isinstance(number, int) or not 0 <= number < len(items):
            raise ConfigError(f"The option 'number' is one of 0 to {len(items) - 1} here, not {number!r}.")
        return items[number]

    def text(self) -> str:
        """Return the text of the present observation."""
        raise NotImplementedError

    def render(self) -> Any:
        """Return the text of the present observation in render mode `"ansi"`."""
        return self.text() if self.render_mode == "ansi" else None

    def fitted(self, text: str) -> str:
        """Return the part of a text that is shown now, at most `TEXT_BUDGET` characters and a line on the rest."""
        self._whole = text
        return fit(text, self._first, "; scroll[down], scroll[up] and find[words] show others")

    def scroll(self, action: str, whole: Callable[[], str]) -> str | None:
        """Look at another part of a long observation, if an action asks for that; any other action leaves it.

        Args:
            action: `scroll[down]`, `scroll[up]` or `find[words]`, which have a meaning only where the text is too long.
            whole: Returns the whole text.

        Returns:
            None if the action is another one; else why it was refused, and `""` if it was not.
        """
        asked = _SCROLL.fullmatch(action.strip()) if "scroll" in action or "find" in action else None
        text = "" if asked is None else whole()
        if asked is None or len(text) <= TEXT_BUDGET:
            self._first = 0
            return None
        lines = _lines(text)
        if asked[1] == "up":
            first, count, size = self._first, self._first, 0
            while count and size + len(lines[count - 1]) < TEXT_BUDGET:
                count, size = count - 1, size + len(lines[count - 1]) + 1
            self._first = count
            return "" if first else "this is the beginning of the text"
        if asked[1] == "down":
            last = _last(lines, self._first)
            self._first = last if last < len(lines) else self._first
            return "" if last < len(lines) else "this is the end of the text"
        words = (asked[2] or asked[3]).strip().strip("\"'").casefold()
        after = [*range(self._first + 1, len(lines)), *range(self._first + 1)]
        found = next((place for place in after if words in lines[place].casefold()), None)
        self._first = self._first if found is None else found
        return f"{words[:80]!r} is not in the text" if found is None else ""

    def scrolling(self) -> tuple[str, ...]:
        """Return the actions that show more of the text that was given to `fitted`."""
        if len(self._whole) <= TEXT_BUDGET:
            return ()
        lines = _lines(self._whole)
        down = ("scroll[down]",) if _last(lines, self._first) < len(lines) else ()
        return (*down, *(("scroll[up]",) if self._first else ()))

    def save_fields(self) -> EnvSnapshot:
        """Return the present values of the `saved` attributes and the random state; it stays valid."""
        values = tuple([getattr(self, name) for name in self.saved])
        return EnvSnapshot((*values, self._first), self.np_random.bit_generator.state)

    def load_fields(self, state: EnvSnapshot, /) -> None:
        """Go back to a moment that `save_fields` returned."""
        *values, self._first = state.values
        for name, value in zip(self.saved, values, strict=True):
            setattr(self, name, value)
        self.np_random.bit_generator.state = state.random_state


def check_options(title: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse options that an environment does not have, and a goal of another form than `{"text", "conditions"}`.

    Args:
        title: The environment, at the beginning of a sentence: `"The shop"`.
        given: The options, by name.
        known: The names it has.

    Raises:
        ConfigError: they are no mapping; some are not known, all of which are named, and the nearest known ones
            suggested; or the goal is of another form.
    """
    wrong = [name for name in options_of(given, title) if name not in known]
    if not wrong:
        goal = given.get("goal") or {}
        listed = goal.get("conditions") or () if isinstance(goal, Mapping) else None
        if not isinstance(listed, list | tuple) or not all(isinstance(one, Mapping) for one in listed):
            raise ConfigError(f"The option 'goal' is {{'text': ..., 'conditions': [...]}}, not {reprlib.repr(goal)}.")
        return
    near = [match for name in wrong for match in difflib.get_close_matches(name, known, n=1)]
    hint = f"; did you mean {_quoted(near)}?" if near else "."
    raise ConfigError(f"{title} has no option {_quoted(wrong)}; known are: {', '.join(known)}{hint}")


def require_reset(value: Value | None) -> Value:
    """Return a value that `reset` sets.

    Raises:
        gymnasium.error.ResetNeeded: it is None, because `reset` was not called yet.
    """
    if value is None:
        raise gymnasium.error.ResetNeeded("Call reset() before anything else.")
    return value


def fit(text: str, first: int = 0, hint: str = "") -> str:
    """Return a text as it is; if it is longer than `TEXT_BUDGET`, its lines from one on, and which of them these are.

    Args:
        text: The text; lines of more than 1,000 characters count as several.
        first: The first line to show.
        hint: How to see the others: `": say scroll[down]"`.
    """
    if len(text) <= TEXT_BUDGET:
        return text
    lines = _lines(text)
    last = _last(lines, first)
    return "\n".join([*lines[first:last], f"[Lines {first + 1} to {last} of {len(lines)} are shown{hint}.]"])


def explain(error: str | None, text: str) -> str:
    """Return an observation's text, with the reason in front where the last action was refused, cut if it is long."""
    if not error:
        return text
    return f"That did not work: {error if len(error) <= _LONG_LINE else f'{error[:_LONG_LINE]}...'}.\n{text}"


def _lines(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        while len(line) > _LONG_LINE:
            end = line.rfind(" ", 1, _LONG_LINE) + 1 or _LONG_LINE
            lines.append(line[:end])
            line = line[end:]
        lines.append(line)
    return lines


def _last(lines: Sequence[str], first: int) -> int:
    """Return the end of the lines that fit the budget, of which there is at least one."""
    size, place = 0, first
    while place < len(lines) and (place == first or size + len(lines[place]) <= TEXT_BUDGET):
        size, place = size + len(lines[place]) + 1, place + 1
    return place


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
