"""Worlds from PyPI that nobody here wrote, searched by the same code through verified replay.

Each plan is done again in a freshly made world, where it must reach the goal.
"""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.mcts import Search, SearchResult
from pathei.collectors.search.tree import TreeNode
from pathei.envs.model import EnvModel, model_of
from pathei.envs.replay import VerifiedReplay, fingerprint
from pathei.envs.spaces import UnicodeText
from pathei.tests.support.search_worlds import tree_alone

Env = gymnasium.Env[Any, Any]


class WholeGrid(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Shows all of a MiniGrid world, what is held included, and says when the goal is reached."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin; not there yet."""
        _, info = self.env.reset(seed=seed, options=options)
        return self.everything(), {**info, "success": False}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act; MiniGrid rewards nothing but the goal."""
        _, reward, terminated, truncated, info = self.env.step(action)
        return self.everything(), reward, terminated, truncated, {**info, "success": terminated and float(reward) > 0}

    def everything(self) -> dict[str, Any]:
        """Return the state."""
        world: Any = self.env.unwrapped
        held = world.carrying
        return {
            "grid": world.grid.encode(),
            "agent": [*map(int, world.agent_pos), int(world.agent_dir)],
            "held": held.encode() if held else (),
        }


def grid(name: str) -> Env:
    """Make a MiniGrid world that shows all of itself."""
    return WholeGrid(gymnasium.make(f"minigrid:{name}"))


def useful(observation: Any, info: Any) -> tuple[int, ...]:
    """Turn left and right, go on, pick up, open: the actions that matter where nothing is to be put down."""
    return (0, 1, 2, 3, 5)


def reaches(make: Callable[[], Env], seed: int, plan: tuple[Any, ...]) -> bool:
    """Do a plan in a new world and return whether its last step, and no step before, ends in success."""
    env = make()
    env.reset(seed=seed)
    results = [env.step(action) for action in plan]
    env.close()
    return [bool(info.get("success")) for *_, info in results] == [False] * (len(plan) - 1) + [True]


CASES: dict[str, tuple[str, int, dict[str, Any], bool]] = {
    "an empty room, a tree of walks": ("MiniGrid-Empty-5x5-v0", 0, {"depth": 12}, False),
    "an empty room, states recognised": ("MiniGrid-Empty-5x5-v0", 0, {"depth": 12}, True),
    "key and door, a tree of walks": ("MiniGrid-DoorKey-5x5-v0", 1, {"depth": 30}, False),
    "key and door, states recognised": ("MiniGrid-DoorKey-5x5-v0", 1, {"depth": 30}, True),
    "an instruction in words": ("BabyAI-GoToRedBallGrey-v0", 1, {"depth": 30}, False),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("selection", ["uct", "puct"])
def test_minigrid(case: str, selection: Any) -> None:
    name, seed, options, shared = CASES[case]
    env = VerifiedReplay(grid(name))
    observation, info = env.reset(seed=seed)
    model = EnvModel(env, info, observation=observation, observed_state=shared, propose=useful)
    config = SearchConfig(2000, selection=selection, stop_on_success=True, **options)
    found = Search(model, config, np.random.default_rng(0)).run()
    assert found.success
    assert found.value > 0
    assert reaches(lambda: grid(name), seed, found.plan)


def test_the_shortest_way_through_an_empty_room_is_found() -> None:
    """Twice on, a turn, twice on: MiniGrid pays less for each step, so the best return is that of 5 steps."""
    env = VerifiedReplay(grid("MiniGrid-Empty-5x5-v0"))
    observation, info = env.reset(seed=0)
    model = EnvModel(env, info, observation=observation, observed_state=True, propose=useful)
    found = Search(model, SearchConfig(10**6, depth=6, rollout="none"), np.random.default_rng(0)).run()
    assert found.solved
    assert found.plan == (2, 2, 1, 2, 2)
    assert found.value == pytest.approx(0.99**4 * (1 - 0.9 * 5 / 100))


@pytest.mark.parametrize("selection", ["uct", "puct"])
def test_a_whole_episode_is_as_short_as_can_be_within_thrice_the_steps_of_breadth_first(selection: Any) -> None:
    """Each step costs 1 and the cliff 100. Breadth first reaches the end after 135 transitions, by a walk of 13."""
    env = VerifiedReplay(gymnasium.make("CliffWalking-v1"))
    observation, info = env.reset(seed=0)
    model = EnvModel(env, info, observation=observation, observed_state=True)
    config = SearchConfig(10**6, env_steps=3 * 135, depth=30, discount=1.0, may_stop=False, selection=selection)
    found = Search(model, config, np.random.default_rng(0)).run()
    assert (found.value, len(found.plan)) == (-13, 13)


def test_every_node_of_a_replayed_tree_is_where_its_actions_lead() -> None:
    """The published search replayed the history after backtracking and forgot the new action."""
    name = "MiniGrid-DoorKey-5x5-v0"
    env = VerifiedReplay(grid(name))
    observation, info = env.reset(seed=1)
    model = EnvModel(env, info, observation=observation, propose=useful)
    found = Search(model, tree_alone(60, depth=15), np.random.default_rng(0)).run()
    fresh = grid(name)
    walks: list[tuple[TreeNode, tuple[int, ...]]] = [(found.root, ())]
    for node, actions in walks:
        seen, _ = fresh.reset(seed=1)
        for action in actions:
            seen, *_ = fresh.step(action)
        model.restore(node.state)
        assert fingerprint(env.unwrapped.agent_pos) == fingerprint(fresh.unwrapped.agent_pos)  # type: ignore[attr-defined]
        assert fingerprint(model.snapshot()[2]) == fingerprint(seen)
        walks += [(edge.child, (*actions, edge.action)) for edge in node.edges]
    assert len(walks) > 50
    assert max(len(actions) for _, actions in walks) >= 2


class TextGame(gymnasium.Env[str, str]):
    """A TextWorld game in gymnasium's form: the game's text, its admissible commands, and whether it is won."""

    def __init__(self, path: Path) -> None:
        textworld: Any = importlib.import_module("textworld")
        self.observation_space = UnicodeText(10_000)
        self.action_space = UnicodeText(200)
        asked = textworld.EnvInfos(admissible_commands=True, won=True)
        self.game = textworld.start(str(path), asked)
        self.score = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the game."""
        super().reset(seed=seed)
        state = self.game.reset()
        self.score = 0
        return state.feedback, self.told(state)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Type a command; the game pays for what the quest asks."""
        before = self.score
        state, self.score, done = self.game.step(action)
        return state.feedback, float(self.score - before), bool(done), False, self.told(state)

    def told(self, state: Any) -> dict[str, Any]:
        """Return what the game says beside its text."""
        return {"actions": tuple(state.admissible_commands), "success": bool(state.won)}

    def close(self) -> None:
        """End the game's interpreter."""
        self.game.close()


@pytest.fixture(scope="module")
def quest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A game of two rooms that TextWorld makes up from a seed, and compiles."""
    textworld = pytest.importorskip("textworld", reason="TextWorld is there for Linux on x86-64 only")
    options = textworld.GameOptions()
    options.seeds, options.nb_rooms, options.nb_objects, options.quest_length = 7, 2, 3, 3
    options.path = os.fspath(tmp_path_factory.mktemp("textworld") / "quest.z8")
    path, _ = textworld.make(options)
    return Path(path)


def text_search(path: Path, **config: Any) -> SearchResult:
    """Search the game."""
    env = VerifiedReplay(TextGame(path))
    observation, info = env.reset(seed=0)
    model = model_of(env, info, observation=observation)
    found = Search(model, SearchConfig(stop_on_success=True, **config), np.random.default_rng(0)).run()
    env.close()
    return found


@pytest.mark.filterwarnings("ignore:Game .* is not fully supported")
@pytest.mark.parametrize("config", [{"selection": "uct"}, {"selection": "puct", "backup": "mean"}])
def test_textworld(quest: Path, config: dict[str, Any]) -> None:
    found = text_search(quest, simulations=300, depth=10, **config)
    assert found.success
    assert all(isinstance(command, str) for command in found.plan)
    assert reaches(lambda: TextGame(quest), 0, found.plan)
