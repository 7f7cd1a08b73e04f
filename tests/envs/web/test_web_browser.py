"""A real browser on real pages: input, looking, origins, crashes, and that nothing is left behind."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pathei.envs import check_env
from pathei.envs.web.browser.browser import Browser
from pathei.envs.web.browser.page import PageConfig, PageView
from pathei.envs.web.env import Brief, Opening, Verdict, WebEnv
from pathei.errors import ConfigError, WorldError

pytestmark = pytest.mark.integration
psutil: Any = importlib.import_module("psutil")

FORM = """<!doctype html><title>Form</title><h1>Order</h1>
<form action="/done"><label>Name <input name="name"></label>
<label for="s">Size</label><select id="s" name="size"><option>Small<option>Large</select>
<label><input type="checkbox" name="gift" value="yes"> A gift</label>
<textarea aria-label="Note"></textarea><input type="password" placeholder="Secret">
<button>Send</button> <button type="button" disabled>Never</button></form>
<a href="/two">Next</a> <a href="/two" target="_blank">New tab</a> <a href="@other@/evil">Elsewhere</a>
<div role="button" tabindex="0" aria-expanded="false">Custom</div>
<p>Some <b>bold</b> words.</p><img src="data:," alt="A picture" width=10 height=10>
<button type=button onclick="alert('hello')">Alarm</button>
<button type=button onclick="while(true);">Hang</button>
<button type=button onclick="setTimeout(() => document.title = 'Later', 700)">Soon</button>
<script>document.cookie = "seen=" + (+(/seen=(\\d+)/.exec(document.cookie) || [0, 0])[1] + 1);
fetch("@other@/stolen").catch(() => 0); new Image().src = "@other@/pixel";</script>"""
LONG = "<title>Two</title><p>Second page</p>" + "<p>line</p>" * 200 + "<a href='/done'>Buy</a><button>End</button>"


class Pages(BaseHTTPRequestHandler):
    """Serves the pages above and keeps what was asked for."""

    asked: list[str]
    other: str

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        text = {"/": FORM, "/two": LONG, "/done": f"<title>Done</title><p>{self.path}</p>"}.get(path, "nothing")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(text.replace("@other@", self.other).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(other: str) -> tuple[ThreadingHTTPServer, str, list[str]]:
    """Start a server; return it, its origin, and the paths that are asked for."""
    asked: list[str] = []
    handler = type("Handler", (Pages,), {"asked": asked, "other": other})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}", asked


class Shop:
    """A site of one form; its goal is to send it with a name."""

    def __init__(self, start: str = "/") -> None:
        """Serve it, beginning at a path, and another origin that must never be asked."""
        self.start = start
        self.other, other, self.stolen = serve("")
        self.server, self.origin, self.asked = serve(other)

    def open(self, seed: int, options: Mapping[str, Any]) -> Opening:
        """Begin at the form."""
        return Opening(self.origin + self.start, (self.origin,))

    def brief(self, view: PageView) -> Brief:
        """Say what is to be done."""
        return Brief('Send the form with the name "Bob".')

    def judge(self, view: PageView, answer: str | None) -> Verdict:
        """It is done when the server was told."""
        done = "/done" in view.url
        good = done and "name=Bob" in view.url
        return Verdict(float(good), done, good, float(good), {"page": view.url.rpartition("/")[2]})

    def close(self) -> None:
        """Stop both servers."""
        for server in (self.server, self.other):
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with Browser(call_s=3.0) as running:
        yield running


@pytest.fixture
def env(browser: Browser) -> Iterator[WebEnv]:
    made = WebEnv(Shop(), browser=browser)
    yield made
    made.close()


def number(env: WebEnv, role: str, name: str = "") -> int:
    return next(e.id for e in env.view.elements if e.role == role and e.name == name)


def test_a_form_is_filled_in_and_sent(env: WebEnv) -> None:
    text, info = env.reset(seed=0)
    assert text.startswith('Goal: Send the form with the name "Bob".\nPage: Form (/)\n')
    assert f'type [{number(env, "textbox", "Name")}] "Bob"' in info["actions"]
    env.step(f'type [{number(env, "textbox", "Name")}] "Rob"')
    env.step(f'type [{number(env, "textbox", "Name")}] "Bob"')
    env.step(f'select [{number(env, "combobox", "Size")}] "Large"')
    text, *_ = env.step(f"click [{number(env, 'checkbox', 'A gift')}]")
    assert '"Name" value "Bob"' in text
    assert 'chosen "Large"' in text
    assert '"A gift" checked' in text
    text, reward, terminated, _, info = env.step(f"click [{number(env, 'button', 'Send')}]")
    assert (reward, terminated, info["success"], info["actions"]) == (1.0, True, True, ())
    assert "/done?name=Bob&size=Large&gift=yes" in text
    assert "over" in env.step("back")[4]["error"]


def test_links_history_addresses_and_scrolling(env: WebEnv) -> None:
    env.reset(seed=0)
    assert "Second page" in env.step(f"click [{number(env, 'link', 'New tab')}]")[0]
    assert "Scrolled: 0 of" in env.step("wait")[0]
    assert "Scrolled: 0 of" not in env.step("scroll down")[0]
    assert "error" not in env.step(f"click [{number(env, 'button', 'End')}]")[4]
    assert "Page: Form" in env.step("back")[0]
    assert "no page to go back" in env.step("back")[4]["error"]
    assert "Page: Two" in env.step("goto /two")[0]
    assert "error" not in env.step("press PageDown")[4]


def test_nothing_but_the_allowed_origin_is_ever_fetched(env: WebEnv) -> None:
    env.reset(seed=0)
    site: Any = env._site
    other = f"http://127.0.0.1:{site.other.server_address[1]}"
    for action in (
        f"click [{number(env, 'link', 'Elsewhere')}]",
        f"goto {other}/evil",
        "goto http://example.com/",
        "goto file:///etc/passwd",
        "goto javascript:alert(1)",
        "goto chrome://version",
    ):
        text, _, _, _, info = env.step(action)
        assert "may not be opened" in info["error"], action
        assert "Page: Form" in text, action
    for address in (f"{other}/x", f"{site.origin.replace('127.0.0.1', 'localhost')}/", "http://93.184.216.34/"):
        with pytest.raises(WorldError):
            env.page.open(address)
    assert site.stolen == []
    assert env._browser is not None
    with pytest.raises(ConfigError, match="no origin of this machine"):
        env._browser.context(["http://example.com"])


def test_each_episode_has_a_fresh_profile(env: WebEnv) -> None:
    for _ in range(3):
        env.reset(seed=0)
        assert env.page.evaluate("document.cookie") == "seen=1"
    env.step("goto /?again")
    assert env.page.evaluate("document.cookie") == "seen=2"


def test_dialogs_are_answered_and_told(env: WebEnv) -> None:
    env.reset(seed=0)
    assert "A dialog said: hello" in env.step(f"click [{number(env, 'button', 'Alarm')}]")[0]


def test_the_clock_moves_with_actions_only(env: WebEnv) -> None:
    env.reset(seed=0)
    env.step(f"click [{number(env, 'button', 'Soon')}]")
    time.sleep(0.8)
    assert env.view.waiting
    assert env.page.evaluate("document.title") == "Form"
    assert "Page: Later" in env.step("wait")[0]


def test_errors_change_nothing_and_say_why(env: WebEnv) -> None:
    env.reset(seed=0)
    before = env.view
    for action, why in {
        "click [999]": "no [999]",
        "click (5000, 5)": "outside the window",
        f'type [{number(env, "button", "Send")}] "x"': "not editable",
        f'select [{number(env, "combobox", "Size")}] "Huge"': "no such option",
        "jump": "no action",
        "type [1] \ud800": "UTF-8",
    }.items():
        text, reward, terminated, _, info = env.step(action)
        assert why in info["error"]
        assert text.startswith(f"That did not work: {info['error']}.")
        assert (reward, terminated) == (0.0, False)
    assert env.view.elements == before.elements


def test_gymnasium_and_our_contract(browser: Browser) -> None:
    env = WebEnv(Shop("/two"), browser=browser)
    check_env(env, steps=6)
    env.close()


def test_roles_and_names_are_those_of_the_accessibility_tree(env: WebEnv) -> None:
    """The browser computes both by the standard (accname-1.2, html-aam); the walk through the document is faster."""
    env.reset(seed=0)
    tree = {
        (node["role"]["value"], node["name"]["value"].strip())
        for node in env.page.accessibility()
        if not node.get("ignored") and node.get("role") and node.get("name")
    }
    roles = {"button", "link", "textbox", "checkbox", "combobox", "heading", "image"}
    ours = {(e.role, e.name) for e in env.view.elements if e.role in roles}
    theirs = {pair for pair in tree if pair[0] in roles}
    assert ours == theirs
    assert len(ours) >= 13


def test_a_hanging_page_is_a_clear_error_and_the_next_episode_works(env: WebEnv) -> None:
    env.reset(seed=0)
    with pytest.raises(WorldError, match="did not answer within 3 s"):
        env.step(f"click [{number(env, 'button', 'Hang')}]")
    assert "Page: Form" in env.reset(seed=0)[0]


def test_a_crashed_page_is_a_clear_error_and_the_next_episode_works(env: WebEnv) -> None:
    env.reset(seed=0)
    env.page._post("Page.crash", wanted=False)
    with pytest.raises(WorldError, match="crashed"):
        env.step("wait")
    assert "Page: Form" in env.reset(seed=0)[0]


def test_image_dom_and_tree_are_there_if_asked_for(browser: Browser) -> None:
    env = WebEnv(Shop(), browser=browser, screenshot=(120, 200), dom=True, accessibility=True, render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    assert observation["image"].shape == (120, 200, 3)
    assert observation["image"].min() < observation["image"].max() == np.uint8(255)
    assert "<form" in observation["dom"]
    assert 'button "Send"' in observation["accessibility"]
    size = PageConfig()
    assert env.render().shape == (size.height, size.width, 3)
    env.close()


# --- processes


def family(profile: Path) -> list[Any]:
    """Return every process, zombies included, whose command line names a profile."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(profile) in argument for argument in process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def gone(profile: Path, seconds: float = 10.0) -> bool:
    """Wait until no process of a profile, nor the profile, is left."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not family(profile) and not profile.exists():
            return True
        time.sleep(0.05)
    return False


def test_closing_leaves_no_process_and_no_profile(browser: Browser) -> None:
    own = Browser()
    children = family(own.profile)
    assert len(children) >= 3
    own.close()
    assert not own.alive
    assert not own.profile.exists()
    assert not [child for child in children if child.is_running()]
    own.close()
    with pytest.raises(WorldError, match="has ended"):
        own.context()


CHILD = """
import os, sys, time
from pathei.envs.web.browser.browser import Browser
browser = Browser()
print(browser.profile, flush=True)
{end}
"""


@pytest.mark.parametrize(
    "end",
    ["os.kill(os.getpid(), 9)", "pass", "raise SystemExit(3)", "os.fork() or time.sleep(1.5); os.kill(os.getpid(), 9)"],
    ids=["killed", "forgotten", "exit", "killed beside a fork"],
)
def test_whatever_ends_python_ends_the_browser(browser: Browser, end: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHILD.format(end=end)], capture_output=True, text=True, timeout=60)
    profile = Path(done.stdout.strip())
    assert profile.name.startswith("pathei-browser-")
    assert gone(profile)


WAITING = """
import sys
from pathei.envs.web.browser.cdp import Connection
connection = Connection(0, 1, why_dead=str)
connection.listeners[""] = lambda method, params: connection.post("answer", wanted=False)
sys.stderr.write(connection.call("ask", timeout=0.8)["value"])
"""


def test_the_time_for_which_python_is_stopped_does_not_count() -> None:
    """The browser asks something while it is stopped, and answers what it was asked only after that."""
    command = [sys.executable, "-c", WAITING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        assert b'"ask"' in os.read(child.stdout.fileno(), 1000)
        child.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        os.write(child.stdin.fileno(), b'{"method":"Fetch.requestPaused"}\0')
        child.send_signal(signal.SIGCONT)
        assert b'"answer"' in os.read(child.stdout.fileno(), 1000)
        os.write(child.stdin.fileno(), b'{"id":1,"result":{"value":"done"}}\0')
        assert child.stderr.read() == b"done"


def marks(process: Any) -> set[str]:
    """Return what a process's command line shows that it is, besides a browser."""
    line = " ".join(process.cmdline())
    return {mark for mark in ("keeper", "--type=") if mark in line}


def test_a_killed_browser_is_a_clear_error_and_is_replaced(browser: Browser) -> None:
    env = WebEnv(Shop())
    env.reset(seed=0)
    first = env._browser
    assert first is not None
    # Neither the keeper nor a child of the browser: its crash handler has no type either.
    main = next(
        process
        for process in family(first.profile)
        if "--remote-debugging-pipe" in process.cmdline() and not {"keeper", "--type="} & marks(process)
    )
    os.kill(main.pid, signal.SIGKILL)
    # The signal may take a moment, in which the browser still answers.
    psutil.wait_procs([main], timeout=10)
    with pytest.raises(WorldError, match="has ended"):
        env.step("wait")
    assert gone(first.profile)
    assert "Page: Form" in env.reset(seed=0)[0]
    env.close()
    assert gone(first.profile)


def test_a_browser_that_does_not_start_says_why(browser: Browser, tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho 'error while loading shared libraries: libnss3.so' >&2\nexit 127\n")
    broken.chmod(0o755)
    with pytest.raises(WorldError, match=r"does not start.*libnss3\.so"):
        Browser(str(broken))
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nsleep 30\n")
    silent.chmod(0o755)
    with pytest.raises(WorldError, match=r"does not start.*did not answer within 0\.5 s"):
        Browser(str(silent), start_s=0.5)
