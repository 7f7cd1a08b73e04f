"""MiniWoB++ in the browser: all pages, the same seed the same episode, rewards without a clock, and being searched."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.envs import check_env, check_snapshot
from pathei.envs.model import EnvModel
from pathei.envs.replay import VerifiedReplay
from pathei.envs.web.browser.browser import Browser
from pathei.envs.web.env import WebEnv
from pathei.envs.web.miniwob import env as miniwob
from pathei.envs.web.miniwob import pages
from pathei.envs.web.miniwob.oracles import SCRIPTS, demonstration
from pathei.errors import ConfigError, UnknownNameError
from pathei.experience import Task

needs_pages = pytest.mark.skipif(not miniwob.doctor()[1].ok, reason="the pages of MiniWoB++ are not installed")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with Browser() as running:
        yield running


@pytest.fixture
def env(browser: Browser) -> Iterator[WebEnv]:
    made = miniwob.make(browser=browser)
    yield made
    made.close()


# --- without a browser


@needs_pages
def test_tasks_follow_from_the_seed_and_cover_every_page() -> None:
    tasks = miniwob.generate_tasks(300, 7)
    assert tasks == miniwob.generate_tasks(300, 7)
    assert tasks[:10] == miniwob.generate_tasks(300, 7)[:10]
    assert len({task.id for task in tasks}) == 300
    assert {task.options["task"] for task in tasks[:128]} == set(pages.names())
    assert len(pages.names()) == 128


@needs_pages
def test_wrong_names_and_options_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="click-test"):
        miniwob.task("click-tset", 0)
    with pytest.raises(ConfigError, match="known are: task"):
        miniwob.make(speed=3)
    site = miniwob.MiniWoB()
    for options, why in (
        ({"task": 3}, "names a page"),
        ({"task": "click-test", "reward": "time"}, "'raw' or 'binary'"),
        ({"task": "click-test", "threshold": 0}, "above 0"),
        ({"task": "click-test", "seeds": 0}, "no option 'seeds'"),
    ):
        with pytest.raises(ConfigError, match=why):
            site.open(0, options)
    with pytest.raises(ConfigError, match="no demonstration"):
        demonstration(miniwob.task("bisect-angle", 0))


# --- in the browser


def act(env: WebEnv, name: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
    """Click what has this name."""
    return env.step(f"click [{next(e.id for e in env.view.elements if e.name == name)}]")


@pytest.mark.integration
@needs_pages
def test_all_pages_open_begin_anew_and_step(env: WebEnv) -> None:
    """Each page: the same seed twice, on a new document and on the old one; then random steps, done again alike."""
    for page in (*pages.names(), *pages.TIMED):
        rng = np.random.default_rng(1)
        observation, info = env.reset(seed=5, options={"task": page})
        assert observation.startswith("Goal: ")
        assert info["success"] is False
        first, actions = [observation], []
        for _ in range(2):
            if not info["actions"]:
                break
            actions.append(str(rng.choice(info["actions"])))
            observation, reward, terminated, _, info = env.step(actions[-1])
            assert "error" not in info, (page, actions)
            assert -1 <= reward <= 1
            first.append(observation)
            if terminated:
                break
        assert [env.reset(seed=5, options={"task": page})[0], *(env.step(a)[0] for a in actions)] == first, page


GOLDEN = {
    "buy-ticket": "Buy the ticket with the cheapest cost.",
    "click-checkboxes": "Select DKkQH and click Submit.",
    "click-test-2": "Click button ONE.",
    "email-inbox": "Find the email by Cathrine and click the star icon to mark it as important.",
    "enter-date": "Enter 10/11/2011 as the date and hit submit.",
    "flight.AA": '{"Departure City":"Boston","Departure Day":9,"Departure Month":3,"Destination City":"Washington DC",'
    '"One Way or Round Trip":"return flight","Returning Day":26,"Returning Month":3}',
}
"""What `gymnasium.make(f"miniwob/{page}-v1").reset(seed=1)` of miniwob 1.1.0 on selenium 4.51 gives as `utterance`."""


@pytest.mark.integration
@needs_pages
def test_the_same_seed_gives_the_episode_of_the_package(env: WebEnv) -> None:
    for page, goal in GOLDEN.items():
        observation, _ = env.reset(seed=1, options={"task": page})
        assert observation.splitlines()[0] == f"Goal: {goal}"
    env.reset(seed=1, options={"task": "click-test-2"})
    # There, `dom_elements` has the buttons, 40 pixels wide and high, at (20, 75) and (61, 122).
    assert [(e.x, e.y, e.width, e.height) for e in env.view.elements] == [(40, 95, 40, 40), (81, 142, 40, 40)]


@pytest.mark.integration
@needs_pages
def test_no_clock_in_the_reward_nor_in_the_episode_and_the_last_page_is_kept(env: WebEnv) -> None:
    env.reset(seed=0, options={"task": "click-test-2"})
    time.sleep(1.0)
    for _ in range(60):
        assert env.step("wait")[2] is False
    text, reward, terminated, truncated, info = act(env, "ONE")
    assert (reward, terminated, truncated, info["success"], info["progress"]) == (1.0, True, False, True, 1.0)
    assert 'button "TWO"' in text
    assert info["actions"] == ()
    env.reset(seed=0, options={"task": "click-test-2"})
    assert act(env, "TWO")[1:3] == (-1.0, True)


@pytest.mark.integration
@needs_pages
def test_raw_and_binary_reward(env: WebEnv) -> None:
    """A point beside the bisector earns a part; what counts as a success is a threshold."""
    rewards = {}
    kinds: dict[str, dict[str, Any]] = {
        "raw": {},
        "binary": {"reward": "binary"},
        "half": {"reward": "binary", "threshold": 0.1},
    }
    for name, options in kinds.items():
        env.reset(seed=2, options={"task": "circle-center", **options})
        circle = next(e for e in env.view.elements if e.role == "circle")
        env.step(f"click ({circle.x + 4}, {circle.y})")
        rewards[name] = act(env, "Submit")[1]
    assert 0 < rewards["raw"] < 1
    assert (rewards["binary"], rewards["half"]) == (-1.0, 1.0)


@pytest.mark.integration
@needs_pages
def test_what_is_against_the_clock_is_played_a_quarter_of_a_second_at_a_time(env: WebEnv) -> None:
    env.reset(seed=0, options={"task": "chase-circle"})
    done, reward = False, 0.0
    for _ in range(60):
        circle = next(e for e in env.view.elements if e.role == "circle")
        _, reward, done, _, _ = env.step(f"hover ({circle.x}, {circle.y})")
        if done:
            break
    assert done
    assert reward > 0.9


@pytest.mark.integration
@needs_pages
@pytest.mark.parametrize("page", ["click-option", "email-inbox-delete", "login-user"])
def test_contracts_and_snapshots_by_replay(browser: Browser, page: str) -> None:
    env = miniwob.make(browser=browser, task=page)
    check_env(env, steps=5)
    check_snapshot(VerifiedReplay(env), steps=5, rng=np.random.default_rng(0), rounds=1)
    env.close()


@pytest.mark.integration
@needs_pages
def test_screenshots_are_of_the_task(browser: Browser) -> None:
    for page, shape in (("click-test", (210, 160, 3)), ("flight.Alaska-auto", (667, 375, 3))):
        env = miniwob.make(browser=browser, task=page, screenshot=True)
        observation, _ = env.reset(seed=0)
        assert observation["image"].shape == shape
        assert len(np.unique(observation["image"])) > 10
        if page == "click-test":
            # The yellow field of the goal, 50 pixels high, is at the top.
            assert observation["image"][3, 150].tolist() == [255, 255, 0]
        env.close()


@pytest.mark.integration
@needs_pages
def test_demonstrations_reach_the_goal_from_the_task_alone(browser: Browser, env: WebEnv) -> None:
    assert len(SCRIPTS) >= 25
    for number, page in enumerate(sorted(SCRIPTS)[::3]):
        task = miniwob.task(page, 100 + number)
        actions = demonstration(task, browser)
        env.reset(seed=task.seed, options=dict(task.options))
        results = [env.step(action) for action in actions]
        assert results[-1][4]["success"] is True, page
        assert [result[2] for result in results].count(True) == 1, page


SOLVED = ("click-option", "click-tab-2", "click-color", "email-inbox-important", "click-collapsible-2-nodelay")


def random_play_wins(env: WebEnv, task: Task, steps: int) -> bool:
    """Play episodes at random; return whether one of them reaches the goal within so many steps in all."""
    rng = np.random.default_rng(0)
    info: dict[str, Any] = {"actions": ()}
    for _ in range(steps):
        if not info["actions"]:
            _, info = env.reset(seed=task.seed, options=dict(task.options))
        *_, info = env.step(str(rng.choice(info["actions"])))
        if info["success"]:
            return True
    return False


@pytest.mark.integration
@needs_pages
def test_search_reaches_goals_where_random_play_of_as_many_steps_does_not(env: WebEnv) -> None:
    found = lucky = 0
    for task in (miniwob.task(page, seed) for page in SOLVED for seed in (0, 1)):
        replay = VerifiedReplay(env)
        observation, info = replay.reset(seed=task.seed, options=dict(task.options))
        model = EnvModel(replay, info, observation=observation)
        config = SearchConfig(100, depth=6, selection="uct", stop_on_success=True)
        result = Search(model, config, np.random.default_rng(0)).run()
        found += bool(result.success)
        lucky += random_play_wins(env, task, result.env_steps)
    assert found >= 9
    assert found > lucky
