"""A home of boxes as a scene data set that habitat-sim opens: meshes (GLB), configurations, semantic regions.

    home_7.scene_dataset_config.json
    stages/home_7.glb, home_7.stage_config.json              floors, walls, ceilings
    objects/0012_closed.glb, 0012_closed.object_config.json  a thing; 0012_open.* where it can be opened
    scenes/home_7.scene_instance.json                        what stands where; home_7_fixed.* without what can be moved
    semantics/home_7.semantic_config.json                    the rooms

A thing is STATIC if it cannot be moved, else KINEMATIC, and shows its own semantic id. Every home is a data set of its
own: habitat-sim takes the first template whose name has the given one as a part, and `home_7` is a part of `home_70`.
Not here: episodes (`episodes`), and homes that did not come from pathei.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from ....errors import ExportError
from ....extras import missing
from ..backend import Vector
from ..scenes.scene import Home, Solid, bounds

_UPRIGHT: Final = {"up": [0, 1, 0], "front": [0, 0, -1]}
_DATASET: Final[Mapping[str, Any]] = {
    "stages": {"paths": {".json": ["stages"]}},
    "objects": {"paths": {".json": ["objects"]}},
    "scene_instances": {"paths": {".json": ["scenes"]}},
    # Without this cell regions are left out without a word; the oldest versions do not know its form.
    "semantic_scene_descriptor_instances": {"paths": {".json": ["semantics"]}},
}
_SIDES: Final = np.array(
    [
        [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]], [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
        [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]], [[0, 1, 0], [0, 1, 1], [1, 1, 1], [1, 1, 0]],
        [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]], [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
    ]
)  # fmt: skip
"""The corners of a box's sides, counter-clockwise as seen from outside, shape `[sides, 4, 3]`."""
_NORMALS: Final = np.repeat(np.kron(np.eye(3), np.array([[-1.0], [1.0]])), 4, axis=0)
_TRIANGLES: Final = np.array([[0, 1, 2], [0, 2, 3]])


class ExportedHome(NamedTuple):
    """Where a home lies in a scene data set."""

    config: Path
    """The scene data set's configuration."""
    scene: Path
    """The scene instance: habitat-lab names scenes by this file."""
    fixed: Path
    """The scene instance without the movable things, for episodes that bring their own."""


def export_home(home: Home, folder: Path) -> ExportedHome:
    """Write a home as a scene data set.

    Args:
        home: A generated home, or one that `read_boxes` read.
        folder: The data set's folder; made if it is not there. It is to hold no other home.

    Raises:
        ExportError: it cannot be written.
        MissingDependencyError: trimesh is not installed.
    """
    name = file_name(home)
    try:
        config = folder / f"{name}.scene_dataset_config.json"
        _write_json(config, _DATASET)
        _write_glb(folder / "stages" / f"{name}.glb", home.structure, (0.0, 0.0, 0.0))
        _write_json(folder / "stages" / f"{name}.stage_config.json", {"render_asset": f"{name}.glb", **_UPRIGHT})
        instances = list(_write_things(home, folder / "objects"))
        _write_json(folder / "semantics" / f"{name}.semantic_config.json", _regions(home))
        scene, fixed = (folder / "scenes" / f"{name}{end}.scene_instance.json" for end in ("", "_fixed"))
        said = {"stage_instance": {"template_name": f"stages/{name}"}, "default_lighting": "no_lights"}
        still = [one for one in instances if one["motion_type"] == "STATIC"]
        for file, things in ((scene, instances), (fixed, still)):
            _write_json(file, {**said, "object_instances": things, "semantic_scene_instance": name})
    except OSError as error:
        raise ExportError(f"{home.name} cannot be written into {folder} ({error.strerror}).") from error
    return ExportedHome(config, scene, fixed)


def file_name(home: Home) -> str:
    """Return a home's name as one of a file: `home:7` is `home_7`."""
    plain = Path(home.name).stem if home.name.endswith(".json") else home.name
    return re.sub(r"\W", "_", plain)


def template_of(thing: int, *, opened: bool = False) -> str:
    """Return the name of a thing's shape, closed or open, which no other template of the data set has as a part."""
    return f"objects/{thing:04}_{'open' if opened else 'closed'}"


def _write_things(home: Home, folder: Path) -> Iterator[Mapping[str, Any]]:
    """Write the shapes of all things, and yield the instances."""
    for thing in home.things:
        for solids, suffix in ((thing.solids, "closed"), (thing.opened, "open")):
            if solids is not None:
                stem = f"{thing.id:04}_{suffix}"
                _write_glb(folder / f"{stem}.glb", solids, middle(solids))
                config = {
                    "render_asset": f"{stem}.glb", **_UPRIGHT, "semantic_id": thing.semantic_id,
                    "join_collision_meshes": False, "user_defined": {"category": thing.category, "thing": thing.id},
                }  # fmt: skip
                _write_json(folder / f"{stem}.object_config.json", config)
        yield {
            "template_name": template_of(thing.id, opened=thing.starts_open),
            "translation": middle(thing.opened if thing.starts_open and thing.opened else thing.solids),
            "motion_type": "KINEMATIC" if thing.movable else "STATIC",
            "translation_origin": "asset_local",
        }


def middle(solids: Sequence[Solid]) -> Vector:
    """Return the middle of some boxes, which is the origin of a thing's mesh."""
    low, high = bounds(solids)
    return (low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2


def _regions(home: Home) -> Mapping[str, Any]:
    found = []
    for room in home.rooms:
        xs, zs = [x for x, _ in room.polygon], [z for _, z in room.polygon]
        found.append(
            {
                "name": room.name, "label": re.sub(r"_\d+$", "", room.name).replace("_", " "),
                "poly_loop": [[x, room.floor, z] for x, z in room.polygon],
                "floor_height": room.floor, "extrusion_height": room.height,
                "min_bounds": [min(xs), room.floor, min(zs)],
                "max_bounds": [max(xs), room.floor + room.height, max(zs)],
            }
        )  # fmt: skip
    return {"region_annotations": found}


def _write_glb(path: Path, solids: Sequence[Solid], origin: Vector) -> None:
    trimesh = _trimesh()
    scene = trimesh.Scene()
    for colour in sorted({one.colour for one in solids}):
        boxes = [one for one in solids if one.colour == colour]
        scene.add_geometry(_mesh(trimesh, boxes, origin, colour), geom_name=f"{colour:06x}")
    _write(path, scene.export(file_type="glb"))


def _trimesh() -> Any:
    try:
        return importlib.import_module("trimesh")
    except ImportError as error:
        raise missing("The export of homes", error) from error


def _mesh(trimesh: Any, boxes: Sequence[Solid], origin: Vector, colour: int) -> Any:
    """Return boxes of one colour; every box has 24 corners of its own, so that its sides are flat."""
    low = np.array([one.low for one in boxes]) - origin
    high = np.array([one.high for one in boxes]) - origin
    vertices: NDArray[np.float64] = (low[:, None, None] + _SIDES * (high - low)[:, None, None]).reshape(-1, 3)
    faces = (_TRIANGLES + 4 * np.arange(len(boxes) * 6)[:, None, None]).reshape(-1, 3)
    paint = [(colour >> shift & 255) / 255 for shift in (16, 8, 0)]
    material = trimesh.visual.material.PBRMaterial(
        baseColorFactor=[*paint, 1.0], metallicFactor=0.0, roughnessFactor=1.0
    )
    normals = np.tile(_NORMALS, (len(boxes), 1))
    visual = trimesh.visual.TextureVisuals(material=material)
    return trimesh.Trimesh(vertices, faces, vertex_normals=normals, visual=visual, process=False)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write(path, orjson.dumps(value, option=orjson.OPT_INDENT_2))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.part")
    staged.write_bytes(content)
    staged.replace(path)
