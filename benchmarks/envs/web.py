"""How fast MiniWoB++ is played in the browser, against its own package on selenium and against BrowserGym.

    python benchmarks/envs/web.py [--rounds 5] [--browsergym] [--search]

Rates are medians over rounds that take turns, so that a busy machine is busy for all. `--browsergym` makes a virtual
environment of BrowserGym's pins in the cache folder (once, 300 MB). `--search` compares MCTS with random play at an
equal number of environment steps, those of replaying included. Everything runs headless, on PyPI's `miniwob` pages.
"""

import argparse
import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from platformdirs import user_cache_path
from rich.console import Console
from rich.table import Table

from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.envs.model import EnvModel
from pathei.envs.replay import VerifiedReplay
from pathei.envs.web.browser.browser import Browser, find_browser
from pathei.envs.web.miniwob import env as miniwob
from pathei.envs.web.miniwob import pages

psutil: Any = importlib.import_module("psutil")

PAGES = ("click-test-2", "email-inbox")
HARMLESS = ((5, 205), (150, 205))
"""Two places where a click changes nothing."""

SEARCHED = (
    *("click-test-2", "click-button", "click-option", "click-tab-2", "click-color", "identify-shape", "phone-book"),
    *("enter-password", "click-checkboxes", "choose-list", "grid-coordinate", "click-collapsible-2-nodelay"),
    *("email-inbox-delete", "email-inbox-important"),
)

BROWSERGYM = ("browsergym-core==0.14.3", "browsergym-miniwob==0.14.3")
_BROWSERGYM_SCRIPT = """
import json, sys, time
import gymnasium, browsergym.miniwob
tuned = sys.argv[2] == "tuned"
options = dict(slow_mo=0, pre_observation_delay=0) if tuned else {}
env = gymnasium.make("browsergym/miniwob." + sys.argv[1], **options)
resets, steps = [], []
for seed in range(3):
    begun = time.perf_counter(); env.reset(seed=seed); resets.append(time.perf_counter() - begun)
    for n in range(6):
        begun = time.perf_counter()
        env.step("mouse_click(%d, 205)" % (5 if n % 2 else 150)); steps.append(time.perf_counter() - begun)
env.close()
print(json.dumps([resets, steps]))
"""

Rates = dict[str, float]


def per_second(action: Callable[[int], Any], times: int) -> float:
    """Return how many calls are done in a second."""
    begun = time.perf_counter()
    for number in range(times):
        action(number)
    return times / (time.perf_counter() - begun)


class Ours:
    """This package, on one shared browser."""

    def __init__(self, page: str, browser: Browser) -> None:
        self.plain = miniwob.make(task=page, browser=browser)
        self.seen = miniwob.make(task=page, browser=browser, screenshot=True)
        for env in (self.plain, self.seen):
            env.reset(seed=0)

    def measure(self) -> Rates:
        """Return resets, real clicks and clicks with a screenshot per second."""

        def click(env: Any) -> Callable[[int], Any]:
            return lambda n: env.step(f"click ({HARMLESS[n % 2][0]}, {HARMLESS[n % 2][1]})")

        found = {"reset": per_second(lambda n: self.plain.reset(seed=n), 60)}
        self.plain.reset(seed=1)
        found["click"] = per_second(click(self.plain), 100)
        self.seen.reset(seed=1)
        return {**found, "click + screenshot": per_second(click(self.seen), 20)}

    def close(self) -> None:
        """Close the environments."""
        self.plain.close()
        self.seen.close()


class Selenium:
    """The package `miniwob` as it comes, headless."""

    def __init__(self, page: str) -> None:
        chromedriver = shutil.which("chromedriver")
        if chromedriver is None:
            sys.exit("chromedriver is not installed: apt-get install chromium-driver")
        os.environ.update(MINIWOB_CHROME_BINARY=find_browser(), MINIWOB_CHROMEDRIVER=chromedriver)
        gymnasium.register_envs(importlib.import_module("miniwob"))
        self.env: Any = gymnasium.make(f"miniwob/{page}-v1")
        self.click_coords: Any = importlib.import_module("miniwob.action").ActionTypes.CLICK_COORDS

    def measure(self) -> Rates:
        """Return the same; without screenshots they are switched off as the package allows."""

        def click(n: int) -> Any:
            place = np.array(HARMLESS[n % 2], dtype=np.float32)
            return self.env.step(self.env.unwrapped.create_action(self.click_coords, coords=place))

        off = {"record_screenshots": False}
        found = {"reset": per_second(lambda n: self.env.reset(seed=n, options=off), 15)}
        found["click"] = per_second(click, 40)
        self.env.reset(seed=1, options={"record_screenshots": True})
        return {**found, "click + screenshot": per_second(click, 15)}

    def close(self) -> None:
        """End its browser; where that is a script that starts the program, chromedriver leaves the program running."""
        started = psutil.Process().children(recursive=True)
        self.env.close()
        for process in started:
            if process.is_running() and "webdriver" in " ".join(process.cmdline()):
                process.kill()


class BrowserGym:
    """BrowserGym with its own pins, in a virtual environment of its own."""

    def __init__(self, page: str, speed: str) -> None:
        self.page, self.speed = page, speed
        self.folder = user_cache_path("pathei") / "benchmarks" / "browsergym"
        if not (self.folder / "installed").exists():
            print("Installing BrowserGym into", self.folder, "(once) ...")
            subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
            pip = [str(self.folder / "bin" / "python"), "-m", "pip", "install", "-qq", *BROWSERGYM]
            subprocess.run(pip, check=True)
            (self.folder / "installed").touch()

    def measure(self) -> Rates:
        """Return resets and clicks per second; its step always holds DOM, accessibility tree and screenshot."""
        with tempfile.TemporaryDirectory() as place:
            # Where its playwright expects its own Chromium stands the system's.
            listed = next(self.folder.rglob("playwright/driver/package/browsers.json"))
            browsers = json.loads(listed.read_text())["browsers"]
            revision = next(b["revision"] for b in browsers if b["name"] == "chromium")
            shell = Path(place) / f"chromium-{revision}" / "chrome-linux"
            shell.mkdir(parents=True)
            (shell / "chrome").symlink_to(find_browser())
            (shell.parent / "INSTALLATION_COMPLETE").touch()
            url = (pages.folder() / "miniwob").as_uri() + "/"
            settings = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": place, "MINIWOB_URL": url}
            command = [str(self.folder / "bin" / "python"), "-c", _BROWSERGYM_SCRIPT, self.page, self.speed]
            done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            sys.exit(f"BrowserGym failed: {done.stderr[-2000:]}")
        resets, steps = json.loads(done.stdout.splitlines()[-1])
        rate = 1 / statistics.median(steps)
        return {"reset": 1 / statistics.median(resets), "click": rate, "click + screenshot": rate}

    def close(self) -> None:
        """Nothing is left running."""


def compare(page: str, rounds: int, browsergym: bool) -> None:
    """Print the rates of one page and their ratios."""
    with Browser() as browser:
        players: dict[str, Any] = {"pathei": Ours(page, browser), "miniwob (selenium)": Selenium(page)}
        if browsergym:
            players["BrowserGym as shipped"] = BrowserGym(page, "shipped")
            players["BrowserGym without delays"] = BrowserGym(page, "tuned")
        found: dict[str, list[Rates]] = {name: [] for name in players}
        for number in range(rounds):
            for name, player in players.items():
                # BrowserGym takes half a minute a round, and varies little.
                if number < 2 or "BrowserGym" not in name:
                    found[name].append(player.measure())
        for player in players.values():
            player.close()
    kinds = ("reset", "click", "click + screenshot")
    median = {name: {k: statistics.median(r[k] for r in rates) for k in kinds} for name, rates in found.items()}
    table = Table("per second", *kinds, title=f"{page}, median of {rounds} rounds")
    for name, rates in median.items():
        table.add_row(name, *(f"{rates[kind]:.1f}" for kind in kinds))
    for name in list(median)[1:]:
        ratios = (median["pathei"][kind] / median[name][kind] for kind in kinds)
        table.add_row(f"pathei against {name}", *(f"{ratio:.1f}x" for ratio in ratios))
    Console(width=120).print(table)


class Counted(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Counts the steps that really go to the browser."""

    steps = 0

    def step(self, action: Any) -> Any:
        """Act."""
        self.steps += 1
        return self.env.step(action)


def searched(env: Counted, page: str, seed: int, simulations: int) -> tuple[bool, int]:
    """Search a plan; return whether it reaches the goal, and the steps that it took, replays included."""
    replay = VerifiedReplay(env)
    observation, info = replay.reset(seed=seed, options={"task": page})
    env.steps = 0
    config = SearchConfig(simulations, depth=8, selection="uct", stop_on_success=True, **TREE_ALONE)
    model = EnvModel(replay, info, observation=observation, observed_state=True)
    found = Search(model, config, np.random.default_rng(seed)).run()
    return bool(found.success), env.steps


def random_play(env: Counted, page: str, seed: int, budget: int) -> tuple[bool, float]:
    """Play episodes of 8 random admissible actions until the steps are used up.

    Returns:
        Whether any reached the goal, and the share that did.
    """
    rng, wins, episodes = np.random.default_rng(seed), 0, 0
    env.steps = 0
    while env.steps < budget or not episodes:
        _, info = env.reset(seed=seed, options={"task": page})
        episodes += 1
        for _ in range(8):
            if not info["actions"]:
                break
            *_, info = env.step(str(rng.choice(info["actions"])))
        wins += bool(info["success"])
    return wins > 0, wins / episodes


def search(seeds: int, simulations: int) -> None:
    """Print, page by page, how often MCTS and random play at equal steps reach the goal."""
    table = Table("page", "MCTS", "random, same steps", "random, per episode", "steps", title=f"{seeds} seeds a page")
    better = 0
    with Browser() as browser:
        env = Counted(miniwob.make(browser=browser))
        for page in SEARCHED:
            results = []
            for seed in range(seeds):
                success, steps = searched(env, page, seed, simulations)
                results.append((success, steps, *random_play(env, page, seed, steps)))
            won, used, any_random, per_episode = (float(np.mean(column)) for column in zip(*results, strict=True))
            better += won > any_random
            table.add_row(page, f"{won:.0%}", f"{any_random:.0%}", f"{per_episode:.1%}", f"{used:.0f}")
        env.close()
    Console(width=120).print(table)
    print(f"MCTS is better on {better} of {len(SEARCHED)} pages ({simulations} simulations, depth 8).")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each player is measured")
    parser.add_argument("--browsergym", action="store_true", help="measure BrowserGym as well")
    parser.add_argument("--search", action="store_true", help="compare MCTS with random play instead")
    parser.add_argument("--seeds", type=int, default=10, help="for --search: seeds a page")
    parser.add_argument("--simulations", type=int, default=150, help="for --search: simulations a search")
    options = parser.parse_args()
    if options.search:
        search(options.seeds, options.simulations)
        return
    for page in PAGES:
        compare(page, options.rounds, options.browsergym)


if __name__ == "__main__":
    main()
