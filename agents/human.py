"""The agent that asks the person at the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from ..experience import Goal, Observation
from .protocol import Finished, check_seen

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 24
"""A longer list of actions is shown on demand only: a household allows hundreds at once."""
_HELP = """\
  a number        the action of that number in the list
  any other text  the action as you say it, for example: grab the cup
  ?               list what is possible now
  ? cup           list what is possible now and has "cup" in it
  g               repeat the goal
  q               stop here; what was done so far is kept"""


class HumanAgent:
    """Shows the observation and the admissible actions, and takes a number, text, `?`, `g` or `q`."""

    def __init__(self, console: Console | None = None, *, stream: TextIO | None = None) -> None:
        """Create the agent.

        Args:
            console: Where to show and ask; the terminal if None.
            stream: Where answers are read from instead of the keyboard.
        """
        # Here and below: worker processes import this package and show nothing.
        if console is None:
            from rich.console import Console

            console = Console()
        self._console = console
        self._stream = stream
        self._begun = False

    def reset(self, seed: int) -> None:
        """Begin an episode; the seed changes nothing."""
        self._begun = False

    def act(self, observation: Observation, goal: Goal) -> str:
        """Ask until there is an action.

        Raises:
            Finished: the human said `q`, or the input is at its end.
        """
        check_seen(observation, goal)
        from rich.text import Text

        show = self._console.print
        if not self._begun:
            self._begun = True
            show(Text(f"Goal: {goal.text}\n", style="bold"))
            show(Text(f"What you can answer:\n{_HELP}\n", style="dim"))
        show(Text(observation.text))
        if observation.actions is not None and len(observation.actions) <= _SHOWN:
            self._list(observation.actions, "")
        while True:
            answer = self._ask()
            if answer in ("q", "quit"):
                raise Finished("The human stopped.")
            if answer in ("g", "goal"):
                show(Text(goal.text, style="bold"))
            elif answer.startswith("?") and observation.actions is None:
                self._console.print(f"{_HELP}\nThis world has no list of actions: say it in words.", markup=False)
            elif answer.startswith("?"):
                self._list(observation.actions or (), answer[1:].strip())
            elif answer:
                action = self._read(observation.actions, answer)
                if action is not None:
                    return action

    def _ask(self) -> str:
        try:
            line = self._console.input("[bold]> [/bold]", stream=self._stream)
        except EOFError:
            raise Finished("The input is at its end.") from None
        if self._stream is not None and not line:
            raise Finished("The input is at its end.")
        return line.strip()

    def _read(self, actions: tuple[str, ...] | None, answer: str) -> str | None:
        if not answer.isdecimal():
            return answer
        if actions is None:
            self._console.print("There is no list here: say the action in words.")
        elif not 1 <= int(answer) <= len(actions):
            self._console.print(f"The list has the numbers 1 to {len(actions)}; ? shows it.")
        else:
            return actions[int(answer) - 1]
        return None

    def _list(self, actions: tuple[str, ...], word: str) -> None:
        from rich.columns import Columns
        from rich.text import Text

        entries = [
            Text(f"{number:3} {action}") for number, action in enumerate(actions, 1) if word.lower() in action.lower()
        ]
        if entries:
            self._console.print(Columns(entries, padding=(0, 3), column_first=True))
        else:
            self._console.print(f"Nothing with {word!r} is possible now." if word else "Nothing is possible now.")
