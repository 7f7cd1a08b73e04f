"""A small real world for tests: a corridor with lamps. On demand it crashes, dies or hangs, as simulators do.

Its id, `pathei.tests.support.lantern:Lantern-v0`, makes gymnasium import this file, in worker processes as well.
Collectors that worker processes need to import by name are here too.
"""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from typing import Any

import gymnasium

from pathei.envs.spaces import UnicodeText
from pathei.errors import ConfigError
from pathei.experience import Goal, Observation, Parent, Record, Step, Task, Trajectory

ID = "pathei.tests.support.lantern:Lantern-v0"


class Lantern(gymnasium.Env[str, str]):
    """Go left and right, and light the lamp of each room; the rooms that are lit at first follow from the seed."""

    def __init__(self) -> None:
        self.observation_space = UnicodeText(1000)
        self.action_space = UnicodeText(100)
        self.options: dict[str, Any] = {}
        self.lit: list[bool] = []
        self.room = self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin in room 0."""
        super().reset(seed=seed)
        self.options = options or {}
        self.spring("reset")
        self.lit = [bool(value) for value in self.np_random.integers(2, size=int(self.options.get("rooms", 5)))]
        self.room = self.steps = 0
        return self.text(), self.info({"graph": {"nodes": [[n, "lamp"] for n in range(len(self.lit))]}})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Walk, or light or quench the lamp of this room."""
        self.steps += 1
        if self.steps == 3:
            self.spring("step")
        time.sleep(float(self.options.get("delay", 0)))
        before = sum(self.lit)
        changes: list[Any] = []
        if action == "go left" and self.room > 0:
            self.room -= 1
        elif action == "go right" and self.room < len(self.lit) - 1:
            self.room += 1
        elif action in (f"light lamp ({self.room})", f"quench lamp ({self.room})"):
            on = action.startswith("light")
            changes = [] if self.lit[self.room] is on else [["+" if on else "-", self.room, "LIT"]]
            self.lit[self.room] = on
        else:
            return (
                f"You cannot {action}. {self.text()}",
                0.0,
                False,
                False,
                {"error": f"You cannot {action}"} | self.info(),
            )
        info = self.info({"changes": changes})
        return self.text(), float(sum(self.lit) - before), all(self.lit), False, info

    def text(self) -> str:
        """Tell the room and its lamp."""
        return f"You are in room {self.room}. The lamp ({self.room}) is {'on' if self.lit[self.room] else 'off'}."

    def info(self, facts: dict[str, Any] | None = None) -> dict[str, Any]:
        """Tell what is possible, unless the task's option `free` says that actions are free form."""
        actions = (["go left"] if self.room else []) + (["go right"] if self.room < len(self.lit) - 1 else [])
        actions += [f"light lamp ({self.room})", f"quench lamp ({self.room})"]
        info = {"success": all(self.lit), "facts": facts or {"changes": []}}
        return info if self.options.get("free") else info | {"actions": tuple(actions)}

    def spring(self, place: str) -> None:
        """Do what the task's option `trap` says, if it is meant for this place: `"step raise"`, `"reset hang"`."""
        where, _, what = str(self.options.get("trap", "")).partition(" ")
        if where != place:
            return
        if what == "raise":
            raise RuntimeError("the lamp oil\nis empty")
        if what == "exit":
            os._exit(7)
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hang":
            time.sleep(600)


def lantern_task(number: int, **options: Any) -> Task:
    """Return a task in this world."""
    return Task(f"lantern-{number}", ID, number, Goal("light all lamps"), options)


def lantern_tasks(count: int, **options: Any) -> list[Task]:
    """Return some tasks in this world."""
    return [lantern_task(number, **options) for number in range(count)]


class Trees:
    """Yields a root and two branches for each task; nothing for a task called `silent`, an exception for `sick`."""

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Yield the records without playing."""
        for task in tasks:
            if task.id == "sick":
                raise ValueError("the collector\nis sick")
            if task.id == "odd":
                yield Trajectory("odd", task, (), Observation("end"), "tree", provenance={"a set": {1}})
            elif task.id != "silent":
                step = Step(Observation("begin"), "wait", 0.0)
                yield Trajectory(task.id, task, (step,), Observation("end"), "tree")
                for n in range(2):
                    yield Trajectory(f"{task.id}/{n}", task, (), Observation("end"), "tree", Parent(task.id, n))


class Unready:
    """Cannot be made."""

    def __init__(self, how: str) -> None:
        if how == "die":
            os._exit(3)
        raise ConfigError("This collector has no map: draw one.")

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Never called."""
        yield from ()


gymnasium.register("Lantern-v0", entry_point="pathei.tests.support.lantern:Lantern")
