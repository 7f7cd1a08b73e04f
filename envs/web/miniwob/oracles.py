"""Demonstrations for MiniWoB++: for the simpler pages a short script each, which reads the goal and what is seen.

A script sees what an agent sees (goal and element list) and acts as an agent acts; nothing is taken from the page's own
variables. Pages that ask for judgement of colours and shapes, for reading natural language or for a steady hand have
none, and `demonstration` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ....errors import ConfigError
from ....experience import Task
from ..actions import write
from ..browser.browser import Browser
from ..browser.page import Element
from . import env as miniwob
from . import pages
from .play import Play, Stuck

Script = Callable[[Play], None]


def _named(role: str, name: str | None = None) -> Script:
    """Click the element that the goal quotes, or the one with this name."""
    return lambda play: play.click(role, name if name is not None else play.quoted[0])


def _link(play: Play) -> None:
    play.click("span|link", play.quoted[0])


def _option(play: Play) -> None:
    found = re.search(r"Select (\S+) and click", play.goal)
    play.click("radio", found[1] if found else "")
    play.submit()


def _checkboxes(play: Play) -> None:
    listed = re.sub(r"^Select | and click Submit\.$", "", play.goal)
    for name in [] if listed == "nothing" else listed.split(", "):
        play.click("checkbox", name)
    play.submit()


def _colour(play: Play) -> None:
    found = re.search(r"the (\w+) color", play.goal)
    play.click("div", look=found[1] if found else "?")


def _dialog(play: Play) -> None:
    name = play.quoted[0] if play.quoted else "Close"
    play.click("button", "Close" if name == "x" else name)


def _enter_text(play: Play) -> None:
    text = play.quoted[0]
    text = text.upper() if "upper case" in play.goal else text.lower() if "lower case" in play.goal else text
    play.type(text)
    play.submit()


def _password(play: Play) -> None:
    play.type(play.quoted[0])
    play.type(play.quoted[0], at=1)
    play.submit()


def _login(play: Play) -> None:
    for place, text in enumerate(play.quoted):
        play.type(text, at=place)
    play.submit("Login")


def _date(play: Play) -> None:
    month, day, year = map(int, re.findall(r"\d+", play.goal)[:3])
    play.type(f"{year}-{month:02}-{day:02}", role="date")
    play.submit()


def _time(play: Play) -> None:
    hour, minute, half = re.findall(r"(\d+):(\d+) ([AP])M", play.goal)[0]
    play.type(f"{int(hour) % 12 + (12 if half == 'P' else 0):02}:{minute}", role="time")
    play.submit()


def _text_of(play: Play) -> str:
    return " ".join(element.name for element in play.all("text"))


def _arithmetic(play: Play) -> None:
    first, sign, second = re.findall(r"(\d+)\s*([-+x])\s*(\d+)", _text_of(play))[0]
    a, b = int(first), int(second)
    play.type(str(a + b if sign == "+" else a - b if sign == "-" else a * b))
    play.submit()


def _algebra(play: Play) -> None:
    left, sign, right, total = re.findall(r"(\d+|x) ([-+]) (\d+|x) = (-?\d+)", _text_of(play))[0]
    known = int(right if left == "x" else left)
    # x + a = c, a + x = c, x - a = c, a - x = c
    plus, first = sign == "+", left == "x"
    answer = int(total) - known if plus else int(total) + known if first else known - int(total)
    play.type(str(answer))
    play.submit()


def _list(play: Play) -> None:
    found = re.search(r"Select (.+) from the (?:scroll )?list", play.goal)
    chosen = play.one("combobox|listbox")
    # Names in the list may hold commas themselves.
    wanted = found[1] if found else ""
    names = [wanted] if wanted in (chosen.options or ()) else wanted.split(", ")
    for name in names:
        play.do(write("select", chosen.id, name))
    play.submit()


def _tab(play: Play) -> None:
    play.click("presentation|tab", f"Tab #{play.numbers()[0]}")


def _in_tabs(play: Play) -> None:
    """Open tab after tab until the link is there."""
    for place in play.until(lambda: bool(play.all("span|link", play.quoted[0]))):
        play.click("tab", at=place)
    _link(play)


def _in_sections(play: Play) -> None:
    """Open section after section until the link is there."""
    for place in play.until(lambda: bool(play.all("span|link", play.quoted[0]))):
        play.click("tab", at=place)
        play.wait(lambda: not play.env.view.waiting)
    _link(play)


def _collapsible(play: Play) -> None:
    play.click("tab")
    play.wait(lambda: any(button.reach == 1 for button in play.all("button", "Submit")) and not play.env.view.waiting)
    play.submit()


def _focus(play: Play) -> None:
    numbers = play.numbers()
    play.click("textbox", at=numbers[0] - 1 if numbers else 0)


def _widget(play: Play) -> None:
    kind = play.quoted[0]
    fields = play.all("textbox")
    roles = {"button": "button", "radio": "radio", "checkbox": "checkbox"}
    if kind in roles:
        play.click(roles[kind])
        return
    # A text area and a text field are both text boxes; the area is the taller one.
    tall = [field for field in fields if (field.height > 22) == (kind == "textarea")]
    play.click_on((tall or fields or [_none()])[0])


def _none() -> Element:
    raise Stuck("The demonstration does not find the widget.")


def _greatest(play: Play) -> None:
    cards = [card for card in play.all("div") if card.name.isdigit()]
    play.click_on(max(cards, key=lambda card: int(card.name)))
    play.submit()


def _word(play: Play) -> None:
    text = re.split(r"\s+", play.one("text").name)
    play.type(re.sub(r"[^\w]", "", text[play.numbers()[0] - 1]))
    play.submit()


def _grid(play: Play) -> None:
    x, y = play.numbers()[:2]
    points = play.all("circle")
    columns, rows = sorted({p.x for p in points}), sorted({p.y for p in points})
    play.click_on(next(p for p in points if p.x == columns[x + 2] and p.y == rows[2 - y]))


def _table(play: Play) -> None:
    cells = [element.name for element in play.all("text")]
    for place in range(len(play.all("textbox"))):
        label = play.quoted[0] if play.quoted else cells[place - len(play.all("textbox"))]
        label = label.rstrip(":") if not play.quoted else label
        found = re.search(r"value of (.+?) into", play.goal)
        label = found[1] if found else label
        play.type(cells[cells.index(label) + 1], at=place)
    play.submit()


def _guess(play: Play) -> None:
    low, high = 0, 9
    for _ in range(5):
        middle = (low + high) // 2
        play.type(str(middle), role="spinbutton")
        play.submit()
        said = _text_of(play)
        low, high = (middle + 1, high) if "higher" in said else (low, middle - 1)


def _generate(play: Play) -> None:
    numbers = play.numbers()
    tests: dict[str, Callable[[int], bool]] = {
        "even": lambda n: n % 2 == 0,
        "odd": lambda n: n % 2 == 1,
        "less": lambda n: n < numbers[0],
        "greater": lambda n: n > numbers[0],
    }
    test = next(test for word, test in tests.items() if word in play.goal)

    def good() -> bool:
        shown = play.one("text").name
        return shown.lstrip("-").isdigit() and test(int(shown))

    for _ in play.until(good, 60):
        play.click("button", "Generate")
    play.submit()


def _copy(play: Play) -> None:
    numbers = play.numbers()
    play.type(play.one("textbox", at=numbers[0] - 1 if numbers else 0).value, at=-1)
    play.submit()


def _odd_or_even(play: Play) -> None:
    numbers = [int(e.name) for e in play.all("text") if re.fullmatch(r"-?\d+", e.name)]
    for place, number in enumerate(numbers):
        play.click("button", "Odd" if number % 2 else "Even", at=place)
    play.submit()


def _form_2(play: Play) -> None:
    radio, number, field = re.findall(r"\d+", play.goal)[0], play.quoted[0], re.findall(r"\d+", play.goal)[-1]
    play.click("radio", at=int(radio) - 1)
    play.type(number, at=int(field) - 1)
    play.submit()


def _phone_book(play: Play) -> None:
    name, kind = re.findall(r"Find (\w+) .* their (.+?)\.?$", play.goal)[0]
    label = {"phone number": "Phone:"}.get(kind, kind.capitalize() + ":")
    for _ in play.until(lambda: bool(play.all("heading", name))):
        play.click("link", ">")
    elements = play.elements
    place = next(i for i, e in enumerate(elements) if e.name == label)
    play.click_on(elements[place + 1])


def _transform(play: Play) -> None:
    play.type("".join(element.name for element in play.all("text")))
    play.submit()


def _movies(play: Play) -> None:
    genre, director, year = re.findall(r"for (\S+) movies directed by (\S+) from year (\d+)", play.goal)[0]
    values = {"Genre": genre, "Director": director, "Year": year}
    labels = [e.name for e in play.all("text") if e.name in values]
    for place, label in enumerate(labels):
        play.type(values[label], at=place)
    play.click("div|button", "Submit")


def _tree(play: Play) -> None:
    for _ in play.until(lambda: bool(play.all("span", play.quoted[0])), 15):
        closed = play.all("div", look=".expandable-hitarea")
        play.click_on(closed[0] if closed else _none())
    play.click("span", play.quoted[0])


def _ticket(play: Play) -> None:
    texts, books = [e.name for e in play.all("text")], play.all("button")
    times = [re.findall(r"(\d+)h(?: (\d+)m)?", text)[0] for text in texts if re.match(r"\d+h", text)]
    minutes = [60 * int(h) + int(m or 0) for h, m in times]
    prices = [int(re.findall(r"\d+", b.name)[0]) for b in books]
    keys = prices if re.search("cheap|expensive", play.goal) else minutes
    pick = min if re.search("cheap|short", play.goal) else max
    play.click_on(books[keys.index(pick(keys))])


def _identify(play: Play) -> None:
    kinds = {"rect": "Rectangle", "circle": "Circle", "polygon": "Triangle"}
    shape = next(e for e in play.elements if e.role in (*kinds, "text"))
    play.click("button", kinds.get(shape.role, "Number" if shape.name.isdigit() else "Letter"))


def _sequence(play: Play) -> None:
    play.click("button", "ONE")
    play.click("button", "TWO")


def _email(play: Play) -> None:
    """Open the email of somebody, then do what is asked: star or delete it, reply, or forward."""
    sender = re.findall(r"email (?:by|from) (\w+)", play.goal)[0]
    mail = next((e for e in play.all("text", sender)), None)
    play.click_on(mail or _none())
    if "important" in play.goal:
        play.click("span", look=".star")
    elif "delete" in play.goal:
        play.click("span", look=".trash")
    elif "reply" in play.goal:
        play.click("text|span", "Reply")
        play.type(play.quoted[0])
        play.click("span", look="#send-reply")
    else:
        play.click("text|span", "Forward")
        play.type(re.findall(r"to (\w+)\.?$", play.goal)[0])
        play.click("span", look="#send-forward")


SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "buy-ticket": _ticket,
        "choose-list": _list,
        "click-button": _named("button"),
        "click-button-sequence": _sequence,
        **dict.fromkeys(("click-checkboxes", "click-checkboxes-large", "click-checkboxes-transfer"), _checkboxes),
        **dict.fromkeys(("click-collapsible", "click-collapsible-nodelay"), _collapsible),
        **dict.fromkeys(("click-collapsible-2", "click-collapsible-2-nodelay"), _in_sections),
        "click-color": _colour,
        **dict.fromkeys(("click-dialog", "click-dialog-2"), _dialog),
        "click-link": _link,
        "click-option": _option,
        "click-scroll-list": _list,
        "click-tab": _tab,
        **dict.fromkeys(("click-tab-2", "click-tab-2-easy", "click-tab-2-medium"), _in_tabs),
        "click-test": _named("button", "Click Me!"),
        **dict.fromkeys(("click-test-2", "click-test-transfer"), _named("button", "ONE")),
        "click-widget": _widget,
        **dict.fromkeys(("copy-paste", "copy-paste-2"), _copy),
        **dict.fromkeys(("email-inbox", "email-inbox-noscroll", "email-inbox-reply", "email-inbox-forward"), _email),
        **dict.fromkeys(("email-inbox-delete", "email-inbox-important"), _email),
        "enter-date": _date,
        "enter-password": _password,
        **dict.fromkeys(("enter-text", "enter-text-2", "enter-text-dynamic"), _enter_text),
        "enter-time": _time,
        "find-greatest": _greatest,
        "find-word": _word,
        **dict.fromkeys(("focus-text", "focus-text-2"), _focus),
        "form-sequence-2": _form_2,
        "generate-number": _generate,
        "grid-coordinate": _grid,
        "guess-number": _guess,
        "identify-shape": _identify,
        "login-user": _login,
        "multi-orderings": _movies,
        "navigate-tree": _tree,
        "odd-or-even": _odd_or_even,
        "phone-book": _phone_book,
        **dict.fromkeys(("read-table", "read-table-2"), _table),
        "simple-algebra": _algebra,
        "simple-arithmetic": _arithmetic,
        "text-transform": _transform,
        "unicode-test": _named("button"),
    }
)
"""By page, what solves it."""


def demonstration(task: Task, browser: Browser | None = None) -> list[str]:
    """Return actions that reach the goal of a task, found by playing it.

    Args:
        task: A task of `miniwob.generate_tasks`, or any of the world `pathei/MiniWoB-v0`.
        browser: A browser to share.

    Raises:
        ConfigError: nobody wrote a script for its page, or the script fails on this seed.
        MissingDependencyError: no browser, or no pages.
    """
    page = str(task.options.get("task"))
    pages.require(page)
    script = SCRIPTS.get(page)
    if script is None:
        raise ConfigError(
            f"MiniWoB++ {page} has no demonstration: choose another seed, another agent (`random`), or one of the "
            f"{len(SCRIPTS)} pages that have one (docs/guide/envs/web.md)."
        )
    env = miniwob.make(browser=browser)
    try:
        env.reset(seed=task.seed, options=dict(task.options))
        play = Play(env, env.brief.goal)
        try:
            script(play)
        except (IndexError, KeyError, StopIteration, ValueError) as error:
            raise Stuck(f"The demonstration of {page} does not understand the page with seed {task.seed}.") from error
        if not play.success:
            raise Stuck(f"The demonstration of {page} does not reach the goal with seed {task.seed}.")
        return play.actions
    finally:
        env.close()
