"""The terminal's screen: keys by name, the picture of a terminal, programs on it, snapshots, and its tasks."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.collectors import make_explorer
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.contract import reset
from pathei.envs.registry import get_demonstration
from pathei.envs.terminal.keys import NAMES, quote, read_keys
from pathei.envs.terminal.sandbox.sandbox import Limits
from pathei.envs.terminal.sandbox.support import missing
from pathei.envs.terminal.screen import TerminalScreenEnv
from pathei.envs.terminal.tasks.screens import SCREEN_CHORES, generate_screen_tasks
from pathei.envs.text_env import TEXT_BUDGET
from pathei.errors import ConfigError, GoalError, SnapshotError
from pathei.experience import Trajectory

Screen = gymnasium.Env[Any, Any]
NEEDED = {"edit": "vi", "pager": "less", "interpreter": "python3"}


@pytest.fixture(scope="module")
def env() -> Iterator[Screen]:
    """One screen for all tests of this file."""
    pytest.importorskip("pyte")
    if reason := missing():
        pytest.skip(f"no sandbox on this machine: {reason}")
    made = TerminalScreenEnv(limits=Limits(seconds=1.5))
    yield made
    made.close()


def there(program: str) -> None:
    """Skip the test where a program is not installed."""
    if shutil.which(program, path="/usr/bin:/bin") is None:
        pytest.skip(f"{program} is not installed")


def shown(env: Screen, *actions: str) -> str:
    """Do some actions, none of which may be refused, and return the last screen."""
    observation = ""
    for action in actions:
        observation, *_, info = env.step(action)
        assert "error" not in info, (action, info["error"])
    return observation


# --- without a sandbox


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("'ls -l' Enter", [b"ls -l\r"]),
        ("ls -l Enter", [b"ls -l\r"]),
        ("Escape :wq Enter", [b"\x1b", b":wq\r"]),
        ('"Enter"', [b"Enter"]),
        ("Down*3 C-c q", [b"\x1b[B\x1b[B\x1b[B\x03", b"q"]),
        ("<Enter> Ctrl-d ^Z Ctrl+c", [b"\r", b"\x04", b"\x1a", b"\x03"]),
        (r'"say \"hi\" \\ $x"', [rb'say "hi" \ $x']),
        ("M-f Esc PgDn F1", [b"\x1bf\x1b", b"\x1b[6~\x1b[[A"]),
        ("'two\nlines'", [b"two\rlines"]),
    ],
)
def test_keys_by_name(text: str, sent: list[bytes]) -> None:
    assert read_keys(text) == tuple(sent)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no key"),
        ("enter", "write Enter for the key"),
        ("'open", "quote is not closed"),
        ("<Foo>", "names no key"),
        ("C-1", "Control goes with a letter"),
        ("Down*999", "1 to 200 times"),
        ('echo "a b" Enter', "side by side"),
    ],
)
def test_keys_that_cannot_be_meant_are_explained(text: str, reason: str) -> None:
    read = read_keys(text)
    assert isinstance(read, str)
    assert reason in read


@given(st.text(max_size=30).filter(lambda text: "\r" not in text))
@settings(max_examples=50, deadline=None)
def test_quoted_text_is_typed_as_it_is(text: str) -> None:
    sent = text.replace("\n", "\r").encode("utf-8", "replace")
    assert read_keys(quote(text)) == ((sent,) if sent else "there is no key to press")


@given(
    st.lists(st.one_of(st.binary(max_size=9), st.sampled_from(["\x1b[", "\x1b[?", "\x1b[>", "\x1b]0;", "?3h", ";5r"])))
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_written_the_screen_keeps_its_size(parts: list[bytes | str]) -> None:
    pytest.importorskip("pyte")
    from pathei.envs.terminal.emulator import Emulator

    screen = Emulator(20, 5)
    for part in parts:
        screen.feed(part.encode() if isinstance(part, str) else part)
    assert len(screen.rows()) <= 5
    line, column = screen.cursor()
    assert (1 <= line <= 5, 1 <= column <= 20) == (True, True)
    assert screen.copy().rows() == screen.rows()


def test_the_emulator_draws_answers_and_marks() -> None:
    pytest.importorskip("pyte")
    from pathei.envs.terminal.emulator import Emulator

    screen = Emulator(20, 5)
    assert screen.feed(b"one\x1b[3;5H\x1b[7mtwo\x1b[0m\x1b[6n") == b"\x1b[3;8R"
    assert screen.rows() == ["one", "", "    two"]
    assert screen.highlighted() == ["two"]


def test_tasks_follow_from_the_seed_and_every_size_is_checked() -> None:
    tasks = generate_screen_tasks(7, 3)
    assert tasks[:5] == generate_screen_tasks(5, 3) != generate_screen_tasks(5, 4)
    assert [task.id.rpartition("/")[2] for task in tasks[:5]] == list(SCREEN_CHORES)
    for size in ("80", "10x24", "200x60", 3):
        with pytest.raises(ConfigError, match="80x24"):
            TerminalScreenEnv(size=size).reset(seed=0)
    with pytest.raises(GoalError, match="without a screen"):
        TerminalScreenEnv(goal={"conditions": [{"match": "x"}]}).reset(seed=0)
    with pytest.raises(ConfigError, match="home directory"):
        TerminalScreenEnv(files={"../x": ""}).reset(seed=0)


# --- with one


@pytest.mark.integration
def test_the_contracts_hold(env: Screen) -> None:
    check_env(env)
    check_snapshot(env, rng=np.random.default_rng(1), steps=3, rounds=1)


@pytest.mark.integration
def test_the_oracle_does_every_task(env: Screen) -> None:
    for task in generate_screen_tasks(5, 0):
        name = task.id.rpartition("/")[2]
        if name in NEEDED:
            there(NEEDED[name])
        _, info = reset(env, task)
        assert not info["success"]
        for action in get_demonstration(task):
            observation, *_, info = env.step(action)
            assert len(observation) <= TEXT_BUDGET
        assert info["success"], (task.id, observation)


@pytest.mark.integration
def test_exploring_does_not(tmp_path: Any) -> None:
    if reason := missing():
        pytest.skip(f"no sandbox on this machine: {reason}")
    with contextlib.closing(make_explorer(strategy="uniform", max_steps=6, seed=1)) as explorer:
        played = list(explorer.collect(generate_screen_tasks(5, 0)))
    assert [isinstance(one, Trajectory) and bool(one.success) for one in played] == [False] * 5
    assert all(isinstance(one, Trajectory) for one in played)


@pytest.mark.integration
def test_a_typed_line_is_part_of_a_snapshot_and_a_program_is_refused_by_name(env: Screen) -> None:
    env.reset(seed=4, options={"files": {"a.txt": "one\n"}})
    before = shown(env, "keys 'X=5; cd /tmp' Enter", "keys 'echo $X$(ls ~' ")
    saved = env.unwrapped.snapshot()
    after = shown(env, "keys '; rm ~/a.txt)' Enter")
    assert "5a.txt" in after
    assert "a.txt" not in shown(env, "keys 'ls ~' Enter").splitlines()
    env.unwrapped.restore(saved)
    assert env.unwrapped.text() == before
    assert shown(env, "keys '; rm ~/a.txt)' Enter") == after
    env.unwrapped.restore(saved)
    assert "5" in shown(env, "keys C-u 'ls ~; echo $X' Enter").split()
    assert "cd /tmp" in shown(env, "keys Up Up")
    shown(env, "keys C-c", "keys 'cat' Enter", "keys hello Enter")
    with pytest.raises(SnapshotError, match=r"foreground \(cat\)"):
        env.unwrapped.snapshot()
    shown(env, "keys C-z")
    with pytest.raises(SnapshotError, match=r"background \(cat\)"):
        env.unwrapped.snapshot()
    shown(env, "keys 'kill %1; wait; read x' Enter")
    with pytest.raises(SnapshotError, match=r"foreground \(bash\)"):
        env.unwrapped.snapshot()
    env.unwrapped.restore(saved)
    assert env.unwrapped.text() == before


@pytest.mark.integration
def test_what_hangs_ends_at_the_limit_and_what_waits_is_not_waited_for(env: Screen) -> None:
    env.reset(seed=4)
    for command in ("while :; do :; done", "(trap '' INT TERM; sleep 100)"):
        *_, info = env.step(f"keys {quote(command)} Enter")
        assert info["error"] == "it took longer than 1.5 s"
        shown(env, "keys 'clear; echo $((6*7))' Enter")
        assert "42" in env.unwrapped.text()
    *_, info = env.step("keys 'exit 3' Enter")
    assert "ended the shell" in info["error"]
    assert "42" in shown(env, "keys 'clear; echo $((6*7))' Enter")
    *_, info = env.step("ls")
    assert "keys 'ls' Enter" in info["error"]
    assert env.step("keys 'yes | head -c 3000000' Enter")[0].count("y") > 20


@pytest.mark.integration
def test_a_terminal_is_a_terminal(env: Screen) -> None:
    env.reset(seed=4, options={"size": "40x10"})
    assert "10 40" in shown(env, "keys 'stty size' Enter")
    assert "linux" in shown(env, "keys 'echo $TERM' Enter")
    assert set(NAMES) >= {"Enter", "Tab", "Escape", "Up", "Down", "Left", "Right", "BSpace", "PgUp", "PgDn"}
    there("vi")
    shown(env, "keys 'vi new.txt' Enter", "keys i", "keys 'one' Enter 'two' Escape")
    shown(env, "keys 'kA!' Escape", "keys :wq Enter")
    assert shown(env, "keys 'clear; cat new.txt' Enter").splitlines()[:2] == ["one!", "two"]
