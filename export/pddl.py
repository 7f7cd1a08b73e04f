"""PDDL export: the tasks of a store as domain and problem, for planners. What was done in them is not in it."""

from __future__ import annotations

from pathlib import Path

import orjson

from ..envs import contract
from ..envs.plans import pddl_of
from ..errors import ConfigError, ExportError, GoalError
from .common import ExportCounts, Selection


def write_pddl(selection: Selection, temporary: Path, target: Path) -> ExportCounts:
    """Write a folder with `0001/domain.pddl` and `problem.pddl` for each task, and `tasks.jsonl` on which is which.

    Tasks that cannot be written are left out, with the reason in `tasks.jsonl`. A plan is read back and done by
    `pathei.envs.plans.pddl_of` of the same task.

    Args:
        selection: The episodes whose tasks are written, each task once.
        temporary: The folder to make.
        target: The folder that it will be.

    Raises:
        ExportError: no task can be written.
    """
    temporary.mkdir()
    episodes, written, left_out = 0, 0, ""
    known: dict[str, bool] = {}
    with (temporary / "tasks.jsonl").open("wb") as lines:
        for trajectory in selection.stored():
            task = trajectory.task
            if task.id in known:
                episodes += known[task.id]
                continue
            row: dict[str, object] = {"task": task}
            env = contract.make(task)
            try:
                contract.reset(env, task)
                pddl_of(env).save(temporary / f"{written + 1:04d}")
            except (ConfigError, GoalError) as error:
                row["left_out"] = left_out = str(error)
                known[task.id] = False
            else:
                written, episodes = written + 1, episodes + 1
                row["folder"] = f"{written:04d}"
                known[task.id] = True
            finally:
                env.close()
            lines.write(orjson.dumps(row) + b"\n")
    if not written:
        raise ExportError(f"No task of these episodes can be written in PDDL: {left_out or 'there is none'}")
    return ExportCounts(episodes, written, sum(not done for done in known.values()))
