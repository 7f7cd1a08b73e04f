"""Pages of many elements, and of elements that look alike, in a real browser."""

import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pathei.envs.web.browser.browser import Browser
from pathei.envs.web.browser.page import PageView
from pathei.envs.web.env import Brief, Opening, Verdict, WebEnv

pytestmark = pytest.mark.integration
importlib.import_module("psutil")

LINKS = "<title>Many</title>" + "".join(f"<p><a href='#{n}'>Link number {n}</a></p>" for n in range(20_000))
LONG = "<title>Long</title>" + "".join(f"<p>{f'words {n} ' * 80}</p>" for n in range(300))
ALIKE = """<title>Alike</title><table><tr><th>Item</th><th>Size</th><th>Notes</th></tr>
<tr><td>Red shoes</td><td>40</td><td><input></td><td><button>Buy</button></td></tr>
<tr><td>Blue shoes</td><td>41</td><td><input></td><td><button>Buy</button></td></tr></table>
<fieldset><legend>Lunch</legend><label><input type=radio name=a>Soup</label></fieldset>
<fieldset><legend>Dinner</legend><label><input type=radio name=b>Soup</label></fieldset>
<section><h2>Home</h2><button>Edit</button></section><section><h2>Work</h2><button>Edit</button></section>
<div role=group aria-label="Left"><button>Go</button></div><div role=group aria-label="Right"><button>Go</button></div>
<button>Only one</button>"""


class OnePage:
    """A site of one page without a goal."""

    def __init__(self, html: str) -> None:
        """Serve it."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def open(self, seed: int, options: Mapping[str, Any]) -> Opening:
        """Begin at the page."""
        origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        return Opening(f"{origin}/", (origin,))

    def brief(self, view: PageView) -> Brief:
        """There is nothing to do."""
        return Brief("Look around.")

    def judge(self, view: PageView, answer: str | None) -> Verdict:
        """It is never done."""
        return Verdict()

    def close(self) -> None:
        """Stop the server."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with Browser(call_s=20.0) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Callable[[str], WebEnv]]:
    made: list[WebEnv] = []

    def of(html: str) -> WebEnv:
        made.append(WebEnv(OnePage(html), browser=browser))
        return made[-1]

    yield of
    for env in made:
        env.close()


def test_a_page_of_20_000_links_is_listed_around_the_window_and_the_rest_counted(page: Callable[[str], WebEnv]) -> None:
    env = page(LINKS)
    text, info = env.reset(seed=0)
    lines = text.splitlines()
    assert len(lines) <= 405
    assert len(text) < 41_000
    assert '[1] link "Link number 0"' in text
    assert lines[-1] == '(19,600 more elements below: `scroll down` or `find "TEXT"`)'
    assert "scroll down" in info["actions"]
    text, *_ = env.step('find "link NUMBER 12345"')
    assert text.startswith('Found "link NUMBER 12345" at [')
    assert '"Link number 12345"' in text
    above, below = env.view.left
    assert above > 10_000
    assert above + below == 19_600
    found = next(one for one in env.view.elements if one.name == "Link number 12345")
    assert found.reach == 1
    *_, info = env.step(f"click [{found.id}]")
    assert "error" not in info
    assert env.view.url.endswith("#12345")
    before = env.view.elements
    env.step("scroll down")
    assert env.view.elements[-1].name > before[-1].name
    text, *_, info = env.step("find nothing like it")
    assert "nothing on the page says" in info["error"]


def test_finding_the_same_text_again_goes_to_the_next_one_and_around(page: Callable[[str], WebEnv]) -> None:
    env = page("<title>Three</title>" + "".join(f"<p>A word {n}</p><p>{'x ' * n * 400}</p>" for n in range(3)))
    env.reset(seed=0)
    said = [env.step('find "a word"')[0].splitlines()[0].rpartition(": ")[2] for _ in range(4)]
    assert said == ["1 of 3.", "2 of 3.", "3 of 3.", "1 of 3."]


def test_long_texts_are_listed_up_to_a_budget_of_characters(page: Callable[[str], WebEnv]) -> None:
    text, _ = page(LONG).reset(seed=0)
    assert 20_000 < len(text) < 45_000
    assert "more elements below" in text


def test_elements_that_look_alike_say_which_row_card_or_group_they_are_in(page: Callable[[str], WebEnv]) -> None:
    env = page(ALIKE)
    env.reset(seed=0)
    context = [
        (one.role, one.name, one.context) for one in env.view.elements if one.role in ("button", "radio", "textbox")
    ]
    assert context == [
        ("textbox", "", "Red shoes, 40"),
        ("button", "Buy", "Red shoes, 40"),
        ("textbox", "", "Blue shoes, 41"),
        ("button", "Buy", "Blue shoes, 41"),
        ("radio", "Soup", "Lunch"),
        ("radio", "Soup", "Dinner"),
        ("button", "Edit", "Home"),
        ("button", "Edit", "Work"),
        ("button", "Go", "Left"),
        ("button", "Go", "Right"),
        ("button", "Only one", ""),
    ]
