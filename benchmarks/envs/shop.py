"""How fast shop and documents are, in process and served; what search wins there; and WebShop itself, compared.

    python benchmarks/envs/shop.py [--steps 20000] [--tasks 50] [--browser] [--original FOLDER]

Every rate is per second of processor time of this process, the best of three repeats, but for what is served, which is
per second of wall time. Steps are those of random walks over the listed actions, resets included, with the text written
at every step; `new searches` are queries that were never asked before. `--browser` plays demonstrations in a real
Chromium.

`--original FOLDER` compares with WebShop's own code: a checkout of princeton-nlp/WebShop. Flask, BeautifulSoup, thefuzz
and tqdm are installed from PyPI into a temporary folder. What is not available is replaced: the Lucene index by this
search, spaCy's nouns by `plain_nouns`, gym and torch by empty modules. Both then play the same actions on the same
goals of the generated catalogue, and what they say is compared word for word.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.search.collector import MctsConfig, household_search, make_searcher
from pathei.envs import contract
from pathei.envs.documents import tasks as docs_tasks
from pathei.envs.documents.env import DocsEnv
from pathei.envs.shop import tasks as shop_tasks
from pathei.envs.shop.env import WebShopEnv
from pathei.envs.shop.generated import generate
from pathei.envs.shop.goals import ShopGoal
from pathei.envs.shop.reward import plain_nouns
from pathei.envs.shop.shops import shop_named
from pathei.envs.shop.site import ShopSite, address
from pathei.experience import Task, Trajectory

BAR = 5_000
"""Steps per second that the shop must do in process."""
WALK = 15
"""The longest walk."""
HORIZON = 30
"""The longest episode of chance and of search, as `pathei collect` has it."""
PACKAGES = ("flask", "beautifulsoup4", "thefuzz", "tqdm")


def cpu_rate(run: Callable[[], int], repeats: int = 3) -> float:
    """Return how much is done per second of processor time, at best."""
    best = 0.0
    for _ in range(repeats):
        begun = time.process_time()
        done = run()
        best = max(best, done / (time.process_time() - begun))
    return best


def walk(env: gymnasium.Env[Any, Any], steps: int) -> int:
    """Take random listed actions, resetting as episodes end."""
    rng = np.random.default_rng(0)
    done = 0
    while done < steps:
        _, info = env.reset(seed=done)
        for _ in range(WALK):
            actions = info["actions"]
            _, _, over, _, info = env.step(actions[int(rng.integers(len(actions)))])
            done += 1
            if over:
                break
    return done


def repeat(times: int, call: Callable[[], object]) -> int:
    """Call something several times."""
    for _ in range(times):
        call()
    return times


def world_rates(env: Any, steps: int) -> tuple[float, ...]:
    """Return how many steps, resets, snapshots and restores a world does in a second."""
    env.reset(seed=0)
    here = env.snapshot()
    return (
        cpu_rate(lambda: walk(env, steps)),
        cpu_rate(lambda: repeat(2000, env.reset)),
        cpu_rate(lambda: repeat(20_000, env.snapshot)),
        cpu_rate(lambda: repeat(20_000, lambda: env.restore(here))),
    )


def in_process(console: Console, steps: int) -> float:
    """Measure both worlds in process, and return the steps per second of the shop."""
    table = Table("world", "steps/s", "resets/s", "snapshots/s", "restores/s")
    shop_rate = 0.0
    worlds: dict[str, WebShopEnv | DocsEnv] = {
        "shop": WebShopEnv(),
        "shop, plain text": WebShopEnv(style="plain"),
        "documents": DocsEnv(),
    }
    for name, env in worlds.items():
        rates = world_rates(env, steps)
        shop_rate = shop_rate or rates[0]
        table.add_row(name, *(f"{rate:,.0f}" for rate in rates))
    console.print(table)
    goals = shop_named("generated").goals().all
    queries = iter([goal.text for goal in goals] * 2)
    index = shop_named("generated").catalogue.index
    found = cpu_rate(lambda: repeat(1000, lambda: index.search(f"{next(queries)} ", 50)), 1)
    console.print(
        f"shop, new searches: {found:,.0f}/s; bar of {BAR:,} steps/s: {shop_rate / BAR:.1f} times", highlight=False
    )
    return shop_rate


def served(console: Console, rate: float) -> None:
    """Measure the shop's pages as HTML over HTTP on loopback."""
    site = ShopSite()
    opening = site.open(0, {})
    env = WebShopEnv()
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    count, begun = 500, time.perf_counter()
    for _ in range(count):
        actions = env.actions() or ("",)
        env.act(actions[int(rng.integers(len(actions)))])
        if env.place.page == "done":
            env.reset()
        with urlopen(opening.origins[0] + address(env.place), timeout=10) as page:
            page.read()
    theirs = count / (time.perf_counter() - begun)
    site.close()
    console.print(
        f"served as HTML, fetched and not parsed: {theirs:,.0f} pages/s; in process {rate / theirs:,.0f} times"
    )


def in_browser(console: Console, rate: float, count: int) -> None:
    """Measure demonstrations in a real browser."""
    from pathei.envs.shop.site import browser_shop

    env = browser_shop()
    steps, won, begun = 0, 0, time.perf_counter()
    for task in shop_tasks.split_tasks("test")[:count]:
        contract.reset(env, task)
        info: dict[str, Any] = {}
        for action in shop_tasks.demonstration(task):
            verb, _, what = action[:-1].partition("[")
            role = "searchbox" if verb == "search" else "link"
            element = next(
                e for e in env.view.elements if e.role == role and (role == "searchbox" or e.name.lower() == what)
            )
            given = [f"type [{element.id}] {json.dumps(what)}", "press Enter"]
            for one in given if verb == "search" else [f"click [{element.id}]"]:
                *_, info = env.step(one)
                steps += 1
        won += bool(info.get("success"))
    theirs = steps / (time.perf_counter() - begun)
    env.close()
    console.print(
        f"in Chromium: {theirs:,.1f} steps/s, {won} of {count} goals met; in process {rate / theirs:,.0f} times"
    )


def won(records: list[Any]) -> str:
    """Tell how many goals were met and what was earned on average."""
    played = [record for record in records if isinstance(record, Trajectory)]
    met = sum(bool(record.success) for record in played)
    return f"{met / len(records):.0%}, reward {sum(record.total_reward for record in played) / len(records):.2f}"


def search_against_chance(console: Console, count: int) -> None:
    """Let chance, search and oracle play the same tasks."""
    table = Table("world", "random", "MCTS 500", "MCTS 2,000", "MCTS 5,000", "oracle")
    worlds: tuple[tuple[str, Any], ...] = (("shop", shop_tasks), ("documents", docs_tasks))
    for name, module in worlds:
        tasks = module.generate_tasks(count, 5)
        cells = [won(list(make_explorer(seed=0, max_steps=HORIZON).collect(tasks)))]
        for simulations in (500, 2000, 5000):
            config = MctsConfig(search=household_search(simulations=simulations, depth=HORIZON))
            cells.append(won(list(make_searcher(config).collect(tasks))))
        cells.append(f"{sum(solved(task, module.demonstration(task)) for task in tasks) / count:.0%}")
        table.add_row(name, *cells)
    console.print(table)


def solved(task: Task, actions: Any) -> bool:
    """Return whether a demonstration reaches its goal."""
    env = contract.make(task)
    contract.reset(env, task)
    return bool([env.step(action) for action in actions][-1][4]["success"])


def load_original(checkout: Path, packages: Path, data: Path) -> Any:
    """Import WebShop's text environment over the generated catalogue, or say why that cannot be and return None."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages), *PACKAGES]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode:
        print(f"WebShop is skipped: pip could not install {', '.join(PACKAGES)}.")
        return None
    files = generate(0)
    for name, content in zip(("items", "ins", "people"), files, strict=True):
        (data / f"{name}.json").write_text(json.dumps(content), "utf-8")
    for name in ("torch", "cleantext", "pyserini", "pyserini.search"):
        sys.modules[name] = types.ModuleType(name)
    stand_in("gym", Env=object)
    stand_in("rank_bm25", BM25Okapi=None)
    stand_in("pyserini.search.lucene", LuceneSearcher=None)
    stand_in("spacy", load=lambda name: tagged)
    sys.path[:0] = [str(checkout), str(packages)]
    # WebShop's own package of environments imports selenium.
    stand_in("web_agent_site.envs", __path__=[str(checkout / "web_agent_site" / "envs")])
    utils = importlib.import_module("web_agent_site.utils")
    utils.DEFAULT_FILE_PATH = str(data / "items.json")  # type: ignore[attr-defined]
    utils.DEFAULT_ATTR_PATH = str(data / "ins.json")  # type: ignore[attr-defined]
    utils.HUMAN_ATTR_PATH = str(data / "people.json")  # type: ignore[attr-defined]
    module = importlib.import_module("web_agent_site.envs.web_agent_text_env")
    module.init_search_engine = lambda num_products=None: Searcher()  # type: ignore[attr-defined]
    return module


def stand_in(name: str, **content: Any) -> None:
    """Put a module in the place of one that is not available."""
    module = sys.modules[name] = types.ModuleType(name)
    vars(module).update(content)


def tagged(title: str) -> list[Any]:
    """Stand in for spaCy: the words that `plain_nouns` finds, all nouns."""
    return [types.SimpleNamespace(text=word, pos_="NOUN") for word in plain_nouns(title)]


class Searcher:
    """Stands in for Lucene: the shop's own search."""

    def search(self, query: str, k: int) -> list[Any]:
        """Return the hits."""
        return [
            types.SimpleNamespace(docid=product.asin) for product in shop_named("generated").catalogue.search(query)
        ]

    def doc(self, docid: str) -> Any:
        """Return a document that knows its number."""
        return types.SimpleNamespace(raw=lambda: json.dumps({"id": docid}))


def against_original(console: Console, checkout: Path, episodes: int) -> None:
    """Play the same actions in WebShop and here; compare what both say, and how fast."""
    with tempfile.TemporaryDirectory() as packages, tempfile.TemporaryDirectory() as data:
        module = load_original(checkout, Path(packages), Path(data))
        if module is None:
            return
        rng = np.random.default_rng(0)
        same: Counter[str] = Counter()
        seconds = {"WebShop": 0.0, "here": 0.0}
        for human in (True, False):
            for mode, style in (("text_rich", "rich"), ("text", "plain")):
                original = module.WebAgentTextEnv(observation_mode=mode, human_goals=human)
                catalogue = shop_named("generated").catalogue
                original.server.product_prices = {p.asin: catalogue.price(p) for p in catalogue.products}
                env = WebShopEnv(style=style)
                for _ in range(episodes):
                    one_episode(original, env, rng, same, seconds)
    console.print(f"WebShop in comparison: {dict(same)}", highlight=False)
    rates = {name: same["steps"] / spent for name, spent in seconds.items()}
    console.print(
        f"the same actions: WebShop {rates['WebShop']:,.1f} steps/s, here {rates['here']:,.0f} steps/s: "
        f"{rates['here'] / rates['WebShop']:,.0f} times",
        highlight=False,
    )


def one_episode(original: Any, env: WebShopEnv, rng: Any, same: Counter[str], seconds: dict[str, float]) -> None:
    """Play one episode in both."""
    number = int(rng.integers(len(original.server.goals)))
    given = original.server.goals[number]
    options = given["goal_options"]
    options = dict(options) if isinstance(options, dict) else tuple(options)
    goal = ShopGoal(given["asin"], given["instruction_text"], tuple(given["attributes"]), options, given["price_upper"])
    theirs, _ = original.reset(session=number)
    ours, info = env.reset(seed=0, options={"goal": {"text": goal.text, "conditions": [goal.condition()]}})
    same["first page"] += theirs == ours
    for step in range(WALK):
        listed = [f"click[{name}]" for name in original.get_available_actions()["clickables"] if name != "search"]
        extra = set(listed) - {action for action in info["actions"] if action.startswith("click")}
        same["clickables"] += extra <= {"click[next >]"}
        listed = [action for action in listed if action not in extra] or list(info["actions"])
        action = listed[int(rng.integers(len(listed)))]
        if step > WALK // 2 and "click[buy now]" in listed:
            action = "click[buy now]"
        begun = time.process_time()
        theirs, earned, over, _ = original.step(action)
        middle = time.process_time()
        ours, reward, done, _, info = env.step(action)
        seconds["WebShop"] += middle - begun
        seconds["here"] += time.process_time() - middle
        same["steps"] += 1
        same["reward and end"] += abs(earned - reward) < 1e-12 and over == done
        if done:
            same["bought"] += 1
            return
        # WebShop offers "Next >" on the last page as well.
        for text in ("[button] Next > [button_]\n", " [SEP] Next >"):
            theirs, ours = theirs.replace(text, ""), ours.replace(text, "")
        same["text"] += theirs == ours


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--original", type=Path)
    args = parser.parse_args()
    console = Console(width=140)
    for id_, entry in (
        (shop_tasks.ENV, "pathei.envs.shop.env:WebShopEnv"),
        (docs_tasks.ENV, "pathei.envs.documents.env:DocsEnv"),
    ):
        if id_ not in gymnasium.registry:
            gymnasium.register(id_, entry, max_episode_steps=50, disable_env_checker=True)
    rate = in_process(console, args.steps)
    served(console, rate)
    if args.browser:
        in_browser(console, rate, min(args.tasks, 20))
    search_against_chance(console, args.tasks)
    if args.original:
        against_original(console, args.original, 40)


if __name__ == "__main__":
    main()
