"""MiniWoB++ as a gymnasium environment: `pathei/MiniWoB-v0`; the page is chosen by the option `task`.

The pages are PyPI's, unchanged; what differs from the package's own environment is around them: no wall clock in the
episode nor in the reward, the last page is kept, the observation is text, and the input is the browser's own. Not here:
the package's dict action space, and its fields (the utterance split into key and value).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import orjson

from ....errors import ConfigError, MissingDependencyError
from ....experience import Goal, Task
from ....extras import install_command
from ...contract import Requirement
from ...text_env import check_options
from ..browser.browser import Browser, find_browser
from ..browser.page import PageConfig, PageView
from ..browser.server import FolderServer
from ..env import Brief, Opening, Verdict, WebEnv
from . import pages

WORLD_ID: Final = "pathei/MiniWoB-v0"
STEP_MS: Final = 250
"""How far an action moves the page's clock; MiniWoB's shortest signal lasts as long."""

TASK_SIZE: Final = (210, 160)
FLIGHT_SIZE: Final = (667, 375)
"""Height and width of what belongs to a task, in pixels, as in the package."""

_OPTIONS: Final = ("task", "reward", "threshold", "mode", "goal")
_SKIP: Final = "#reward-display, #click-canvas, #sync-task-cover, #query, #query-wrap"
_EXTRA: Final = "[WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL, WOB_REWARD_REASON, core.getUtterance()]"
_LOCAL: Final = PageConfig(500, 320, step_ms=STEP_MS, shapes=True, skip=_SKIP, extra=_EXTRA)
_FLIGHT: Final = PageConfig(600, 800, step_ms=STEP_MS, skip=_SKIP, extra=_EXTRA)

# No clock: the episode does not time out, the cover that hides the last page does not come, nothing counts down.
_PREPARE: Final = "core.EPISODE_MAX_TIME = 1e9; core.startEpisode = () => {}; core.countdownTimer = () => {};"
_START: Final = "core.setDataMode(%s); Math.seedrandom(%d); core.startEpisodeReal();"
_READY: Final = " __pathei.until(() => WOB_TASK_READY, 10000)"
# A timer of the episode before would run on into this one: then the page is loaded again.
_AGAIN: Final = "(core.endEpisode(0), !__pathei.pending()) && (__pathei.restart(), (() => { %s })(), true)"

RELOADED: Final = frozenset(
    "book-flight book-flight-nodelay click-scroll-list form-sequence form-sequence-3 login-user-popup scroll-text "
    "scroll-text-2 search-engine use-autocomplete use-autocomplete-nodelay use-colorwheel use-colorwheel-2 use-slider "
    "use-slider-2".split()
)
"""The tasks whose page does not restart by itself as it began at first: it is loaded again for each episode."""


class MiniWoB:
    """The site; see `env.Site`."""

    def __init__(self) -> None:
        """Prepare; the server for the flight tasks starts when one is asked for."""
        self._server: FolderServer | None = None
        self._task = ""
        self._seed = 0
        self._binary = False
        self._threshold = 1.0

    def open(self, seed: int, options: Mapping[str, Any]) -> Opening:
        """Begin an episode of `options["task"]`, or of a local page that follows from the seed; see `env.Site.open`."""
        check_options("MiniWoB", options, _OPTIONS)
        task = options.get("task")
        if task is None:
            local = [name for name in pages.names() if name not in pages.FLIGHTS]
            task = local[int(np.random.default_rng(seed).integers(len(local)))]
        if not isinstance(task, str):
            raise ConfigError(f"The option 'task' names a page, such as 'click-test-2', and is not {task!r}.")
        pages.require(task)
        reward, threshold = options.get("reward", "raw"), options.get("threshold", 1.0)
        if reward not in ("raw", "binary"):
            raise ConfigError(f"The option 'reward' is 'raw' or 'binary', not {reward!r}.")
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
            raise ConfigError(f"The option 'threshold' is a number above 0 and up to 1, not {threshold!r}.")
        self._task, self._seed, self._binary, self._threshold = task, seed, reward == "binary", float(threshold)
        start = _START % (orjson.dumps(str(options.get("mode", "train"))).decode(), seed)
        if task in pages.FLIGHTS:
            if self._server is None:
                self._server = FolderServer(pages.folder())
            url = f"{self._server.origin}/{task.replace('.', '/')}/wrapper.html"
            return Opening(url, (self._server.origin,), page=_FLIGHT, begin=_PREPARE + start + _READY)
        folder = pages.folder()
        return Opening(
            (folder / "miniwob" / f"{task}.html").as_uri(),
            folder=folder.as_uri() + "/",
            page=_LOCAL,
            begin=f"{_PREPARE} __pathei.images().then(() => {{ {start} }}).then(__pathei.settled)",
            again="false" if task in RELOADED else _AGAIN % start,
            quiet=True,
        )

    def brief(self, view: PageView) -> Brief:
        """Return the utterance, and of the flight tasks the fields to fill in."""
        said = view.extra[3]
        if isinstance(said, Mapping):
            fields = said.get("fields", {})
            return Brief(str(said["utterance"]), tuple(str(value) for value in fields.values()))
        return Brief(str(said))

    def judge(self, view: PageView, answer: str | None) -> Verdict:
        """Return what the page says: the raw reward at the end, before that 0."""
        done, raw, reason, _ = view.extra
        raw = float(raw) if done else 0.0
        success = bool(done) and raw >= self._threshold
        over = bool(done) or answer is not None
        reward = (1.0 if success else -1.0) if self._binary and over else raw
        facts = {"task": self._task, "seed": self._seed, "done": bool(done), "raw_reward": raw, "reason": reason}
        return Verdict(reward, bool(done), success, min(1.0, max(0.0, raw)), facts)

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.close()
            self._server = None


def make(
    *,
    screenshot: bool = False,
    dom: bool = False,
    accessibility: bool = False,
    positions: bool = False,
    browser: Browser | None = None,
    render_mode: str | None = None,
    **defaults: Any,
) -> WebEnv:
    """Make the environment.

    Args:
        screenshot: Whether to observe an image of the task: `[210, 160, 3]`; for a flight task, which must then be
            named here, `[667, 375, 3]`.
        dom: Whether to observe the HTML.
        accessibility: Whether to observe the browser's accessibility tree.
        positions: Whether the text says where every element is.
        browser: A browser to share.
        render_mode: `"ansi"` or `"rgb_array"`.
        defaults: `task` (by default one that follows from the seed), `reward` (`"raw"`, default, or `"binary"`),
            `threshold` (the least raw reward that is a success, default 1), `mode` (the page's data: `"train"`,
            default, or `"test"`); `reset` may say otherwise.

    Raises:
        ConfigError: an option is not known.
    """
    check_options("MiniWoB", defaults, _OPTIONS)
    size = FLIGHT_SIZE if defaults.get("task") in pages.FLIGHTS else TASK_SIZE
    return WebEnv(
        MiniWoB(),
        screenshot=size if screenshot else None,
        drawn=size,
        dom=dom,
        accessibility=accessibility,
        address=False,
        positions=positions,
        browser=browser,
        render_mode=render_mode,
        **defaults,
    )


def task(name: str, seed: int) -> Task:
    """Return a task of a page; its goal in words stands on the page, since the page makes it from the seed.

    Raises:
        UnknownNameError: there is no such page.
    """
    pages.require(name)
    goal = Goal(f"Do what the page asks for in its first line (MiniWoB++ {name}).", ({"page": name},))
    return Task(f"miniwob/{name}/{seed}", WORLD_ID, seed, goal, {"task": name})


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return `n` tasks that follow from the seed: all 128 pages in a shuffled order, then again with other seeds.

    Raises:
        MissingDependencyError: the pages are not installed.
    """
    rng = np.random.default_rng(seed)
    order = [pages.names()[place] for place in rng.permutation(len(pages.names()))]
    seeds = rng.choice(2**31, size=n, replace=False)
    return [task(order[number % len(order)], int(seeds[number])) for number in range(n)]


def doctor() -> list[Requirement]:
    """Look at what MiniWoB++ needs."""
    checks = []
    try:
        checks.append(Requirement("browser", True, find_browser()))
    except MissingDependencyError as error:
        checks.append(Requirement("browser", False, str(error)))
    there = importlib.util.find_spec("miniwob") is not None
    checks.append(Requirement("MiniWoB++ pages", there, str(pages.folder()) if there else install_command("web")))
    pillow = importlib.util.find_spec("PIL") is not None
    checks.append(Requirement("Pillow, for screenshots", pillow, "" if pillow else install_command("web"), False))
    return checks
