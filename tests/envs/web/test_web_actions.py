"""Actions on web pages as text, what may be typed, and which browser is found: everything that needs no browser."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pathei.envs.web.actions import VERBS, Misread, ScreenPoint, WebAction, parse, write
from pathei.envs.web.browser.browser import VARIABLE, find_browser, origin_of
from pathei.envs.web.browser.keys import key_named, typed
from pathei.envs.web.browser.page import Element, PageView
from pathei.envs.web.words import admissible, candidates, describe
from pathei.errors import MissingDependencyError

READ = {
    "click [12]": WebAction("click", 12),
    " CLICK  [ 12 ] ": WebAction("click", 12),
    "click (80, 120)": WebAction("click", ScreenPoint(80, 120)),
    "doubleclick [3]": WebAction("doubleclick", 3),
    "hover (1,2)": WebAction("hover", ScreenPoint(1, 2)),
    "drag [3] to (80, 120)": WebAction("drag", 3, "", ScreenPoint(80, 120)),
    'type [7] "red \\"shoes\\""': WebAction("type", 7, 'red "shoes"'),
    "type [7] red shoes": WebAction("type", 7, "red shoes"),
    'type [7] ""': WebAction("type", 7, ""),
    'select [4] "Large"': WebAction("select", 4, "Large"),
    "press Control+a": WebAction("press", None, "Control+a"),
    "press +": WebAction("press", None, "+"),
    "scroll down": WebAction("scroll", None, "down"),
    "scroll up [9]": WebAction("scroll", 9, "up"),
    "goto http://127.0.0.1:80/a?b=c": WebAction("goto", None, "http://127.0.0.1:80/a?b=c"),
    "back": WebAction("back"),
    "wait": WebAction("wait"),
    "stop": WebAction("stop"),
    'stop "the answer"': WebAction("stop", None, "the answer"),
    "stop the answer": WebAction("stop", None, "the answer"),
}


@pytest.mark.parametrize("action", READ)
def test_actions_are_read(action: str) -> None:
    assert parse(action) == READ[action]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("clik [1]", "did you mean 'click'"),
        ("click", "click [12]"),
        ("click [1] twice", "click [12]"),
        ("click [x]", "click [12]"),
        ("press Entr", "did you mean 'Enter'"),
        ("press Shift+Shift+a", "no key"),
        ("scroll sideways", "scroll down"),
        ("scroll down (1, 2)", "scroll down"),
        ("goto", "goto ADDRESS"),
        ('type (1, 2) "x"', "type [7]"),
        ('type [1] "x', "type [7]"),
        ("select [1]", "select [4]"),
        ("drag [1]", "drag [3] to [5]"),
        ("back 2", "back"),
        ("", "click"),
    ],
)
def test_what_is_not_understood_is_explained(action: str, why: str) -> None:
    read = parse(action)
    assert isinstance(read, Misread)
    assert why in read.why


@given(st.text())
@example("type [1] \ud800")
@example("click (99999999999, 1)")
def test_no_text_makes_the_parser_fail(action: str) -> None:
    assert isinstance(parse(action), WebAction | Misread)


@given(st.sampled_from(["type", "select"]), st.integers(0, 10**9 - 1), st.text(min_size=1).filter(str.isprintable))
def test_what_is_written_is_read_back(verb: str, element: int, text: str) -> None:
    assert parse(write(verb, element, text)) == WebAction(verb, element, text)


def test_every_verb_has_an_example_that_is_read() -> None:
    for verb, usage in VERBS.items():
        read = parse(usage)
        assert isinstance(read, WebAction), usage
        assert read.verb == verb


def test_keys() -> None:
    plain, held, two = (key_named(name) for name in ("a", "Control+a", "Control+Shift+a"))
    assert plain is not None
    assert held is not None
    assert two is not None
    assert plain.down()["text"] == "a"
    assert held.down()["commands"] == ["selectAll"]
    assert (held.down()["text"], two.modifiers) == ("", 10)
    assert key_named("Hyper+a") is None
    assert [key.key for key in typed("aB\n")] == ["a", "B", "Enter"]
    assert [key.key for key in typed("")] == ["Backspace"]


def element(number: int, role: str, name: str = "", **more: object) -> Element:
    """Make an element that a click reaches."""
    plain = Element(number, role, name, "", (), 5, 5, 10, 10, 1, "", None)
    return plain._replace(**more)


VIEW = PageView(
    "http://127.0.0.1:8080/find?q=1",
    "Shop",
    (
        element(1, "button", "Go"),
        element(2, "textbox", "Name", value="bob", flags=("focused",)),
        element(3, "combobox", "Size", value="S", options=("S", "M")),
        element(4, "button", "No", flags=("disabled",)),
        element(5, "circle", look="red"),
        element(6, "text", "Hello", reach=2),
        element(7, "button", "Under", reach=-1),
        element(8, "time", "When"),
    ),
    (0, 10, 0, 90),
    None,
    True,
    ("Sure?",),
)


def test_a_view_in_words() -> None:
    assert describe(VIEW, "buy it").splitlines() == [
        "Goal: buy it",
        "Page: Shop (/find?q=1)",
        "A dialog said: Sure?",
        "Scrolled: 10 of 90 pixels down",
        '[1] button "Go"',
        '[2] textbox "Name" value "bob" focused',
        '[3] combobox "Size" of S, M chosen "S"',
        '[4] button "No" disabled',
        "[5] circle red at (5, 5) 10x10",
        '[6] text "Hello"',
        '[7] button "Under" covered',
        '[8] time "When"',
    ]


def test_the_admissible_actions_of_a_view() -> None:
    assert admissible(VIEW, ("bob", "6:01 PM")) == (
        "click [1]",
        "click [2]",
        'type [2] "6:01 PM"',
        'select [3] "S"',
        'select [3] "M"',
        "click [5]",
        "click [8]",
        'type [8] "18:01"',
        "press Enter",
        "scroll down",
        "scroll up",
        "wait",
    )
    assert admissible(VIEW, (), limit=1) == ("click [1]", "wait")


def test_what_may_be_worth_typing() -> None:
    found = candidates('Enter "red shoes" as Bob and 12 at 6:01 PM.', ["own"])
    assert found[:4] == ("own", "red shoes", "6:01 PM", "12")
    assert "Bob" in found
    assert "and" not in found


def test_origins() -> None:
    assert origin_of("http://127.0.0.1:80/a") == "http://127.0.0.1:80"
    assert origin_of("http://user@EVIL.example/") == "http://evil.example"
    assert origin_of("file:///etc/passwd") == "file://"


def test_a_named_browser_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(tmp_path / "none")
    try:
        with pytest.raises(MissingDependencyError, match=VARIABLE):
            find_browser()
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before
