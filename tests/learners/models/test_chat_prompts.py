"""Instruct models are prompted through their chat template, alike in training, evaluation and acting."""

from typing import TYPE_CHECKING

import pytest

from pathei.agents.lm.backends import Choice, Conversation
from pathei.agents.lm.local_model import LocalModel
from pathei.learners.evaluation.generation import generate
from pathei.learners.evaluation.perplexity import measure_language
from pathei.learners.examples import Example
from pathei.learners.training.batches import encode_prompts, separator_of, sequences_of, tokenise
from pathei.tests.support.tiny_language import OLD, tiny_model, tiny_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ASKED = "Goal: Find the cup.\nPlan:"


@pytest.fixture
def chat() -> "PreTrainedTokenizerFast":
    """The tokenizer of an instruct model, which ends a turn with another token than a document."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|endoftext|>"]})
    return tokenizer


def test_a_prompt_is_the_users_turn_and_the_answer_begins_the_assistants(chat: "PreTrainedTokenizerFast") -> None:
    (row,) = tokenise([Example("a", "plan", ASKED, " Walk to the cup.")], chat, max_length=400).rows
    assert chat.decode(row.ids[: row.start]) == f"<user>{ASKED}</>\n<assistant>"
    assert chat.decode(row.ids[row.start :]) == f"Walk to the cup.{chat.eos_token}"


def test_without_a_template_a_prompt_is_plain_text() -> None:
    (row,) = tokenise([Example("a", "plan", ASKED, " Walk.")], tiny_tokenizer(), max_length=400).rows
    assert tiny_tokenizer().decode(row.ids[: row.start]) == ASKED


@pytest.mark.parametrize("begun", ["", "Walk to the cup. Grab the cup."])
@pytest.mark.parametrize("has_template", [True, False])
def test_an_agent_reads_what_was_trained_on(chat: "PreTrainedTokenizerFast", begun: str, has_template: bool) -> None:
    tokenizer = chat if has_template else tiny_tokenizer()
    model = tiny_model()
    model.resize_token_embeddings(len(tokenizer))
    agent = LocalModel(model, tokenizer)
    answer = f"{begun} Put it down." if begun else "Put it down."
    (row,) = tokenise([Example("a", "plan", ASKED, f" {answer}")], tokenizer, max_length=400).rows
    asked = Conversation((), ASKED, begun)
    (option,) = agent._options(Choice(asked, ("Put it down.",)))
    assert tokenizer.decode([*agent._encode(asked), *option]) == tokenizer.decode(row.ids[:-1])
    assert agent._encode(Conversation((), ASKED)) == encode_prompts(tokenizer, [ASKED])[0] == [*row.ids[: row.start]]


def test_documents_of_a_chat_model_are_not_separated_by_the_end_of_a_turn(chat: "PreTrainedTokenizerFast") -> None:
    separator = chat.convert_tokens_to_ids("<|endoftext|>")
    assert separator_of(chat) == separator != chat.eos_token_id
    rows = sequences_of(OLD, chat, 16)
    assert separator in rows
    assert chat.eos_token_id not in rows
    assert separator_of(tiny_tokenizer()) == tiny_tokenizer().eos_token_id
    model = tiny_model()
    model.resize_token_embeddings(len(chat))
    assert measure_language(model, chat, OLD[:2]).nats_per_token > 0
    assert len(generate(model, chat, [ASKED, "a"], max_new_tokens=4)) == 2
