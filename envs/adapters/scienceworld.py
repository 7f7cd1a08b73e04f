"""ScienceWorld's experiments: `pathei/ScienceWorld-v0`. It runs in Java, one process for each environment.

It cannot be saved; a search replays it (`pathei.envs.replay`). Most of a step's time goes into listing the admissible
actions, hundreds of them; `listing=False` leaves them out. Not here: its object tree, its run histories.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Sequence
from typing import Any, Final

from ...errors import ConfigError, MissingDependencyError, WorldError, unknown
from ...experience import Goal, Task
from ...extras import needed_by
from ..contract import Requirement
from ..text_env import TextEnv, explain

ENV: Final = "pathei/ScienceWorld-v0"
EXPERIMENTS: Final = (
    "find-living-thing",
    "find-non-living-thing",
    "find-plant",
    "find-animal",
    "boil",
    "melt",
    "identify-life-stages-1",
    "lifespan-longest-lived",
)
"""The experiments of generated tasks; a task's options may name any other."""
_INLINE: Final = re.compile(r"(?<=containing )[^()\n]+(?=\))|(?<=You also see: )[^\n]+(?=\.)")
_NOT_UNDERSTOOD: Final = ("No known action matches", "Ambiguous request")
_SIMPLIFIED: Final = "easy"


class ScienceWorldEnv(TextEnv[str]):
    """An experiment.

    Options of `reset`:

    * `experiment`: ScienceWorld's name of the task; without one it follows from the seed.
    * `variation`: which one of it; from the seed if left out.
    * `simplification`: `"easy"` (default), `""`, or ScienceWorld's own words.
    * `listing`: whether `info["actions"]` is worked out; default True.

    The reward is the change of the score over 100. A negative score, which ScienceWorld gives for what cannot be made
    good, ends the episode.
    """

    title = "ScienceWorld"
    option_names = ("experiment", "variation", "simplification", "listing", "goal")

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; Java is started by the first `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(max_text=100_000, max_action=1_000, render_mode=render_mode, defaults=defaults)
        self._science: Any = None
        self._listing = True
        self._text, self._score, self._over = "", 0.0, True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an experiment; see the class for the options.

        Raises:
            ConfigError: an option is not known, or there is no such experiment or variation.
            MissingDependencyError: ScienceWorld or Java is not installed.
            WorldError: Java would not start.
        """
        given = self.begin(seed, options)
        if self._science is None:
            self._science = start()
        draw = int(self.np_random.integers(2**31))
        experiment = str(given.get("experiment") or EXPERIMENTS[draw % len(EXPERIMENTS)])
        self._listing = bool(given.get("listing", True))
        load(self._science, experiment, given.get("variation", draw), str(given.get("simplification", _SIMPLIFIED)))
        self._science.server.reset()
        self._over = False
        self._text = f"{self._science.taskdescription().strip()}\n{in_order(self._science.server.step('look around'))}"
        self._score = self._reached()
        return self.text(), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do something."""
        if self._over:
            error = "The experiment is over."
            return error, 0.0, True, False, {**self._info(), "error": error}
        moved = self.scroll(action, lambda: self._text)
        if moved is not None:
            info = self._info() | ({"error": moved} if moved else {})
            return explain(moved, self.fitted(self._text)), 0.0, False, False, info
        self._text = in_order(str(self._science.server.step(" ".join(action.split()))))
        shown = self.text()
        before, self._score = self._score, self._reached()
        self._over = bool(self._science.server.getCompleted()) or self._score < 0
        info = self._info()
        if self._text.startswith(_NOT_UNDERSTOOD):
            info["error"] = self._text
        return shown, self._score - before, self._over, False, info

    def text(self) -> str:
        """Return what was observed last."""
        return self.fitted(self._text)

    def close(self) -> None:
        """End the Java process."""
        if self._science is not None:
            stop(self._science)
            self._science = None

    def _reached(self) -> float:
        return round(100 * float(self._science.server.getScore())) / 100

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {
            "success": self._score >= 1,
            "progress": min(1.0, max(0.0, self._score)),
            "facts": {"inventory": in_order(self._science.inventory()), "look": in_order(self._science.look())},
        }
        if self._listing:
            info["actions"] = (
                () if self._over else (*self._science.get_valid_action_object_combinations(), *self.scrolling())
            )
        return info


def in_order(text: Any) -> str:
    """Return a text of ScienceWorld with each of its lists sorted: their order changes from run to run."""
    sorted_inside = _INLINE.sub(lambda found: ", ".join(sorted(found[0].split(", "))), str(text))
    blocks = itertools.groupby(sorted_inside.split("\n"), key=lambda line: line.startswith("\t"))
    return "\n".join(line for listed, lines in blocks for line in (sorted(lines) if listed else lines))


def start() -> Any:
    """Start ScienceWorld in Java.

    Raises:
        MissingDependencyError: ScienceWorld or Java is not installed.
        WorldError: Java would not start.
    """
    with needed_by("The environment scienceworld", "adapters"):
        import scienceworld  # type: ignore[import-untyped]
    if shutil.which("java") is None:
        raise MissingDependencyError("ScienceWorld runs in Java: apt-get install default-jre-headless.")
    try:
        # Its own limit of steps is out of the way: gymnasium's TimeLimit does that.
        return scienceworld.ScienceWorldEnv("", envStepLimit=2**31 - 1)
    except (OSError, RuntimeError, ValueError) as error:
        raise WorldError(f"ScienceWorld's Java process would not start ({error}).") from error


def stop(science: Any) -> None:
    """End ScienceWorld's Java process and wait for it."""
    process = science._gateway.java_process
    science.close()
    if process is not None:
        process.kill()
        process.wait(10)


def load(science: Any, experiment: str, variation: int, simplification: str, *, gold: bool = False) -> None:
    """Load a variation of an experiment, counted round where there are fewer.

    Raises:
        ConfigError: there is no such experiment or simplification.
    """
    names = list(science.get_task_names())
    if experiment not in names:
        raise ConfigError(str(unknown("experiment of ScienceWorld", experiment, names)))
    try:
        science.load(experiment, int(variation) % science.get_max_variations(experiment), simplification, gold)
    except ValueError as error:
        raise ConfigError(f"The experiment {experiment!r} cannot be loaded: {error}") from error


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return variations that take turns through `EXPERIMENTS`, each with its description as the goal."""
    science = start()
    found = []
    try:
        for number in range(n):
            experiment, variation = EXPERIMENTS[number % len(EXPERIMENTS)], seed * 100 + number // len(EXPERIMENTS)
            load(science, experiment, variation, _SIMPLIFIED)
            text = " ".join(str(science.taskdescription()).removeprefix("Task Description:").split())
            options = {"experiment": experiment, "variation": variation}
            found.append(Task(f"scienceworld:{experiment}/{variation}", ENV, 0, Goal(text), options))
    finally:
        stop(science)
    return found


def demonstration(task: Task) -> Sequence[str]:
    """Return the actions of ScienceWorld's own gold path.

    Raises:
        ConfigError: the task does not name its experiment and variation.
    """
    options = task.options
    if "experiment" not in options or "variation" not in options:
        raise ConfigError(f"The task {task.id!r} names no experiment and variation to demonstrate.")
    science = start()
    try:
        simplification = str(options.get("simplification", _SIMPLIFIED))
        load(science, str(options["experiment"]), options["variation"], simplification, gold=True)
        science.server.reset()
        return [str(action) for action in science.get_gold_action_sequence()]
    finally:
        stop(science)


def check_scienceworld() -> Sequence[Requirement]:
    """Look for ScienceWorld and Java."""
    java = shutil.which("java")
    return [
        Requirement.packages("scienceworld", "scienceworld", extra="adapters"),
        Requirement("Java", java is not None, java or "apt-get install default-jre-headless"),
    ]
