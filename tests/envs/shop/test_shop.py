"""The shop: contracts, pages, goals that are the same everywhere, WebShop's own files, and what solves it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.agents import ScriptedAgent
from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import play as episode
from pathei.collectors.search.collector import MctsConfig, household_search, make_searcher
from pathei.envs import check_env, check_snapshot, contract
from pathei.envs.documents.queries import queries
from pathei.envs.shop.env import WebShopEnv
from pathei.envs.shop.generated import Files, generate
from pathei.envs.shop.goals import SPLITS
from pathei.envs.shop.pages import START, ShopPage, ShopPages
from pathei.envs.shop.shops import shop_named
from pathei.envs.shop.tasks import ENV, check_shop, demonstration, generate_tasks, split_tasks
from pathei.errors import ConfigError, DataError, GoalError, PatheiError, UnknownNameError
from pathei.experience import Goal, Task
from pathei.stable_random import HashRandom, StableRandom, lot
from pathei.store import ExperienceStore

GOALS_DIGEST = "4e4da31003034292"
CATEGORIES = {"beauty", "electronics", "fashion", "garden", "grocery"}


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    if ENV not in gymnasium.registry:
        gymnasium.register(ENV, "pathei.envs.shop.env:WebShopEnv", max_episode_steps=50, disable_env_checker=True)


def write_files(folder: Path, files: Files, size: str = "_1000") -> Path:
    """Write a catalogue as WebShop's files."""
    for name, content in (
        (f"items_shuffle{size}.json", files.items),
        (f"items_ins_v2{size}.json", files.attributes),
        ("items_human_ins.json", files.people),
    ):
        (folder / name).write_text(json.dumps(content), "utf-8")
    return folder


def play(env: gymnasium.Env[Any, Any], task: Task) -> dict[str, Any]:
    """Do a task's demonstration, and return the last info."""
    info = contract.reset(env, task)[1]
    for action in demonstration(task):
        *_, info = env.step(action)
        assert "error" not in info, (action, info)
    return info


@pytest.mark.parametrize("options", [{}, {"style": "plain", "show_attributes": True}, {"goals": "synthetic"}])
def test_it_keeps_the_contracts(options: dict[str, Any]) -> None:
    check_env(WebShopEnv(**options))
    check_snapshot(WebShopEnv(**options), rng=np.random.default_rng(0))


def test_the_generated_catalogue_is_as_large_and_varied_as_it_says() -> None:
    shop = shop_named("generated")
    assert len(shop.catalogue.products) == 1200
    assert {product.category for product in shop.catalogue.products} == CATEGORIES
    assert all(product.options and product.attributes and product.bullets for product in shop.catalogue.products)
    assert sum(len(product.prices) == 2 for product in shop.catalogue.products) > 300


def test_goals_are_the_same_in_every_process() -> None:
    script = "from pathei.envs.shop.shops import shop_named; print(shop_named('generated').goals().digest)"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert shop_named("generated").goals().digest == other == GOALS_DIGEST


def test_the_splits_are_the_usual_ones_and_share_no_goal() -> None:
    goals = shop_named("generated").goals()
    parts = [goals.split(name) for name in SPLITS]
    assert [len(part) for part in parts] == [500, 1000, len(goals.all) - 1500]
    assert sum(map(len, parts)) == len(goals.all)
    assert len({(goal.asin, goal.text) for goal in goals.all}) == len(goals.all)


def test_prices_and_goals_do_not_depend_on_the_order_of_the_files(tmp_path: Path) -> None:
    files = generate(3, 60)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = shop_named(str(write_files(tmp_path / "a", files)))
    other = shop_named(str(write_files(tmp_path / "b", files._replace(items=files.items[::-1]), size="")))
    assert one.goals().digest == other.goals().digest
    assert one.goals("synthetic").digest == other.goals("synthetic").digest
    assert one.catalogue.digest != other.catalogue.digest  # ties of a search fall by order


def test_a_longer_generated_catalogue_begins_with_the_shorter() -> None:
    assert generate(5, 100).items == generate(5, 130).items[:100]


def test_every_goal_of_the_generated_shop_can_be_met() -> None:
    env = WebShopEnv()
    shop = shop_named("generated")
    goals = [*shop.goals().all, *shop.goals("synthetic").all[::10]]
    env.reset(seed=0)
    for goal in goals:
        env.reset(options={"goal": {"text": goal.text, "conditions": [goal.condition()]}})
        named = goal.options if isinstance(goal.options, dict) else enumerate(goal.options)
        product = shop.catalogue.by_asin[goal.asin]
        values = [value for _, value in (named.items() if isinstance(named, dict) else named)]
        chosen = [(name, value) for name, some in product.options.items() for value in some if value in values]
        assert env.judge(ShopPage("done", asin=goal.asin, options=tuple(chosen))).total == 1.0, goal


def test_demonstrations_reach_their_goals() -> None:
    env = gymnasium.make(ENV)
    tasks = [*generate_tasks(40, 1), *split_tasks("test")[:20], *split_tasks("dev", kind="synthetic")[:20]]
    assert all(play(env, task)["success"] for task in tasks)
    assert len({task.id for task in tasks}) == len(tasks)


def test_a_walk_through_the_pages() -> None:
    env = WebShopEnv(split="test", number=0)
    text, info = env.reset(seed=0)
    assert text.startswith("WebShop\nInstruction: \n")
    assert text.rstrip().endswith("[button] Search [button_]")
    text, *_, info = env.step("search[winter coat]")
    assert "Page 1 (Total results: " in text
    first = next(action for action in info["actions"] if action.startswith("click[b0"))
    text, *_, info = env.step("click[next >]")
    assert "Page 2 (" in text
    assert "[button] < Prev [button_]" in text
    env.step("click[< prev]")
    text, *_, info = env.step(first.upper().replace("CLICK", "click"))
    assert "Rating: N.A." in text
    value = next(iter(env.episode.pages.catalogue.by_asin[env.place.asin].options.values()))[0]
    text, *_, info = env.step(f"click[{value}]")
    assert f"You have clicked {value}." in text
    assert info["facts"]["options"]
    assert "error" not in env.step("click[features]")[4]
    env.step("click[< prev]")
    assert env.place.options, "choices are kept while a sub-page is read"
    text, *_, info = env.step("click[< prev]")
    assert f"[clicked button] {first[6:-1].upper()} [clicked button_]" in text
    assert not env.place.options
    env.step(first)
    text, reward, done, _, info = env.step("click[buy now]")
    assert done
    assert info["progress"] == reward
    assert info["actions"] == ()
    assert "error" in env.step("click[buy now]")[4]


def test_next_is_offered_only_where_there_is_more() -> None:
    pages = shop_named("generated").pages()
    few = ShopPage("results", "nail clippers kit purple deluxe alder")
    found = pages.catalogue.search(few.query)
    last = (len(found) - 1) // 10 + 1
    assert "next >" not in pages.sheet(few._replace(number=last)).clickables
    assert not pages.sheet(ShopPage("results", "zzzzz")).pieces[-1].text.startswith("B0")


@pytest.mark.parametrize(
    "action", ["", "buy", "search[]", "click[]", "click[search]", "click[nothing]", "search", "[x]"]
)
def test_what_is_no_action_changes_nothing_and_says_why(action: str) -> None:
    env = WebShopEnv()
    env.reset(seed=1)
    text, reward, done, _, info = env.step(action)
    assert env.place == START
    assert (reward, done) == (0.0, False)
    assert info["error"] in text


@given(st.text(max_size=40))
def test_any_text_is_answered(action: str) -> None:
    env = WebShopEnv()
    env.reset(seed=1)
    text, *_ = env.step(action)
    assert text in env.observation_space


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 12))
def test_the_model_and_the_environment_agree(seed: int, steps: int) -> None:
    env = WebShopEnv()
    env.reset(seed=seed)
    model, draws, start = env.model(), StableRandom(np.random.default_rng(seed)), env.snapshot()
    trace = []
    while len(trace) < steps and (action := model.sample(draws)) is not None:
        assert model.possible(action)
        outcome = model.step(action)
        trace.append((action, outcome, model.success(), model.key()))
    env.restore(start)
    for action, outcome, success, key in trace:
        _, reward, done, _, info = env.step(model.text(action))
        assert (reward, done, info["success"], model.key()) == (outcome.reward, outcome.done, success, key)


def test_official_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = write_files(tmp_path, generate(0, 80))
    shop = shop_named(str(folder))
    assert shop.catalogue.products == shop_named("generated:0:80").catalogue.products
    task = split_tasks("test", catalogue=str(folder))[0]
    assert play(WebShopEnv(), task)["success"]


def test_what_webshop_skips_is_skipped(tmp_path: Path) -> None:
    files = generate(0, 5)
    odd = [{**files.items[0], "asin": "nan"}, {**files.items[0], "asin": "B0123456789"}, files.items[1]]
    bare = {**files.items[2], "asin": "B000000001", "pricing": None, "customization_options": None}
    bare |= {"small_description": "one bullet", "full_description": None}
    write_files(tmp_path, files._replace(items=[*files.items, *odd, bare]))
    catalogue = shop_named(str(tmp_path)).catalogue
    assert len(catalogue.products) == 6
    last = catalogue.products[-1]
    assert (last.tag, last.options, last.bullets, last.description) == ("$100.0", {}, ("one bullet",), "")
    assert last.attributes == ("DUMMY_ATTR",)
    assert catalogue.price(last) == 100.0


def test_files_that_are_missing_or_broken_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no WebShop products"):
        shop_named(str(tmp_path))
    write_files(tmp_path, generate(0, 3))
    (tmp_path / "items_ins_v2_1000.json").unlink()
    with pytest.raises(DataError, match=r"put items_ins_v2_1000\.json there"):
        shop_named(str(tmp_path))
    (tmp_path / "items_ins_v2_1000.json").write_text("[", "utf-8")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        shop_named(str(tmp_path))
    (tmp_path / "items_ins_v2_1000.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match="a JSON object"):
        shop_named(str(tmp_path))
    write_files(tmp_path, generate(0, 3))
    (tmp_path / "items_shuffle_1000.json").write_text('[{"asin": "B000000001"}]', "utf-8")
    with pytest.raises(DataError, match=r"Item 1 \(B000000001\).*KeyError"):
        shop_named(str(tmp_path))


BUY = {"buy": "none", "attributes": ["soft"], "options": [], "price_upper": 10.0}


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"catalog": "x"}, ConfigError, "catalogue"),
        ({"style": "html"}, ConfigError, "style"),
        ({"catalogue": "generated:x"}, ConfigError, "generated:SEED"),
        ({"goals": "humans"}, UnknownNameError, "human"),
        ({"split": "validation"}, UnknownNameError, "split"),
        ({"split": "test", "number": 500}, ConfigError, "0 to 499"),
        ({"catalogue": "generated:0:10"}, DataError, "30 goals only"),
        ({"goal": {"text": "", "conditions": [{"nod": 1}]}}, GoalError, "condition of the shop"),
        ({"goal": {"text": "", "conditions": [BUY]}}, GoalError, "not in the catalogue"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], error: type[PatheiError], says: str) -> None:
    env = WebShopEnv()
    with pytest.raises(error, match=says):
        env.reset(seed=0, options=options)


def test_tasks_that_cannot_be_shown_are_refused() -> None:
    with pytest.raises(ConfigError, match="no goal of the shop"):
        demonstration(Task("x", ENV, 0, Goal("buy something")))
    with pytest.raises(ConfigError, match="is not in its catalogue"):
        demonstration(Task("x", ENV, 0, Goal("buy something", (BUY,))))
    with pytest.raises(ConfigError, match="ask for no more"):
        generate_tasks(10**6, 0)
    assert all(check.ok for check in check_shop() if check.required)


@pytest.mark.parametrize("package", ["rapidfuzz", "snowballstemmer"])
def test_a_package_that_is_missing_is_named_at_the_reset(package: str) -> None:
    script = f"""import sys
sys.modules[{package!r}] = None
from pathei.envs.shop.env import WebShopEnv
from pathei.errors import MissingDependencyError
try:
    WebShopEnv(catalogue="generated:0:200", split="all").reset(seed=0)
except MissingDependencyError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert f"needs {package}, which is not installed: pip install" in said
    assert "[shop]" in said


def test_suggested_searches_come_from_the_instruction_alone() -> None:
    told = "i need a gluten free, low carb protein bars - chocolate, and price lower than 40.00 dollars"
    found = queries(told)
    assert found[0] == "gluten free low carb protein bars chocolate"
    assert all(word in told for query in found for word in query.split())
    assert queries("i want it") == ("i want it",)


@given(st.lists(st.text(), max_size=3), st.integers(1, 50))
def test_lots_belong_to_their_names(names: list[str], count: int) -> None:
    assert 0 <= lot(*names) < 1
    assert [HashRandom(*names).uniform() for _ in range(2)] == [HashRandom(*names).uniform()] * 2
    assert sorted(HashRandom(*names).some(range(count), count)) == list(range(count))


def test_pages_follow_only_what_is_there() -> None:
    pages = ShopPages(shop_named("generated").catalogue)
    assert isinstance(pages.follow(START, "click[buy now]"), str)
    assert isinstance(pages.follow(ShopPage("item", asin=pages.catalogue.products[0].asin), "click[attributes]"), str)


def test_exploration_search_and_oracle_fill_one_store_and_search_beats_chance(tmp_path: Path) -> None:
    tasks = generate_tasks(6, 5)
    search = MctsConfig(search=household_search(simulations=600, depth=8))
    env = gymnasium.make(ENV)
    with ExperienceStore.open(tmp_path / "store") as store:
        collect(store, tasks, lambda: make_explorer(seed=0, max_steps=15), name="explore")
        collect(store, tasks, lambda: make_searcher(search), name="mcts")
        for task in tasks:
            store.append(episode(env, task, ScriptedAgent(demonstration(task)), max_steps=15, collector="oracle"))
        found = {name: list(store.trajectories(collector=name)) for name in ("explore", "mcts", "oracle")}
    won = {name: sum(bool(one.success) for one in some) for name, some in found.items()}
    earned = {name: sum(one.total_reward for one in some) for name, some in found.items()}
    assert won["oracle"] == len(tasks)
    assert won["mcts"] > won["explore"]
    assert earned["mcts"] > earned["explore"]
