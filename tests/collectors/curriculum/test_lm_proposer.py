"""The language model proposer, against a real HTTP server that speaks the protocol of OpenAI's chat completions."""

import importlib
import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pathei.agents.lm.completion import complete_named, completion
from pathei.agents.lm.endpoint import ChatEndpoint
from pathei.agents.lm.local_model import LocalModel
from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig
from pathei.collectors.curriculum.lm_proposer import LanguageModel, read_goal, read_questions
from pathei.collectors.curriculum.proposers import GoalAttempt, Situation
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.goals.space import HomeGoals
from pathei.errors import GoalError, MissingDependencyError, ModelError
from pathei.experience import Observation, Trajectory
from pathei.store import ExperienceStore
from pathei.tests.support.switchboard import LampGoals, boards

HOMES, ENV = HomeGoals(), VirtualHomeEnv()
SCRIPT = "Reasoning: the fridge is near.\nGoal: the fridge is open"


class _Endpoint:
    """A server on 127.0.0.1 that answers each request with the next of its replies, and keeps the prompts.

    A reply is the answer's text, a status code, a number of seconds to wait as a float, or the bytes of a whole body.
    """

    def __init__(self, *replies: str | int | float | bytes) -> None:
        self.replies = list(replies)
        self.prompts: list[str] = []
        self.keys: list[str | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.prompts.append(asked["messages"][-1]["content"])
                endpoint.keys.append(self.headers["Authorization"])
                reply = endpoint.replies.pop(0) if len(endpoint.replies) > 1 else endpoint.replies[0]
                if isinstance(reply, float):
                    time.sleep(reply)
                    reply = "Goal: too late"
                self._answer(reply, asked["model"])

            def _answer(self, reply: str | int | bytes, model: str) -> None:
                body = reply if isinstance(reply, bytes) else b'{"error": {"message": "slow down"}}'
                if isinstance(reply, str):
                    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply}}
                    whole = {"id": "1", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}
                    body = json.dumps(whole).encode()
                self.send_response(reply if isinstance(reply, int) else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("retry-after-ms", "5")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def chat(self, **options: Any) -> Callable[[str], str]:
        return completion(ChatEndpoint("test-model", base_url=self.url, **{"timeout": 10.0, "retries": 3, **options}))


@pytest.fixture
def serve() -> Iterator[Callable[..., _Endpoint]]:
    started: list[_Endpoint] = []

    def start(*replies: str | int | float | bytes) -> _Endpoint:
        started.append(_Endpoint(*replies))
        return started[-1]

    yield start
    for endpoint in started:
        endpoint.server.shutdown()
        endpoint.server.server_close()


def situation(house: int = 3) -> Situation:
    text, _ = ENV.reset(seed=0, options={"scene": f"house:{house}"})
    return Situation(HOMES.present(ENV), Observation(text))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_proposal_is_parsed_into_a_goal_that_can_be_checked(serve: Callable[..., _Endpoint]) -> None:
    endpoint = serve("**Reasoning:** Food is kept there.\n**Goal:** The fridge is open and you hold a book.")
    proposal = LanguageModel(endpoint.chat(), questions=0).propose(situation(), rng())
    assert proposal.aim.template == "fridge OPEN & you HOLDS book"
    assert proposal.why["by"] == "language model"
    assert "Food is kept there" in proposal.why["reasoning"]
    assert endpoint.keys == ["Bearer none"]


def test_the_prompt_holds_state_inventory_reached_missed_answers_and_grammar(serve: Callable[..., _Endpoint]) -> None:
    asked = "Question 1: What is kept in a fridge?\n2. Why?\n- Where do people sit in the evening?"
    endpoint = serve(asked, "Food is.", "On a couch.", SCRIPT)
    here = situation()
    proposer = LanguageModel(endpoint.chat(), ask_every=2)
    for text, success in (("the radio is unplugged", True), ("you hold a book", False), ("you hold a book", False)):
        proposer.update(GoalAttempt(here.space.read(text), success, 10))
    proposer.update(GoalAttempt(here.space.read("you are lying"), True, 10))
    proposal = proposer.propose(here, rng())
    assert len(endpoint.prompts) == 4
    prompt = endpoint.prompts[-1]
    assert here.observation.text in prompt
    assert "Your hands are empty" in prompt
    assert "- the radio is unplugged" in prompt
    assert "book (2)" in prompt
    assert "What is kept in a fridge? Food is." in prompt
    assert "Where do people sit in the evening? On a couch." in prompt
    assert "you hold a THING" in prompt
    assert proposal.why["answers"] == [
        ["What is kept in a fridge?", "Food is."],
        ["Where do people sit in the evening?", "On a couch."],
    ]


def test_what_cannot_be_checked_is_refused_and_the_reason_is_in_the_next_prompt(
    serve: Callable[..., _Endpoint],
) -> None:
    endpoint = serve("Goal: the unicorn is open", "I would rather not.", SCRIPT)
    proposer = LanguageModel(endpoint.chat(), questions=0)
    proposal = proposer.propose(situation(), rng())
    assert proposal.aim.template == "fridge OPEN"
    assert "the unicorn is open: The goal cannot be read: there is no unicorn here" in endpoint.prompts[1]
    assert "no line that begins with 'Goal:'" in endpoint.prompts[2]
    assert len(proposal.why["refused"]) == 2
    proposer.update(GoalAttempt(proposal.aim, True, 5, proposal.why))
    endpoint.replies[:] = [SCRIPT, "Goal: you are lying"]
    again = proposer.propose(situation(), rng())
    assert "unicorn" in endpoint.prompts[3], "refusals are remembered from one proposal to the next"
    assert "It was reached before" in endpoint.prompts[4]
    assert again.aim.template == "you LYING"


def test_a_contradiction_and_what_kept_missing_are_refused(serve: Callable[..., _Endpoint]) -> None:
    endpoint = serve("Goal: the fridge is open and the fridge is closed", "Goal: you hold a book", SCRIPT)
    proposer, here = LanguageModel(endpoint.chat(), questions=0), situation()
    for _ in range(3):
        proposer.update(GoalAttempt(here.space.read("you hold a book"), False, 10))
    assert proposer.propose(here, rng()).aim.template == "fridge OPEN"
    assert "The goal contradicts itself" in endpoint.prompts[1]
    assert "you hold a book: It was missed 3 times: leave it for now." in endpoint.prompts[2]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Goal:",
        "Goal: the bed is open",
        'Goal: {"node": {"class": "fridge"}, "state": "HAPPY"}',
        "Goal: [{]",
        'Goal: {"done": {"verb": 3}}',
        "Goal: " + "[" * 5000,
        "Goal: " + '{"not":' * 400 + '{"node": {"class": "fridge"}, "state": "OPEN"}' + "}" * 400,
        "Goal: " + '{"not":' * 100 + '{"node": {"class": "fridge"}, "state": "CLOSED"}' + "}" * 100,
        "Goal: the fridge is open, the radio is unplugged, you are lying and you hold a book",
        'Goal: __import__("os").system("touch owned")',
        "x" * 50_000,
    ],
)
def test_after_a_few_bad_answers_a_goal_is_drawn(serve: Callable[..., _Endpoint], reply: str) -> None:
    endpoint = serve(reply)
    proposal = LanguageModel(endpoint.chat(), questions=0, tries=2).propose(situation(), rng())
    assert proposal.why["by"] == "chance"
    assert len(proposal.why["refused"]) == 2
    assert all(why for _, why in proposal.why["refused"])
    assert proposal.aim.goal.conditions
    assert not Path("owned").exists()


def test_json_conditions_are_read_too(serve: Callable[..., _Endpoint]) -> None:
    text = 'Goal:\n```json\n[{"node": {"class": "fridge"},\n  "state": "OPEN"}]\n```\nGood luck!'
    proposal = LanguageModel(serve(text).chat(), questions=0).propose(situation(), rng())
    assert proposal.aim.template == "fridge OPEN"


def test_overload_and_time_outs_are_tried_again(serve: Callable[..., _Endpoint]) -> None:
    endpoint = serve(429, 500, 1.0, SCRIPT)
    proposal = LanguageModel(endpoint.chat(timeout=0.4), questions=0).propose(situation(), rng())
    assert proposal.why["by"] == "language model"
    assert len(endpoint.prompts) == 4


@pytest.mark.parametrize("reply", [429, 401, b"{}", b"[]", b"no json", b'{"choices": []}', b'{"choices": [{}]}'])
def test_an_endpoint_that_does_not_answer_is_one_sentence(serve: Callable[..., _Endpoint], reply: int | bytes) -> None:
    endpoint = serve(reply)
    with pytest.raises(ModelError, match=r"'test-model' at http://127\.0\.0\.1:\d+/v1 did not answer") as caught:
        endpoint.chat(retries=1)("hello")
    assert "\n" not in str(caught.value)


def test_an_endpoint_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ModelError, match="did not answer"):
        completion(ChatEndpoint("m", base_url="http://127.0.0.1:9/v1", retries=0, timeout=2.0))("hello")


def test_the_same_attempts_give_the_same_prompt_after_a_crash(serve: Callable[..., _Endpoint], tmp_path: Path) -> None:
    def curriculum(endpoint: _Endpoint) -> tuple[Curriculum, LanguageModel]:
        proposer = LanguageModel(endpoint.chat(), ask_every=4)
        player = SkillPolicy(LampGoals(), effort=60)
        return Curriculum(LampGoals(), proposer, player, CurriculumConfig(retries=0), seed=1), proposer

    lines = [
        "Question: What is a fuse good for?",
        "It melts.",
        "Goal: the pink lamp is lit",
        "Goal: the red lamp is lit",
    ]
    first, before = curriculum(serve(*lines, "Goal: the blue lamp is lit", "Goal: the red lamp is lit"))
    with ExperienceStore.open(tmp_path) as store:
        for record in first.collect(boards(3)):
            assert isinstance(record, Trajectory)
            store.append(record)
        second, after = curriculum(serve("Goal: the white lamp is lit"))
        assert second.resume(store) == 3
    here = Situation(LampGoals(), Observation("dark"))
    prompts = [one.prompt(here, one._answers, list(one._refused)) for one in (before, after)]
    assert prompts[0] == prompts[1]
    assert "What is a fuse good for? It melts." in prompts[1]
    assert "the pink lamp is lit" in prompts[1]
    assert "- the red lamp is lit" in prompts[1]


def test_an_unreachable_model_ends_the_run_and_loses_nothing(serve: Callable[..., _Endpoint]) -> None:
    endpoint = serve("Goal: the red lamp is lit", 401)
    player = SkillPolicy(LampGoals(), effort=60)
    running = Curriculum(LampGoals(), LanguageModel(endpoint.chat(), questions=0), player, seed=0)
    records = running.collect(boards(5))
    assert isinstance(next(records), Trajectory)
    with pytest.raises(ModelError):
        next(records)


def test_goals_and_questions_are_found_in_all_sorts_of_answers() -> None:
    assert read_goal("Goal: first\nGoal: `the lamp is on`") == "the lamp is on"
    assert read_goal("Task: you hold a cup") == "you hold a cup"
    with pytest.raises(GoalError, match="Nothing stands after"):
        read_goal("Goal:   ")
    with pytest.raises(GoalError, match="begins like JSON"):
        read_goal('Goal: {"node": ')
    assert read_questions("Question: Is it warm in here?\nQuestion: Is it warm in here?\nNo question.\nShort?") == [
        "Is it warm in here?"
    ]


def test_openai_needs_a_key_and_names_choose_the_back_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ModelError, match="set OPENAI_API_KEY"):
        complete_named("gpt-4o")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    complete_named("gpt-4o")


def has(*names: str) -> bool:
    return all(importlib.util.find_spec(name) for name in names)


@pytest.mark.skipif(has("torch", "transformers"), reason="torch and transformers are installed")
def test_a_local_model_says_what_is_missing() -> None:
    with pytest.raises(MissingDependencyError, match="pip install transformers torch"):
        complete_named("local:anywhere")


@pytest.mark.skipif(not has("torch", "transformers", "tokenizers"), reason="torch and transformers are not installed")
def test_a_local_model_proposes_too(tmp_path: Path) -> None:
    """A tiny model with random weights answers nonsense, so every goal is drawn; but all of the way is walked."""
    tokenizers, transformers = importlib.import_module("tokenizers"), importlib.import_module("transformers")

    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "Goal:": 1, "lamp": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[UNK]")
    config = transformers.GPT2Config(vocab_size=3, n_positions=4096, n_embd=8, n_layer=1, n_head=1)
    tokenizer.save_pretrained(tmp_path)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    first, second = (complete_named(f"local:{tmp_path}") for _ in range(2))
    assert first("lamp lamp") == second("lamp lamp")
    proposal = LanguageModel(first, questions=1, tries=1).propose(situation(), rng())
    assert proposal.aim.goal.conditions
    with pytest.raises(ModelError, match="nothing is there"):
        LocalModel.load(str(tmp_path / "nowhere"))
