"""A small real environment with graph facts: three rooms, a box, and things to carry about by commands in words.

Its id, `pathei.tests.support.attic:Attic-v0`, makes gymnasium import this file. It has no verbalizer of its own.
"""

from typing import Any

import gymnasium

from pathei.envs.facts import Action, Change, FactGraph, progress, satisfied
from pathei.envs.spaces import UnicodeText
from pathei.experience import Goal, Task

ID = "pathei.tests.support.attic:Attic-v0"
ROOMS = {1: "hall", 2: "attic", 3: "cellar"}
YOU = 4
BOX = 5
THINGS = {6: "lamp", 7: "book", 8: "coin", 9: "map"}
GOALS = {
    "bring the book up": ({"from": {"class": "book"}, "relation": "INSIDE", "to": {"class": "attic"}},),
    "pack the lamp": ({"from": {"class": "lamp"}, "relation": "INSIDE", "to": {"class": "box"}},),
    "save the coin": ({"from": {"class": "coin"}, "relation": "INSIDE", "to": {"class": "cellar"}},),
    "read the map": ({"from": {"class": "character"}, "relation": "HOLDS", "to": {"class": "map"}},),
}
"""By activity."""


class Attic(gymnasium.Env[str, str]):
    """Go from room to room; take, drop and pack things. Where they are at first follows from the seed."""

    def __init__(self) -> None:
        self.observation_space = UnicodeText(1000)
        self.action_space = UnicodeText(100)
        self.graph = FactGraph({"nodes": [], "edges": [], "rooms": [], "characters": []})
        self.conditions: list[Any] = []
        self.error = ""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin in the hall; the box is there."""
        super().reset(seed=seed)
        self.conditions = (options or {}).get("goal", {}).get("conditions", [])
        kinds = {**ROOMS, YOU: "character", BOX: "box", **THINGS}
        places = {thing: int(self.np_random.integers(1, 4)) for thing in THINGS}
        edges = [[YOU, "INSIDE", 1], [BOX, "INSIDE", 1], *([n, "INSIDE", room] for n, room in places.items())]
        nodes = [[n, kind, []] for n, kind in kinds.items()]
        graph = {"nodes": nodes, "edges": edges, "rooms": list(ROOMS), "characters": [YOU]}
        self.graph, self.error = FactGraph(graph), ""
        return self.text(), self.info({"graph": graph})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do what the command says, if it is listed."""
        before = self.graph.copy()
        self.error = "" if action in self.actions() else f"you cannot {action}"
        if not self.error:
            for change in self.changes(action):
                self.graph.apply(change)
        info = self.info({"changes": before.changes_to(self.graph)})
        return self.text(), float(info["success"]), info["success"], False, info

    def changes(self, action: str) -> list[Change]:
        """What a command changes."""
        verb, *words = action.split()
        ids = {kind: n for n, kind in self.graph.kinds.items()}
        here = self.graph.room(YOU)
        if verb == "go":
            return [Change(False, YOU, "INSIDE", here), Change(True, YOU, "INSIDE", ids[words[1]])]
        thing = ids[words[0]]
        if verb == "take":
            around = self.graph.location(thing)
            place = around.room if around.holder is None else around.holder
            return [Change(False, thing, "INSIDE", place), Change(True, YOU, "HOLDS", thing)]
        target = BOX if verb == "insert" else here
        return [Change(False, YOU, "HOLDS", thing), Change(True, thing, "INSIDE", target)]

    def actions(self) -> tuple[str, ...]:
        """The commands that are possible."""
        here = self.graph.room(YOU)
        found = [f"go to {name}" for n, name in ROOMS.items() if n != here]
        for n, name in THINGS.items():
            if n in self.graph.held(YOU):
                found += [f"drop {name}"] + ([f"insert {name} in box"] if self.graph.room(BOX) == here else [])
            elif self.graph.room(n) == here:
                found.append(f"take {name}")
        return tuple(found)

    def info(self, facts: dict[str, Any]) -> dict[str, Any]:
        """What gymnasium's info holds."""
        success = satisfied(self.graph, self.conditions)
        reached = progress(self.graph, self.conditions)
        info = {"actions": self.actions(), "facts": facts, "success": success, "progress": reached}
        return info | ({"error": self.error} if self.error else {})

    def text(self) -> str:
        """Where one is, and what is there."""
        here = self.graph.room(YOU)
        there = [name for n, name in THINGS.items() if self.graph.room(n) == here]
        said = f"You are in the {self.graph.kinds[here or 1]}. You see: {', '.join(there) or 'nothing'}."
        return f"That did not work: {self.error}. {said}" if self.error else said

    def snapshot(self) -> Any:
        """All of the state."""
        return self.graph.copy(), list(self.conditions), self.error, self.np_random.bit_generator.state

    def restore(self, state: Any, /) -> None:
        """Go back to it."""
        graph, conditions, self.error, self.np_random.bit_generator.state = state
        self.graph, self.conditions = graph.copy(), list(conditions)


gymnasium.register("Attic-v0", entry_point=f"{__name__}:Attic")


def attic_tasks(count: int) -> list[Task]:
    """Tasks of every activity, each in an attic of its own where its goal does not hold yet."""
    names, env = list(GOALS), Attic()
    found: list[Task] = []
    seed = 0
    while len(found) < count:
        name = names[len(found) % len(names)]
        _, info = env.reset(seed=seed, options={"goal": {"conditions": GOALS[name]}})
        if not info["success"]:
            found.append(Task(f"attic-{len(found)}", ID, seed, Goal(name, GOALS[name]), {"activity": name}))
        seed += 1
    return found


def solve(task: Task) -> list[str]:
    """Commands that reach the goal of a task, with a detour."""
    env = gymnasium.make(task.env)
    env.reset(seed=task.seed)
    graph: FactGraph = env.unwrapped.graph  # type: ignore[attr-defined]
    kind = task.goal.text.split()[2]
    thing = next(n for n, name in THINGS.items() if name == kind)
    room, plan = graph.room(thing), ["go to cellar", "go to hall"]
    plan += [f"go to {ROOMS[room]}"] if room not in (None, 1) else []
    plan += [f"take {kind}"]
    end = {"book": "attic", "lamp": "hall", "coin": "cellar"}.get(kind)
    if end is not None and ROOMS[room or 1] != end:
        plan += [f"go to {end}"]
    return plan + ({"lamp": ["insert lamp in box"]}.get(kind) or ([] if end is None else [f"drop {kind}"]))


__all__ = ["GOALS", "ID", "Action", "Attic", "attic_tasks", "solve"]
