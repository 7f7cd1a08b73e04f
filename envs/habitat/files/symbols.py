"""A home in symbols: a graph in VirtualHome's form, with the same kinds, rooms and nodes as the home's facts.

So a plan that was found in the graph, in script lines, can be carried out in space by the oracle skills. Furniture with
places on it is SURFACES, with places in it CONTAINERS; a bare doorway is a door jamb; what can be moved is GRABBABLE.
Not here: what a graph has no words for (positions), and verbs that no skill carries out (switching, washing, sitting).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

from ....errors import ExportError
from ...facts.actions import read_action
from ..graph import AGENT, AGENT_ID, node_of
from ..scenes.catalogue import DOOR
from ..world import HomeWorld

_SKILLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "WALK": "go to {0}", "RUN": "go to {0}", "FIND": "go to {0}", "GRAB": "pick {0}", "OPEN": "open {0}",
        "CLOSE": "close {0}", "PUTBACK": "place {0} on {1}", "PUTIN": "place {0} in {1}",
    }
)  # fmt: skip
"""The skill for each verb of a script line."""
_NAMES: Final = MappingProxyType({verb: skill.count("{") for verb, skill in _SKILLS.items()})
_WALKS: Final = ("WALK", "RUN", "FIND")
_HANDS: Final = ("GRAB", "PUTBACK", "PUTIN")


def symbols(world: HomeWorld) -> dict[str, Any]:
    """Return a home as it is now as a graph `{"nodes": [...], "edges": [...]}` in VirtualHome's form.

    The id of a node is that of the home's facts (`graph.node_of`), its `prefab_name` the name that skills use.
    """
    home, names = world.map.home, world.map.names
    nodes = [_node(room.name, room.name, "Rooms") for room in home.rooms]
    nodes.append({**_node(AGENT, AGENT, "Characters"), "id": AGENT_ID})
    edges = [_edge(AGENT_ID, "INSIDE", node_of(home.rooms[world.room].name))]
    for number, door in enumerate(home.doors):
        rooms = [node_of(home.rooms[room].name) for room in door.rooms]
        way = node_of(names[door.leaf] if door.leaf else f"doorjamb_{number}")
        if not door.leaf:
            nodes.append(_node(f"doorjamb_{number}", "doorjamb", "Doors"))
            edges.append(_edge(way, "INSIDE", rooms[0]))
        edges += [_edge(way, "BETWEEN", room) for room in rooms]
    for thing in home.things:
        properties, states = ["GRABBABLE", "MOVABLE"] if thing.movable else [], list[str]()
        if not thing.movable:
            properties += [*(["SURFACES"] if thing.on else []), *(["CONTAINERS"] if thing.inside else [])]
        if thing.opened is not None:
            properties.append("CAN_OPEN")
            states.append("CLOSED" if world.is_closed(thing.id) else "OPEN")
        category = "Props" if thing.movable else "Doors" if thing.category == DOOR else "Furniture"
        nodes.append(_node(names[thing.id], thing.category, category, properties, states))
        edges += _where(world, thing.id)
    return {"nodes": nodes, "edges": edges}


def _node(
    name: str, kind: str, category: str, properties: list[str] | None = None, states: list[str] | None = None
) -> dict[str, Any]:
    return {
        "id": node_of(name), "class_name": kind, "category": category, "properties": properties or [],
        "states": states or [], "prefab_name": name, "bounding_box": None,
    }  # fmt: skip


def _edge(source: int, relation: str, target: int) -> dict[str, Any]:
    return {"from_id": source, "relation_type": relation, "to_id": target}


def _where(world: HomeWorld, id_: int) -> Iterator[dict[str, Any]]:
    names, place = world.map.names, world.state.placements.get(id_)
    node, room = node_of(names[id_]), world.room_of(id_)
    if room >= 0:
        yield _edge(node, "INSIDE", node_of(world.map.home.rooms[room].name))
    if place is not None and place.held_by is not None:
        yield _edge(AGENT_ID, "HOLDS_RH", node)
        return
    inside = place is not None and place.inside
    holder = world.map.bases[id_] if place is None else place.holder
    if holder is not None and holder != id_:
        other = node_of(names[holder])
        yield _edge(node, "INSIDE" if inside else "ON", other)
        yield _edge(node, "CLOSE", other)
        yield _edge(other, "CLOSE", node)


def write_symbols(world: HomeWorld, path: Path) -> None:
    """Write the graph of a home into a file, which `pathei/VirtualHome-v0` takes as a scene.

    Raises:
        ExportError: it cannot be written.
    """
    staged = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(orjson.dumps(symbols(world)))
        staged.replace(path)
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror}).") from error


def skills_for(plan: Sequence[str], world: HomeWorld) -> list[str]:
    """Return the skills that carry out a plan of script lines in space.

    An agent has one hand in space and two in the graph: what a plan picks up before it uses its hand for something else
    is fetched when it is to be put somewhere. Lines that no skill carries out are left out.

    Args:
        plan: Script lines, such as `"[PutBack] <cup> (12) <table> (7)"`, about the graph of the home.
        world: The home; only its names are looked at.
    """
    known = {node_of(name): name for name in (*world.map.ids, *(room.name for room in world.map.home.rooms))}
    read = [(one.verb, [known.get(id_, "") for id_ in one.ids]) for one in map(read_action, plan) if one is not None]
    steps = [(verb, names) for verb, names in read if all(names) and _NAMES.get(verb) == len(names)]
    skills, at, later = list[str](), "", set[str]()
    last = steps[-1][1][-1] if steps else ""

    def do(verb: str, *names: str) -> None:
        nonlocal at
        if at != names[-1]:
            skills.append(f"go to {names[-1]}")
            at = names[-1]
        skills.append(_SKILLS[verb].format(*names))

    for number, (verb, names) in enumerate(steps):
        if verb in _WALKS:
            continue  # whatever is done somewhere begins with going there
        if verb == "GRAB":
            used = next((one for what, one in steps[number + 1 :] if what in _HANDS), names)
            if used[0] != names[0]:
                later.add(names[0])
                continue
        elif names[0] in later and verb in _HANDS:
            do("GRAB", names[0])
            later.remove(names[0])
        do(verb, *names)
    return skills if at == last else [*skills, f"go to {last}"]
