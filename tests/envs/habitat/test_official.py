"""The back end `habitat_sim` against a strict double of habitat-sim, and against habitat-sim itself where it is.

The double (`double/`) enforces types and reproduces the traps of habitat-sim 0.3.3; it is not habitat-sim.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pathei.envs import contract
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.foreign.install import install
from pathei.envs.habitat.backend import MOVES, AgentSettings, Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.files.scene_dataset import export_home
from pathei.envs.habitat.official import child
from pathei.envs.habitat.official.backend import HabitatSimBackend
from pathei.envs.habitat.official.described import kind_of
from pathei.envs.habitat.official.install import PYTHON_VARIABLE, RUNTIME, check_habitat, python_of
from pathei.envs.habitat.scenes.generate import generate_home
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.envs.habitat.simulator.home_simulator import AddedObjects
from pathei.envs.habitat.tasks import generate_kind
from pathei.errors import ConfigError, InstallError

HOME = "home:1:2"
SMALL = AgentSettings(width=32, rows=24)
DOUBLE = Path(__file__).with_name("double")
REAL = os.environ.get(PYTHON_VARIABLE)

pytestmark = pytest.mark.xdist_group("habitat_sim")


def wrapper(folder: Path, **variables: str) -> Path:
    """Write a program that is this Python with the double on its path."""
    said = {"PYTHONPATH": str(DOUBLE), **variables}
    words = [*(f"{name}={shlex.quote(value)}" for name, value in said.items()), "exec", shlex.quote(sys.executable)]
    program = folder / "python"
    program.write_text(f'#!/bin/sh\n{" ".join(words)} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(
    scope="module",
    params=["double", pytest.param("real", marks=pytest.mark.skipif(not REAL, reason=f"{PYTHON_VARIABLE} is not set"))],
)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Name the interpreter."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "double":
            patch.setenv(PYTHON_VARIABLE, str(wrapper(tmp_path_factory.mktemp("python"))))
        yield


@pytest.fixture(scope="module")
def sim(python: None) -> Iterator[HabitatSimBackend]:
    """One simulator with a generated home: a real one takes long to start."""
    made = HabitatSimBackend(SMALL, gpus=None if REAL else (0, -1))
    made.reset(HOME)
    yield made
    made.close()


def test_both_back_ends_walk_alike_and_see_the_same(sim: HabitatSimBackend) -> None:
    embedded, rng = EmbeddedBackend(SMALL), np.random.default_rng(0)
    embedded.reset(HOME)
    sim.reset(HOME)
    flags = []
    for _ in range(60):
        embedded.set_agent(sim.agent())
        move = str(rng.choice(["move_forward", "move_forward", *MOVES]))
        flags.append(sim.act(move) == embedded.act(move))
        pose, other = sim.agent(), embedded.agent()
        assert np.allclose(pose.position, other.position, atol=1e-3 if flags[-1] else 0.05)
        assert np.allclose(np.abs(np.dot(pose.rotation, other.rotation)), 1.0, atol=1e-4)
        assert pose.pitch == other.pitch
    assert np.mean(flags) >= 0.95
    goals = [embedded.random_point(rng) for _ in range(5)]
    for start in goals:
        assert sim.path(start, goals[1:]).distance == pytest.approx(embedded.path(start, goals[1:]).distance, rel=0.02)
    embedded.set_agent(Pose(sim.random_point(rng), sim.agent().rotation))
    sim.set_agent(embedded.agent())
    seen, other_seen = sim.render(), embedded.render()
    assert {name: (image.dtype, image.shape) for name, image in seen.items()} == {
        name: (image.dtype, image.shape) for name, image in other_seen.items()
    }
    assert abs(seen["depth"] - other_seen["depth"])[8:16, 8:24].max() < 0.05
    assert (seen["semantic"] == other_seen["semantic"]).mean() > 0.9


def test_things_are_moved_opened_and_put_back(sim: HabitatSimBackend) -> None:
    sim.reset(HOME)
    before = sim.snapshot()
    fridge = next(one for one in sim.home.things if one.opened is not None)
    cup = next(id_ for id_, place in before.placements.items() if not place.inside)
    sim.set_agent(Pose((before.placements[cup].position[0], 0.0, before.placements[cup].position[2])))
    sim.hold(cup)
    assert sim.objects()[cup - 1].held_by == 0
    sim.set_open(fridge.id, True)
    sim.place(cup, fridge.inside[0], fridge.id, inside=True)
    after = sim.snapshot()
    sim.restore(before)
    assert sim.snapshot() == before
    sim.restore(after)
    assert sim.in_the_open(cup)
    sim.set_open(fridge.id, False)
    assert not sim.in_the_open(cup)
    sim.reset(HOME)
    assert sim.snapshot().placements == before.placements


def test_points_are_on_the_floor_and_not_on_the_roof(sim: HabitatSimBackend) -> None:
    rng = np.random.default_rng(1)
    points = [sim.random_point(rng) for _ in range(10)]
    assert {round(point[1], 2) for point in points} == {round(sim.scenery.free.floor, 2)}
    assert all(sim.scenery.free.is_free(x, z) or sim.snap((x, y, z)) for x, y, z in points)


def test_a_place_off_the_mesh_is_none_where_habitat_sim_says_nan(sim: HabitatSimBackend) -> None:
    assert sim.snap((1000.0, 0.0, 1000.0)) is None
    assert sim.snap((1.0, 0.0, 1.0)) is not None


def test_stop_and_other_words_are_refused_before_habitat_sim_sees_them(sim: HabitatSimBackend) -> None:
    for word in ("stop", "fly"):
        with pytest.raises(ConfigError, match="no move"):
            sim.act(word)


def test_agents_may_be_two_in_the_one_simulator(sim: HabitatSimBackend) -> None:
    sim.reset(HOME, agents=2)
    one, other = (sim.random_point(np.random.default_rng(number)) for number in (0, 1))
    sim.set_agent(Pose(one), 0)
    sim.set_agent(Pose(other), 1)
    sim.act("turn_left", 1)
    assert np.allclose(sim.agent(0).position, one, atol=1e-4)
    assert sim.agent(1).rotation != sim.agent(0).rotation
    assert not np.array_equal(sim.render(("rgb",), 0)["rgb"], sim.render(("rgb",), 1)["rgb"])


@pytest.mark.usefixtures("python")
def test_the_same_task_is_played_in_habitat_sim() -> None:
    task = generate_kind("point", 1, 5)[0]
    env = HabitatEnv(settings=SMALL, backend="habitat_sim", scene=HOME)
    check_env(env, steps=4)
    check_snapshot(env, rng=np.random.default_rng(0), steps=4, rounds=1)
    contract.reset(env, task)
    from pathei.envs.habitat.planning.oracle import follow

    assert env.navigation is not None
    plan = follow(env.world, env.navigation)
    contract.reset(env, task)
    info: dict[str, Any] = {}
    for action in plan:
        info = env.step(action)[4]
    assert info["metrics"]["success"] == 1.0
    assert info["metrics"]["spl"] > 0.85
    env.close()


def test_a_scene_of_others_is_described_by_its_boxes_and_regions(tmp_path: Path, python: None) -> None:
    export = export_home(generate_home(1, 2), tmp_path)
    scene = json.loads(export.scene.read_text())
    scene["articulated_object_instances"] = [{**scene["object_instances"].pop(), "motion_type": "DYNAMIC"}]
    if not REAL:  # the double takes any shape for one with a joint
        export.scene.write_text(json.dumps(scene))
    env = HabitatEnv(settings=SMALL, backend="habitat_sim", scene=f"{export.config}:{export.scene}")
    text, info = env.reset(seed=0)
    assert {one.name for one in env.world.map.home.rooms} == {"living_room", "kitchen"}
    assert "couch" in env.world.map.kinds
    assert any(action.startswith("go to couch") for action in info["actions"])
    _, _, _, _, info = env.step("go to couch")
    assert "error" not in info
    for place in info["actions"]:
        if place.startswith("pick"):
            assert "error" not in env.step(place)[4]
            break
    jointed = [thing.id for thing in env.world.map.home.things if thing.opened is not None]
    for id_ in jointed:
        env.sim.set_open(id_, True)
        assert id_ in env.sim.state.opened
    env.close()
    assert text


def test_objects_of_an_episode_are_added_to_its_scene(sim: HabitatSimBackend, tmp_path: Path) -> None:
    home = generate_home(1, 2)
    export = export_home(home, tmp_path)
    cup = next(thing for thing in home.things if thing.category == "cup")
    place = (1.0, 0.8, 2.0)
    sim.reset(f"{export.config}:{export.fixed}", added=AddedObjects(((f"objects/{cup.id:04}_closed", place),)))
    loose = [thing for thing in sim.home.things if thing.movable]
    assert [thing.category for thing in loose] == ["cup"]
    assert np.allclose(sim.objects()[loose[0].id - 1].position, place, atol=1e-4)


def test_without_the_cuda_device_it_draws_on_the_processor(sim: HabitatSimBackend) -> None:
    # The fixture tries device 0 first, which the double has not: it ends its process, as habitat-sim does.
    assert sim.gpu == -1 or REAL


def test_the_double_crashes_where_habitat_sim_does(tmp_path: Path) -> None:
    query = "import habitat_sim; habitat_sim.nav.PathFinder().get_bounds()"
    assert subprocess.run([wrapper(tmp_path), "-c", query], check=False).returncode == -signal.SIGSEGV


def test_versions_that_it_was_not_written_for_are_refused() -> None:
    for version in ("0.2.5", "0.3.4"):
        child.require_version(version)
    for version in ("0.2.4", "0.4.0"):
        with pytest.raises(RuntimeError, match="not one of the versions"):
            child.require_version(version)


def test_versions_are_read_as_numbers() -> None:
    assert [child.version_of(text) for text in ("0.3.3", "0.3.4.dev3", "0.2.5rc1+x")] == [
        (0, 3, 3), (0, 3, 4), (0, 2, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Living Room", "living_room"), ("frl_apartment_chair_01_:0003", "frl_apartment_chair"),
        ("objects/cup_2.glb", "cup"),
        ("024_bowl", "024_bowl"), ("", "thing"),
    ],
)  # fmt: skip
def test_kinds_are_made_of_the_names_of_others(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_the_doctor_starts_it_in_a_child_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHEI_RUNTIMES", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    assert "pathei env install habitat" in check_habitat()[-1].note
    with pytest.raises(InstallError, match="micromamba"):
        install(RUNTIME)
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "nowhere"))
    assert "not there" in check_habitat()[-1].note
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)
    assert "habitat_sim" in check_habitat()[-1].note
    monkeypatch.setenv(PYTHON_VARIABLE, str(wrapper(tmp_path)))
    found = check_habitat()[-1]
    assert found.ok
    assert found.note.startswith("0.3.3, draws on the processor")


def test_conda_makes_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conda = tmp_path / "mamba"
    conda.write_text(
        '#!/bin/sh\necho "$@" > "$4/../asked" 2>/dev/null || { mkdir -p "$4/bin"; echo "$@" > "$4/asked"; }\n'
    )
    conda.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PATHEI_RUNTIMES", str(tmp_path / "runtimes"))
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    install(RUNTIME)
    asked = (python_of().parents[1] / "asked").read_text()
    assert "habitat-sim=0.3.3" in asked
    assert "--channel aihabitat" in asked
