"""Commands taken apart: a verb with the names of the files that it works on; the activity of a task is its chore.

`mv inbox/offer.txt done/offer.txt` and `mv inbox/offer.txt done` are both MV of `offer.txt` to `done`, so that what was
done in one file system can be done in another. Not here: what a command does.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import gymnasium

from ...experience import Task
from ..facts import Action, FactGraph
from ..plans import PlanOutcome, run_plan
from ..verbalizer import Sentence, Verbalizer, capitalised, plan_text
from .graph import HOME, node_of

_FIRST_IS_NO_PATH: Final = frozenset({"grep", "chmod", "sed", "awk"})
_NO_PATHS: Final = frozenset({"echo", "printf", "submit", "answer"})
_TWO_PATHS: Final = frozenset({"cp", "mv", "ln"})


class _FreeForm(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The terminal without its suggestions."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        seen, reward, terminated, truncated, info = self.env.step(action)
        return seen, reward, terminated, truncated, {key: info[key] for key in info if key != "actions"}


class TerminalVerbalizer(Verbalizer):
    """Commands of the shell."""

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Take a command apart; None where the shell's quotes do not match. Ids follow from names."""
        try:
            lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&<>")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            return None
        if not words:
            return None
        verb, names, command, position, follows = list[str](), list[str](), "", 0, ""
        for word in words:
            if set(word) <= set("|;&"):
                command, follows = "", ""
            elif set(word) <= set("<>"):
                follows = word
                verb.append("APPEND" if word == ">>" else "READ" if word == "<" else "WRITE")
            elif follows:
                names.append(word)
                follows = ""
            elif not command and "=" in word:
                continue  # a variable for the command, LC_ALL=C
            elif not command:
                command, position = word, 0
                verb.append(word)
            elif word.startswith("-"):
                verb.append(word.strip("-"))
            else:
                position += 1
                if command == "chmod" and position == 1:
                    verb.append(word)
                elif command not in _NO_PATHS and not word.isdigit():
                    names += [word] if position > 1 or command not in _FIRST_IS_NO_PATH else []
        names = [name for name in names if not set(name) & set("*?{}$+")]
        found = [_name(name) for name in names]
        if len(names) == 2 and words[0] in _TWO_PATHS and found[0] == found[1]:
            found[1] = _name(names[1].rpartition("/")[0])
        action = "_".join(part.upper() for part in verb if part)
        return Action(action, tuple(found), tuple(map(node_of, found)))

    def say_action(self, action: Action | str, numbered: Collection[str] = ()) -> str:
        """Return a command as a sentence: "Run mv inbox/offer.txt done."."""
        if isinstance(action, str):
            return f"Run {action.strip()}"
        return capitalised(" ".join([action.verb.replace("_", " ").lower(), *action.names]))

    def say_plan(self, actions: Sequence[str], numbered: Collection[str] = ()) -> str:
        """Return one line for each command, as commands may hold full stops and semicolons."""
        return "\n".join(map(self.say_action, actions))

    def read_plan(self, text: str) -> tuple[Sentence, ...]:
        """Split a plan into its lines."""
        lines = (line.strip() for line in plan_text(text).splitlines())
        return tuple(Sentence(line) for line in lines if line)

    def run_plan(
        self, env: gymnasium.Env[Any, Any], info: Mapping[str, Any], text: str, *, skip_refused: bool = False
    ) -> PlanOutcome:
        """Run the command of each line; it need not be one of those suggested."""
        commands = [one.text.removeprefix("Run ") for one in self.read_plan(text)]
        return run_plan(_FreeForm(env), {}, commands, str, skip_refused=skip_refused)

    def activity(self, task: Task) -> str | None:
        """Return the chore of a generated task in words: "tidy inbox"."""
        head, _, name = task.id.rpartition("/")
        return name.replace("-", " ") if head.startswith("terminal/") else None

    def activities(self) -> tuple[str, ...]:
        """Return all chores."""
        from .tasks.filesystems import FILESYSTEMS, generate

        return tuple(name.replace("-", " ") for kind in FILESYSTEMS for name in generate(f"{kind}:0").chores)

    def scene(self, task: Task) -> str:
        """Return the file system."""
        return f"terminal:{task.options.get('files', task.seed)}"


def _name(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2]
    return HOME if name in ("", "~", ".") else name
