"""Whole conversations: the loss is on what the agent says, through a chat template and in plain text alike."""

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("transformers")

from pathei.agents.lm.backends import Conversation, Message
from pathei.errors import LearningError, RecordError
from pathei.learners.examples import ChatTurn, Example, read_examples, write_examples
from pathei.learners.training.batches import IGNORED, TokenizedExample, collate, has_chat, labelled, tokenise
from pathei.learners.training.conversations import conversation_tokens
from pathei.tests.learners.models.test_chat_prompts import TEMPLATE
from pathei.tests.support.tiny_language import tiny_model, tiny_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TURNS = (
    ChatTurn("system", "You are at home."),
    ChatTurn("user", "Goal: find the cup.\n\nYou are in the kitchen."),
    ChatTurn("assistant", "open fridge"),
    ChatTurn("user", "The fridge is open."),
    ChatTurn("assistant", "take cup"),
    ChatTurn("user", "You hold the cup."),
)


def learned_text(row: TokenizedExample, tokenizer: "PreTrainedTokenizerFast") -> list[str]:
    """Return the pieces of a row that have a loss."""
    pieces: list[list[int]] = []
    for place, label in enumerate(row.labels):
        if label == IGNORED:
            continue
        if place and row.labels[place - 1] != IGNORED:
            pieces[-1].append(label)
        else:
            pieces.append([label])
    return [str(tokenizer.decode(piece)) for piece in pieces]


def conversation_row(turns: tuple[ChatTurn, ...], tokenizer: "PreTrainedTokenizerFast") -> TokenizedExample:
    return labelled(*conversation_tokens(turns, tokenizer, chat=has_chat(tokenizer)), 1.0)


def chat() -> "PreTrainedTokenizerFast":
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE.replace("</>", "<|end|>")
    return tokenizer


def test_only_the_agents_turns_are_learned_each_with_its_end() -> None:
    row = conversation_row(TURNS, chat())
    assert learned_text(row, chat()) == ["open fridge<|end|>", "take cup<|end|>"]
    assert "You hold" not in chat().decode(row.ids)
    assert row.learned == sum(label != IGNORED for label in row.labels)


def test_plain_text_is_what_an_agent_reads_between_its_turns() -> None:
    tokenizer = tiny_tokenizer()
    row = conversation_row(TURNS, tokenizer)
    assert learned_text(row, tokenizer) == [" open fridge\n\n", " take cup<|end|>"]
    said = tuple(Message(turn.role, turn.text) for turn in TURNS[:4])
    assert str(tokenizer.decode(row.ids)).startswith(Conversation(said, "Action:").plain() + " take cup")


def test_a_long_conversation_loses_its_beginning_or_is_left_out() -> None:
    example = Example("a", "chat", "", "", turns=TURNS)
    whole = tokenise([example], chat(), max_length=400).rows[0]
    found = tokenise([example], chat(), max_length=len(whole.ids) - 60, over_long="truncate")
    assert learned_text(found.rows[0], chat())[-1] == "take cup<|end|>"
    assert found.truncated == 1
    with pytest.raises(LearningError, match="None of 1 examples fits"):
        tokenise([example], chat(), max_length=20)


@given(st.lists(st.booleans(), min_size=2, max_size=24).filter(any), st.integers(0, 26))
def test_a_row_keeps_what_is_learned(learned: list[bool], excess: int) -> None:
    row = labelled(range(10, 10 + len(learned)), learned, 1.0)
    assert [label != IGNORED for label in row.labels] == learned
    assert row.learned == sum(learned) - learned[0]
    cut = row.without(excess)
    if cut is not None:
        assert cut.labels == row.labels[excess:]
        assert collate([cut], 0).labels.tolist() == [cut.labels]


def test_questions_and_conversations_are_learned_together() -> None:
    both = [
        Example("a", "plan", "Q:", " 1"),
        Example("b", "chat", "", "", turns=TURNS),
        Example("c", "plan", "Q:", " 2"),
    ]
    rows = tokenise(both, chat(), max_length=400, weights={"chat": 0.5}).rows
    assert [row.weight for row in rows] == [1.0, 0.5, 1.0]
    assert [len(learned_text(row, chat())) for row in rows] == [1, 2, 1]


def test_what_the_environment_says_counts_at_its_share() -> None:
    torch = pytest.importorskip("torch")
    from pathei.learners.training.losses import summed_loss

    model, one = tiny_model("llama", max_position_embeddings=256), Example("a", "chat", "", "", turns=TURNS)

    def row(env_loss: float) -> TokenizedExample:
        return tokenise([one], chat(), max_length=200, weights={"chat": 2.0}, env_loss=env_loss).rows[0]

    plain, heeded = row(0.0), row(0.25)
    assert "The fridge is open." in "".join(learned_text(heeded, chat()))
    assert "kitchen" not in "".join(learned_text(heeded, chat()))
    assert heeded.learned == plain.learned
    ids, last = torch.tensor([heeded.ids]), len(heeded.ids)
    nats = -torch.log_softmax(model(ids).logits[0, :-1], -1).gather(1, ids[0, 1:, None])[:, 0]
    heard = [place for begin, end in heeded.heard for place in range(begin, end)]
    said = [place for place in range(heeded.start, last) if place not in heard]
    expected = 2 * sum(float(nats[i - 1]) for i in said) + 2 * 0.25 * sum(float(nats[i - 1]) for i in heard)
    short = plain._replace(ids=plain.ids[: plain.start + 1], heard=())  # so that there is padding
    alone = summed_loss(model, collate([short], 0)).item()
    assert summed_loss(model, collate([heeded, short], 0)).item() == pytest.approx(expected + alone, rel=1e-5)
    assert summed_loss(model, collate([plain], 0)).item() < expected
    question = Example("b", "plan", "Q: Where?\nA:", " Here")
    with pytest.raises(LearningError, match="needs conversations"):
        tokenise([question], chat(), max_length=200, env_loss=0.1)


def test_a_template_that_rewrites_earlier_turns_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{% if loop.last %}{{ m.content }}{% endif %}{% endfor %}"
    with pytest.raises(LearningError, match="changes earlier turns"):
        conversation_row(TURNS, tokenizer)


def test_conversations_are_kept_in_a_file(tmp_path: Path) -> None:
    examples = [Example("b", "chat", "", "", turns=TURNS), Example("a", "plan", "Q:", " 1")]
    write_examples(tmp_path / "a.jsonl", examples)
    assert list(read_examples(tmp_path / "a.jsonl")) == examples
    assert b"turns" not in (tmp_path / "a.jsonl").read_bytes().splitlines()[1]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, "nothing in the conversation"),
        ({"messages": [{"role": "tool", "content": "hi"}]}, "role is 'tool'"),
        ({"messages": [{"role": "assistant", "content": [{"type": "image"}]}]}, "shows an image"),
        ({"messages": [{"role": "assistant"}]}, "content"),
        ({"prompt": [], "completion": []}, "must be strings"),
        ({"kind": "plan", "prompt": "a"}, "missing"),
    ],
)
def test_a_line_of_another_form_is_refused_by_its_number(row: dict[str, object], why: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(orjson.dumps({"prompt": "Q:", "completion": "1"}) + b"\n" + orjson.dumps(row))
    with pytest.raises(RecordError, match=f"Line 2 of .*{why}"):
        list(read_examples(tmp_path / "a.jsonl"))


def test_what_a_store_exports_is_read(tmp_path: Path) -> None:
    from pathei.cli import main

    store = str(tmp_path / "store")
    assert main(["collect", store, "--tasks", "2", "--workers", "0", "--steps", "6"]) == 0
    for form in ("chat", "prompt-completion"):
        assert main(["store", "export", store, str(tmp_path / f"{form}.jsonl"), "--format", form]) == 0
    conversations, steps = (list(read_examples(tmp_path / f"{form}.jsonl")) for form in ("chat", "prompt-completion"))
    assert len(steps) == sum(turn.role == "assistant" for one in conversations for turn in one.turns)
    assert len({one.id for one in steps}) == len(steps)
    rows = tokenise([*conversations, *steps], chat(), max_length=10**6).rows
    assert learned_text(rows[len(conversations)], chat()) == [learned_text(rows[0], chat())[0]]
