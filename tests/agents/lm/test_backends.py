"""Back ends of language models: likelihoods and answers against transformers itself, and endpoints against a server."""

import base64
import dataclasses
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("openai")

import torch

from pathei.agents.lm.backends import Choice, Conversation, Message, ModelRequest
from pathei.agents.lm.endpoint import ChatEndpoint, Price
from pathei.agents.lm.likelihood import one_by_one, tree_of
from pathei.agents.lm.local_model import LocalModel
from pathei.errors import ModelError
from pathei.tests.support.endpoint_server import Server
from pathei.tests.support.tiny_language import tiny_model, tiny_tokenizer


@lru_cache
def local(family: str = "gpt2", batch: int = 8) -> LocalModel:
    size = {"n_positions": 512} if family == "gpt2" else {"max_position_embeddings": 512}
    return LocalModel(tiny_model(family, **size).eval(), tiny_tokenizer(), name=family, batch=batch)


def said(text: str, cue: str = "Action:") -> Conversation:
    return Conversation((Message("user", text),), cue)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*replies: Any, **options: Any) -> Server:
        started.append(Server(*replies, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


words = st.text("walk to cup<>(1)", min_size=1, max_size=24)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@settings(max_examples=15)
@given(st.lists(st.tuples(words, st.lists(words, max_size=6)), min_size=1, max_size=3))
def test_a_shared_prompt_rates_as_one_by_one_does(family: str, asked: list[tuple[str, list[str]]]) -> None:
    backend = local(family)
    rated = backend.rate([Choice(said(text), tuple(options)) for text, options in asked])
    assert backend.shares_prefix is not False
    with torch.inference_mode():
        plain = one_by_one(
            backend._model, [one.prompt_ids or () for one in rated], [list(one.option_ids or ()) for one in rated]
        )
    for one, logs in zip(rated, plain, strict=True):
        for found, expected in zip(one.option_logprobs, logs, strict=True):
            assert found == pytest.approx(expected, abs=1e-4)
        assert one.scores(False) == pytest.approx([sum(log) for log in logs], abs=1e-3)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@settings(max_examples=15)
@given(words, st.lists(words, min_size=1, max_size=40, unique=True))
def test_an_answer_among_options_is_the_likeliest(family: str, text: str, options: list[str]) -> None:
    backend = local(family)
    [rated] = backend.rate([Choice(said(text), tuple(options))])
    [reply] = backend.generate([ModelRequest(said(text), among=tuple(options))])
    best = options.index(reply.text)
    assert rated.scores()[best] == pytest.approx(max(rated.scores()), abs=1e-3)
    assert reply.logprobs == pytest.approx(rated.option_logprobs[best], abs=1e-4)
    assert reply.tokens is not None
    assert reply.tokens.prompt_ids == rated.prompt_ids
    drawn = [ModelRequest(said(text), among=tuple(options), temperature=9.0, seed=number) for number in range(4)]
    assert {one.text for one in backend.generate(drawn)} <= set(options)


@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_an_empty_option_is_the_end_of_the_text(temperature: float) -> None:
    backend = local()
    end = backend._tokenizer.eos_token_id
    asked = [
        ModelRequest(said("Where?"), among=("go left", ""), temperature=temperature, seed=number)
        for number in range(24)
    ]
    for reply in backend.generate(asked):
        assert reply.tokens is not None
        assert (reply.text == "") == (reply.tokens.completion_ids == (end,))
    [rated] = backend.rate([Choice(said("Where?"), ("go left",))])
    with torch.inference_mode():
        [[[ending]]] = one_by_one(backend._model, [rated.prompt_ids or ()], [[[end]]])
    assert (backend.generate([ModelRequest(said("Where?"), among=("go left", ""))])[0].text == "") == (
        ending > rated.scores()[0]
    )


def test_more_options_than_fit_into_one_pass() -> None:
    options = tuple(f"walk to lamp {number}, and then to the cup {number * 7}" for number in range(60))
    [rated] = local().rate([Choice(said("Where?"), options)])
    alone = [local().rate([Choice(said("Where?"), (option,))])[0].scores()[0] for option in options]
    assert rated.scores() == pytest.approx(alone, abs=1e-3)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), max_size=8))
def test_a_tree_holds_every_continuation_and_no_beginning_twice(continuations: list[list[int]]) -> None:
    tree = tree_of(continuations)
    assert [[tree.tokens[node] for node in path] for path in tree.paths] == continuations
    assert len(tree.tokens) == len({tuple(one[:end]) for one in continuations for end in range(1, len(one) + 1)})
    assert all(parent < node for node, parent in enumerate(tree.parents))


def test_a_model_that_cannot_share_is_rated_one_by_one() -> None:
    """Mistral's sliding window of 4 tokens is not in the tree's mask."""
    from transformers import MistralConfig, MistralForCausalLM

    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = MistralConfig(vocab_size=320, num_key_value_heads=2, sliding_window=4, **size, initializer_range=0.5)
    torch.manual_seed(0)
    backend = LocalModel(MistralForCausalLM(config).eval(), tiny_tokenizer())
    [rated] = backend.rate([Choice(said("a long prompt, longer than the window"), ("walk to the cup", "stop"))])
    assert not backend.shares_prefix
    with torch.inference_mode():
        plain = one_by_one(backend._model, [rated.prompt_ids or ()], [rated.option_ids or ()])
    assert rated.scores() == pytest.approx([sum(log) for log in plain[0]])


def test_greedy_answers_are_those_of_transformers() -> None:
    backend = local("llama")
    asks = [ModelRequest(said(text), 10) for text in ("Where is the cup?", "Is it here, or over there on the table?")]
    for ask, reply in zip(asks, backend.generate(asks), strict=True):
        assert reply.tokens is not None
        given = torch.tensor([reply.tokens.prompt_ids])
        made = backend._model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=10, do_sample=False)
        assert made[0, given.shape[1] :].tolist() == list(reply.tokens.completion_ids)
        with torch.inference_mode():
            [[logs]] = one_by_one(backend._model, [reply.tokens.prompt_ids], [[reply.tokens.completion_ids]])
        assert reply.logprobs == pytest.approx(logs, abs=1e-4)
        assert ask.max_tokens >= reply.usage.completion_tokens


def test_an_answer_follows_from_its_seed_and_not_from_its_neighbours() -> None:
    asks = [ModelRequest(said("Where is it? " * (n % 3 + 1)), 12, ("\n",), 0.9, n) for n in range(5)]
    together = local().generate(asks)
    assert [one.text for one in together] == [local(batch=2).generate([ask])[0].text for ask in asks]
    assert len({one.text for one in together}) > 1
    stopped = local().generate([ModelRequest(said("Where?"), 12, (together[0].text[3],), 0.9, 0)])[0]
    assert together[0].text[3] not in stopped.text


def test_what_a_local_model_cannot_do_is_one_sentence() -> None:
    with pytest.raises(ModelError, match=r"has \d+ tokens and the context of 'gpt2' is 512"):
        local().generate([ModelRequest(said("word " * 600))])
    with pytest.raises(ModelError, match="reads text only"):
        local().generate([ModelRequest(Conversation((Message("user", "look", ("ab" * 32,)),)))])
    with pytest.raises(ModelError, match="must not be empty"):
        local().rate([Choice(said("go"), ("",))])
    with pytest.raises(ModelError, match="nothing is there"):
        LocalModel.load("./nowhere")


# --- endpoints


def test_an_answer_has_its_tokens_and_its_cost(serve: Callable[..., Server]) -> None:
    server = serve("go left")
    [reply] = server.endpoint(price=Price(2.0, 4.0), logprobs=True).generate(
        [ModelRequest(said("Where?"), 9, ("\n",), 0.5, 3)]
    )
    assert (reply.text, reply.logprobs, reply.tokens) == ("go left", (-0.5,), None)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cost) == (1000, 500, 0.004)
    asked = server.asked[0]
    assert asked["messages"] == [{"role": "user", "content": "Where?"}]
    assert (asked["max_tokens"], asked["stop"], asked["seed"], asked["temperature"]) == (9, ["\n"], 3, 0.5)
    [plain] = server.endpoint(api="completions", options={"max_tokens": None, "top_k": 5}).generate(
        [ModelRequest(said("Hm"))]
    )
    assert plain.text == "go left"
    assert server.asked[1]["prompt"] == "Hm\n\nAction:"
    assert server.asked[1]["top_k"] == 5
    assert "max_tokens" not in server.asked[1]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_an_endpoint_is_told_the_options_and_held_to_them(serve: Callable[..., Server], api: str) -> None:
    server = serve(" go left", "sideways")
    endpoint = server.endpoint(api=api, retries=0)
    ask = ModelRequest(said("Where?"), among=("go left", "go right"))
    assert endpoint.generate([dataclasses.replace(ask, among=(*ask.among, ""))])[0].text == "go left"
    lead = " " if api == "completions" else ""
    assert server.asked[0]["structured_outputs"] == {"choice": [f"{lead}go left", f"{lead}go right"]}
    with pytest.raises(ModelError, match="'sideways', which is none of the options"):
        endpoint.generate([ask])


def test_overload_and_slowness_are_waited_for(serve: Callable[..., Server], caplog: pytest.LogCaptureFixture) -> None:
    server = serve(429, 1.5, 500, "there")
    with caplog.at_level("INFO", "pathei"):
        [reply] = server.endpoint(timeout=0.5).generate([ModelRequest(said("Hello?"))])
    lines = [one.getMessage() for one in caplog.records if one.name == "pathei.endpoint_client"]
    assert [line.split(" ")[:2] for line in lines] == [
        ["Status", "429"], ["Retry", "1"], ["Retry", "2"], ["Status", "500"], ["Retry", "3"],
    ]  # fmt: skip
    assert "asks for a pause of 1 s" in lines[0]
    assert reply.text == "there"
    assert len(server.asked) == 4
    assert server.times[1] - server.times[0] >= 1.0  # what Retry-After says


@pytest.mark.parametrize("reply", [401, b"{}", b"[]", b"no json", b'{"choices": []}', b'{"choices": [{}]}', "die"])
def test_what_is_no_answer_is_one_sentence(serve: Callable[..., Server], reply: Any) -> None:
    with pytest.raises(ModelError, match=r"'test-model' at http://127\.0\.0\.1:\d+/v1 did not answer") as caught:
        serve(reply).endpoint(retries=0).generate([ModelRequest(said("Hello?"))])
    assert "\n" not in str(caught.value)
    assert "object" not in str(caught.value)  # no words of the interpreter


def test_the_reason_in_an_answer_is_passed_on(serve: Callable[..., Server]) -> None:
    with pytest.raises(ModelError, match="model overloaded"):
        serve(b'{"error": {"message": "model overloaded"}}').endpoint(retries=0).generate([ModelRequest(said("Hi"))])


def test_requests_keep_their_pace(serve: Callable[..., Server]) -> None:
    server = serve("ok")
    server.endpoint(per_minute=600).generate([ModelRequest(said(f"{n}")) for n in range(4)])
    assert server.times[-1] - server.times[0] >= 0.25


def test_images_travel_as_data(serve: Callable[..., Server]) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 8
    shown = ModelRequest(Conversation((Message("user", "look", ("ab" * 32,)),)))
    server = serve("a cup")
    server.endpoint(read_image=lambda name: png).generate([shown])
    image, text = server.asked[0]["messages"][0]["content"]
    assert image["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(png).decode()}"
    assert text == {"type": "text", "text": "look"}
    with pytest.raises(ModelError, match="`read_image`"):
        server.endpoint().generate([shown])


def test_an_echoing_endpoint_rates_as_the_model_behind_it(serve: Callable[..., Server]) -> None:
    server = serve("ok", model=local())
    choice = Choice(said("Where to?"), ("left", "right", "forward"))
    [there], [here] = server.endpoint(api="completions").rate([choice]), local().rate([choice])
    assert there.scores() == pytest.approx(here.scores(), abs=1e-4)
    with pytest.raises(ModelError, match="cannot rate given words"):
        server.endpoint().rate([choice])
    with pytest.raises(ModelError, match="did not answer"):
        serve(b'{"choices": []}').endpoint(api="completions").rate([choice])


def test_a_key_is_needed_where_no_endpoint_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ModelError, match="set OPENAI_API_KEY"):
        ChatEndpoint("gpt-4o")


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_prompt_that_goes_on_behind_another_one_is_answered_as_alone(family: str) -> None:
    options, begun = ("Walk to the cup.", "Walk to the pan.", "Open it."), ""
    goes_on = local(family)
    for _ in range(5):
        ask = ModelRequest(dataclasses.replace(said("Where?"), begun=begun), among=options)
        alone = LocalModel(goes_on._model, goes_on._tokenizer)
        [reply], [expected] = goes_on.generate([ask]), alone.generate([ask])
        assert reply.text == expected.text
        assert reply.logprobs == pytest.approx(expected.logprobs, abs=1e-4)
        begun = f"{begun} {reply.text}".strip()


def test_weights_that_have_changed_are_asked_anew() -> None:
    backend = LocalModel(tiny_model("gpt2", n_positions=512).eval(), tiny_tokenizer())
    ask = ModelRequest(said("Where?"), among=("walk to the cup", "open it"))
    before = [backend.generate([ask])[0].logprobs for _ in range(2)]
    with torch.no_grad():
        for one in backend._model.parameters():
            one.add_(0.05 * torch.randn(one.shape, generator=torch.Generator().manual_seed(0)))
    assert before[0] == pytest.approx(before[1], abs=1e-4)
    assert backend.generate([ask])[0].logprobs != pytest.approx(before[1], abs=1e-3)
