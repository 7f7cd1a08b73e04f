"""Making and resetting environments from tasks, and recording what they show."""

import types
from typing import Any

import gymnasium
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.contract import make, observe, plain, reset
from pathei.envs.spaces import UnicodeText
from pathei.errors import ContractError, MissingDependencyError, UnknownNameError
from pathei.experience import Goal, Observation, Task

Env = gymnasium.Env[Any, Any]


class Listening(gymnasium.Env[str, str]):
    """Keeps what `reset` was given."""

    observation_space = action_space = UnicodeText(100)
    heard: dict[str, Any]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Keep it."""
        super().reset(seed=seed)
        self.heard = {"seed": seed, "options": options}
        return "Yes?", {}


def test_text_observations_are_recorded_as_they_are_with_actions_and_facts() -> None:
    info = {"actions": ("look", "go"), "facts": {"here": 1}, "success": False}
    assert observe("You see a door.", info) == Observation("You see a door.", (), ("look", "go"), {"here": 1})
    assert observe("Say anything.", {}) == Observation("Say anything.", (), None, None)
    assert observe("Nothing to do.", {"actions": []}).actions == ()


@pytest.mark.parametrize(
    ("observation", "text"),
    [
        (np.int64(14), "14"),
        (3, "3"),
        (np.array([0.1, -2.0], dtype=np.float32), "[0.1,-2.0]"),
        (np.array(0.1, dtype=np.float32), "0.1"),
        (np.arange(6, dtype=np.uint8).reshape(2, 3).T, "[[0,3],[1,4],[2,5]]"),
        (np.array([[0.5, np.nan, np.inf]]), "[[0.5,null,null]]"),
        (np.zeros((2, 0), dtype=np.float32), "[[],[]]"),
        ((21, 10, True), "[21,10,true]"),
        ({"mission": "open the door", "direction": np.int64(2)}, '{"mission":"open the door","direction":2}'),
    ],
)
def test_other_observations_become_compact_json(observation: Any, text: str) -> None:
    assert observe(observation, {}).text == text


def test_images_go_where_they_are_told_and_are_never_dropped_silently() -> None:
    picture = np.zeros((2, 2, 3), dtype=np.uint8)
    stored: list[Any] = []

    def put_image(image: np.ndarray) -> str:
        stored.append(image)
        return f"sha-{len(stored)}"

    assert observe({"text": "A wall.", "image": picture}, {}, put_image).images == ("sha-1",)
    assert observe({"text": "Walls.", "image": [picture, picture]}, {}, put_image).images == ("sha-2", "sha-3")
    assert all(image.shape == (2, 2, 3) for image in stored)
    with pytest.raises(ContractError, match="put_image"):
        observe({"text": "A wall.", "image": picture}, {})
    with pytest.raises(ContractError, match="'text' must be a string, not bytes"):
        observe({"text": b"A wall."}, {})


def test_infos_become_plain_json_without_actions_and_facts() -> None:
    info = {
        "actions": ("a",),
        "facts": {},
        "success": np.bool_(True),
        "mask": np.array([1, 0], dtype=np.int8),
        "prob": np.float64(0.25),
        "nan": float("nan"),
        "huge": 2**70,
        3: {"who": {"b", "a"}, "pair": (1, None)},
        "odd": [object(), types.SimpleNamespace(), 1j, b"x"],
    }
    assert plain(info) == {
        "success": True,
        "mask": [1, 0],
        "prob": 0.25,
        "nan": None,
        "huge": str(2**70),
        "3": {"who": ["a", "b"], "pair": [1, None]},
        "odd": ["<builtins.object>", "<types.SimpleNamespace>", "<builtins.complex>", "<builtins.bytes>"],
    }


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), ANYTHING, max_size=4))
def test_plain_infos_survive_json_unchanged(info: dict[str, Any]) -> None:
    result = plain(info)
    assert orjson.loads(orjson.dumps(result)) == result
    assert plain(result) == result


def task(env: str, **options: Any) -> Task:
    """Return a task for an environment."""
    return Task("t1", env, 5, Goal("open the door", ({"open": "door"},)), options)


def test_a_task_makes_and_resets_its_environment() -> None:
    env = make(task("FrozenLake-v1"))
    first = reset(env, task("FrozenLake-v1"))
    assert first == reset(env, task("FrozenLake-v1"))
    assert observe(*first).text == "0"


def test_reset_hands_over_seed_options_and_goal() -> None:
    env = Listening()
    reset(env, task("any", scene=3))
    goal = {"text": "open the door", "conditions": [{"open": "door"}]}
    assert env.heard == {"seed": 5, "options": {"scene": 3, "goal": goal}}


@pytest.mark.parametrize("name", ["FrozenLak-v1", "FrozenLake-v0", "FrozenLake-v77", "pathey/FrozenLake-v1"])
def test_an_unknown_environment_suggests_the_nearest(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no environment '{name}'; did you mean 'FrozenLake"):
        make(task(name))


@pytest.mark.parametrize("name", ["", "no such thing", "a//b"])
def test_a_malformed_id_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(UnknownNameError, match="There is no environment"):
        make(task(name))


def test_a_missing_module_names_what_to_install() -> None:
    with pytest.raises(MissingDependencyError, match="pip install nowhere_to_be_found"):
        make(task("nowhere_to_be_found:Some-v0"))
    gymnasium.register("pathei-test/Missing-v0", entry_point="absent_simulator.envs:Env")
    try:
        with pytest.raises(MissingDependencyError, match=r"'absent_simulator', which is not installed.*pip install"):
            make(task("pathei-test/Missing-v0"))
    finally:
        del gymnasium.registry["pathei-test/Missing-v0"]


def test_a_broken_entry_point_of_pathei_keeps_its_traceback() -> None:
    gymnasium.register("pathei-test/Broken-v0", entry_point="pathei.no_such_module:Env")
    try:
        with pytest.raises(ModuleNotFoundError):
            make(task("pathei-test/Broken-v0"))
    finally:
        del gymnasium.registry["pathei-test/Broken-v0"]


def test_a_dependency_that_gymnasium_misses_is_reported_with_its_command() -> None:
    def entry_point() -> Env:
        raise gymnasium.error.DependencyNotInstalled("Box2D is not installed, run `pip install box2d`")

    gymnasium.register("pathei-test/Dependent-v0", entry_point=entry_point)
    try:
        with pytest.raises(MissingDependencyError, match="pip install box2d"):
            make(task("pathei-test/Dependent-v0"))
    finally:
        del gymnasium.registry["pathei-test/Dependent-v0"]
