"""Agents that ask a language model: what they read, how they choose and write, many at once, and failing endpoints."""

import json
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("openai")

from pathei.agents import check_agent, decide
from pathei.agents.lm.agent import LmAgent, LmConfig, parse
from pathei.agents.lm.backends import Choice, Conversation, Message, ModelReply, ModelRequest, RatedChoices, Usage
from pathei.agents.lm.endpoint import Price
from pathei.agents.lm.local_model import LocalModel
from pathei.agents.lm.prior import LmPrior
from pathei.agents.lm.prompts import STYLES, PromptContext, Prompts, Turn, fit, get_prompts
from pathei.agents.protocol import Finished
from pathei.agents.registry import AgentMaker
from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.policy import AgentPolicy
from pathei.collectors.rollout.rollout import Rollout
from pathei.collectors.search.collector import text_prior
from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.envs.model import EnvModel
from pathei.errors import AnswerError, ConfigError, ModelError, UnknownNameError
from pathei.experience import Failure, Goal, Observation, Task, Trajectory
from pathei.export import export
from pathei.store import ExperienceStore
from pathei.tests.support.endpoint_server import Server
from pathei.tests.support.lantern import lantern_task, lantern_tasks
from pathei.tests.support.switchboard import ID, LampGoals, Switchboard
from pathei.tests.support.tiny_language import save_tiny, tiny_model, tiny_tokenizer

GOAL = Goal("light the lamp")
CAN = ("press switch", "go home")
SEEN = Observation("It is dark.", (), CAN)


@lru_cache
def local() -> LocalModel:
    return LocalModel(tiny_model("gpt2", n_positions=512), tiny_tokenizer(), name="tiny")


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def writer(server: Server, *replies: Any, **options: Any) -> LmAgent:
    server.replies[:] = replies
    return LmAgent(server.endpoint(retries=0), LmConfig("generate", **options))


def test_choosing_keeps_the_contract_and_says_how() -> None:
    for temperature in (0.0, 5.0):
        check_agent(LmAgent(local(), LmConfig(temperature=temperature, cut=True, history=0)))
    agent = LmAgent(local())
    decided = agent.act(SEEN, GOAL)
    [rated] = local().rate(
        [Choice(Conversation((Message("user", "Goal: light the lamp\n\nIt is dark."),), "Action:"), CAN)]
    )
    scores = rated.scores(per_token=True)
    assert decided.action == CAN[int(np.argmax(scores))]
    assert decided.notes["score"] == pytest.approx(max(scores))
    assert decided.tokens is not None
    assert local()._tokenizer.decode(decided.tokens.completion_ids) == f" {decided.action}"
    with pytest.raises(ModelError, match="let the model write"):
        agent.act(Observation("free"), GOAL)
    with pytest.raises(Finished):
        agent.act(Observation("over", (), ()), GOAL)


def test_what_is_read_is_what_the_export_teaches(tmp_path: Path) -> None:
    """The prompt at each step, history included, is the prompt-completion export's, character by character."""
    [played] = Rollout(AgentPolicy(lambda task: LmAgent(local(), LmConfig(temperature=9.0))), max_steps=3).collect(
        lantern_tasks(1)
    )
    assert isinstance(played, Trajectory)
    with ExperienceStore.open(tmp_path / "store") as store:
        store.append(played)
    with ExperienceStore.open(tmp_path / "store", mode="read") as store:
        export(store, "prompt-completion", tmp_path / "rows.jsonl", history=2)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == len(played.steps)
    for row, step in zip(rows, played.steps, strict=True):
        assert step.tokens is not None
        assert local()._tokenizer.decode(step.tokens.prompt_ids) == row["prompt"]
        assert local()._tokenizer.decode(step.tokens.completion_ids) == row["completion"]


def test_thought_and_action_are_kept_apart(server: Server) -> None:
    agent = writer(server, "Thought: a switch\nmay help.\n**Action:** Press  switch.")
    decided = agent.act(SEEN, GOAL)
    assert decided.action == "press switch"
    notes = decided.notes
    assert (notes["thought"], notes["said"]) == ("a switch\nmay help.", "Press  switch.")
    assert notes["usage"] == {"prompt_tokens": 1000, "completion_tokens": 500, "requests": 1}
    assert "You can:\npress switch\ngo home" in server.asked[0]["messages"][-1]["content"]
    agent.act(Observation("It is light.", (), CAN), GOAL)
    roles = [message["role"] for message in server.asked[1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


def test_what_cannot_be_used_is_told_counted_and_never_replaced(server: Server) -> None:
    agent = writer(server, "hm", "Action: fly", "Action: go home")
    decided = agent.act(SEEN, GOAL)
    assert decided.action == "go home"
    assert [one["said"] for one in decided.notes["refused"]] == ["hm", "Action: fly"]
    assert "'fly' is not among" in server.asked[2]["messages"][-1]["content"]
    assert decided.notes["usage"]["requests"] == 3
    assert writer(server, "Action: fly").act(SEEN, GOAL).action == "fly"
    assert writer(server, "Action: fly", listed_only=False).act(SEEN, GOAL).action == "fly"
    for replies, options in ((["Action: fly"], {"give_up": "end"}), (["nothing to say"], {})):
        with pytest.raises(AnswerError, match="no answer could be used in 3 tries") as failed:
            writer(server, *replies, **options).act(SEEN, GOAL)
        assert failed.value.notes["usage"]["requests"] == 3
        assert [one["said"] for one in failed.value.notes["refused"]] == replies * 3
    with pytest.raises(Finished, match="the model said so"):
        writer(server, "Action: finish").act(SEEN, GOAL)


def test_answers_of_all_sorts_are_read() -> None:
    assert parse("go left\nbecause", thought=False) == ("", "go left")
    assert parse("Action: `go left`", thought=False) == ("", "go left")
    assert parse("Thought: x\nAction: go\nAction: stop", thought=True) == ("x", "go")
    assert parse("Thought: only", thought=True) == ("only", "")
    assert parse("", thought=False) == ("", "")


def length(conversation: Conversation) -> int:
    return len(conversation.plain())


@given(
    st.lists(st.text("ab\n", max_size=200), max_size=6), st.text("cd", max_size=60), st.integers(1, 900), st.booleans()
)
def test_a_prompt_fits_and_keeps_goal_and_last_observation(past: list[str], last: str, budget: int, cut: bool) -> None:
    scene = PromptContext(GOAL, [Turn(text, "go") for text in past], Observation(last, (), ("go",)), listed=True)
    try:
        fitted = fit(Prompts(), scene, budget, length, cut=cut)
    except ModelError:
        assert length(fit(Prompts(), scene._replace(history=()), None, length).conversation) > budget or past
        return
    assert length(fitted.conversation) <= budget
    users = [message.text for message in fitted.conversation.messages if message.role == "user"]
    assert GOAL.text in users[0]
    assert (last in users[-1]) or (cut and fitted.cut)
    assert len(users) == len(past) - fitted.dropped + 1
    whole = fit(Prompts(), scene, None, length)
    assert length(whole.conversation) > budget or fitted == whole
    kept = past[fitted.dropped + fitted.shortened :]
    assert all(text in user for text, user in zip(reversed(kept), reversed(users[:-1]), strict=False))


def test_an_observation_that_does_not_fit_is_refused_or_cut_as_asked() -> None:
    long = Observation("dark " * 400, (), ("press switch", "go home"))
    with pytest.raises(ModelError, match=r"take \d+ tokens and the prompt may have \d+"):
        LmAgent(local()).act(long, GOAL)
    agent = LmAgent(local(), LmConfig(cut=True))
    decided = agent.act(long, GOAL)
    assert decided.action in CAN
    assert decided.notes["cut"] > 0
    # An action that is rated is needed whole, though it takes more than half the context.
    context = agent.backend.context
    assert context is not None
    wordy = "press " + "the red switch " * (context // 28)
    assert agent.act(Observation("dark " * 400, (), ("go home", wordy)), GOAL).action in ("go home", wordy)


def test_prompts_are_data(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('first = "{goal} | {observation}"\nstop = [";"]\n')
    assert get_prompts(file) == Prompts(first="{goal} | {observation}", stop=(";",))
    assert get_prompts("react") is STYLES["react"]
    with pytest.raises(UnknownNameError, match="did you mean 'react'"):
        get_prompts("reakt")
    for text, fault in (('first = "{gaol}"', "gaol"), ("cue = 3", "no field 'cue'"), ("x = [", "cannot be read")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=fault):
            get_prompts(file)
    with pytest.raises(ConfigError, match="tries must be at least 1; give_up"):
        LmConfig(tries=0, give_up="never")


def _agent(config: LmConfig, task: Task) -> LmAgent:
    return LmAgent(local(), config)


def test_many_at_once_live_what_each_lives_alone() -> None:
    tasks = [*lantern_tasks(5), lantern_task(9, trap="step raise"), lantern_task(10, free=True)]
    for config in (
        LmConfig(temperature=3.0),
        LmConfig("generate", style="act", temperature=1.0, max_tokens=5, tries=2),
    ):
        alone = {one.task.id: one for one in Rollout(AgentPolicy(partial(_agent, config)), max_steps=4).collect(tasks)}
        several = Rollout(AgentPolicy(partial(_agent, config)), batch=3, max_steps=4)
        together = {one.task.id: one for one in several.collect(tasks)}
        several.close()
        assert together.keys() == alone.keys()
        for id_, one in alone.items():
            other = together[id_]
            assert type(other) is type(one)
            if isinstance(one, Failure):
                assert other == one
            else:
                assert isinstance(other, Trajectory)
                assert [step.action for step in other.steps] == [step.action for step in one.steps]
                assert other.id == one.id


@pytest.mark.parametrize("trouble", ["die", 401, b"{}"])
def test_an_endpoint_that_breaks_is_a_failure_and_the_run_goes_on(server: Server, tmp_path: Path, trouble: Any) -> None:
    good = "Action: go right"
    server.replies[:] = [good, good, trouble, good]
    endpoint = server.endpoint(retries=0)
    config = LmConfig("generate", listed_only=False)
    with ExperienceStore.open(tmp_path) as store:
        collect(store, lantern_tasks(3), lambda: Rollout(AgentPolicy(lambda _: LmAgent(endpoint, config)), max_steps=2))
        assert len(list(store.trajectories())) == 2
        [failure] = store.failures()
    assert failure.stage == "act"
    assert "did not answer" in failure.error


def test_an_endpoint_that_dies_at_step_six_leaves_five_steps_with_their_cost(server: Server, tmp_path: Path) -> None:
    server.replies[:] = ["Action: go left", "Action: go right"] * 2 + ["Action: go left", "die", "Action: go right"]
    config = LmConfig("generate", listed_only=False)

    def collector() -> Rollout:
        endpoint = server.endpoint(retries=0, price=Price(2.0, 4.0))
        return Rollout(AgentPolicy(lambda _: LmAgent(endpoint, config)), name="lm", max_steps=6)

    with ExperienceStore.open(tmp_path / "store") as store:
        collect(store, lantern_tasks(1), collector)
    for _ in range(2):
        with ExperienceStore.open(tmp_path / "store") as store:
            [failure] = store.failures()
            assert store.remaining(lantern_tasks(1), "lm") == lantern_tasks(1)
            assert not list(store.trajectories())
            assert failure.played is not None
            assert [step.action for step in failure.played.steps] == ["go left", "go right"] * 2 + ["go left"]
            assert sum(step.info["agent"]["usage"]["cost"] for step in failure.played.steps) == pytest.approx(0.02)
            assert (failure.stage, failure.notes["usage"]["requests"]) == ("act", 0)
            store.seal()  # and again from a shard
    with ExperienceStore.open(tmp_path / "store") as store:
        assert collect(store, lantern_tasks(1), collector).before == 0
        [played] = store.trajectories()
        assert len(played.steps) == 6


@pytest.mark.parametrize(
    "message",
    [
        {"content": "I am not sure."},
        {"content": None, "reasoning_content": "Action: go left"},
        {"content": "<think>Action: go left"},
        {"content": '{"reply": 3}'},
        {
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "act", "arguments": "{"}}],
        },
    ],
)
def test_answers_that_cannot_be_used_are_a_failure_with_its_cost(
    server: Server, tmp_path: Path, message: dict[str, Any]
) -> None:
    server.replies[:] = [message]
    endpoint, config = server.endpoint(price=Price(2.0, 4.0)), LmConfig("generate", max_tokens=5, give_up="end")
    with ExperienceStore.open(tmp_path) as store:
        done = collect(store, lantern_tasks(2), lambda: Rollout(AgentPolicy(lambda _: LmAgent(endpoint, config))))
        assert not list(store.trajectories())
        failures = list(store.failures())
    assert [one.notes["usage"]["cost"] for one in failures] == [0.004 * len(server.asked) / 2] * 2
    assert all("no answer could be used in 3 tries" in one.error for one in failures)
    assert len(failures[0].notes["refused"]) == 3
    assert (done.coverage.episodes, done.coverage.failures) == (0, 2)


def test_a_tools_call_is_an_action_and_can_be_asked_for(server: Server) -> None:
    function = {"name": "act", "arguments": '{"action": "go home"}'}
    called = {"content": "I am tired.", "tool_calls": [{"id": "1", "type": "function", "function": function}]}
    server.replies[:] = [called]
    for way in ("generate", "call"):
        decided = LmAgent(server.endpoint(), LmConfig(way)).act(SEEN, GOAL)
        assert (decided.action, decided.notes["thought"]) == ("go home", "I am tired.")
    assert "tools" not in server.asked[0]
    [tool] = server.asked[1]["tools"]
    assert tool["function"]["parameters"]["properties"]["action"]["enum"] == [*CAN, "finish"]
    assert server.asked[1]["tool_choice"]["function"]["name"] == tool["function"]["name"] == "act"
    assert LmAgent(local(), LmConfig("call", max_tokens=3, tries=1)).config.way == "call"


def test_thinking_is_recorded_and_not_repeated_to_the_model(server: Server) -> None:
    agent = writer(
        server,
        "<think>",
        "<think>Action: fly\n\nHm.</think>\n\nThought: tired\nAction: go home",
        "Action: press switch",
    )
    decided = agent.act(SEEN, GOAL)
    assert (decided.action, decided.notes["thought"]) == ("go home", "Action: fly\n\nHm.\ntired")
    assert decided.notes["usage"]["requests"] == 2  # a stop string had cut the first answer while it was thinking
    assert ["stop" in asked for asked in server.asked] == [True, False]
    agent.act(Observation("It is light.", (), CAN), GOAL)
    assert server.asked[2]["messages"][2]["content"] == "Thought: tired\nAction: go home"


def test_an_action_that_changed_nothing_is_barred_until_something_changes(server: Server) -> None:
    agent = writer(server, "Action: go home", "Action: Go home.", "Action: press switch", "Action: go home")
    assert agent.act(SEEN, GOAL).action == "go home"
    decided = agent.act(SEEN, GOAL)
    assert decided.action == "press switch"
    assert "changed nothing" in decided.notes["refused"][0]["reason"]
    assert "go home" not in server.asked[1]["messages"][-1]["content"].partition("You can:")[2]
    assert agent.act(Observation("It is light.", (), CAN), GOAL).action == "go home"
    with pytest.raises(Finished, match="changed nothing"):
        agent.act(Observation("It is light.", (), CAN), GOAL)
    chooser = LmAgent(local())
    chosen = [chooser.act(SEEN, GOAL).action for _ in range(2)]
    assert sorted(chosen) == sorted(CAN)
    assert chooser.act(SEEN, GOAL).action in CAN  # where all are barred, none is
    assert LmAgent(local(), LmConfig(bar=False)).act(SEEN, GOAL).action == chosen[0]


def test_styles_in_words_have_a_worked_example(server: Server) -> None:
    for style in ("act", "react"):
        writer(server, "Action: go home", style=style).act(SEEN, GOAL)
        assert "An example" in server.asked[-1]["messages"][0]["content"]
    assert not STYLES["experience"].example


def test_a_server_that_is_gone_fails_what_is_left(tmp_path: Path) -> None:
    server = Server("Action: go right")
    agent = LmAgent(server.endpoint(retries=0), LmConfig("generate", listed_only=False))
    records = Rollout(AgentPolicy(lambda _: agent), max_steps=2).collect(lantern_tasks(3))
    assert isinstance(next(records), Trajectory)
    server.close()
    agent.backend._client.close()
    assert all(isinstance(one, Failure) for one in records)


class _Likes:
    """A back end that likes one lamp, and counts how often it is asked."""

    name, context = "likes", None

    def __init__(self, lamp: str) -> None:
        self.lamp, self.calls = lamp, 0

    def generate(self, asks: list[ModelRequest]) -> list[ModelReply]:
        """Not asked here."""
        raise AssertionError

    def rate(self, choices: list[Choice]) -> list[RatedChoices]:
        """Rate the lamp's switch above all."""
        self.calls += 1
        totals = [tuple(0.0 if one == f"press {self.lamp}" else -5.0 for one in choice.options) for choice in choices]
        return [RatedChoices(tuple((x,) for x in one), Usage(10)) for one in totals]

    def count(self, conversation: Conversation) -> int:
        """Count nothing."""
        return 0


def test_a_prior_leads_the_search_and_each_state_is_rated_once() -> None:
    """The goal is one lamp of four: a model that likes its switch finds it with the first simulation."""
    aim = LampGoals().named("blue lamp lit")
    assert aim is not None
    config = SearchConfig(40, depth=3, selection="puct", rollout="none", stop_on_success=True, **TREE_ALONE)
    needed = {}
    for lamp in ("blue lamp", "red lamp"):
        backend, env = _Likes(lamp), Switchboard()
        goal = {"text": aim.goal.text, "conditions": list(aim.goal.conditions)}
        seen, info = env.reset(seed=0, options={"goal": goal})
        model = EnvModel(env, info, observation=seen)
        prior = LmPrior(backend)
        result = Search(model, config, np.random.default_rng(0), prior=text_prior(prior, model, aim.goal)).run()
        assert result.success
        needed[lamp] = result.simulations
        assert backend.calls == len(prior._known)
        asked = backend.calls
        weights = prior.prior(model.observation(), aim.goal, [model.text(one) for one in model.actions()])
        assert backend.calls == asked
        assert sum(weights) == pytest.approx(1)
        assert min(weights) >= 0.1 / len(weights)
    assert needed["blue lamp"] == 1 < needed["red lamp"]


def test_agents_have_names(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    task = Task("board", ID, 0, Goal("light"))
    agent = AgentMaker(f"lm:{tmp_path}", LmConfig(cut=True))(task)
    assert decide(agent, SEEN, GOAL).action in CAN
    assert AgentMaker("lm:name@http://127.0.0.1:9/v1")(task).backend.name == "name"
    assert decide(AgentMaker("random")(task), SEEN, GOAL).action in CAN
    with pytest.raises(UnknownNameError, match="did you mean 'random'"):
        AgentMaker("randon")
    with pytest.raises(ConfigError, match="No language model is named"):
        AgentMaker("lm:")
