"""What is no place, no goal, no scene and no episode is refused in one sentence; names of others are understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pathei
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.files.episodes import read_episodes
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.errors import ConfigError, DataError, GoalError, PatheiError

NAN, FAR = float("nan"), 1e300
FLOOR = {"lo": [0, -0.1, 0], "hi": [6, 0, 4]}
HERE = [1.0, 0.1, 1.0]


def _thing(name: str, at: float, **more: Any) -> dict[str, Any]:
    box = {"lo": [at, 0, 1], "hi": [at + 0.5, 0.5, 1.5]}
    return {"name": name, "semantic_id": 1, "motion": "static", "boxes": [box], **more}


@pytest.mark.parametrize(
    "options",
    [
        *({"start_position": one} for one in ([NAN, 0, 0], [FAR, 0, 0], [1, 2], "abc", [-50, 0, 3], [1, 50, 1])),
        *({"start_rotation": one} for one in ([0, 0, 0, 0], [NAN, 0, 0, 1], [1, 0, 0, 0], [0, 2, 0, 5], [1])),
        {"characters": 2, "other_start_position": [1e9, 0, 0]}, {"object_configs": "folder"},
        {"objects": [["cup", [NAN, 0, 0]]]},
        *({"goal": one} for one in ("go", {"conditions": "abc"}, {"conditions": [1]}, {"conditions": {"a": 1}})),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refused:
        HabitatEnv(scene="home:1:3").reset(seed=0, options=options)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("name", ["shop", "virtualhome", "terminal", "documents"])
def test_the_form_of_a_goal_is_checked_in_other_environments(name: str) -> None:
    for goal, error in (("go", ConfigError), ({"conditions": "go"}, ConfigError), ({"conditions": [1]}, PatheiError)):
        with pytest.raises(error):
            pathei.make_env(name).reset(seed=0, options={"goal": goal})


@pytest.mark.parametrize(
    "condition",
    [
        *({"navigate": "point", "position": one} for one in ([NAN, 0, 0], [float("inf"), 0, 0], [1, 2], [9e4, 0, 0])),
        *({"navigate": "point", "position": HERE, "success_distance": one} for one in (NAN, 0, -1)),
        *({"navigate": "image", "position": HERE, "rotation": one} for one in ([0, 0, 0, 0], [NAN, 0, 0, 1])),
        {"navigate": "object", "category": ""}, {"navigate": "object", "category": "bed", "view_points": [[NAN, 0, 0]]},
        {"navigate": "person", "steps": float("inf")}, {"navigate": ["point"]},
    ],
)  # fmt: skip
def test_goals_that_cannot_be_are_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(GoalError) as refused:
        HabitatEnv(scene="home:1:3").reset(seed=0, options={"goal": {"text": "", "conditions": [condition]}})
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "stage"), ({"stage": {}}, "no boxes"),
        ({"stage": {"floor": {"lo": [6, 0, 4], "hi": [0, 0, 0]}}}, "corner"),
        ({"stage": {"floor": {"lo": [0, 0, 0], "hi": [9e4, 0, 9e4]}}}, "too large"),
        ({"stage": {"floor": {"lo": ["a", 0, 0], "hi": [1, 0, 1]}}}, "float"),
        ({"stage": {"floor": FLOOR}, "objects": [_thing("cup", 1, boxes=[])]}, "no boxes"),
        ({"stage": {"floor": FLOOR}, "objects": [_thing("cup", 1, motion="flying")]}, "'static' or 'dynamic'"),
    ],
)  # fmt: skip
def test_scenes_that_cannot_be_are_refused(said: dict[str, Any], why: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(said))
    with pytest.raises(DataError, match=why):
        EmbeddedBackend().reset(str(path))


def test_a_very_high_wall_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    path.write_text(json.dumps({"stage": {"floor": FLOOR, "tower": {"lo": [2, 0, 1], "hi": [3, 9e4, 2]}}}))
    sim = EmbeddedBackend()
    sim.reset(str(path))
    assert sim.path((1.0, 0.1, 1.5), [(4.0, 0.1, 1.5)]).distance > 3.1


def test_names_of_a_scene_of_others_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    things = [_thing("Sofa", 1.0), _thing("Sofa", 3.0), _thing("Blue Cup!", 5.0)]
    rooms = [{"name": "Living Room", "lo": [x, 0, 0], "hi": [x + 3, 2.5, 4]} for x in (0, 3)]
    path.write_text(json.dumps({"stage": {"floor": FLOOR}, "objects": things, "regions": rooms}))
    env = HabitatEnv(scene=str(path), actions="skills")
    _, info = env.reset(seed=0)
    assert set(env.world.map.kinds) == {"sofa", "blue_cup"}
    for action in (*info["actions"], "go to the couch_2", "go to couch", "go to blue cup", "go to living room 2"):
        assert "error" not in env.step(action)[4], action
    for category in ("sofa", "couch"):
        goal = {"text": "", "conditions": [{"navigate": "object", "category": category}]}
        assert env.reset(seed=0, options={"goal": goal})[1]["metrics"]["distance_to_goal"] < 6


BASE = {
    "episode_id": "0", "scene_id": "x.glb", "start_position": [1, 0, 1], "start_rotation": [0, 0, 0, 1],
    "goals": [{"position": [3, 0, 4], "radius": None}],
}  # fmt: skip
IDENTITY = [[1, 0, 0, 0.5], [0, 1, 0, 0.6], [0, 0, 1, 0.7], [0, 0, 0, 1]]
MOVED = {"targets": {"bowl_:0000": IDENTITY}, "goal_receptacles": [["table_:0000", 0]], "rigid_objs": []}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"goals": []}, "no goals"), ({"goals": None, "object_category": "bed"}, "none under 'x.glb_bed'"),
        ({"start_position": [NAN, 0, 0]}, "no place"), ({"start_rotation": [0, 0, 0, 0]}, "no rotation"),
        ({"goals": [{"position": [3, 0, 4], "radius": -1}]}, "radius"), ({"scene_id": None}, "names no scene"),
        ({"instruction": {"instruction_text": "go"}}, "another task"), ({"question": {}}, "another task"),
        ({**MOVED, "goal_receptacles": []}, "1 targets"), ({**MOVED, "targets": {}}, "0 targets"),
        ({**MOVED, "rigid_objs": [["bowl", [[1]]]]}, "IndexError"),
    ],
)  # fmt: skip
def test_episodes_that_cannot_be_are_refused(more: dict[str, Any], why: str, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"episodes": [{**BASE, **more}]}))
    with pytest.raises(DataError, match=why):
        read_episodes(path)


def test_forms_of_official_files_that_differ_are_read(tmp_path: Path) -> None:
    view = {"agent_state": {"position": [5, 0, 6], "rotation": [0, 0, 0, 1]}, "iou": 0.5}
    chair = {"position": [9, 0, 9], "object_category": "chair", "view_points": [view]}
    lacking = {key: value for key, value in BASE.items() if key != "goals"}
    said = {
        "goals_by_category": {"x.glb_chair": [chair]},
        "episodes": [
            {**BASE, "goals": [chair]}, {**lacking, "object_category": "chair"},
            {**BASE, "episode_id": 7, "info": None},
            {**BASE, **MOVED, "rigid_objs": [["bowl.object_config.json", IDENTITY]]},
        ],
    }  # fmt: skip
    path = tmp_path / "some.json"
    path.write_text(json.dumps(said))
    one, other, point, moved = read_episodes(path)
    assert one.goal == other.goal
    assert one.goal.conditions[0]["view_points"] == [[5.0, 0.0, 6.0]]
    assert point.id.endswith("/7")
    assert moved.options["objects"] == [["bowl.object_config.json", [0.5, 0.6, 0.7]]]
    assert moved.options["object_configs"] == []
