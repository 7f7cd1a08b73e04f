"""What an agent reads stays within one budget in every environment, and what is left out is counted or can be reached.

Every built-in environment is tried with actions of any length. Those whose worlds can be as large as one likes have a
case here that is: a house with 3,000 cups, a file of 2 MB, a shop with thousands of results, a page of 200 kB, a game
with a long text, a crowd. Not here: pages of a browser, whose own tests hold their budget (`tests/envs/web`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from pathei import data
from pathei.envs import contract
from pathei.envs.registry import BUILTIN_ENVS, EnvSpec, get_env
from pathei.envs.text_env import TEXT_BUDGET
from pathei.envs.virtualhome.env import VirtualHomeEnv

MOST = TEXT_BUDGET + 1_200
"""The budget, and lines that say what was refused and what is left out."""
ACTIONS = (
    "zzz " * 30_000, "y" * 60_000, "line\n" * 400, f"[Walk] <{'k' * 9_000}> (1)", f"search[{'q ' * 9_000}]",
    f"find[{'w' * 9_000}]", f"go to {'k' * 9_000}", f"click[{'9' * 9_000}]", f"submit {'s' * 9_000}",
)  # fmt: skip
ELSEWHERE = {"minecraft-ticks": "takes numbers", "minedojo": "is numbers", "miniwob": "a browser", "web": "a browser"}


@pytest.fixture(scope="module", autouse=True)
def games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(data.ROOT_VARIABLE, str(tmp_path_factory.mktemp("games")))
        yield


def installed(name: str) -> EnvSpec:
    spec = get_env(name)
    if missing := spec.missing():
        pytest.skip(f"{name} is not installed: {', '.join(missing)}")
    return spec


def made(name: str, seed: int = 0, **options: Any) -> tuple[gymnasium.Env[Any, Any], str]:
    env = gymnasium.make(installed(name).id)
    text, _ = env.reset(seed=seed, options=options)
    return env, text


@pytest.mark.parametrize("spec", [one for one in BUILTIN_ENVS if one.name not in ELSEWHERE], ids=lambda one: one.name)
def test_no_action_makes_an_observation_long(spec: EnvSpec) -> None:
    installed(spec.name)
    [task] = spec.generate_tasks(1, 1)
    env = contract.make(task)
    raw, info = contract.reset(env, task)
    for action in ACTIONS:
        assert len(contract.observe(raw, info).text) <= MOST
        try:
            raw, _, terminated, truncated, info = env.step(action)
        except (TypeError, ValueError, KeyError):
            if isinstance(env.action_space, gymnasium.spaces.Discrete):
                break  # it takes numbers
            raise
        if terminated or truncated:
            assert len(contract.observe(raw, info).text) <= MOST
            raw, info = contract.reset(env, task)
    env.close()


def test_a_house_with_thousands_of_things(tmp_path: Path) -> None:
    home = VirtualHomeEnv()
    home.reset(seed=0, options={"scene": "house:7"})
    graph = home.world.to_graph()
    character = next(one for one in graph["nodes"] if one["class_name"] == "character")
    [room] = [
        one["to_id"] for one in graph["edges"] if one["from_id"] == character["id"] and one["relation_type"] == "INSIDE"
    ]
    cup = next(one for one in graph["nodes"] if "GRABBABLE" in one["properties"])
    for number in range(10_000, 13_000):
        graph["nodes"].append({**cup, "id": number, "class_name": f"cup{number % 40}", "prefab_name": ""})
        graph["edges"].append({"from_id": number, "relation_type": "INSIDE", "to_id": room})
    path = tmp_path / "crowded.json"
    path.write_text(json.dumps(graph))
    text, _ = home.reset(seed=0, options={"scene": str(path)})
    assert TEXT_BUDGET / 2 < len(text) <= MOST
    assert text.rstrip().endswith("are shown.]")


def test_commands_that_write_much() -> None:
    env, _ = made("terminal")
    for command in (
        "seq 1 300000 > big.txt; cat big.txt",
        "head -c 300000 big.txt | tr '\\n' x",
        "yes | head -90000 >&2",
    ):
        text, *_ = env.step(command)
        assert TEXT_BUDGET / 2 < len(text) <= MOST
        assert "left out" in text
    env.close()


def test_a_shop_with_thousands_of_results() -> None:
    env, _ = made("shop", catalogue="generated:0:3000")
    for action in ("search[a]", "search[set]", "scroll[down]", "click[next >]"):
        text, _, _, _, info = env.step(action)
        assert len(text) <= MOST
    assert len(info["actions"]) < 100
    env.close()


def test_a_page_of_many_words_and_links(tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    installed("documents")
    words = " ".join(f"word{number}" for number in range(20_000))
    links = "".join(f'<p><a href="p{number}.html">page {number}</a></p>' for number in range(1_000))
    (tmp_path / "index.html").write_text(f"<h1>One</h1><p>{words}</p>{links}")
    (tmp_path / "p1.html").write_text("<h1>A heading of its own</h1><p>Here.</p>")
    env, text = made("documents", collection=str(tmp_path), goal={"text": "?", "conditions": [{"answer": ["42"]}]})
    assert len(text) <= MOST
    for action in ("click[1]", "scroll[down]", "find[page 999]", "back"):
        text, *_ = env.step(action)
        assert len(text) <= MOST
    env.close()


def test_a_home_and_a_crowd() -> None:
    env, text = made("habitat", actions="all")
    assert len(text) <= MOST
    env.close()
    words = pytest.importorskip("pathei.envs.minecraft.words")
    seen: dict[str, Any] = {
        "position": (0, 60, 0), "biome": "plains", "sky": True, "day": 0, "time": 0, "health": 20, "food": 20,
        "air": 300, "worn": [], "inventory": {f"thing_{n}": 1 for n in range(40)}, "durability": {},
        "blocks": {}, "within": [], "entities": [{"name": "cow", "far": 3.0, "at": (n, 60, 0)} for n in range(3_000)],
        "dropped": [],
        "chests": {f"{n} 60 0": {"dirt": 64} for n in range(500)},
    }  # fmt: skip
    assert TEXT_BUDGET / 2 < len(words.describe(seen)) <= MOST


def test_a_game_with_a_long_text() -> None:
    env, _ = made("textworld")
    game = env.unwrapped
    long = "\n".join(f"On the shelf is a book number {number}." for number in range(2_000))
    game._text = long  # type: ignore[attr-defined]  # as a game of others may write
    assert len(game.text()) <= MOST  # type: ignore[attr-defined]
    shown, _, _, _, info = env.step("scroll[down]")
    assert len(shown) <= MOST
    assert "scroll[up]" in info["actions"]
    shown, *_ = env.step("find[number 1999]")
    assert "number 1999" in shown
    env.close()
