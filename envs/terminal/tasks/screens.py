"""Tasks that need a screen: an editor, a form with a password, a pager, an interpreter, a menu; for any seed.

The programs are vi, less and python3 of the machine, and scripts that refuse to run without a terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from ....errors import ConfigError
from ....experience import Goal, Task
from ..keys import quote
from .chores import Files, lines, some

SCREEN_ID: Final = "pathei/TerminalScreen-v0"
_WORDS: Final = "apples bread candles figs honey lamps onions paper salt stamps tea wool"
_NAMES: Final = "Ada Bela Chen Dara Emil Fatou Goran Hana"
_LOOK: Final = ("ls", "cat", "keys")


class ScreenChore(NamedTuple):
    """One thing to do on a screen."""

    text: str
    files: Files
    conditions: tuple[dict[str, Any], ...]
    solution: tuple[str, ...]
    verbs: tuple[str, ...]
    start: str = ""
    """What is typed before the episode begins."""


_FORM: Final = """#!/bin/bash
[ -t 0 ] && [ -t 1 ] || { echo 'This form needs a terminal.'; exit 1; }
clear
echo '=== Setup ==='
read -r -p 'Name: ' name
read -r -p 'Port: ' port
read -r -s -p 'Password: ' password; echo
read -r -n 1 -p 'Save? (y/n) ' sure; echo
[ "$sure" = y ] && printf 'name=%s\\nport=%s\\npassword=%s\\n' "$name" "$port" "$password" > setup.ini
"""

_MENU: Final = """#!/bin/bash
[ -t 0 ] && [ -t 1 ] || { echo 'This menu needs a terminal.'; exit 1; }
items=(ITEMS)
at=0
while :; do
  printf '\\033[2J\\033[HChoose with the arrow keys, and press Enter.\\n\\n'
  for place in "${!items[@]}"; do
    if [ "$place" = "$at" ]; then printf '\\033[7m> %s\\033[0m\\n' "${items[$place]}"
    else printf '  %s\\n' "${items[$place]}"; fi
  done
  IFS= read -rsn1 key
  case $key in
    $'\\033') IFS= read -rsn2 rest
      case $rest in '[A') at=$(( at > 0 ? at - 1 : 0 ));; '[B') at=$(( at < ${#items[@]} - 1 ? at + 1 : at ));; esac;;
    '') echo "${items[$at]}" > choice.txt; break;;
    q) break;;
  esac
done
"""

_REPORT: Final = """#!/bin/bash
[ -t 1 ] || { echo 'This report needs a terminal.'; exit 1; }
for word in WORDS; do
  echo "Chapter on $word"
  for page in 1 2 3 4 5 6 7 8; do echo "  Page $page says little about $word."; done
  echo "  The code of $word is $(( (${#word} * 7919 + SALT + $(printf '%d' "'$word")) % 100000 ))."
  echo
done | less
"""


def _edit(rng: np.random.Generator) -> ScreenChore:
    listed = some(rng, _WORDS, 9)
    old, new = listed[3], listed[8]
    before, after = listed[:8], [*listed[:3], new, *listed[4:8]]
    return ScreenChore(
        f"In the editor, change `{old}` to `{new}` in `list.txt`, and save it.",
        {"list.txt": lines(before)},
        ({"file": "list.txt", "text": lines(after)},),
        ("keys 'vi list.txt' Enter", f"keys ':%s/{old}/{new}/' Enter", "keys ':wq' Enter"),
        (*_LOOK, "vi"),
    )


def _form(rng: np.random.Generator) -> ScreenChore:
    (name,), (password,) = some(rng, _NAMES, 1), some(rng, _WORDS, 1)
    port = int(rng.integers(2000, 9000))
    return ScreenChore(
        f"Run `./form` and fill it in: the name is `{name}`, the port `{port}`, the password `{password}`. Save it.",
        {"form": _FORM},
        ({"file": "setup.ini", "text": lines([f"name={name}", f"port={port}", f"password={password}"])},),
        ("keys './form' Enter", f"keys '{name}' Enter", f"keys '{port}' Enter", f"keys '{password}' Enter", "keys y"),
        (*_LOOK, "run"),
    )


def _pager(rng: np.random.Generator) -> ScreenChore:
    words = some(rng, _WORDS, 10)
    wanted, salt = words[int(rng.integers(5, 10))], int(rng.integers(1000, 90000))
    code = (len(wanted) * 7919 + salt + ord(wanted[0])) % 100000
    return ScreenChore(
        f"Run `./report`, which opens a pager. What is the code of `{wanted}`? Submit it with `submit`.",
        {"report": _REPORT.replace("WORDS", " ".join(words)).replace("SALT", str(salt))},
        ({"answer": str(code)},),
        ("keys './report' Enter", f"keys '/code of {wanted}' Enter", f"submit {code}"),
        (*_LOOK, "run", "submit"),
    )


def _interpreter(rng: np.random.Generator) -> ScreenChore:
    stock = {word: int(rng.integers(100, 999)) for word in some(rng, _WORDS, 6)}
    return ScreenChore(
        "A Python interpreter runs, with a dictionary `stock` in it. What is the sum of its values? Submit it with "
        "`submit`.",
        {},
        ({"answer": str(sum(stock.values()))},),
        ("keys 'sum(stock.values())' Enter", f"submit {sum(stock.values())}"),
        (*_LOOK, "submit"),
        f"clear; python3 -qic {quote(f'stock = {stock}')}",
    )


def _menu(rng: np.random.Generator) -> ScreenChore:
    words = some(rng, _WORDS, 9)
    place = int(rng.integers(4, 9))
    return ScreenChore(
        f"Run `./menu` and choose `{words[place]}`.",
        {"menu": _MENU.replace("ITEMS", " ".join(words))},
        ({"file": "choice.txt", "text": words[place]},),
        ("keys './menu' Enter", f"keys Down*{place} Enter"),
        (*_LOOK, "run"),
    )


SCREEN_CHORES: Final[dict[str, Callable[[np.random.Generator], ScreenChore]]] = {
    "edit": _edit,
    "form": _form,
    "pager": _pager,
    "interpreter": _interpreter,
    "menu": _menu,
}
"""What makes each chore; the generator is consumed."""


def generate_screen_tasks(n: int, seed: int) -> list[Task]:
    """Return `n` tasks that follow from the seed: the five chores in turn, each time with other words.

    Raises:
        ConfigError: an argument is negative or no whole number.
    """
    if type(n) is not int or n < 0 or type(seed) is not int or seed < 0:
        raise ConfigError(f"The number of tasks and the seed are whole numbers, 0 or above, not {n!r} and {seed!r}.")
    tasks = []
    for number in range(n):
        name, turn = list(SCREEN_CHORES)[number % len(SCREEN_CHORES)], number // len(SCREEN_CHORES)
        made = SCREEN_CHORES[name](np.random.default_rng([seed, number]))
        options: dict[str, Any] = {"files": made.files, "verbs": list(made.verbs), "solution": list(made.solution)}
        if made.start:
            options["start"] = made.start
        tasks.append(Task(f"screen/{seed}/{turn}/{name}", SCREEN_ID, seed, Goal(made.text, made.conditions), options))
    return tasks
