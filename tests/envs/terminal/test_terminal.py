"""The terminal world: its contract, its tasks, what others' formats become, and what collectors make of it."""

import json
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.agents.scripted import ScriptedAgent
from pathei.collectors import make_explorer, play
from pathei.collectors.search.collector import MctsConfig, make_searcher
from pathei.collectors.search.config import SearchConfig
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.contract import reset
from pathei.envs.terminal.conditions import FileView, check_conditions, holds, same_answer
from pathei.envs.terminal.env import TerminalEnv
from pathei.envs.terminal.files import FileNode, apply, difference
from pathei.envs.terminal.sandbox.seccomp import seccomp_filter
from pathei.envs.terminal.sandbox.support import missing
from pathei.envs.terminal.suggestions import MOST, VERBS, named_in, suggest
from pathei.envs.terminal.tasks.filesystems import FILESYSTEMS, generate
from pathei.envs.terminal.tasks.formats import load_agentbench, load_intercode
from pathei.envs.terminal.tasks.generate import ENV_ID, demonstration, generate_tasks, task_of
from pathei.envs.terminal.tasks.judges import Judgement, intercode_reward, similarity
from pathei.errors import ConfigError, DataError, GoalError, UnknownNameError, WorldError
from pathei.experience import Task
from pathei.store import ExperienceStore

SEARCH = SearchConfig(
    simulations=60,
    depth=5,
    selection="puct",
    exploration=0.5,
    stop_on_success=True,
    rollout_steps=3,
    env_steps=150,
)


@pytest.fixture(scope="module")
def env() -> Iterator[gymnasium.Env[Any, Any]]:
    """The terminal as `gymnasium.make` wraps it, once for all tests of this file."""
    reason = missing()
    if reason:
        pytest.skip(f"no sandbox on this machine: {reason}")
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(ENV_ID, "pathei.envs.terminal.env:TerminalEnv", max_episode_steps=50)
    made = gymnasium.make(ENV_ID)
    yield made
    made.close()


# --- without a sandbox


def test_tasks_follow_from_the_seed_and_are_fifty_different_chores() -> None:
    tasks = generate_tasks(60, 3)
    assert tasks[:50] == generate_tasks(50, 3)
    assert tasks != generate_tasks(60, 4)
    assert len({task.id for task in tasks}) == 60
    assert len({task.id.rpartition("/")[2] for task in tasks[:50]}) == 50
    assert {task.options["files"].partition(":")[0] for task in tasks[:5]} == set(FILESYSTEMS)
    for task in tasks:
        assert json.loads(json.dumps([dict(c) for c in task.goal.conditions])) == [*task.goal.conditions]
        assert set(task.options["verbs"]) <= set(VERBS)
        assert check_conditions(task.goal.conditions)
        assert demonstration(task)


@given(st.integers(0, 2**31 - 1), st.sampled_from(list(FILESYSTEMS)))
@settings(max_examples=30, deadline=None)
def test_file_systems_are_small_and_the_same_for_the_same_seed(seed: int, kind: str) -> None:
    system = generate(f"{kind}:{seed}")
    assert system == generate(f"{kind}:{seed}")
    assert len(system.chores) == 10
    assert 20 < len(system.entries) < 80
    assert sum(len(entry.content) for entry in system.entries) < 20_000
    paths = [entry.path for entry in system.entries]
    assert len(set(paths)) == len(paths)


def test_wrong_names_are_explained() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'office'"):
        generate("ofice:3")
    with pytest.raises(ConfigError, match="'office:7', not 'office:x'"):
        generate("office:x")
    with pytest.raises(ConfigError, match="no chore 'nothing'; it has tidy-inbox"):
        task_of("office:1", "nothing")
    with pytest.raises(ConfigError, match="whole numbers"):
        generate_tasks(-1, 0)
    with pytest.raises(ConfigError, match="no option 'fils'"):
        TerminalEnv(fils="office:1")
    with pytest.raises(GoalError, match="one of the keys"):
        check_conditions([{"fil": "x"}])


NAMES = st.sampled_from(["a", "b", "a/c", "a/d", "a/d/e"])
ROWS = st.lists(
    st.tuples(NAMES, st.sampled_from(["file", "dir", "gone", "fresh"]), st.text("xy", max_size=2)), max_size=6
)


@given(ROWS, ROWS)
def test_layers_lie_over_each_other_as_the_kernel_lays_them(lower: list[Any], upper: list[Any]) -> None:
    rows = [[path, kind, 0o644, 0, content] for path, kind, content in lower if kind in ("file", "dir")]
    below = apply({}, rows)
    over = [[path, kind, 0o644, 0, content] for path, kind, content in upper]
    tree = apply(below, over)
    assert apply(below, []) == below
    touched = {path for path, *_ in over}
    for path, node in tree.items():
        assert path in touched or below[path] == node
        assert node.kind in ("file", "dir")
    for sign, path, *_ in difference(below, tree):
        assert (path in below, path in tree) == {"+": (False, True), "-": (True, False), "~": (True, True)}[sign]
    assert difference(tree, tree) == []


def test_conditions_on_files() -> None:
    start = {
        "home": FileNode("dir", 0o755, 0, ""),
        "home/a": FileNode("file", 0o644, 2, "h1"),
        "home/l": FileNode("link", 0o777, 0, "/x"),
    }
    now = {**start, "home/b": FileNode("file", 0o600, 2, "h1")}
    view = FileView(start, now, "/home", " 7.0 ", {"home/a": b"one \n two\n", "home/b": b"one"}.get)
    right = [
        {"file": "a"}, {"file": "/home/b", "mode": "600"}, {"file": "b", "same_as": "a"},
        {"file": "a", "text": "one\ntwo"}, {"file": "a", "contains": "wo"}, {"absent": "c"}, {"dir": "."},
        {"link": "l", "to": "/x"}, {"only": ["b"]},
        {"answer": "7"},
    ]  # fmt: skip
    wrong = [
        {"file": "c"}, {"file": "l"}, {"file": "a", "mode": "600"}, {"file": "a", "text": "one two"}, {"absent": "a"},
        {"dir": "a"}, {"link": "l", "to": "/y"}, {"only": ["a"]}, {"answer": "8"}, {"file": "a", "unpacked": "one"},
    ]  # fmt: skip
    assert [holds(condition, view) for condition in right] == [True] * len(right)
    assert [holds(condition, view) for condition in wrong] == [False] * len(wrong)
    assert same_answer("'Aldrich'", "aldrich")
    assert not same_answer("", "0")


def test_suggestions_name_what_is_in_sight() -> None:
    tree = apply({}, [[entry.path, entry.kind, entry.mode, 0, ""] for entry in generate("office:1").entries])
    text = "Move `inbox/offer.txt` to `done/offer.txt`, and say `hello`."
    assert named_in(text) == ("inbox/offer.txt", "done/offer.txt", "hello")
    listed = suggest(tree, "/home/agent", "/home/agent", text, "42 lines", VERBS)
    assert len(listed) == len(set(listed)) <= MOST
    assert {"ls", "submit 42", "mv inbox/offer.txt done/offer.txt", "cat notes.txt"} <= set(listed)
    inside = suggest(tree, "/home/agent/inbox", "/home/agent", text, "", ("mv", "cd"))
    assert "mv offer.txt /home/agent/done/offer.txt" in inside
    assert all(command.startswith(("mv", "cd")) for command in inside)


@given(st.text("abc ", max_size=20), st.text("abc ", max_size=20))
def test_output_similarity_is_scikit_learns(one: str, other: str) -> None:
    text = pytest.importorskip("sklearn.feature_extraction.text")
    try:
        vectors = text.TfidfVectorizer().fit_transform([one, other])
        expected = float((vectors @ vectors.T).toarray()[0][1])
    except ValueError:  # no words at all
        expected = float(one == other)
    assert similarity(one, other) == pytest.approx(expected)


def test_the_reward_of_intercode_by_hand() -> None:
    start = {"f": FileNode("file", 0o644, 1, "h")}
    right = {**start, "new": FileNode("file", 0o644, 1, "n")}
    view = FileView(start, right, "/", "", lambda path: None)
    assert intercode_reward(view, "same words", Judgement(right, "same words")) == 1.0
    assert (
        intercode_reward(view, "same words", Judgement({**right, "new": FileNode("file", 0o644, 1, "m")}, "same words"))
        == 0.67
    )
    assert intercode_reward(view, "xx", Judgement(start, "yy")) == pytest.approx(
        0.01 + round(0.33 * (1 - math.erf(1)), 2) + 0.33
    )


def test_the_filter_is_whole_instructions_and_absent_where_numbers_are_not_known() -> None:
    assert len(seccomp_filter("x86_64")) % 8 == len(seccomp_filter("aarch64")) % 8 == 0
    assert seccomp_filter("riscv64") == b""


def intercode_folder(folder: Path) -> Path:
    """Write two tasks as InterCode writes them."""
    rows = [
        {"query": "count the lines of /testbed/a", "gold": "wc -l < /testbed/a"},
        {"query": "copy /testbed/a to /testbed/b", "gold": "cp /testbed/a /testbed/b"},
    ]
    (folder / "nl2bash_fs_1.json").write_text(json.dumps(rows))
    (folder / "setup_nl2b_fs_1.sh").write_text("#!/bin/bash\nmkdir -p /testbed\nprintf '1\\n2\\n' > /testbed/a\n")
    return folder


def agentbench_folder(folder: Path) -> Path:
    """Write three tasks as AgentBench writes them."""
    check = {"language": "python", "file": "check/integer-match.py"}
    rows = [
        {
            "description": "How many files are in /data?",
            "create": {"local": "default", "init": {"file": "init/make.sh"}},
            "evaluation": {"check": [None, check], "example": {"code": "ls /data | wc -l"}},
        },
        {
            "description": "Make /data/done.",
            "evaluation": {"check": [{"language": "bash", "code": "test -e /data/done"}]},
        },
        {
            "description": "Say yes.",
            "create": {"init": "mkdir /data"},
            "start": "sleep 9 &",
            "evaluation": {"match": "yes"},
        },
    ]
    rows[1]["create"] = {"init": ["mkdir /data"]}
    for path, text in {
        "data/1/some.json": json.dumps(rows),
        "scripts/1/init/make.sh": "mkdir /data; touch /data/a /data/b",
        "scripts/1/check/integer-match.py": "from sys import argv\nexit(int(argv[1]) != int(argv[2]))\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_wrong_task_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no nl2bash_fs_N\.json"):
        load_intercode(tmp_path)
    with pytest.raises(DataError, match="data/os_interaction"):
        load_agentbench(tmp_path)
    intercode_folder(tmp_path)
    (tmp_path / "nl2bash_fs_1.json").write_text('[{"query": "x"}]')
    with pytest.raises(DataError, match=r"Task 0 of nl2bash_fs_1\.json must have"):
        load_intercode(tmp_path)
    (tmp_path / "setup_nl2b_fs_1.sh").unlink()
    with pytest.raises(DataError, match=r"needs setup_nl2b_fs_1\.sh"):
        load_intercode(tmp_path)
    agentbench_folder(tmp_path)
    (tmp_path / "data/1/some.json").write_text('[{"description": "x", "evaluation": {}}]')
    with pytest.raises(DataError, match="1/some/0 cannot be read"):
        load_agentbench(tmp_path)
    (tmp_path / "data/1/some.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        load_agentbench(tmp_path)


# --- with one


@pytest.mark.integration
def test_the_contract_holds(env: gymnasium.Env[Any, Any]) -> None:
    check_env(env)


@pytest.mark.integration
def test_snapshots_hold(env: gymnasium.Env[Any, Any]) -> None:
    check_snapshot(env, rng=np.random.default_rng(1), steps=6, rounds=2)


@pytest.mark.integration
@pytest.mark.parametrize("seed", [0, 11])
def test_every_demonstration_reaches_its_goal_and_nothing_does_before(env: gymnasium.Env[Any, Any], seed: int) -> None:
    for task in generate_tasks(50, seed):
        _, info = reset(env, task)
        assert info["success"] is False, task.id
        earned, begin = 0.0, info["progress"]
        for action in demonstration(task):
            _, reward, terminated, _, info = env.step(action)
            assert "error" not in info, (task.id, info)
            earned += reward
        assert (info["success"], terminated) == (True, True), task.id
        assert earned == pytest.approx(1.0 - begin)


@pytest.mark.integration
def test_an_episode_as_an_agent_sees_it(env: gymnasium.Env[Any, Any]) -> None:
    task = task_of("archive:5", "find-key")
    observation, info = reset(env, task)
    assert observation == "agent@sim:~$"
    assert info["facts"]["files"]["home/agent/inventory.txt"][0] == "file"
    observation, *_, info = env.step("cd boxes; echo x > new; printf 'a\\0b\\xff'; false")
    assert observation == "a\ufffdb\ufffd\n[exit 1]\nagent@sim:~/boxes$"
    assert [row[:3] for row in info["facts"]["difference"]] == [["+", "home/agent/boxes/new", "file"]]
    for command, reason in [
        ("zyx 1", "zyx: command not found"),
        ("echo 'open", "unexpected EOF while looking for matching"),
        ("exit 2", "it ended the shell, and a new one was started"),
        ("a\0b", "without NUL"),
    ]:
        observation, *_, info = env.step(command)
        assert reason in info["error"]
        assert info["error"] in observation
    _, reward, terminated, _, info = env.step("submit 1")
    assert (reward, terminated, info["success"], info["actions"]) == (0.0, True, False, ())


@pytest.mark.integration
def test_a_killed_keeper_is_told_and_replaced(env: gymnasium.Env[Any, Any]) -> None:
    env.reset(seed=1)
    groups = env.unwrapped.sandbox.confined_by
    os.kill(env.unwrapped.sandbox.pid, signal.SIGKILL)
    time.sleep(0.2)
    with pytest.raises(WorldError, match="keeper"):
        env.step("echo on")
    assert not [group for group in groups if Path(group).exists()]
    assert env.reset(seed=1)[0] == "agent@sim:~$"
    assert env.step("echo on")[0].startswith("on\n")


@pytest.mark.integration
def test_intercode_tasks_are_judged_by_its_reward(env: gymnasium.Env[Any, Any], tmp_path: Path) -> None:
    tasks = load_intercode(intercode_folder(tmp_path))
    assert [played(env, task, *demonstration(task)) for task in tasks] == [(True, 1.0), (True, 1.0)]
    assert played(env, tasks[1], "cp /testbed/a /testbed/c", "submit") == (False, 0.67)
    assert played(env, tasks[0], "echo 3", "submit") == (False, 0.67)


@pytest.mark.integration
def test_agentbench_tasks_are_judged_by_their_own_checks(env: gymnasium.Env[Any, Any], tmp_path: Path) -> None:
    count, make, say = load_agentbench(agentbench_folder(tmp_path))
    assert played(env, count, "ls /data", "answer 2") == (True, 1.0)
    assert played(env, count, "answer 3") == (False, 0.0)
    assert played(env, make, "touch /data/done", "submit") == (True, 1.0)
    assert played(env, make, "submit") == (False, 0.0)
    assert played(env, say, "submit yes ") == (True, 1.0)


def played(env: gymnasium.Env[Any, Any], task: Task, *actions: str) -> tuple[bool, float]:
    """Do some actions and return the success and progress at their end."""
    _, info = reset(env, task)
    for action in actions:
        *_, info = env.step(action)
    return info["success"], info["progress"]


@pytest.mark.integration
def test_search_beats_chance_and_all_collect_into_one_store(env: gymnasium.Env[Any, Any], tmp_path: Path) -> None:
    names = "make-executable clean-build rename-module link-current copy-readme".split()
    tasks = [task_of("project:4", name) for name in names]
    collectors = {
        "explore": make_explorer(strategy="uniform", max_steps=6, seed=1),
        "mcts": make_searcher(MctsConfig(search=SEARCH)),
    }
    with ExperienceStore.open(tmp_path / "store") as store:
        for collector in collectors.values():
            for record in collector.collect(tasks):
                store.append(record)
            collector.close()
        for task in tasks:
            store.append(play(env, task, ScriptedAgent(demonstration(task)), max_steps=9, collector="oracle"))
        solved = Counter(record.collector for record in store.trajectories() if record.success)
    assert solved["oracle"] == 5
    assert solved["mcts"] >= 4 > solved["explore"]
