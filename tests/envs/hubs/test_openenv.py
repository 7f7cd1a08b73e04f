"""OpenEnv servers as environments: pathei's own, and one made with the real package, where an interpreter has it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from pathei.cli import main
from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.envs import VerifiedReplay, check_snapshot
from pathei.envs.registry import get_env
from pathei.errors import ConfigError, WorldError
from pathei.interop import WorldSession
from pathei.interop.openenv_server import openenv_app
from pathei.store import ExperienceStore
from pathei.tests.interop.served import OPENENV, demonstrated

TASKS = get_env("virtualhome").generate_tasks(2, 3)
pytestmark = pytest.mark.integration

_COUNTER = textwrap.dedent(
    """
    import sys
    import uvicorn
    from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app

    class Add(Action):
        number: int
        twice: bool = False

    class Total(Observation):
        total: int

    class Counter(Environment):
        SUPPORTS_CONCURRENT_SESSIONS = True

        def reset(self, seed=None, episode_id=None, **others):
            self.total, self.steps = seed or 0, 0
            return Total(total=self.total)

        def step(self, action, timeout_s=None, **others):
            if action.number == 13:
                raise ValueError("13 is not counted here")
            self.total += action.number * (2 if action.twice else 1)
            self.steps += 1
            return Total(total=self.total, reward=float(action.number), done=self.total >= 10)

        @property
        def state(self):
            return State(step_count=self.steps)

    app = create_fastapi_app(Counter, Add, Total, max_concurrent_envs=4)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
    """
)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve two tasks of the household in a thread; yields the address."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("websockets")
    port = free_port()
    app = openenv_app("virtualhome", TASKS, partial(WorldSession, TASKS), 4)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_it_shows_byte_for_byte_what_the_environment_behind_the_server_shows(address: str) -> None:
    tasks = get_env(f"openenv:{address}").generate_tasks(2, 0)
    assert [task.goal.text for task in tasks] == [task.goal.text for task in TASKS]
    envs = Envs()
    try:
        for task, behind in zip(tasks, TASKS, strict=True):
            actions, seen = demonstrated(behind)
            recorder = Recorder(envs.get(task), task, max_steps=30)
            got = [recorder.reset()]
            for action in actions:
                recorder.step(action)
                got.append(recorder.observation)
            assert got == seen
            assert (recorder.over, recorder.success) == (True, True)
            assert "over" in recorder.step("sing").info["error"]
    finally:
        envs.close()


def test_search_and_exploration_collect_from_it(address: str, tmp_path: Path) -> None:
    common = [str(tmp_path / "s"), "--env", f"openenv:{address}", "--tasks", "1", "--steps", "3", "--workers", "0"]
    assert main(["collect", *common, "explore"]) == 0
    assert main(["collect", *common, "mcts", "--simulations", "2"]) in (0, 1)  # so small a search may find nothing
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        assert len(list(store.trajectories(collector="explore"))) == 1
        assert all("No plan was found" in one.error for one in store.failures())


def test_a_snapshot_of_it_is_a_verified_replay(address: str) -> None:
    env = VerifiedReplay(gymnasium.make("pathei/OpenEnv-v0", url=address))
    actions, _ = demonstrated(TASKS[0])
    env.reset(seed=0)
    env.step(actions[0])
    kept = env.snapshot()
    went_on = env.step(actions[1])
    env.step("sing")
    env.restore(kept)
    assert env.step(actions[1])[:4] == went_on[:4]
    env.close()


def test_an_address_without_a_server_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"has an address such as http://"):
        get_env("openenv").generate_tasks(1, 0)
    with pytest.raises(ConfigError, match="not 'file:///etc/passwd'"):
        get_env("openenv:file:///etc/passwd").generate_tasks(1, 0)
    with pytest.raises(WorldError, match="No OpenEnv server answers"):
        get_env(f"openenv:http://127.0.0.1:{free_port()}").generate_tasks(1, 0)


@pytest.fixture(scope="module")
def counter() -> Iterator[str]:
    """Serve an environment of the real package, whose actions have two fields; yields the address."""
    if not OPENENV.exists():
        pytest.skip(f"there is no interpreter with OpenEnv (`make hubs`) at {OPENENV}")
    port = free_port()
    process = subprocess.Popen([OPENENV, "-c", _COUNTER, str(port)], cwd=Path(sys.prefix))
    for _ in range(1200):
        with socket.socket() as probe:
            if process.poll() is not None or probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def test_an_environment_of_the_real_package_with_fields_and_refusals(counter: str) -> None:
    [task] = get_env(f"openenv:{counter}").generate_tasks(1, 2)
    assert (task.seed, task.goal.text) == (2, "maximise the reward")
    env: gymnasium.Env[Any, Any] = gymnasium.make(task.env, url=counter)
    wanted = 'An action is a JSON object with "number" (integer), "twice" (boolean, may be left out).'
    assert env.reset(seed=2) == (f'{{"total": 2}}\n{wanted}', {})
    assert env.step('{"number": 3}')[:3] == (f'{{"total": 5}}\n{wanted}', 3.0, False)
    for refused, why in (
        ("more", "is not an action"),
        ('{"number": "x"}', "valid integer"),
        ('{"number": 13}', "13 is"),
    ):
        text, reward, over, _, info = env.step(refused)
        assert text.endswith(f'{{"total": 5}}\n{wanted}')
        assert (reward, over) == (0.0, False)
        assert re.search(why, info["error"])
    assert env.step('{"number": 3, "twice": true}')[:4] == (f'{{"total": 11}}\n{wanted}', 3.0, True, False)
    env.close()
    checked = VerifiedReplay(gymnasium.make(task.env, url=counter))
    check_snapshot(checked, rng=np.random.default_rng(0))
    checked.close()
