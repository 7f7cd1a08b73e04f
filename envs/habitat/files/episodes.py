"""Episodes in habitat-lab's JSON form: read as tasks, and tasks written as such files.

PointNav and ObjectNav episodes are read whole: start, goals, view points. A rearrangement episode becomes a goal in
predicates: each object that has a target is to lie on the receptacle that is named for it, or in the room of it. Files
end in `.json` or `.json.gz`. A task in a home of pathei's remembers it under `info["pathei_scene"]`, so that it runs on
both back ends. Not here: habitat-lab's binary form (a pickle), and scenes.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Final

from ....errors import DataError, ExportError
from ....experience import Goal, Task
from ...facts import ConditionJson
from ..backend import Vector, read_rotation, read_vector
from ..env import ENV
from ..goals import OBJECT, POINT
from ..home_map import middle as from_above
from ..official.described import kind_of
from ..scenes.catalogue import ALIASES
from ..simulator.embedded import EmbeddedBackend
from ..world import HomeWorld, facing
from .scene_dataset import export_home, file_name, middle

POINTNAV, OBJECTNAV, REARRANGE = "pointnav", "objectnav", "rearrange"
_PREFIX: Final = "data/scene_datasets/"
_DEFAULT: Final = "default"
_OTHERS: Final = ("instruction", "question", "goal_image_id")
"""What episodes of other tasks have: following instructions, answering questions, finding what an image shows."""


def read_episodes(path: Path, scenes: Path | None = None) -> list[Task]:
    """Return the episodes of a file as tasks.

    Args:
        path: A file of habitat-lab's; where it names folders of episodes of single scenes (`content/`), read those.
        scenes: The folder of the scenes, which scene names are relative to; by default they are taken as they are.

    Raises:
        DataError: it cannot be read, or is not of this form; the message names the episode.
    """
    said = _read(path)
    episodes = said.get("episodes")
    if not isinstance(episodes, list):
        raise DataError(f"{path} is no file of episodes: it holds no list 'episodes'.")
    tasks = []
    for number, one in enumerate(episodes):
        try:
            tasks.append(_task(one, said, path.name.partition(".")[0], scenes))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"Episode {number} of {path} cannot be read ({type(error).__name__}: {error}).") from error
    return tasks


def _read(path: Path) -> Mapping[str, Any]:
    try:
        raw = path.read_bytes()
        said = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is no file of episodes ({error}).") from error
    if not isinstance(said, dict):
        raise DataError(f"{path} is no file of episodes: it is not a JSON object.")
    return said


def _task(one: Mapping[str, Any], said: Mapping[str, Any], name: str, scenes: Path | None) -> Task:
    info = one.get("info") or {}
    options: dict[str, Any] = {
        "scene": info.get("pathei_scene") or _scene(one, scenes), "start_position": _vector(one["start_position"]),
        "start_rotation": list(read_rotation(one["start_rotation"])),
    }  # fmt: skip
    if not info.get("pathei_scene"):
        options["backend"] = "habitat_sim"
        if one.get("rigid_objs"):
            options["objects"] = [[str(name), _vector([row[3] for row in at[:3]])] for name, at in one["rigid_objs"]]
            folders = one.get("additional_obj_config_paths") or ()
            options["object_configs"] = [_under(scenes, str(path)) for path in folders]
    if info.get("pathei_doors") == "closed":
        options["doors"] = "closed"
    kind, goal = _goal(one, said)
    return Task(f"habitat:{kind}/{name}/{one['episode_id']}", ENV, 0, goal, options)


def _under(scenes: Path | None, name: str) -> str:
    relative = scenes is not None and name != _DEFAULT and not PurePosixPath(name).is_absolute()
    return str(scenes / name.removeprefix(_PREFIX)) if scenes is not None and relative else name


def _scene(one: Mapping[str, Any], scenes: Path | None) -> str:
    if not one["scene_id"]:
        raise ValueError("it names no scene")
    scene, dataset = str(one["scene_id"]), str(one.get("scene_dataset_config") or _DEFAULT)
    scene, dataset = _under(scenes, scene), _under(scenes, dataset)
    return scene if dataset == _DEFAULT else f"{dataset}:{scene}"


def _goal(one: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[str, Goal]:
    if "rigid_objs" in one or "targets" in one:
        return REARRANGE, _rearrangement(one)
    other = next((key for key in _OTHERS if one.get(key) is not None), None)
    if other is not None:
        raise ValueError(
            f"it is of another task, as its {other!r} shows: PointNav, ObjectNav and rearrangement are read"
        )
    goals = one.get("goals") or ()
    category = one.get("object_category") or next((goal.get("object_category") for goal in goals), None)
    if category is None:
        if not goals:
            raise ValueError("it has no goals")
        condition: dict[str, Any] = {"navigate": POINT, "position": _vector(goals[0]["position"])}
        if goals[0].get("radius"):
            condition["success_distance"] = _positive(goals[0]["radius"])
        return POINTNAV, Goal("Go to the goal and stop there.", (condition,))
    key = f"{PurePosixPath(str(one['scene_id'])).name}_{category}"
    goals = goals or said.get("goals_by_category", {}).get(key)
    if not goals:
        raise ValueError(f"it has no goals, and 'goals_by_category' none under {key!r}")
    views = [_vector(view["agent_state"]["position"]) for goal in goals for view in goal.get("view_points") or ()]
    condition = {"navigate": OBJECT, "category": category}
    condition["view_points"] = views or [_vector(goal["position"]) for goal in goals]
    return OBJECTNAV, Goal(f"Find a {category.replace('_', ' ')} and stop near it.", (condition,))


def _positive(value: Any) -> float:
    if not 0 < float(value) < math.inf:
        raise ValueError(f"the radius of its goal is {value!r}")
    return float(value)


def _rearrangement(one: Mapping[str, Any]) -> Goal:
    known = (one.get("info") or {}).get("pathei_goal")
    if known is not None:
        return Goal(str(known["text"]), tuple(known["conditions"]))
    conditions: list[ConditionJson] = []
    targets, places = one.get("targets") or {}, one.get("goal_receptacles") or ()
    if not targets or len(places) != len(targets):
        raise ValueError(f"it has {len(targets)} targets, and names the receptacles of {len(places)}")
    for thing, receptacle in zip(targets, places, strict=True):
        place = receptacle[0] if isinstance(receptacle, list) else receptacle
        conditions.append({"from": {"class": kind_of(thing)}, "relation": "ON", "to": {"class": kind_of(place)}})
    said = [
        f"the {each['from']['class'].replace('_', ' ')} is on the {each['to']['class'].replace('_', ' ')}"
        for each in conditions
    ]
    text = " and ".join(said)
    return Goal(f"{text[:1].upper()}{text[1:]}.", tuple(conditions))


def _vector(values: Sequence[float]) -> list[float]:
    return list(read_vector(values))


def write_episodes(path: Path, tasks: Sequence[Task], scenes: Path) -> None:
    """Write tasks of one kind in generated homes as a file of episodes, and the homes as scene data sets.

    Args:
        path: The file; compressed if it ends in `.gz`.
        tasks: Tasks of `pathei.envs.habitat.tasks`, all PointNav, all ObjectNav, or all rearrangement of ON and INSIDE.
        scenes: The folder for the scene data sets, one folder in it for each home: habitat-lab's `scenes_dir`.

    Raises:
        ExportError: the tasks are of several kinds, or of one that habitat-lab has no form for, or cannot be written.
    """
    kinds = {_kind(task) for task in tasks}
    if len(kinds) != 1:
        raise ExportError(f"A file holds episodes of one kind, not of {', '.join(sorted(kinds)) or 'none'}.")
    kind = kinds.pop()
    said: dict[str, Any] = {"config": None, "episodes": []}
    if kind == OBJECTNAV:
        names = sorted({str(task.goal.conditions[0]["category"]) for task in tasks})
        numbers = {name: number for number, name in enumerate(names)}
        said |= {"goals_by_category": {}, "category_to_task_category_id": numbers}
        said["category_to_scene_annotation_category_id"] = numbers
    for number, task in enumerate(tasks):
        world = HomeWorld(EmbeddedBackend(), str(task.options["scene"]))
        export = export_home(world.map.home, scenes / file_name(world.map.home))
        scene = export.scene if kind != REARRANGE else export.fixed
        episode = {
            "episode_id": str(number), "scene_id": str(scene.relative_to(scenes)),
            "scene_dataset_config": str(export.config),
            "start_position": list(task.options["start_position"]),
            "start_rotation": list(task.options["start_rotation"]),
            "info": {
                "pathei_scene": task.options["scene"], "pathei_task": task.id,
                "pathei_doors": task.options.get("doors", "open"),
            },
            "additional_obj_config_paths": [],
        }  # fmt: skip
        said["episodes"].append({**episode, **_WRITERS[kind](task, world, episode, said)})
    raw = json.dumps(said).encode()
    staged = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
        staged.replace(path)
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror}).") from error


def _kind(task: Task) -> str:
    first = task.goal.conditions[0] if task.goal.conditions else {}
    if not {"scene", "start_position", "start_rotation"} <= task.options.keys() or not first:
        raise ExportError(f"The task {task.id!r} names no scene, start and goal.")
    if task.options.get("characters", 1) != 1 or first.get("navigate", POINT) not in (POINT, OBJECT):
        raise ExportError(f"habitat-lab's episodes have no form for {task.id}: it is about a picture, or for two.")
    return {POINT: POINTNAV, OBJECT: OBJECTNAV}.get(str(first.get("navigate")), REARRANGE)


def _write_point(task: Task, world: HomeWorld, episode: dict[str, Any], _: dict[str, Any]) -> Mapping[str, Any]:
    goal = task.goal.conditions[0]
    start, end = _vector(episode["start_position"]), _vector(goal["position"])
    way = world.sim.path((start[0], start[1], start[2]), [(end[0], end[1], end[2])]).distance
    radius = goal.get("success_distance")
    return {
        "goals": [{"position": end, "radius": radius}], "shortest_paths": None, "start_room": None,
        "info": {**episode["info"], "geodesic_distance": way},
    }  # fmt: skip


def _write_object(task: Task, world: HomeWorld, episode: dict[str, Any], said: dict[str, Any]) -> Mapping[str, Any]:
    category = str(task.goal.conditions[0]["category"])
    kind = ALIASES.get(category, category)
    key = f"{PurePosixPath(episode['scene_id']).name}_{category}"
    if key not in said["goals_by_category"]:
        said["goals_by_category"][key] = [
            {
                "position": middle(world.thing(id_).solids), "radius": None,
                "object_id": str(world.thing(id_).semantic_id),
                "object_name": world.map.names[id_], "object_name_id": None, "object_category": category,
                "room_id": str(world.map.rooms[id_]), "room_name": world.map.home.rooms[world.map.rooms[id_]].name,
                "view_points": _views(world, id_),
            }
            for id_ in world.map.kinds[kind]
            if world.map.views_of(id_)
        ]  # fmt: skip
    start = _vector(episode["start_position"])
    way = world.sim.nearest_distance((start[0], start[1], start[2]), world.map.view_points(kind))
    return {
        "goals": [], "object_category": category, "shortest_paths": None, "start_room": None,
        "info": {**episode["info"], "geodesic_distance": way},
    }  # fmt: skip


def _views(world: HomeWorld, thing: int) -> list[dict[str, Any]]:
    aim = from_above(world.thing(thing))
    states = [{"position": [x, y, z], "rotation": list(facing((x, z), aim))} for x, y, z in world.map.views_of(thing)]
    return [{"agent_state": state, "iou": 0.0} for state in states]


def _write_rearrangement(task: Task, world: HomeWorld, episode: dict[str, Any], _: dict[str, Any]) -> Mapping[str, Any]:
    """Return an episode whose objects are all movable ones; each target is a free place where the goal wants it."""
    now = world.state.placements
    targets: dict[str, Any] = {}
    begins, ends = [], []
    for one in task.goal.conditions:
        if one.get("relation") not in ("ON", "INSIDE") or "class" not in one["from"] or "class" not in one["to"]:
            raise ExportError(f"habitat-lab's episodes have no form for the condition {dict(one)!r} of {task.id}.")
        inside = one["relation"] == "INSIDE"
        thing = world.map.kinds[str(one["from"]["class"])][0]
        spots = ((id_, world.free_spot(id_, inside)) for id_ in world.map.kinds[str(one["to"]["class"])])
        holder, place = next(((id_, spot) for id_, spot in spots if spot is not None), (0, None))
        if place is None:
            raise ExportError(f"There is no free place for {dict(one)!r} of {task.id}.")
        targets[_instance(thing)] = _transform(world, thing, place)
        begins.append([_instance(now[thing].holder or 0), 0])
        ends.append([_instance(holder), 0])
    return {
        "ao_states": {}, "targets": targets, "markers": [], "target_receptacles": begins, "goal_receptacles": ends,
        "rigid_objs": [[f"{_instance(id_)[:-6]}.object_config.json", _transform(world, id_, place.position)]
                       for id_, place in now.items()],
        "name_to_receptacle": {_instance(id_): _instance(place.holder or 0) for id_, place in now.items()},
        "info": {**episode["info"], "pathei_goal": {"text": task.goal.text, "conditions": list(task.goal.conditions)}},
    }  # fmt: skip


def _instance(thing: int) -> str:
    """Return the name that habitat-sim gives to the first object of a thing's shape."""
    return f"{thing:04}_closed_:0000"


def _transform(world: HomeWorld, thing: int, bottom: Vector) -> list[list[float]]:
    low, high = world.thing(thing).box
    x, y, z = bottom
    return [[1, 0, 0, x], [0, 1, 0, y + (high[1] - low[1]) / 2], [0, 0, 1, z], [0, 0, 0, 1]]


_Writer = Callable[[Task, HomeWorld, dict[str, Any], dict[str, Any]], Mapping[str, Any]]
_WRITERS: Final[Mapping[str, _Writer]] = MappingProxyType(
    {POINTNAV: _write_point, OBJECTNAV: _write_object, REARRANGE: _write_rearrangement}
)
