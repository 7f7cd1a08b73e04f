"""Any web site as a gymnasium environment: goal and page as text, actions as text, in a real browser.

A `Site` says which address an episode begins at, what its goal is, and after each action what that earned; everything
else is here. One browser serves all episodes of an environment. Each episode has a fresh context (no cookies, no
storage), except where a site says that its document can restart by itself. Only the origins and the folder that the
site names can be reached. Not here: snapshots; `VerifiedReplay` makes them of any site that answers the same each time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urljoin

import gymnasium
import numpy as np

from ...errors import WorldError, options_of
from ..spaces import UnicodeText
from . import actions, words
from .actions import Misread, Target, WebAction
from .browser.browser import Browser, origin_of
from .browser.cdp import CdpError
from .browser.keys import key_named
from .browser.page import Element, Page, PageConfig, PageView

_LOG: Final = logging.getLogger(__name__)
MAX_TEXT: Final = 1 << 20
"""The longest observation, in characters."""

MAX_ACTION: Final = 1 << 14
"""The longest action, in characters."""

_WEB_OPTIONS: Final = ("screenshot", "dom", "accessibility", "address", "positions", "browser", "render_mode")


@dataclass(frozen=True, slots=True)
class Opening:
    """Where and how an episode begins."""

    url: str
    """The address to open."""
    origins: tuple[str, ...] = ()
    """The origins that may be reached, `"http://127.0.0.1:8080"`; everything else is refused by the browser."""
    folder: str = ""
    """The `file://` address under which files may be opened; empty for none."""
    page: PageConfig = field(default_factory=PageConfig)
    """How the page is shown and looked at."""
    begin: str = ""
    """JavaScript that begins the episode on the loaded page; its value, if it is a promise, is awaited."""
    again: str = ""
    """A JavaScript expression that begins it on the document of the episode before, if that is at the same address;
    its value says whether it could, else the address is opened again in the same window. For pages that store nothing.
    Empty: every episode gets a fresh context."""
    quiet: bool = False
    """Whether the page never navigates nor works in the background, so that nothing need be waited for."""

    def keeps(self, other: Opening) -> bool:
        """Return whether another episode may have the same window: both restart by themselves, for the same site."""
        mine, theirs = ((o.origins, o.folder, o.page, bool(o.again)) for o in (self, other))
        return mine == theirs and bool(self.again)


class Brief(NamedTuple):
    """The instruction of the agent."""

    goal: str
    """What is to be done."""
    texts: tuple[str, ...] = ()
    """What the site suggests to type, besides the words of the goal."""


class Verdict(NamedTuple):
    """What a site says after an action."""

    reward: float = 0.0
    """What the action earned."""
    done: bool = False
    """Whether the episode ended with it."""
    success: bool | None = None
    """Whether the goal holds now; None where the site cannot tell."""
    progress: float | None = None
    """How much of it holds, from 0 to 1."""
    facts: Mapping[str, Any] = {}  # never changed
    """Privileged state, as plain JSON."""


class Site(Protocol):
    """A site that can be played. It keeps whatever it needs of the present episode between `open` and `judge`."""

    def open(self, seed: int, options: Mapping[str, Any]) -> Opening:
        """Begin an episode.

        Args:
            seed: Everything random follows from it.
            options: Those given to `reset` over those given to the environment; `goal` is the task's goal.

        Raises:
            ConfigError: an option is not known or has no possible value.
        """

    def brief(self, view: PageView) -> Brief:
        """Return the agent's instruction, having seen the page as it is at the start."""

    def judge(self, view: PageView, answer: str | None) -> Verdict:
        """Say what the last action earned; asked at the start as well, where nothing was done yet.

        Args:
            view: The page after it.
            answer: What was answered, where the action was `stop`; the episode is then over in any case.
        """

    def close(self) -> None:
        """Release what the site holds (a server, files)."""


class WebEnv(gymnasium.Env[Any, str]):
    """A site in a browser; see the head of this file, `actions` for what can be done, and `docs/guide/envs/web.md`.

    The observation is a text, or with `screenshot`, `dom` or `accessibility` a dict of `text` and `image` (uint8,
    `[height, width, 3]`), `dom` (HTML) and `accessibility` (the browser's tree, as text).
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012  # gymnasium's

    def __init__(
        self,
        site: Site,
        *,
        screenshot: tuple[int, int] | None = None,
        drawn: tuple[int, int] | None = None,
        dom: bool = False,
        accessibility: bool = False,
        address: bool = True,
        positions: bool = False,
        browser: Browser | None = None,
        render_mode: str | None = None,
        **defaults: Any,
    ) -> None:
        """Create the environment; the browser starts with the first reset.

        Args:
            site: What is played.
            screenshot: Height and width of the image to observe, from the top left of the window; None for none.
            drawn: Height and width of what `render` draws, from the top left of the window; None for all of it.
            dom: Whether to observe the HTML.
            accessibility: Whether to observe the browser's accessibility tree.
            address: Whether the text shows the page's title and path.
            positions: Whether the text says where every element is.
            browser: A browser to share; it is not closed with the environment. By default one of its own.
            render_mode: `"ansi"` for the text, `"rgb_array"` for a screenshot.
            defaults: Options for the site, unless `reset` says otherwise.
        """
        self.render_mode = render_mode
        self.action_space = UnicodeText(MAX_ACTION)
        parts: dict[str, gymnasium.Space[Any]] = {"text": UnicodeText(MAX_TEXT)}
        if screenshot is not None:
            parts["image"] = gymnasium.spaces.Box(0, 255, (*screenshot, 3), np.uint8)
        if dom:
            parts["dom"] = UnicodeText(MAX_TEXT)
        if accessibility:
            parts["accessibility"] = UnicodeText(MAX_TEXT)
        self._whole = len(parts) > 1
        self.observation_space = gymnasium.spaces.Dict(parts) if self._whole else parts["text"]
        self._parts = tuple(parts)
        self._screenshot, self._drawn = screenshot, drawn
        self._site = site
        self._address, self._positions = address, positions
        self._defaults = defaults
        self._shared, self._browser = browser, browser
        self._context: str | None = None
        self._page: Page | None = None
        self._opening: Opening | None = None
        self._view: PageView | None = None
        self.brief = Brief("")
        """The instruction at the start."""
        self._texts: tuple[str, ...] = ()
        self._over = True
        self._error: str | None = None
        self._note = ""

    @property
    def page(self) -> Page:
        """The page as it is now; collectors and demonstrations may look into it, agents may not."""
        if self._page is None:
            raise gymnasium.error.ResetNeeded("Call reset() before looking at the page.")
        return self._page

    @property
    def view(self) -> PageView:
        """What was seen last."""
        if self._view is None:
            raise gymnasium.error.ResetNeeded("Call reset() before looking at the page.")
        return self._view

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Returns:
            What is seen, and info.

        Raises:
            ConfigError: an option is not known or has no possible value.
            MissingDependencyError: no browser is installed.
            WorldError: the browser does not start, or the first address cannot be opened.
        """
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        opening = self._site.open(drawn, {**self._defaults, **options_of(options, "A site")})
        self._error, self._over, self._note = None, False, ""
        try:
            self._view = self._begin(opening)
        except CdpError as error:
            raise WorldError(f"{opening.url} cannot begin an episode: {error}") from error
        self.brief = self._site.brief(self._view)
        self._texts = words.candidates(self.brief.goal, self.brief.texts)
        return self._observed(), self._info(self._site.judge(self._view, None))

    def step(self, action: str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act. What cannot be done changes nothing and is explained, in the observation and in `info["error"]`.

        Returns:
            Observation, reward (the site's), terminated (the site's, or `stop`), truncated (always False), info.

        Raises:
            WorldError: the page or the browser is gone; `reset` starts again.
        """
        view = self.view
        if self._over:
            self._error = "the episode is over"
            return self._observed(), 0.0, True, False, self._info(Verdict(done=True))
        self._note = ""
        read = self._read(action)
        answer = read.text if isinstance(read, WebAction) and read.verb == "stop" else None
        self._error = read.why if isinstance(read, Misread) else self._tried(read)
        if self._error is None and answer is None:
            assert self._opening is not None
            view = self._guarded(self.page.look(settle=not self._opening.quiet))
        self._view = view
        verdict = (
            self._site.judge(view, answer) if self._error is None else self._site.judge(view, None)._replace(reward=0.0)
        )
        self._over = verdict.done or answer is not None
        return self._observed(), float(verdict.reward), self._over, False, self._info(verdict)

    def render(self) -> Any:
        """Return the text, or a screenshot as an array `[height, width, 3]`, by the render mode."""
        if self.render_mode == "rgb_array":
            return self.page.screenshot(*(self._drawn or ()))
        return self._text() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """End the browser, unless it is shared, and close the site."""
        self._drop()
        if self._shared is None and self._browser is not None:
            self._browser.close()
            self._browser = None
        self._site.close()

    # --- beginning

    def _begin(self, opening: Opening) -> PageView:
        before, self._opening = self._opening, opening
        keep = before is not None and before.keeps(opening)
        if self._page is not None and keep and before is not None and before.url == opening.url:
            try:
                view = self._page.begin(opening.again, settle=not opening.quiet)
                if view is not None:
                    return view
            except (CdpError, WorldError):
                pass  # whatever is wrong with the old document, a new one is at hand
        try:
            return self._open(opening, keep=keep)
        except WorldError:
            if self._shared is not None and not self._shared.alive:
                raise
            # The page crashed, or the browser was killed: once more with new ones.
            _LOG.warning("A page or its browser ended at %s; once more with new ones.", opening.url, exc_info=True)
            self._drop()
            return self._open(opening, keep=False)

    def _open(self, opening: Opening, *, keep: bool) -> PageView:
        if not keep or self._page is None:
            self._drop()
            if self._browser is None or not self._browser.alive:
                self._browser = Browser() if self._shared is None else self._shared
            self._context = self._browser.context(opening.origins)
            self._page = Page(self._browser, self._context, opening.page)
        self._page.open(opening.url)
        if opening.begin:
            self._page.evaluate(opening.begin, wait=True)
        return self._page.look(advance=False, settle=not opening.quiet)

    def _drop(self) -> None:
        if self._page is not None:
            self._page.close()
        if self._context is not None and self._browser is not None:
            self._browser.dispose(self._context)
        self._page = self._context = None

    # --- acting

    def _read(self, action: str) -> WebAction | Misread:
        if not isinstance(action, str):
            return Misread(f"an action is a string, not {type(action).__name__}")
        if action not in self.action_space:
            return Misread(f"an action has at most {MAX_ACTION} characters, all of which UTF-8 can write")
        return actions.parse(action)

    def _tried(self, act: WebAction) -> str | None:
        try:
            return self._do(act)
        except CdpError as error:
            return f"the page does not take it ({str(error).rstrip('.')})"

    def _do(self, act: WebAction) -> str | None:
        """Do an action and return why it could not be done."""
        page = self.page
        if act.verb in ("click", "doubleclick", "hover", "drag"):
            return self._point(act)
        if act.verb in ("type", "select"):
            assert isinstance(act.target, int)
            if self._element(act.target) is None:
                return f"there is no [{act.target}] on the page"
            why = page.type(act.target, act.text) if act.verb == "type" else page.select(act.target, act.text)
            return f"[{act.target}] cannot be used so: {why}" if why else None
        if act.verb == "press":
            key = key_named(act.text)
            assert key is not None
            page.press([key])
        elif act.verb == "find":
            return self._find(act.text)
        elif act.verb == "scroll":
            target = act.target if isinstance(act.target, int) else None
            return page.scroll(target, *actions.DIRECTIONS[act.text]) or None
        elif act.verb == "goto":
            return self._goto(urljoin(self.view.url, act.text))
        elif act.verb == "back" and not page.back():
            return "there is no page to go back to"
        return None

    def _find(self, text: str) -> str | None:
        found = self.page.find(text)
        if found is None:
            return f"nothing on the page says {text[:100]!r}"
        self._note = f'Found "{text[:100]}" at [{found[2]}]: {found[0]} of {found[1]}.'
        return None

    def _point(self, act: WebAction) -> str | None:
        places = []
        for target in (act.target, act.end):
            if target is not None:
                place = self._place(target)
                if isinstance(place, str):
                    return place
                places.append(place)
        if act.verb == "drag":
            self.page.drag(places[0], places[1])
        elif act.verb == "hover":
            self.page.hover(*places[0])
        else:
            self.page.click(*places[0], count=2 if act.verb == "doubleclick" else 1)
        return None

    def _place(self, target: Target) -> tuple[int, int] | str:
        """Return where in the window something is, or why it is nowhere."""
        assert self._opening is not None
        if not isinstance(target, int):
            size = self._opening.page
            inside = 0 <= target.x < size.width and 0 <= target.y < size.height
            return target if inside else f"{tuple(target)} is outside the window of {size.width}x{size.height} pixels"
        element = self._element(target)
        if element is None:
            return f"there is no [{target}] on the page"
        # Where nothing moves by itself, what was seen is still there.
        if element.reach == 1 and self._opening.quiet:
            return element.x, element.y
        return self.page.locate(target) or f"[{target}] is not on the page any more"

    def _element(self, number: int) -> Element | None:
        return next((element for element in self.view.elements if element.id == number), None)

    def _goto(self, url: str) -> str | None:
        if not self._may(url):
            return f"{url[:200]} may not be opened: it is outside this site"
        try:
            self.page.open(url)
        except WorldError as error:
            self.page.open(self.view.url)
            return str(error).rstrip(".")
        return None

    def _may(self, url: str) -> bool:
        opening = self._opening
        assert opening is not None
        if url.startswith("file:"):
            return bool(opening.folder) and url.startswith(opening.folder) and ".." not in url
        return origin_of(url) in opening.origins

    def _guarded(self, view: PageView) -> PageView:
        """Go back to where the agent was, if it was led to an address that it may not open."""
        if self._may(view.url):
            return view
        self._error = f"the address that this led to may not be opened ({view.url[:200]}), or does not answer"
        self.page.open(self.view.url)
        return self.page.look(advance=False)

    # --- describing

    def _text(self) -> str:
        text = words.describe(self.view, self.brief.goal, address=self._address, positions=self._positions)
        said = f"That did not work: {self._error}." if self._error else self._note
        return (f"{said}\n{text}" if said else text)[:MAX_TEXT]

    def _observed(self) -> Any:
        text = self._text()
        if not self._whole:
            return text
        seen: dict[str, Any] = {"text": text}
        if self._screenshot is not None:
            seen["image"] = self.page.screenshot(*self._screenshot)
        if "dom" in self._parts:
            seen["dom"] = self.page.html()[:MAX_TEXT]
        if "accessibility" in self._parts:
            seen["accessibility"] = accessibility_text(self.page.accessibility())[:MAX_TEXT]
        return seen

    def _info(self, verdict: Verdict) -> dict[str, Any]:
        open_now = () if self._over else words.admissible(self.view, self._texts)
        info: dict[str, Any] = {"actions": open_now, "facts": dict(verdict.facts)}
        if self._error:
            info["error"] = self._error
        if verdict.success is not None:
            info["success"] = verdict.success
        if verdict.progress is not None:
            info["progress"] = verdict.progress
        return info


def accessibility_text(nodes: Sequence[Mapping[str, Any]]) -> str:
    """Return the browser's accessibility tree as indented lines, `button "Search" focused`; ignored nodes left out."""
    by_id = {node["nodeId"]: node for node in nodes}
    lines: list[str] = []
    stack = [(node, 0) for node in nodes if "parentId" not in node][::-1]
    while stack:
        node, depth = stack.pop()
        if not node.get("ignored"):
            role, name = node.get("role", {}).get("value", ""), node.get("name", {}).get("value", "")
            flags = [p["name"] for p in node.get("properties", ()) if p.get("value", {}).get("value") in (True, "true")]
            lines.append("  " * depth + " ".join([str(role), f'"{name}"', *flags]))
        inner = depth + (not node.get("ignored"))
        stack += [(by_id[child], inner) for child in reversed(node.get("childIds", ())) if child in by_id]
    return "\n".join(lines)


def in_browser(make_site: Callable[..., Site], options: Mapping[str, Any]) -> WebEnv:
    """Return a site in a browser; close it after use.

    Args:
        make_site: Makes the site from its own options.
        options: Keyword arguments of `WebEnv` (`screenshot`, `render_mode`, ...), and options of the site.
    """
    web = {name: value for name, value in options.items() if name in _WEB_OPTIONS}
    return WebEnv(make_site(**{name: value for name, value in options.items() if name not in web}), **web)
