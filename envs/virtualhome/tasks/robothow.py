"""RobotHow: people's programs for household activities, with the graphs before and after, as tasks.

They are read out of the package `eai-eval` (MIT), which `data.fetch("robothow")` downloads, without unpacking it: 518
programs of 26 activities, all in VirtualHome's scene 1, and 342 of them with a goal by the authors of the Embodied
Agent Interface. Not here: the programs in other scenes and the conditions before execution, which the package lacks.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, get_args

import orjson

from ....data import locate
from ....errors import DataError, unknown
from ....experience import Goal, Task
from ...facts.conditions import ConditionJson
from ..engine.scene import Scene
from ..goals.formats import e2wm_difference, from_e2wm, from_eai
from ..language.describe_goal import describe
from ..language.script import Program, read_program

GoalKind = Literal["e2wm", "eai", "none"]

ENV_ID: Final = "pathei/VirtualHome-v0"
_SET: Final = "virtualhome_eval/dataset/programs_processed_precond_nograb_morepreconds"
_PLACE: Final = "TrimmedTestScene1_graph/results_intentions_march-13-18"
_GOALS: Final = "virtualhome_eval/resources/virtualhome/task_state_LTL_formula_accurate.json"
_NAME: Final = re.compile(r"file(\d+)_(\d+)")
_BETWEEN_GRAPHS: Final = b', "final_graph": '


@lru_cache(maxsize=4)
def _archive(path: Path, process: int) -> zipfile.ZipFile:
    """Open the package; once in each process, since a file that is shared by a fork has one reading position."""
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"The file {path} is not a readable package ({error}): delete it and fetch it again."
        ) from error


@lru_cache(maxsize=4)
def _names(path: Path) -> tuple[str, ...]:
    names = (PurePosixPath(name) for name in _archive(path, os.getpid()).namelist() if name.startswith(_SET))
    found = [name.stem for name in names if name.suffix == ".txt" and _NAME.fullmatch(name.stem)]
    return tuple(sorted(found, key=_order))


def _order(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.removeprefix("file").split("_")))


@dataclass(frozen=True, slots=True)
class RobotHowProgram:
    """One program of the set; its graphs are read when they are asked for."""

    name: str
    """`"file10_2"`."""
    program: Program
    """Activity, description and script lines as they were published."""
    package: Path
    """The file that all of it is read from."""

    @property
    def activity(self) -> str:
        """The title: `"Wash clothes"`."""
        return self.program.title

    @property
    def description(self) -> str:
        """The activity in the words of the program's author."""
        return self.program.description

    @property
    def lines(self) -> tuple[str, ...]:
        """The script lines."""
        return self.program.lines

    def graphs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the graphs before and after the program, as they were published."""
        both = orjson.loads(self._graphs())
        return both["init_graph"], both["final_graph"]

    def initial_graph(self) -> dict[str, Any]:
        """Return the graph before the program; half the work of `graphs`."""
        raw = self._graphs()
        end = raw.find(_BETWEEN_GRAPHS)
        graph: dict[str, Any] = orjson.loads(raw if end < 0 else raw[:end] + b"}")["init_graph"]
        return graph

    def final_graph(self) -> dict[str, Any]:
        """Return the graph after the program, as it was published."""
        return self.graphs()[1]

    def scene(self) -> Scene:
        """Return the household before the program."""
        return Scene.from_graph(self.initial_graph(), where=f"robothow:{self.name}")

    def _graphs(self) -> bytes:
        return _archive(self.package, os.getpid()).read(f"{_SET}/init_and_final_graphs/{_PLACE}/{self.name}.json")


class RobotHow:
    """The set of programs, in order of the numbers in their names."""

    __slots__ = ("path",)

    def __init__(self, path: Path | None = None) -> None:
        """Look at the set; nothing is read yet.

        Args:
            path: The package `eai_eval-1.0.5-py3-none-any.whl`; the fetched one if None.

        Raises:
            DataError: it has not been fetched.
        """
        self.path = locate("robothow") if path is None else path

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the programs, in order of their numbers: `"file3_1"`, `"file6_1"`, ..."""
        return _names(self.path)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[RobotHowProgram]:
        return map(self.program, self.names)

    def program(self, name: str) -> RobotHowProgram:
        """Return a program by name.

        Raises:
            UnknownNameError: there is none of that name.
        """
        if name not in self.names:
            raise unknown("RobotHow program", name, self.names)
        text = self._read(f"{_SET}/executable_programs/{_PLACE}/{name}.txt")
        return RobotHowProgram(name, read_program(text.decode("utf-8")), self.path)

    def eai_goals(self) -> dict[str, dict[str, Any]]:
        """Return the goals of the Embodied Agent Interface as published, by program name in the order of `names`.

        Each is `{"vh_goal": {"goal", "actions"}, "tl_goal": formula or None}`.
        """
        by_activity = orjson.loads(self._read(_GOALS))["scene_1"]
        goals = {f"file{key}": goal for group in by_activity.values() for key, goal in group.items()}
        return {name: goals[name] for name in self.names if name in goals}

    def tasks(self, goal: GoalKind = "e2wm", *, rules: str = "v1") -> list[Task]:
        """Return the programs as tasks, in the order of `names`.

        Args:
            goal: `"e2wm"`: what the program changed, by class (see `goals.formats.e2wm_difference`). `"eai"`: the
                goals of the Embodied Agent Interface, of 342 programs; four of these were published empty, so that
                their success is unknown. `"none"`: the activity in words only.
            rules: Under which rules they are played. The goals were made under those of `"v1"`, and some hold facts
                that other rules do not bring about, such as a character that is close to itself.

        Raises:
            UnknownNameError: there is no such kind of goal.
        """
        if goal not in get_args(GoalKind):
            raise unknown("kind of RobotHow goal", goal, get_args(GoalKind))
        goals = None if goal == "none" else self._goals()
        tasks = []
        for program in self:
            if goals is None:
                wanted = Goal(f"{program.activity}: {program.description}".rstrip(": "))
            else:
                if goal not in goals[program.name]:
                    continue
                conditions, words = goals[program.name][goal]
                wanted = Goal(f"{program.activity}: {words}".rstrip(": "), tuple(conditions))
            options = {"scene": f"robothow:{program.name}", "rules": rules}
            tasks.append(Task(f"robothow/{goal}/{program.name}", ENV_ID, 0, wanted, options))
        return tasks

    def _read(self, member: str) -> bytes:
        return _archive(self.path, os.getpid()).read(member)

    def _goals(self) -> dict[str, dict[str, Any]]:
        """Return the conditions and words of each program's goals.

        Comparing 518 pairs of graphs takes seconds, so the result is kept next to the package, where that is allowed.
        """
        kept = self.path.with_name(f"{self.path.stem}.goals-{_GOALS_VERSION}.json")
        if kept.is_file():
            goals: dict[str, dict[str, Any]] = orjson.loads(kept.read_bytes())
            return goals
        eai = self.eai_goals()
        goals = {program.name: _goals_of(program, eai.get(program.name)) for program in self}
        with contextlib.suppress(OSError):  # a folder that cannot be written to only costs time
            with tempfile.NamedTemporaryFile(dir=kept.parent, prefix=".goals-", delete=False) as file:
                file.write(orjson.dumps(goals))
            os.replace(file.name, kept)
        return goals


_GOALS_VERSION: Final = 1
"""Raised whenever `_goals_of` would return something else, so that what was kept is made again."""


def _goals_of(program: RobotHowProgram, eai: Mapping[str, Any] | None) -> dict[str, Any]:
    initial, final = program.graphs()
    classes = {node["id"]: node["class_name"] for node in initial["nodes"]}

    def with_words(conditions: tuple[ConditionJson, ...]) -> tuple[tuple[ConditionJson, ...], str]:
        return conditions, describe(conditions, classes)

    goals = {"e2wm": with_words(from_e2wm(e2wm_difference(initial, final)))}
    return goals if eai is None else {**goals, "eai": with_words(from_eai(eai["vh_goal"]))}


def effect_tasks() -> list[Task]:
    """Return the task set `robothow`: to bring about what each program changed.

    Raises:
        DataError: RobotHow has not been fetched.
    """
    return RobotHow().tasks("e2wm")


def embodied_agent_tasks() -> list[Task]:
    """Return the task set `robothow-eai`: the goals of the Embodied Agent Interface.

    Raises:
        DataError: RobotHow has not been fetched.
    """
    return RobotHow().tasks("eai")
