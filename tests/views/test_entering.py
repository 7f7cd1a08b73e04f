"""Entering a stored step: the environment stands there again, and what is done from there is stored as a branch."""

import dataclasses
import http.client
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

import pathei
from pathei.envs import contract
from pathei.errors import ConfigError, PatheiError, ReplayDriftError, StoreError, StoreLockedError, UnknownNameError
from pathei.experience import Parent
from pathei.store import ExperienceStore
from pathei.tests.views.walks import walk
from pathei.views.viewer import ViewerServer
from pathei.views.viewer.entering import EnteringDesk


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with a household demonstration of at least four steps, `shown`."""
    tasks = pathei.generate_tasks("virtualhome", 12)
    pathei.collect(tmp_path / "all", tasks, "scripted", workers=0)
    with ExperienceStore.open(tmp_path / "all", mode="read") as store:
        one = next(one for one in store.trajectories() if len(one.steps) > 3)
    with ExperienceStore.open(tmp_path / "home") as store:
        store.append(dataclasses.replace(one, id="shown"), walk("elsewhere", 2))
    return tmp_path / "home"


def test_a_branch_goes_on_from_where_the_stored_episode_stood(home: Path) -> None:
    with ExperienceStore.open(home, mode="read") as store:
        desk = EnteringDesk(store)
        stored = store.get("shown")
        state: Any = desk.enter("shown", 3)
        assert state["text"] == stored.steps[3].observation.text
        assert tuple(state["actions"]) == stored.steps[3].observation.actions
        desk.act("shown", 3, state["actions"][0])
        state = desk.act("shown", 3, "make no sense")
        assert [bool(error) for _, _, error, _ in state["lines"]] == [False, True]
        # What was done stays when the page is loaded again, and goes when one begins again.
        assert desk.enter("shown", 3) == state
        state = desk.enter("shown", 3, again=True)
        assert state["lines"] == []
        desk.act("shown", 3, state["actions"][0])
        state = desk.search("shown", 3)
        assert (state["success"], state["over"]) == (True, True)
        kept: Any = desk.keep("shown", 3)
        branch = store.get(kept["id"])
        assert branch.parent == Parent("shown", 3)
        assert branch.collector == "human"
        assert branch.success is True
        assert [step.info.get("agent") for step in branch.steps[:2]] == [None, {"by": "search"}]
        # It is an episode of this environment like any other: played again from the reset, it earns the same.
        whole = store.expand(branch)
        env = contract.make(whole.task)
        contract.reset(env, whole.task)
        assert [env.step(step.action)[1] for step in whole.steps] == [step.reward for step in whole.steps]
        # A branch can be entered as well, in the part that it shares.
        assert desk.enter(branch.id, 2)["text"] == stored.steps[2].observation.text  # type: ignore[index]
        desk.close()


def test_an_agent_goes_on_from_there(home: Path) -> None:
    with ExperienceStore.open(home, mode="read") as store:
        desk = EnteringDesk(store)
        desk.enter("shown", 2)
        state: Any = desk.agent("shown", 2, "random", 3)
        assert len(state["lines"]) == 3
        # One who has finished stops; the person goes on.
        assert desk.agent("shown", 2, "skills:", 5) != state
        kept: Any = desk.keep("shown", 2)
        branch = store.get(kept["id"])
        noted: Any = [step.info["agent"] for step in branch.steps[:3]]
        assert [one["by"] for one in noted] == ["random"] * 3
        desk.enter("shown", 2)
        for agent, steps, why in (
            ("randon", 3, "did you mean 'random'"),
            ("human", 3, "You are the human here"),
            ("random", 0, "1 to 10,000"),
            ("skills:nowhere", 1, "nowhere"),
        ):
            with pytest.raises(PatheiError, match=why):
                desk.agent("shown", 2, agent, steps)
        assert desk.enter("shown", 2)["lines"] == []  # type: ignore[index,call-overload]
        desk.close()


def test_what_cannot_be_entered_is_said(home: Path) -> None:
    with ExperienceStore.open(home, mode="read") as store:
        desk, stored = EnteringDesk(store), store.get("shown")
        changed = dataclasses.replace(stored.steps[1].observation, text="You are elsewhere.")
        drifted = (stored.steps[0], dataclasses.replace(stored.steps[1], observation=changed), *stored.steps[2:])
        with ExperienceStore.open(home) as writer:
            writer.append(dataclasses.replace(stored, id="drifted", steps=drifted))
            desk.enter("shown", 1)
            with pytest.raises(ConfigError, match="Nothing was done yet"):
                desk.keep("shown", 1)
            desk.act("shown", 1, "look around")
            with pytest.raises(StoreLockedError):
                desk.keep("shown", 1)
        desk.keep("shown", 1)  # what was done is still there
        refused: list[tuple[type[PatheiError], str, str, int]] = [
            (ReplayDriftError, r"Step 1 .* leads to another observation", "drifted", 3),
            (ConfigError, "is over after step", "shown", len(stored.steps)),
            (ConfigError, "no step 100", "shown", 99),
            (ConfigError, "no step 0", "shown", -1),
            (UnknownNameError, "Way-v0", "elsewhere", 1),
            (StoreError, "holds no trajectory", "nobody", 0),
        ]
        for kind, message, id_, step in refused:
            with pytest.raises(kind, match=message):
                desk.enter(id_, step)
            with pytest.raises(StoreError, match="enter this one again"):
                desk.act(id_, step, "look")
        desk.close()


def post(server: ViewerServer, path: str, given: object, **headers: str) -> tuple[int, Any]:
    """Ask a server to do something; return the status and what it says."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=30)
    connection.request("POST", path, orjson.dumps(given), headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, orjson.loads(body) if response.headers["Content-Type"] == "application/json" else body


def test_only_the_viewers_own_page_may_act(home: Path) -> None:
    with ExperienceStore.open(home, mode="read") as store, ViewerServer(store) as server:
        own = server.address.rstrip("/")
        there = {"id": "shown", "step": 1}
        for origin in ("", "http://evil.example", "null"):
            assert post(server, "/enter", there, **({"Origin": origin} if origin else {}))[0] == 403
        assert post(server, "/enter", there, Origin=own)[1]["step"] == 1
        assert post(server, "/act", {**there, "action": "look around"}, Origin=own)[1]["lines"]
        for path, given in (("/enter", {}), ("/keep", [1]), ("/close", {}), ("/enter", {"id": "shown", "step": "x"})):
            assert post(server, path, given, Origin=own)[0] == 400
        assert post(server, "/keep", there, Origin=own) == (200, {"id": f"{store.get('shown').task.id}/human-0"})
        assert len(store) == 3
