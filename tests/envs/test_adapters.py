"""Worlds of other packages, for real: the contract, snapshots or replay, and their own experts."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from pathei import data
from pathei.agents import RandomAgent, ScriptedAgent
from pathei.collectors.rollout.policy import play
from pathei.collectors.search.collector import MctsConfig, make_searcher
from pathei.collectors.search.config import SearchConfig
from pathei.envs import contract
from pathei.envs.adapters import minigrid, scienceworld, textworld
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.model import EnvModel
from pathei.envs.registry import get_demonstration
from pathei.errors import ConfigError
from pathei.experience import Task, Trajectory


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java")


@pytest.fixture(scope="module", autouse=True)
def games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for generated games, in place of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("games")
        patch.setenv(data.ROOT_VARIABLE, str(folder))
        yield folder


def demonstrated(task: Task) -> Trajectory:
    env = contract.make(task)
    try:
        return play(env, task, ScriptedAgent(get_demonstration(task)), max_steps=100)
    finally:
        env.close()


@needs("minigrid")
def test_minigrid_keeps_the_contract() -> None:
    for level in ("BabyAI-GoToObj-v0", "BabyAI-UnlockLocal-v0", "MiniGrid-DoorKey-5x5-v0"):
        env = gymnasium.make("pathei/MiniGrid-v0", level=level)
        check_env(env)
        check_snapshot(env, rng=np.random.default_rng(0))


@needs("minigrid")
def test_minigrid_prints_no_level_that_it_rejects(capsys: pytest.CaptureFixture[str]) -> None:
    env = minigrid.MiniGridEnv()
    for seed in range(6):  # BabyAI rejects one level of the fifth seed
        env.reset(seed=seed, options={"level": "BabyAI-PutNextLocal-v0"})
    assert capsys.readouterr().out == ""


@needs("minigrid")
def test_what_minigrid_shows_is_where_it_is() -> None:
    for task in minigrid.generate_tasks(20, 3):
        env = contract.make(task)
        text, info = contract.reset(env, task)
        grid = env.unwrapped._grid  # type: ignore[attr-defined]
        assert task.goal.text in text
        ahead, right = grid.dir_vec, grid.right_vec
        for forward in range(1, 4):
            for side in (-1, 0, 1):
                x, y = np.array(grid.agent_pos) + forward * ahead + side * right
                thing = grid.grid.get(x, y) if 0 <= x < grid.width and 0 <= y < grid.height else None
                if thing is not None and thing.type in ("ball", "box", "key") and grid.in_view(x, y):
                    where = f"{forward} step{'s' * (forward > 1)} forward"
                    where += "" if side == 0 else f" and 1 step {'right' if side > 0 else 'left'}"
                    told = f"a {thing.color} {thing.type} {where}"
                    assert told in text
                    assert [thing.type, thing.color, int(x), int(y)] in info["facts"]["objects"]


@needs("minigrid")
def test_babyai_s_bot_demonstrates_every_level() -> None:
    trajectories = [demonstrated(task) for task in minigrid.generate_tasks(20, 1)]
    assert all(trajectory.success for trajectory in trajectories)


@needs("minigrid")
def test_search_beats_random_walks_in_minigrid() -> None:
    tasks = minigrid.generate_tasks(4, 5)
    search = make_searcher(MctsConfig(SearchConfig(simulations=300, depth=25)), seed=0)
    found = [record for record in search.collect(tasks) if isinstance(record, Trajectory)]
    agent = RandomAgent(np.random.default_rng(0))
    walked = [play(contract.make(task), task, agent, max_steps=25) for task in tasks]
    assert sum(bool(one.success) for one in found) > sum(bool(one.success) for one in walked)


@needs("textworld")
@pytest.mark.integration
def test_textworld_keeps_the_contract_and_is_won_by_its_own_commands(games: Path) -> None:
    tasks = textworld.generate_tasks(2, 4)
    assert len(list((games / "textworld").glob("*.z8"))) == 2
    assert all(demonstrated(task).success for task in tasks)
    env = gymnasium.make("pathei/TextWorld-v0", game=tasks[0].options["game"])
    check_env(env, steps=8)
    check_snapshot(env, rng=np.random.default_rng(0), steps=6, rounds=2)
    text, info = env.reset(seed=0)
    assert "$$" not in text
    assert info["facts"]["facts"]
    model = EnvModel(env, info, observation=text)
    start, key = model.snapshot(), model.likely_key()
    for action in model.actions():
        model.restore(start)
        model.step(action)
        # What only looks leads to no other state, whatever is read of it.
        assert (model.likely_key() == key) == action.startswith(("look", "inventory", "examine", "scroll")), action
    env.close()


@needs("textworld")
def test_games_that_are_none_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="say 'generated:7'"):
        textworld.game_file(str(tmp_path / "none.z8"))
    with pytest.raises(ConfigError, match="has a number"):
        textworld.game_file("generated:x")
    with pytest.raises(ConfigError, match="did you mean 'rooms'"):
        gymnasium.make("pathei/TextWorld-v0", room=3)


@needs("scienceworld")
@needs_java
@pytest.mark.integration
def test_scienceworld_is_played_and_its_gold_path_succeeds() -> None:
    # Not `check_env`: some listed actions are refused by its parser, so passing is chance (docs/guide/envs/index.md).
    tasks = scienceworld.generate_tasks(3, 0)
    assert len({task.goal.text for task in tasks}) == 3
    assert demonstrated(tasks[0]).success
    env = gymnasium.make("pathei/ScienceWorld-v0", **tasks[1].options)
    try:
        text, info = env.reset(seed=0)
        assert tasks[1].goal.text[:20] in " ".join(text.split())
        assert "look around" in info["actions"]
        text, reward, terminated, _, info = env.step("florb the wug")
        assert info["error"] in text
        assert (reward, terminated) == (0.0, False)
        with pytest.raises(ConfigError, match="experiment of ScienceWorld"):
            env.reset(options={"experiment": "boyl"})
    finally:
        env.close()
