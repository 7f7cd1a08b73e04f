"""Tasks on the streets, what solves them, and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ... import data
from ...errors import ConfigError
from ...experience import Goal, Task
from ..contract import Requirement
from .graph import MOVES, StreetGraph
from .maps import map_named
from .routes import Route, read_routes
from .town import town_routes

ENV: Final = "pathei/Touchdown-v0"
_ROUTES_EACH: Final = 10


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return routes through generated towns, ten in each."""
    towns = -(-n // _ROUTES_EACH)
    numbers = [seed * 10_000 + town for town in range(towns)]
    return [task for number in numbers for task in tasks_of(town_routes(number, _ROUTES_EACH), f"town:{number}")][:n]


def published_tasks(split: str, folder: Path | None = None) -> list[Task]:
    """Return the published routes of a split: `"train"`, `"dev"` or `"test"`.

    Args:
        split: Which file.
        folder: Where it lies with the map; what `pathei data get touchdown` fetched if None.

    Raises:
        DataError: it is not there, or cannot be read.
    """
    where = data.locate("touchdown") if folder is None else folder
    return tasks_of(read_routes(where / f"{split}.json"), "touchdown" if folder is None else str(folder))


def tasks_of(routes: Iterable[Route], map_: str) -> list[Task]:
    """Return routes on a map as tasks."""
    return [
        Task(
            f"touchdown:{route.id}",
            ENV,
            0,
            Goal(route.text, ({"stop_at": route.panos[-1]},)),
            {"map": map_, "route": list(route.panos), "start_heading": route.start_heading},
        )
        for route in routes
    ]


def demonstration(task: Task) -> Sequence[str]:
    """Return the actions that follow a task's route: at each panorama the fewest turns, then forward; at its end stop.

    Raises:
        ConfigError: the task has no route.
        DataError: its map cannot be read, or a step of the route is no link.
    """
    route = task.options.get("route")
    if not route:
        raise ConfigError(f"The task {task.id!r} has no route to follow.")
    graph = map_named(str(task.options["map"]))
    link = graph.facing(graph.index[route[0]], float(task.options.get("start_heading") or 0.0))
    actions: list[str] = []
    for pano in route[1:]:
        turns = _turns_towards(graph, link, graph.index[pano])
        for turn in turns:
            link = graph.moves[MOVES.index(turn)][link]
        link = graph.moves[0][link]
        actions += [*turns, "forward"]
    return [*actions, "stop"]


def check_touchdown() -> Sequence[Requirement]:
    """Look at what is there."""
    fetched = data.named("touchdown")
    note = str(fetched.path) if fetched.fetched else "pathei data get touchdown"
    return [
        Requirement("generated towns", True, "part of pathei"),
        Requirement("Touchdown's streets and routes", fetched.fetched, note, required=False),
    ]


def _turns_towards(graph: StreetGraph, link: int, target: int) -> list[str]:
    ways: list[list[str]] = []
    for turn in ("left", "right"):
        now, turns = link, list[str]()
        while graph.targets[now] != target and len(turns) < graph.ways[graph.origins[link]]:
            now = graph.moves[MOVES.index(turn)][now]
            turns.append(turn)
        if graph.targets[now] == target:
            ways.append(turns)
    if not ways:
        here, there = graph.panos[graph.origins[link]], graph.panos[target]
        raise ConfigError(f"The route goes from {here!r} to {there!r}, and no link of {graph.where} does.")
    return min(ways, key=len)
