"""What a demonstration works with: the page as it is seen, ways to find things on it, and the actions done so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ....errors import ConfigError
from ..actions import write
from ..browser.page import Element
from ..env import WebEnv


class Stuck(ConfigError):
    """A demonstration does not find what it needs on the page."""


class Play:
    """An episode in progress; every action goes to the environment and is kept."""

    def __init__(self, env: WebEnv, goal: str) -> None:
        """Begin with an environment that was just reset to a task with this goal."""
        self.env = env
        self.goal = goal
        self.actions: list[str] = []
        """What was done so far."""
        self.over = False
        """Whether the episode has ended."""
        self.success = False
        """Whether the goal holds."""

    @property
    def elements(self) -> tuple[Element, ...]:
        """What is seen now."""
        return self.env.view.elements

    @property
    def quoted(self) -> list[str]:
        """What the goal has in quotes, in order."""
        return re.findall(r'"([^"]*)"', self.goal)

    def numbers(self) -> list[int]:
        """Return the whole numbers of the goal, in order."""
        return [int(number) for number in re.findall(r"-?\d+", self.goal)]

    def do(self, action: str) -> None:
        """Act; nothing more is done once the episode is over.

        Raises:
            Stuck: the action was refused.
        """
        if self.over:
            return
        _, _, self.over, _, info = self.env.step(action)
        if "error" in info:
            raise Stuck(f"The demonstration's action {action!r} was refused: {info['error']}.")
        self.actions.append(action)
        self.success = bool(info["success"])

    def all(self, role: str = "", name: str | None = None, look: str = "") -> list[Element]:
        """Return the elements with this role, name and look (a part of it), as far as given."""
        return [
            element
            for element in self.elements
            if (not role or element.role in role.split("|"))
            and (name is None or element.name.casefold() == name.casefold())
            and look in element.look
        ]

    def one(self, role: str = "", name: str | None = None, look: str = "", at: int = 0) -> Element:
        """Return the first of them, or the one at a place.

        Raises:
            Stuck: there is none.
        """
        found = self.all(role, name, look)
        if not -len(found) <= at < len(found):
            raise Stuck(f"The demonstration finds no {role or 'element'} {name or look!r} on the page.")
        return found[at]

    def click(self, role: str = "", name: str | None = None, look: str = "", at: int = 0) -> None:
        """Click the element that `one` finds."""
        self.do(write("click", self.one(role, name, look, at).id))

    def click_on(self, element: Element) -> None:
        """Click an element."""
        self.do(write("click", element.id))

    def type(self, text: str, at: int = 0, role: str = "textbox") -> None:
        """Type into the field at a place among the fields."""
        self.do(write("type", self.one(role, at=at).id, text))

    def submit(self, name: str = "Submit") -> None:
        """Click the button of this name."""
        self.click("button", name)

    def until(self, there: Callable[[], bool], times: int = 12) -> Iterator[int]:
        """Yield again and again until the condition holds or the episode is over, at most this number of times."""
        for time in range(times):
            if self.over or there():
                return
            yield time

    def wait(self, there: Callable[[], bool]) -> None:
        """Wait for something that happens by itself."""
        for _ in self.until(there):
            self.do("wait")
