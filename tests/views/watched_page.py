"""A page in a real browser that notes every request that it makes and every error that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pathei.envs.web.browser.browser import Browser, origin_of
from pathei.envs.web.browser.keys import key_named, typed
from pathei.envs.web.browser.page import Page, PageConfig


class WatchedPage(Page):
    """A page whose clock runs, with what it asked for and complained of."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1100, height: int = 800) -> None:
        """Open an address; of other origins the page can reach none."""
        origins = [origin_of(address)] if address.startswith("http") else []
        self.requests: list[str] = []
        self.errors: list[str] = []
        super().__init__(browser, browser.context(origins), PageConfig(width=width, height=height, frozen=False))
        for domain in ("Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self.open(address)

    def wait(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        look = f"const look = () => {expression} ? done(1) : requestAnimationFrame(look)"
        self.evaluate(f"new Promise((done) => {{ {look}; look() }})", wait=True)

    def text(self, selector: str) -> str:
        """Return the text of the first element that a CSS selector finds."""
        return str(self.evaluate(f"document.querySelector({orjson.dumps(selector).decode()}).innerText"))

    def click_on(self, selector: str) -> None:
        """Click on the middle of an element, with the mouse."""
        found = f"document.querySelector({orjson.dumps(selector).decode()})"
        self.evaluate(f"{found}.scrollIntoView({{ block: 'center' }})")
        x, y = self.evaluate(
            f"(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])({found}.getBoundingClientRect())"
        )
        self.click(round(x), round(y))

    def keys(self, *names: str) -> None:
        """Press keys by name, one after the other."""
        self.press([key for name in names if (key := key_named(name)) is not None])

    def write(self, text: str) -> None:
        """Type a text."""
        self.press(typed(text))

    def _listen(self, event: str, params: Mapping[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(str(params["request"]["url"]))
        elif (
            event == "Runtime.exceptionThrown"
            or (event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"))
            or (event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"))
        ):
            self.errors.append(str(params))
        super()._listen(event, params)
