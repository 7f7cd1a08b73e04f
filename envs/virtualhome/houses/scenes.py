"""Scenes by name: `house:7`, `robothow:file10_2`, or the path of a graph file."""

from __future__ import annotations

import re
from typing import Any

from ....errors import ConfigError
from ..engine.rules import Rules
from ..engine.scene import Scene


def load_scene(name: str, rules: Rules, **house: Any) -> Scene:
    """Return the scene that a name stands for, with the properties and states that the rules declare.

    Args:
        name: `"house:SEED"`, `"robothow:PROGRAM"`, or the path of a graph file.
        rules: The rules that it will be used with.
        **house: `characters` and `size`, for generated houses only.

    Raises:
        ConfigError: it is not a name, the seed of a house is not a whole number, or `house` options were given for
            another scene.
        GraphError, DataError: the graph cannot be read or is not there.
    """
    extra = {"extra_properties": rules.extra_properties, "extra_states": rules.extra_states}
    if not isinstance(name, str):
        raise ConfigError(f"The name of a scene is a string, as in 'house:7'; {name!r} is not.")
    kind, _, rest = name.partition(":")
    if kind == "house":
        if not re.fullmatch("[0-9]{1,18}", rest):
            raise ConfigError(f"A generated house is named by its seed, as in 'house:7'; {name!r} is not.")
        from .generate import generate_house

        return Scene.from_graph(generate_house(int(rest), **house), where=name, **extra)
    if house:
        raise ConfigError(f"The options {', '.join(house)} are for generated houses; the scene {name!r} is not one.")
    if kind == "robothow":
        from ..tasks.robothow import RobotHow

        return Scene.from_graph(RobotHow().program(rest).initial_graph(), where=name, **extra)
    return Scene.from_file(name, **extra)
