"""What a chore is: an instruction, what must hold at its end, and commands that bring it about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Files = dict[str, str]
"""Path, relative to the home, to content; a path that ends with a slash is an empty directory."""


class Chore(NamedTuple):
    """One thing to do in a file system; paths and words in its text stand in backquotes."""

    name: str
    text: str
    conditions: tuple[Mapping[str, Any], ...]
    solution: tuple[str, ...]
    """Commands that bring it about; an answer is submitted by the last one."""
    verbs: tuple[str, ...]
    """Which verbs the suggested commands are made of; see `suggestions.VERBS`."""


def chore(
    name: str, text: str, conditions: Sequence[Mapping[str, Any]], solution: str | Sequence[str], verbs: str
) -> Chore:
    """Return a chore; `verbs` are parted by blanks, and looking around is allowed in any case."""
    commands = (solution,) if isinstance(solution, str) else tuple(solution)
    return Chore(name, text, tuple(conditions), commands, ("ls", "cd", "cat", *verbs.split()))


def question(name: str, text: str, answer: object, command: str, verbs: str = "count wc head tail grep") -> Chore:
    """Return a chore that is done by submitting an answer; `command` shows it."""
    asked = f"{text} Submit the answer with `submit`."
    return chore(name, asked, [{"answer": str(answer)}], (command, f"submit {answer}"), f"submit {verbs}")


def some(rng: np.random.Generator, words: str, count: int) -> list[str]:
    """Draw different words out of some that are parted by blanks; the generator is consumed."""
    choices = words.split()
    return [choices[int(i)] for i in rng.permutation(len(choices))[:count]]


def lines(rows: Sequence[object]) -> str:
    """Return rows as lines of text, with a line break at the end of each."""
    return "".join(f"{row}\n" for row in rows)
