"""The double's scenes: scene data sets as habitat-sim reads them, objects, regions."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import magnum as mn
import numpy as np
from strict_boxes import Boxes, read_boxes


class MotionType(enum.Enum):
    """How an object may move."""

    STATIC = 0
    KINEMATIC = 1
    DYNAMIC = 2


class Attributes:
    """What a configuration says under `user_defined`."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def has_value(self, key: str) -> bool:
        """Return whether there is such a value."""
        return key in self._values

    def get(self, key: str) -> Any:
        """Return a value."""
        return self._values[key]


class ManagedObject:
    """An object in a scene."""

    def __init__(self, handle: str, config: dict[str, Any], boxes: Boxes) -> None:
        self.handle, self.boxes, self.is_alive = handle, boxes, True
        self.user_attributes = Attributes(config.get("user_defined", {}))
        self._semantic_id, self._motion, self._at = int(config.get("semantic_id", 0)), MotionType.DYNAMIC, np.zeros(3)
        low, high = boxes.low.min(0), boxes.high.max(0)
        self.root_scene_node = SimpleNamespace(cumulative_bb=mn.Range3D(_vector(low), _vector(high)))

    @property
    def motion_type(self) -> MotionType:
        """How it may move."""
        return self._motion

    @motion_type.setter
    def motion_type(self, value: MotionType) -> None:
        if not isinstance(value, MotionType):
            raise TypeError("motion_type takes a MotionType")
        self._motion = value

    @property
    def semantic_id(self) -> int:
        """What the semantic sensor shows."""
        return self._semantic_id

    @semantic_id.setter
    def semantic_id(self, value: int) -> None:
        if type(value) is not int:
            raise TypeError("semantic_id takes an int")
        self._semantic_id = value

    @property
    def translation(self) -> mn.Vector3:
        """Where it is."""
        return _vector(self._at)

    @translation.setter
    def translation(self, value: Any) -> None:
        if not isinstance(value, mn.Vector3):
            raise TypeError("translation takes a Vector3")
        assert self.is_alive
        if self._motion != MotionType.STATIC:
            self._at = np.array(list(value))

    @property
    def transformation(self) -> mn.Matrix4:
        """Where it is, as a matrix."""
        return mn.Matrix4(self.translation)

    def placed(self) -> Boxes:
        """Return its boxes in the world, in single precision."""
        return Boxes(*self.boxes.moved(self._at.astype(np.float32))[:2], self.boxes.colours)


class JointedObject(ManagedObject):
    """An articulated object: one door."""

    joint_position_limits = ([0.0], [1.5])

    def __init__(self, handle: str, config: dict[str, Any], boxes: Boxes) -> None:
        super().__init__(handle, config, boxes)
        self._joints = [0.0]

    @property
    def joint_positions(self) -> list[float]:
        """Where its joints are."""
        return self._joints

    @joint_positions.setter
    def joint_positions(self, values: Any) -> None:
        if not isinstance(values, list) or not all(type(one) is float for one in values) or len(values) != 1:
            raise TypeError("joint_positions takes a list of as many floats as there are joints")
        self._joints = values


class DataSet:
    """A scene data set: its templates by their full names."""

    def __init__(self, config: Path) -> None:
        if not config.is_absolute() or not config.is_file():
            raise FileNotFoundError(str(config))
        said = json.loads(config.read_text())
        self.root, self.templates = config.parent, dict[str, dict[str, Any]]()
        for cell, ending in (
            ("stages", "stage_config"), ("objects", "object_config"), ("scene_instances", "scene_instance"),
            ("semantic_scene_descriptor_instances", "semantic_config"),
        ):  # fmt: skip
            # Trap 7: regions are there only where the data set lists them.
            for folder in said.get(cell, {}).get("paths", {}).get(".json", ()):
                for file in sorted((config.parent / folder).glob(f"*.{ending}.json")):
                    self.templates[str(file)] = json.loads(file.read_text())

    def find(self, part: str, ending: str) -> str:
        """Return the first template with a part in its name, as habitat-sim does; empty where there is none."""
        names = (name for name in sorted(self.templates) if name.endswith(f".{ending}.json"))
        return next((name for name in names if part.lower() in name.lower()), "")

    def boxes(self, template: str) -> Boxes:
        """Return the boxes of a template, upright only where its configuration says so (trap 6)."""
        said = self.templates[template]
        boxes = read_boxes(Path(template).parent / said["render_asset"])
        if said.get("up") == [0, 1, 0] and said.get("front") == [0, 0, -1]:
            return boxes
        return Boxes(boxes.low[:, [0, 2, 1]], boxes.high[:, [0, 2, 1]], boxes.colours)


class Objects:
    """A manager of objects."""

    def __init__(self, data: DataSet, kind: type[ManagedObject]) -> None:
        self._data, self._kind, self.all = data, kind, dict[str, ManagedObject]()

    def get_objects_by_handle_substring(self, search_str: str = "", contains: bool = True) -> dict[str, Any]:
        """Return objects by handle."""
        return {handle: one for handle, one in self.all.items() if (search_str in handle) == contains}

    def get_object_by_handle(self, handle: str) -> Any:
        """Return an object, None where there is none."""
        return self.all.get(handle)

    def add_object_by_template_handle(self, handle: str) -> Any:
        """Add an object by the full name of its template, None where there is no such one."""
        if handle not in self._data.templates:
            return None
        stem = Path(handle).name.partition(".")[0]
        number = next(n for n in range(1000) if f"{stem}_:{n:04}" not in self.all)
        one = self._kind(f"{stem}_:{number:04}", self._data.templates[handle], self._data.boxes(handle))
        self.all[one.handle] = one
        return one

    def remove_object_by_handle(self, handle: str) -> None:
        """Remove an object."""
        self.all.pop(handle).is_alive = False


def regions_of(data: DataSet, scene: dict[str, Any]) -> list[Any]:
    """Return the semantic regions of a scene."""
    name = data.find(str(scene.get("semantic_scene_instance", "?")), "semantic_config")
    found = data.templates[name]["region_annotations"] if name else []
    return [
        SimpleNamespace(
            id=one["name"], category=SimpleNamespace(name=lambda label=one["label"]: label),
            aabb=mn.Range3D(_vector(one["min_bounds"]), _vector(one["max_bounds"])),
        )
        for one in found
    ]  # fmt: skip


def _vector(values: Any) -> mn.Vector3:
    return mn.Vector3(*map(float, values))
