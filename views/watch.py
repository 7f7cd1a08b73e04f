"""Episodes as text in a terminal, while they are played or from a store. Not here: storing anything."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from ..collectors.rollout.episode import Recorder
from ..experience import Observation, Step, Task, Trajectory


class Watcher:
    """Shows an episode while it is played: pass it to `play` as `watch`."""

    def __init__(self, console: Console, *, texts: bool = True, lines: int | None = 14) -> None:
        """Create it.

        Args:
            console: Where to show.
            texts: Whether to show what is perceived, in addition to what is done.
            lines: How many lines of an observation to show, and only those that were not there before; None for all.
        """
        self._console = console
        self._texts = texts
        self._lines = lines
        self._told: list[str] = []

    def __call__(self, recorder: Recorder) -> None:
        """Show what happened since the last call: the reset, or one step."""
        if recorder.steps:
            self.show_step(len(recorder.steps), recorder.steps[-1], recorder.observation)
        else:
            self.show_start(recorder.task, recorder.observation)

    def show_start(self, task: Task, first: Observation) -> None:
        """Show the task, and what is perceived first."""
        head = Text(f"{task.id}\n", style="dim")
        head.append(f"Goal: {task.goal.text or 'none'}", style="bold")
        self._console.print(Panel(head, expand=False))
        self._told = []
        self._tell(first)

    def show_step(self, number: int, step: Step, after: Observation) -> None:
        """Show an action, its result, and the next observation."""
        line = Text(f"{number:3} ", style="dim")
        line.append(step.action, style="bold cyan")
        if "error" in step.info:
            line.append(f"  refused: {step.info['error']}", style="yellow")
        if step.reward:
            line.append(f"  reward {step.reward:+.2f}", style="green" if step.reward > 0 else "red")
        if step.info.get("progress") is not None:
            line.append(f"  progress {step.info['progress']:.0%}", style="dim")
        self._console.print(line)
        self._tell(after)

    def show_trajectory(self, trajectory: Trajectory) -> None:
        """Show a whole recorded episode."""
        steps = trajectory.steps
        # What came after each step; an episode without steps has only the end.
        following = [*(step.observation for step in steps[1:]), trajectory.final]
        self.show_start(trajectory.task, steps[0].observation if steps else trajectory.final)
        for number, (step, after) in enumerate(zip(steps, following, strict=False), 1):
            self.show_step(number, step, after)
        self.show_end(trajectory)

    def show_end(self, trajectory: Trajectory) -> None:
        """Show how an episode ended."""
        self._console.print(Text(ending(trajectory), style="bold green" if trajectory.success else "bold"))

    def _tell(self, observation: Observation) -> None:
        text = self._text(observation)
        if self._texts and text:
            self._console.print(text)

    def _text(self, observation: Observation) -> Text:
        shown, lines = set(self._told), observation.text.splitlines()
        self._told = lines
        if self._lines is not None:
            new = [line for line in lines if line not in shown]
            rest = len(new) - self._lines
            lines = [*new[: self._lines], f"... {rest} lines more"] if rest > 1 else new
        return Text("\n".join(f"      {line}" for line in lines), style="dim")


def ending(trajectory: Trajectory) -> str:
    """Tell in one line how an episode ended."""
    if trajectory.success and not trajectory.steps:
        return "The goal holds already: nothing was to be done."
    verdict = {True: "The goal is reached", False: "The goal is not reached", None: "No goal was checked"}
    refused = sum("error" in step.info for step in trajectory.steps)
    parts = [verdict[trajectory.success], f"{len(trajectory.steps)} steps"]
    if refused:
        parts.append(f"{refused} refused")
    if trajectory.total_reward:
        parts.append(f"return {trajectory.total_reward:.2f}")
    return ", ".join(parts) + "."
