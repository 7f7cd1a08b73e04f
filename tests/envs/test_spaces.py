"""`UnicodeText`: membership, seeded samples, and what gymnasium's wrappers and vector environments ask of a space."""

import copy
import pickle
import warnings
from collections.abc import Callable

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.passive_env_checker import check_action_space, check_obs, check_observation_space
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import DelayObservation, FlattenObservation, FrameStackObservation
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.spaces import UnicodeText
from pathei.errors import ConfigError


class Parrot(gymnasium.Env[dict, str]):
    """Repeats what it is told, and counts."""

    def __init__(self, max_length: int = 200) -> None:
        self.observation_space = spaces.Dict({"text": UnicodeText(max_length), "count": spaces.Discrete(100)})
        self.action_space = UnicodeText(max_length)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Return a greeting."""
        super().reset(seed=seed)
        self.count = 0
        return {"text": "Say something.", "count": 0}, {}

    def step(self, action: str) -> tuple[dict, float, bool, bool, dict]:
        """Repeat the action."""
        self.count += 1
        return {"text": action, "count": self.count}, 0.0, self.count >= 50, False, {}


class TextParrot(gymnasium.ObservationWrapper):
    """The parrot's text alone."""

    def __init__(self, max_length: int = 200) -> None:
        super().__init__(Parrot(max_length))
        self.observation_space = UnicodeText(max_length)

    def observation(self, observation: dict) -> str:
        """Return the text."""
        return observation["text"]


@given(st.text(max_size=60), st.integers(0, 20), st.integers(1, 50))
def test_contains_exactly_the_encodable_strings_of_a_permitted_length(text: str, least: int, greatest: int) -> None:
    space = UnicodeText(max(least, greatest), min_length=least)
    encodable = not any(0xD800 <= ord(character) <= 0xDFFF for character in text)
    assert (text in space) == (encodable and least <= len(text) <= max(least, greatest))


def test_a_sentence_with_spaces_is_in_it_while_gymnasiums_text_refuses_it() -> None:
    assert "Öffne die Tür, bitte. 打开门 🚪\n" in UnicodeText(100)
    assert "open the door" not in spaces.Text(100)


@pytest.mark.parametrize("value", [None, 3, b"bytes", ["a"], np.array("a"), "\ud800"])
def test_other_values_and_lone_surrogates_are_not_in_it(value: object) -> None:
    assert value not in UnicodeText(100)


@given(st.integers(0, 2**31), st.integers(0, 100), st.integers(1, 300))
def test_samples_lie_in_the_space_and_follow_the_seed(seed: int, least: int, greatest: int) -> None:
    one = UnicodeText(max(least, greatest), min_length=least, seed=seed)
    two = UnicodeText(max(least, greatest), min_length=least, seed=seed)
    samples = [one.sample() for _ in range(5)]
    assert samples == [two.sample() for _ in range(5)]
    assert all(sample in one for sample in samples)
    assert one.from_jsonable(one.to_jsonable(samples)) == samples


def test_samples_show_several_scripts() -> None:
    space = UnicodeText(500, seed=0)
    seen = "".join(space.sample() for _ in range(200))
    assert all(letter in seen for letter in "aZ7éλжא的あ🚪 ")


def test_equal_lengths_make_equal_spaces_also_after_copying_and_pickling() -> None:
    space = UnicodeText(10, min_length=2)
    assert space == UnicodeText(10, min_length=2)
    assert space == copy.deepcopy(space) == pickle.loads(pickle.dumps(space))  # noqa: S301
    assert space != UnicodeText(11, min_length=2)
    assert space != spaces.Text(10, min_length=2)
    assert repr(space) == "UnicodeText(10, min_length=2)"


@pytest.mark.parametrize(("greatest", "least"), [(0, 0), (5, 6), (5, -1)])
def test_impossible_lengths_are_refused(greatest: int, least: int) -> None:
    with pytest.raises(ConfigError, match="min_length"):
        UnicodeText(greatest, min_length=least)


def test_a_sampling_mask_is_refused() -> None:
    with pytest.raises(ConfigError, match="mask"):
        UnicodeText(5).sample(mask=(3, None))


def test_gymnasiums_passive_checks_accept_it_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_action_space(UnicodeText(10))
        check_observation_space(UnicodeText(10))
        check_obs("two words", UnicodeText(10), "step")


@pytest.mark.parametrize("kind", [Parrot, TextParrot])
def test_a_sync_vector_env_carries_text(kind: Callable[[], gymnasium.Env]) -> None:
    envs = SyncVectorEnv([kind, kind])
    envs.reset(seed=1)
    observations, *_ = envs.step(("hello there", "あ 🚪"))
    texts = observations["text"] if kind is Parrot else observations
    assert texts == ("hello there", "あ 🚪")
    assert observations in envs.observation_space
    assert envs.action_space.sample() in envs.action_space


def test_a_sync_vector_env_carries_text_of_differing_lengths() -> None:
    envs = SyncVectorEnv(
        [lambda: TextParrot(20), lambda: TextParrot(20)],
        observation_mode=(spaces.Tuple([UnicodeText(20)] * 2), UnicodeText(20)),
    )
    assert envs.reset()[0] == ("Say something.", "Say something.")
    assert SyncVectorEnv([TextParrot, TextParrot], observation_mode="different").observation_space == spaces.Tuple(
        [UnicodeText(200)] * 2
    )


@pytest.mark.parametrize("kind", [Parrot, TextParrot])
def test_an_async_vector_env_carries_text_without_shared_memory(kind: Callable[[], gymnasium.Env]) -> None:
    envs = AsyncVectorEnv([kind, kind], shared_memory=False, context="fork")
    try:
        envs.reset(seed=1)
        envs.step(("a much longer sentence than the next", "é"))
        observations, *_ = envs.step(("", "あ 🚪"))
    finally:
        envs.close()
    assert (observations["text"] if kind is Parrot else observations) == ("", "あ 🚪")


def test_an_async_vector_env_with_shared_memory_is_refused_rather_than_stale() -> None:
    with pytest.raises(ValueError, match="shared_memory=False"):
        AsyncVectorEnv([TextParrot], shared_memory=True, context="fork")


def test_flattening_keeps_the_text() -> None:
    space = Parrot().observation_space
    value = {"text": "two words", "count": 3}
    flat = spaces.flatten(space, value)
    assert flat["text"] == "two words"
    assert flat in spaces.flatten_space(space)
    assert spaces.unflatten(space, flat) == value
    env = FlattenObservation(Parrot())
    assert env.reset()[0] in env.observation_space


def test_stacked_and_delayed_text_observations_work() -> None:
    stacked = FrameStackObservation(TextParrot(), 3, padding_type="zero")
    stacked.reset()
    assert stacked.step("hello")[0] == ("", "Say something.", "hello")
    delayed = DelayObservation(TextParrot(), 1)
    assert delayed.reset()[0] == ""
    assert delayed.step("hello")[0] == "Say something."
