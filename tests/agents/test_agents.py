"""Agents keep their contract; an episode records what they did, in order, and shows them nothing that is privileged."""

import io
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from rich.console import Console

from pathei.agents import Agent, Finished, HumanAgent, RandomAgent, ScriptedAgent, check_agent
from pathei.collectors.rollout.episode import Envs, Recorder, read_action, write_action
from pathei.collectors.rollout.policy import AgentPolicy, play
from pathei.collectors.rollout.rollout import Rollout
from pathei.errors import ContractError, UnknownNameError
from pathei.experience import Failure, Goal, Observation, Record, Task, Trajectory
from pathei.tests.support.lantern import lantern_task

GOAL = Goal("light all lamps")
UNSEEDED = np.random.default_rng(1)
SEEN = Observation("a room", (), ("go left", "go right", "light lamp (0)"))


class Told:
    """An agent whose `act` is a function given from outside."""

    def __init__(self, act: Callable[[Observation, Goal], Any]) -> None:
        self.act = act


@pytest.fixture
def env() -> gymnasium.Env[Any, Any]:
    return Envs().get(lantern_task(0))


def human(answers: str) -> tuple[HumanAgent, io.StringIO]:
    shown = io.StringIO()
    return HumanAgent(Console(file=shown, width=100), stream=io.StringIO(answers)), shown


def test_the_agents_of_the_package_keep_the_contract() -> None:
    check_agent(RandomAgent(np.random.default_rng(0)))
    check_agent(ScriptedAgent(["[Walk] <cup> (12)", "", "[Grab] <cup> (12)"]))
    check_agent(human("1\n1\n?\nq\n")[0], repeatable=False)


def reworded(goal: Goal) -> str:
    """Change a goal that nobody may change."""
    object.__setattr__(goal, "text", "rest")
    return "wait"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda o, g: 3, "must return a string"),
        (lambda o, g: " ", "empty action"),
        (lambda o, g: "\ud800", "UTF-8"),
        (lambda o, g: o.facts["graph"], "facts are None"),
        (lambda o, g: str(g.conditions[0]["type"]), "conditions are empty"),
        (lambda o, g: reworded(g), "changed the observation or the goal"),
        (lambda o, g: str(UNSEEDED.random()), "seed all its randomness"),
    ],
)
def test_check_agent_names_the_fault(act: Callable[[Observation, Goal], Any], says: str) -> None:
    goal = Goal("wait", ({"type": "node"},))
    with pytest.raises(ContractError, match=says):
        check_agent(Told(act), goal=goal)


def test_a_random_agent_draws_every_action_and_repeats_itself_after_a_reset() -> None:
    agent = RandomAgent(np.random.default_rng())
    agent.reset(5)
    first = [agent.act(SEEN, GOAL) for _ in range(40)]
    agent.reset(5)
    assert [agent.act(SEEN, GOAL) for _ in range(40)] == first
    assert set(first) == set(SEEN.actions or ())


def test_a_random_agent_needs_something_to_draw_from() -> None:
    agent = RandomAgent(np.random.default_rng(0))
    with pytest.raises(ContractError, match="sample"):
        agent.act(Observation("free"), GOAL)
    with pytest.raises(Finished):
        agent.act(Observation("stuck", (), ()), GOAL)
    free = RandomAgent(np.random.default_rng(0), lambda rng: f"say {rng.integers(3)}")
    assert free.act(Observation("free"), GOAL).startswith("say ")


def test_a_human_answers_with_numbers_words_and_questions() -> None:
    agent, shown = human("7\n?\n? lamp\n? unicorn\ng\n2\nlight the lamp\nq\n")
    assert agent.act(SEEN, GOAL) == "go right"
    assert agent.act(SEEN, GOAL) == "light the lamp"
    with pytest.raises(Finished):
        agent.act(SEEN, GOAL)
    text = shown.getvalue()
    assert "Goal: light all lamps" in text
    assert "numbers 1 to 3" in text
    assert "3 light lamp (0)" in text
    assert "Nothing with 'unicorn'" in text


def test_the_end_of_input_ends_a_humans_episode() -> None:
    with pytest.raises(Finished):
        human("")[0].act(SEEN, GOAL)


def test_a_human_is_asked_for_words_where_there_is_no_list() -> None:
    agent, shown = human("1\n?\nopen the door\n")
    assert agent.act(Observation("free"), GOAL) == "open the door"
    assert "no list" in shown.getvalue()


def test_a_program_that_ends_ends_the_episode_normally(env: gymnasium.Env[Any, Any]) -> None:
    agent = ScriptedAgent(["go right", "go right"])
    for _ in range(2):
        played = play(env, lantern_task(0), agent, max_steps=10)
        assert [step.action for step in played.steps] == ["go right", "go right"]
        assert not played.steps[-1].terminated
        assert not played.steps[-1].truncated
        assert played.provenance["finished"] is True


def test_an_episode_records_what_was_seen_before_and_after_each_action(env: gymnasium.Env[Any, Any]) -> None:
    played = play(env, lantern_task(3), RandomAgent(np.random.default_rng()), max_steps=6, seed=1)
    again = play(env, lantern_task(3), RandomAgent(np.random.default_rng()), max_steps=6, seed=1)
    assert played == again
    assert played.steps[0].observation.facts is not None
    assert all("facts" not in step.info and "actions" not in step.info for step in played.steps)
    assert played.steps[-1].truncated or played.steps[-1].terminated
    assert len(played.steps) <= 6


def test_an_agent_is_never_shown_the_facts(env: gymnasium.Env[Any, Any]) -> None:
    shown: list[Observation] = []

    def look(observation: Observation, goal: Goal) -> str:
        shown.append(observation)
        return "go right"

    play(env, lantern_task(0), Told(look), max_steps=3)
    assert len(shown) == 3
    assert all(observation.facts is None for observation in shown)


def test_a_goal_that_is_reached_ends_the_episode(env: gymnasium.Env[Any, Any]) -> None:
    lines = [line for room in range(5) for line in (f"light lamp ({room})", "go right")]
    played = play(env, lantern_task(1), ScriptedAgent(lines), max_steps=50)
    assert played.success is True
    assert played.steps[-1].terminated
    assert played.total_reward >= 1


def play_or_fail(task: Task, agent: Agent) -> Record:
    """Let an agent play one task; a crash is a failure."""
    [record] = Rollout(AgentPolicy(lambda _: agent), max_steps=9).collect([task])
    return record


@pytest.mark.parametrize(("trap", "stage"), [("reset raise", "reset"), ("step raise", "step")])
def test_a_crash_of_the_world_is_a_failure_with_its_stage(trap: str, stage: str) -> None:
    result = play_or_fail(lantern_task(0, trap=trap), ScriptedAgent(["go right"] * 9))
    assert result == Failure(lantern_task(0, trap=trap), stage, "RuntimeError: the lamp oil is empty")


def test_a_crash_of_the_agent_is_a_failure_with_its_stage() -> None:
    agents: list[Agent] = [Told(lambda o, g: 1 / 0), Told(lambda o, g: 7)]
    for agent in agents:
        result = play_or_fail(lantern_task(0), agent)
        assert isinstance(result, Failure)
        assert result.stage == "act"


def test_the_character_of_a_step_is_the_one_that_acted() -> None:
    class Turns(gymnasium.Env[str, str]):
        action_space = gymnasium.spaces.Text(50)
        observation_space = gymnasium.spaces.Text(50)
        turn = 0

        def reset(self, **_: Any) -> tuple[str, dict[str, Any]]:
            return "x", {"character": 10}

        def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
            self.turn += 1
            return "x", 0.0, False, False, {"character": 10 + self.turn % 2}

    recorder = Recorder(Turns(), lantern_task(0), max_steps=4)
    recorder.reset()
    mark = recorder.mark()
    assert [recorder.step("wait").info["character"] for _ in range(4)] == [10, 11, 10, 11]
    recorder.resume(mark)
    assert recorder.step("wait").info["character"] == 10
    assert len(recorder.steps) == 1


def test_a_world_with_numbers_takes_actions_as_json() -> None:
    task = Task("ice", "FrozenLake-v1", 3, Goal("cross the ice"))
    played = play_or_fail(task, ScriptedAgent(["1", "2"]))
    assert isinstance(played, Trajectory)
    assert played.steps[0].action == "1"
    for action in ("7", "north", "1.5", "true", "[1]"):
        with pytest.raises(ContractError, match="action"):
            read_action(gymnasium.spaces.Discrete(4), action)


@pytest.mark.parametrize(
    "space",
    [
        gymnasium.spaces.Discrete(4, start=-2),
        gymnasium.spaces.Box(-1, 1, (2, 3), np.float32),
        gymnasium.spaces.MultiBinary(3),
        gymnasium.spaces.MultiDiscrete([2, 5]),
        gymnasium.spaces.Dict(
            {"a": gymnasium.spaces.Discrete(2), "b": gymnasium.spaces.Tuple([gymnasium.spaces.Box(0, 1, (1,))])}
        ),
        gymnasium.spaces.Text(20),
    ],
    ids=lambda space: type(space).__name__,
)
def test_an_action_of_any_space_is_written_and_read_back(space: gymnasium.Space[Any]) -> None:
    space.seed(0)
    for _ in range(20):
        action = space.sample()
        assert write_action(read_action(space, write_action(action))) == write_action(action)


def test_environments_are_made_once_and_dropped_after_a_crash() -> None:
    envs = Envs()
    first = envs.get(lantern_task(0))
    assert envs.get(lantern_task(1)) is first
    envs.drop(lantern_task(1))
    assert envs.get(lantern_task(1)) is not first
    envs.close()
    with pytest.raises(UnknownNameError):
        envs.get(Task("t", "pathei/VirtualHme-v0", 0, GOAL))
