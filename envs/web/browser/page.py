"""One page of a browser: opening addresses, looking, and real mouse and keyboard input.

What runs inside the page is `page.js`: there its timers and dates follow a clock that stands still between actions, so
that neither the machine's speed nor the agent's thinking time is part of the world. Mouse and keyboard events are the
browser's own (trusted), posted in one go and awaited once. Not here: several tabs (what would open one opens in place)
and uploads.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from ....errors import WorldError
from ....extras import needed_by
from .browser import Browser
from .cdp import CdpError
from .keys import Key, typed

_NAVIGATION: Final = ("Page.frameRequestedNavigation", "Page.frameScheduledNavigation", "Page.frameStartedNavigating")
_REQUESTED_S: Final = 0.3
"""How long a navigation that was asked for may take to begin; a download or an empty answer never does."""

_LOST: Final = ("context", "navigated", "frame", "Promise was collected", "document was lost")
"""What the browser says about a script whose document has gone."""


class Element(NamedTuple):
    """One line of what is seen on a page."""

    id: int
    """Its number; an element keeps it as long as its document lasts."""
    role: str
    """As in the accessibility tree (`button`, `link`, `textbox`), `text` for plain text, else its tag."""
    name: str
    """Its accessible name, at most 200 characters; of text, the text."""
    value: str
    """What is in the field, or chosen in the list."""
    flags: tuple[str, ...]
    """`checked`, `selected`, `disabled`, `focused`, `expanded`, ..."""
    x: int
    """Where a click goes, in pixels from the left of the window."""
    y: int
    """The same from the top."""
    width: int
    height: int
    reach: int
    """1: a click at (x, y) reaches it; 0: it must be scrolled to; -1: something covers it; 2: nothing to act on."""
    look: str
    """Of what has no name: its colour, picture, id and classes."""
    options: tuple[str, ...] | None
    """The labels of a list's options."""
    context: str = ""
    """Of elements that share role and name: the words of the row, card or group that only this one is in."""


class PageView(NamedTuple):
    """What was seen at one moment."""

    url: str
    title: str
    elements: tuple[Element, ...]
    scroll: tuple[int, int, int, int]
    """How far the page is scrolled right and down, and how far it could be, in pixels."""
    extra: Any
    """What the expression given as `extra` was, as JSON."""
    waiting: bool
    """Whether something on the page happens by itself within a minute of its clock."""
    dialogs: tuple[str, ...]
    """What alert, confirm and prompt said since the last look; each was accepted."""
    left: tuple[int, int] = (0, 0)
    """How many elements are left out of the list: above what the window shows, and below or to the side."""


@dataclass(frozen=True, slots=True)
class PageConfig:
    """How a page is shown and looked at."""

    width: int = 1024
    """Of the window, in CSS pixels."""
    height: int = 768
    """The same."""
    frozen: bool = True
    """Whether the page's clock stands still between actions; otherwise it is the real one."""
    step_ms: int = 500
    """How far each action moves that clock, in milliseconds."""
    limit: int = 400
    """The maximum number of elements that are listed: those nearest to what the window shows."""
    chars: int = 40_000
    """About how many characters they may have together; the nearest come first."""
    shapes: bool = False
    """Whether the shapes of a drawing (SVG) are listed even where nothing listens to a click on them."""
    skip: str = ""
    """CSS selector of what is not looked at."""
    extra: str = ""
    """A JavaScript expression whose value is looked up with each view."""


@functools.cache
def _script() -> str:
    return Path(__file__).with_name("page.js").read_text("utf-8")


class Page:
    """A page in a context of a browser; see the head of this file."""

    def __init__(self, browser: Browser, context: str, config: PageConfig) -> None:
        """Open an empty page.

        Raises:
            WorldError: the browser is gone or does not answer.
        """
        self._browser, self._config = browser, config
        self._cdp, self._call_s = browser.connection, browser.call_s
        target = self._cdp.call(
            "Target.createTarget", timeout=self._call_s, url="about:blank", browserContextId=context
        )["targetId"]
        attached = self._cdp.call("Target.attachToTarget", timeout=self._call_s, targetId=target, flatten=True)
        self._session = str(attached["sessionId"])
        self._target = str(target)
        # The frame of a page has the id of its target.
        self._frame = self._target
        self._loading: set[str] = set()  # the frames that are
        self._requested = False
        self._crashed = False
        self._dialogs: list[str] = []
        self._cdp.listeners[self._session] = self._listen
        self._options = orjson.dumps(
            {
                "advance": config.step_ms if config.frozen else 0,
                "limit": config.limit,
                "chars": config.chars,
                "shapes": config.shapes,
                "skip": config.skip,
                "extra": config.extra,
            }
        ).decode()
        source = f"{'' if config.frozen else 'const __pathei_frozen = false;'}{_script()}"
        for method, params in (
            ("Page.enable", {}),
            ("Inspector.enable", {}),
            ("Emulation.setFocusEmulationEnabled", {"enabled": True}),
            (
                "Emulation.setDeviceMetricsOverride",
                {"width": config.width, "height": config.height, "deviceScaleFactor": 1, "mobile": False},
            ),
        ):
            self._post(method, wanted=False, **params)
        self._call("Page.addScriptToEvaluateOnNewDocument", source=source)

    # --- opening

    def open(self, url: str, timeout: float = 20.0) -> None:
        """Go to an address and wait until it is loaded.

        Raises:
            WorldError: it cannot be reached, may not be, or does not load in time.
        """
        self._loading, self._requested = {self._frame}, False
        answer = self._call("Page.navigate", url=url)
        if answer.get("errorText"):
            self._loading.clear()
            raise WorldError(f"{url} cannot be opened: {answer['errorText']}.")
        if "loaderId" not in answer:
            self._loading.clear()  # only the fragment is another one
        self._wait_loaded(timeout)

    def back(self) -> bool:
        """Go back one step of the history; return whether there was one."""
        history = self._call("Page.getNavigationHistory")
        index = int(history["currentIndex"]) - 1
        if index < 0 or history["entries"][index]["url"] == "about:blank":
            return False
        self._requested = True
        self._call("Page.navigateToHistoryEntry", entryId=history["entries"][index]["id"])
        return True

    # --- looking

    def begin(self, expression: str, *, settle: bool) -> PageView | None:
        """Evaluate an expression and, if it holds, return what is seen after it; both in one call.

        Raises:
            CdpError, WorldError: as `evaluate` and `look`.
        """
        text = self.evaluate(f"({expression}) && __pathei.look({{...{self._options}, advance: 0}})")
        if not text:
            return None
        return self.look(advance=False) if settle else self._view(orjson.loads(text))

    def look(self, *, advance: bool = True, settle: bool = True) -> PageView:
        """Let the page's clock move on by one step, and return what is seen.

        Args:
            advance: Whether to move the clock.
            settle: Whether to wait for what the last action may have begun: tasks in the queue, a navigation. A page
                that never navigates needs none of it.

        Raises:
            WorldError: the page crashed, hangs, or does not load.
        """
        expression = f"__pathei.look({self._options})"
        if not advance:
            expression = f"__pathei.look({{...{self._options}, advance: 0}})"
        if settle:
            expression = f"__pathei.hop(2).then(() => {expression}).then(async (seen) => (await __pathei.hop(1), seen))"
        for _ in range(20):
            self._wait_loaded(20.0)
            try:
                text = self.evaluate(expression, wait=settle)
            except CdpError as error:
                if not any(word in str(error) for word in _LOST):
                    raise
                self._requested = True
                continue
            if settle and (self._loading or self._requested):
                continue  # the look itself, or the action before it, set off a navigation
            return self._view(orjson.loads(text))
        raise WorldError("The page does not come to rest: it keeps opening other addresses.")

    def _view(self, seen: Mapping[str, Any]) -> PageView:
        if seen["failed"]:
            raise WorldError(f"The page does not answer {self._config.extra!r}: {seen['failed']}.")
        elements = tuple(
            Element._make((*line[:4], tuple(line[4]), *line[5:11], line[11] and tuple(line[11]), line[12]))
            for line in seen["lines"]
        )
        dialogs, self._dialogs = tuple(self._dialogs), []
        return PageView(
            seen["url"], seen["title"], elements, tuple(seen["scroll"]), seen["extra"], seen["waiting"], dialogs,
            tuple(seen["left"]),
        )  # fmt: skip

    def evaluate(self, expression: str, *, wait: bool = False) -> Any:
        """Return the value of a JavaScript expression, as JSON.

        Args:
            expression: Runs in the page.
            wait: Whether its value is a promise, which is awaited.

        Raises:
            CdpError: it raised, or its document has gone.
            WorldError: no answer in time; the page crashed.
        """
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=wait)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            reason = details.get("exception", {}).get("description", details.get("text", ""))
            raise CdpError(str(reason).partition("\n")[0])
        return answer["result"].get("value")

    def html(self) -> str:
        """Return the document as HTML."""
        return str(self.evaluate("document.documentElement.outerHTML"))

    def accessibility(self) -> list[dict[str, Any]]:
        """Return the browser's own accessibility tree, as the protocol's list of nodes."""
        return list(self._call("Accessibility.getFullAXTree")["nodes"])

    def screenshot(self, height: int | None = None, width: int | None = None) -> np.ndarray[Any, Any]:
        """Return what the window shows: uint8, shape `[height, width, 3]`.

        Args:
            height: Of the part to return, from the top; by default the window's.
            width: The same, from the left.

        Raises:
            MissingDependencyError: Pillow is not installed.
        """
        with needed_by("A screenshot", "web"):
            from PIL import Image
        import io

        area = {"x": 0, "y": 0, "scale": 1, "width": width or self._config.width}
        clip = {**area, "height": height or self._config.height}
        answer = self._call("Page.captureScreenshot", format="png", optimizeForSpeed=True, clip=clip)
        with Image.open(io.BytesIO(base64.b64decode(answer["data"]))) as image:
            return np.asarray(image.convert("RGB"))

    # --- acting

    def locate(self, element: int) -> tuple[int, int] | None:
        """Scroll to an element and return where a click reaches it, or None if it is not in the document any more."""
        found = self.evaluate(f"__pathei.locate({element})")
        return None if found is None else (int(found[0]), int(found[1]))

    def click(self, x: int, y: int, *, count: int = 1) -> None:
        """Move there and click, this number of times in a row."""
        at: dict[str, Any] = {"x": x, "y": y}
        self._mouse("mouseMoved", wanted=False, **at)
        last = 0
        for number in range(1, count + 1):
            pressed: dict[str, Any] = {**at, "button": "left", "clickCount": number}
            self._mouse("mousePressed", wanted=False, buttons=1, **pressed)
            last = self._mouse("mouseReleased", wanted=number == count, **pressed)
        self._await_input(last)

    def hover(self, x: int, y: int) -> None:
        """Move the mouse there."""
        self._await_input(self._mouse("mouseMoved", x=x, y=y))

    def drag(self, start: tuple[int, int], end: tuple[int, int], *, moves: int = 4) -> None:
        """Press at one place, move to another, release there."""
        held: dict[str, Any] = {"button": "left", "clickCount": 1}
        self._mouse("mouseMoved", wanted=False, x=start[0], y=start[1])
        self._mouse("mousePressed", wanted=False, x=start[0], y=start[1], buttons=1, **held)
        for move in range(1, moves + 1):
            x, y = (round(a + (b - a) * move / moves) for a, b in zip(start, end, strict=True))
            # Each is awaited: moves that follow at once would reach the page as one.
            self._await_input(self._mouse("mouseMoved", x=x, y=y, buttons=1, button="left"))
        self._await_input(self._mouse("mouseReleased", x=end[0], y=end[1], **held))

    def press(self, keys: Sequence[Key]) -> None:
        """Press and release keys, one after the other."""
        last = 0
        for index, key in enumerate(keys):
            self._post("Input.dispatchKeyEvent", wanted=False, **key.down())
            last = self._post("Input.dispatchKeyEvent", wanted=index == len(keys) - 1, **key.up())
        if last:
            self._await_input(last)

    def type(self, element: int, text: str) -> str:
        """Replace what is in a field by a text, key by key; return why it cannot be, or `""`."""
        state = str(self.evaluate(f"__pathei.ready({element})"))
        if state == "fill":
            taken = self.evaluate(f"__pathei.fill({element}, {orjson.dumps(text).decode()})")
            return "" if taken else f"the field does not take {text!r}"
        if state == "type":
            self.press(typed(text))
            return ""
        return f"it is {state}"

    def select(self, element: int, option: str) -> str:
        """Choose an option of a list by its label; return why it cannot be, or `""`."""
        return str(self.evaluate(f"__pathei.choose({element}, {orjson.dumps(option).decode()})"))

    def scroll(self, element: int | None, dx: int, dy: int) -> str:
        """Scroll the page, or what holds an element, by most of its size; return why it cannot be, or `""`."""
        return str(self.evaluate(f"__pathei.scroll({element or 0}, {dx}, {dy})", wait=True))

    def find(self, text: str) -> tuple[int, int, int] | None:
        """Scroll to the next element that says a text, whatever its case; each call for the same text goes one further.

        Returns:
            Which of them it is, counted from 1, how many there are, and the element's number; None if there is none.
        """
        found = self.evaluate(f"__pathei.find({orjson.dumps(text).decode()}, {self._options})")
        return None if found is None else (int(found[0]), int(found[1]), int(found[2]))

    def close(self) -> None:
        """Close it, without waiting."""
        self._cdp.listeners.pop(self._session, None)
        if self._browser.alive:
            self._cdp.post("Target.closeTarget", targetId=self._target, wanted=False)

    # --- inside

    def _mouse(self, kind: str, *, wanted: bool = True, **params: Any) -> int:
        return self._post("Input.dispatchMouseEvent", wanted=wanted, type=kind, **params)

    def _post(self, method: str, *, wanted: bool = True, **params: Any) -> int:
        return self._cdp.post(method, self._session, wanted=wanted, **params)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._result(self._post(method, **params))

    def _result(self, number: int) -> dict[str, Any]:
        if not self._pump(lambda: self._cdp.answered(number), self._call_s):
            raise WorldError(f"The page did not answer within {self._call_s:g} s: it may be in an endless loop.")
        return self._cdp.result(number, self._call_s)

    def _await_input(self, number: int) -> None:
        try:
            self._result(number)
        except CdpError as error:
            # The event itself closed or replaced the document before it was acknowledged.
            if not any(word in str(error) for word in _LOST):
                raise

    def _wait_loaded(self, timeout: float) -> None:
        if self._requested and not self._loading:
            self._pump(lambda: bool(self._loading) or not self._requested, _REQUESTED_S)
            self._requested = False
        if self._loading and not self._pump(lambda: not self._loading, timeout):
            raise WorldError(f"The page did not load within {timeout:g} s.")

    def _pump(self, until: Callable[[], bool], timeout: float) -> bool:
        done = self._cdp.pump(lambda: until() or self._crashed, timeout)
        if self._crashed:
            raise WorldError("The page crashed: reset opens a new one.")
        return done

    def _listen(self, event: str, params: Mapping[str, Any]) -> None:
        if event == "Page.javascriptDialogOpening":
            self._dialogs.append(str(params.get("message", "")))
            self._post("Page.handleJavaScriptDialog", wanted=False, accept=True)
        elif event in ("Inspector.targetCrashed", "Target.targetCrashed"):
            self._crashed = True
        elif event in _NAVIGATION:
            self._requested = True
        elif event == "Page.frameStartedLoading":
            self._loading.add(str(params["frameId"]))
            self._requested = False
        elif event in ("Page.frameStoppedLoading", "Page.frameDetached"):
            self._loading.discard(str(params["frameId"]))
        elif event in ("Page.navigatedWithinDocument", "Page.frameClearedScheduledNavigation"):
            self._requested = False
