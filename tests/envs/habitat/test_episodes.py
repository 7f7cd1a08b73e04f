"""habitat-lab's episode files: what is written is read again, and files of others are read by their published form."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pathei.envs import contract
from pathei.envs.habitat.files.episodes import read_episodes, write_episodes
from pathei.envs.habitat.tasks import demonstration, generate_kind
from pathei.errors import DataError, ExportError
from pathei.experience import Task

KINDS = ("point", "object", "rearrange")
PLACE = {"start_position": [1.0, 0.1, 2.0], "start_rotation": [0, 0, 0, 1], "info": None}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Task], Path]]:
    """Write two tasks of each kind, all in one home."""
    folder = tmp_path_factory.mktemp("episodes")
    found = {}
    for kind in KINDS:
        tasks = generate_kind(kind, 4, 3)
        tasks = [task for task in tasks if all("relation" in one or "navigate" in one for one in task.goal.conditions)][
            :2
        ]
        found[kind] = tasks, folder / f"{kind}.json.gz"
        write_episodes(found[kind][1], tasks, folder / "scenes")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_the_same_task_when_it_is_read(
    kind: str, written: dict[str, tuple[list[Task], Path]]
) -> None:
    tasks, path = written[kind]
    again = read_episodes(path, path.parent / "scenes")
    assert len(again) == len(tasks) > 0
    for one, other in zip(tasks, again, strict=True):
        assert other.options["scene"] == one.options["scene"]
        assert other.options["start_position"] == pytest.approx(one.options["start_position"])
        env = contract.make(other)
        contract.reset(env, other)
        info: dict[str, Any] = {}
        for action in demonstration(one):
            info = env.step(action)[4]
        assert info["success"]


def test_the_files_are_of_habitat_labs_form(written: dict[str, tuple[list[Task], Path]]) -> None:
    said = {kind: json.loads(gzip.decompress(path.read_bytes())) for kind, (_, path) in written.items()}
    scenes = written["point"][1].parent / "scenes"
    for one in (episode for each in said.values() for episode in each["episodes"]):
        assert (scenes / one["scene_id"]).is_file()
        assert Path(one["scene_dataset_config"]).is_file()
        assert {"episode_id", "start_position", "start_rotation", "info"} <= one.keys()
    point = said["point"]["episodes"][0]
    assert point["info"]["geodesic_distance"] > 0
    assert set(point["goals"][0]) == {"position", "radius"}
    things = said["object"]
    assert things["category_to_task_category_id"].keys() == things["category_to_scene_annotation_category_id"].keys()
    one = things["episodes"][0]
    goals = things["goals_by_category"][f"{Path(one['scene_id']).name}_{one['object_category']}"]
    assert all(len(view["agent_state"]["rotation"]) == 4 for goal in goals for view in goal["view_points"])
    moved = said["rearrange"]["episodes"][0]
    assert moved["targets"].keys() <= moved["name_to_receptacle"].keys()
    assert all(len(matrix) == 4 for _, matrix in moved["rigid_objs"])
    assert len(moved["targets"]) == len(moved["goal_receptacles"]) == len(moved["target_receptacles"])


def test_official_files_are_read(tmp_path: Path) -> None:
    point = {
        "episode_id": "7",
        "scene_id": "gibson/Airport.glb",
        **PLACE,
        "goals": [{"position": [3, 0, 4], "radius": None}],
    }
    view = {"agent_state": {"position": [5, 0, 6], "rotation": [0, 0, 0, 1]}, "iou": 0.5}
    chair = {"position": [9, 0, 9], "radius": None, "object_id": 3, "object_category": "chair", "view_points": [view]}
    thing = {
        "episode_id": "0", "scene_id": "data/scene_datasets/mp3d/a/a.glb", **PLACE, "goals": [],
        "object_category": "chair",
    }  # fmt: skip
    identity = [[1, 0, 0, 0.5], [0, 1, 0, 0.6], [0, 0, 1, 0.7], [0, 0, 0, 1]]
    moved = {
        "episode_id": "1", "scene_id": "s/scenes/apt.scene_instance.json",
        "scene_dataset_config": "s/r.scene_dataset_config.json",
        **PLACE, "additional_obj_config_paths": ["data/objects/ycb"],
        "rigid_objs": [["024_bowl.object_config.json", identity]],
        "targets": {"024_bowl_:0000": identity}, "goal_receptacles": [["frl_apartment_table_02_:0000", 0]],
        "ao_states": {},
    }  # fmt: skip
    found = []
    for name, said in (
        ("point", {"episodes": [point]}),
        ("object", {"episodes": [thing], "goals_by_category": {"a.glb_chair": [chair]}}),
        ("moved", {"episodes": [moved]}),
    ):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(said))
        found += read_episodes(path, Path("/scenes"))
    assert [task.options["scene"] for task in found] == [
        "/scenes/gibson/Airport.glb", "/scenes/mp3d/a/a.glb",
        "/scenes/s/r.scene_dataset_config.json:/scenes/s/scenes/apt.scene_instance.json",
    ]  # fmt: skip
    assert {task.options["backend"] for task in found} == {"habitat_sim"}
    assert found[0].goal.conditions == ({"navigate": "point", "position": [3.0, 0.0, 4.0]},)
    assert found[1].goal.conditions[0]["view_points"] == [[5.0, 0.0, 6.0]]
    assert found[2].options["objects"] == [["024_bowl.object_config.json", [0.5, 0.6, 0.7]]]
    assert found[2].goal.text == "The 024 bowl is on the frl apartment table."


@pytest.mark.parametrize(
    "raw", [b"nothing", b"[]", b"{}", b'{"episodes": [{"episode_id": "0"}]}', b"\x1f\x8b broken", b'{"episodes": [1]}']
)
def test_other_files_are_refused_in_one_sentence(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(raw)
    with pytest.raises(DataError):
        read_episodes(path)


def test_a_file_holds_one_kind_that_habitat_lab_has_a_form_for(tmp_path: Path) -> None:
    for kind in ("image", "team"):
        with pytest.raises(ExportError, match="no form"):
            write_episodes(tmp_path / "x.json", generate_kind(kind, 1, 3), tmp_path)
    with pytest.raises(ExportError, match="one kind"):
        write_episodes(tmp_path / "x.json", [*generate_kind("point", 1, 3), *generate_kind("object", 1, 3)], tmp_path)
