"""Whole conversations as training rows: the loss is on the agent's turns, and on nothing that others say.

A model with a chat template reads a conversation through it, turn by turn; another reads it as plain text in the form
of `Conversation.plain` (`agents.lm`) and of the prompt-completion export, where an action stands behind `Action:`.
Not here: questions with one answer (`batches`), and reading files (`examples`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import LearningError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ..examples import ChatTurn


class _Written(NamedTuple):
    """A conversation as text."""

    text: str
    said: tuple[tuple[int, int], ...]
    """Where the agent's turns are, as ranges of characters; each with what ends it."""


def conversation_tokens(
    turns: Sequence[ChatTurn], tokenizer: PreTrainedTokenizerBase, *, chat: bool
) -> tuple[list[int], list[bool]]:
    """Return a conversation as tokens, and which of them are learned: the agent's turns, each with what ends it.

    Args:
        turns: With at least one of the agent's. Those behind its last one are left out.
        tokenizer: A fast tokenizer, which knows the place of its tokens in the text.
        chat: Whether the model is prompted through its chat template.

    Raises:
        LearningError: the tokenizer is a slow one, or its chat template changes what was said before.
    """
    if not tokenizer.is_fast:
        raise LearningError("Learning from conversations needs a fast tokenizer, and the model's is a slow one.")
    turns = turns[: max(place for place, turn in enumerate(turns) if turn.role == "assistant") + 1]
    written = _by_template(turns, tokenizer) if chat else _plain(turns)
    encoded = tokenizer(written.text, add_special_tokens=not chat, return_offsets_mapping=True, verbose=False)
    eos, ids, places = tokenizer.eos_token_id, list(encoded["input_ids"]), list(encoded["offset_mapping"])
    if not chat and len(ids) > 1 and ids[-1] == eos:
        ids.pop()
        places.pop()
    learned = [any(begin < last and first < end for begin, end in written.said) for first, last in places]
    if not chat or ids[-1] != eos:
        ids.append(int(eos))
        learned.append(True)
    return ids, learned


def _by_template(turns: Sequence[ChatTurn], tokenizer: PreTrainedTokenizerBase) -> _Written:
    """Write a conversation by the model's chat template; a turn of the agent's ends with the end-of-sequence token."""
    messages: list[dict[str, Any]] = [{"role": turn.role, "content": turn.text} for turn in turns]

    def shown(count: int, *, asks: bool = False) -> str:
        return str(tokenizer.apply_chat_template(messages[:count], tokenize=False, add_generation_prompt=asks))

    said, end = [], str(tokenizer.eos_token)
    for place, turn in enumerate(turns):
        if turn.role != "assistant":
            continue
        before, after = shown(place, asks=True), shown(place + 1)
        if not after.startswith(before):
            raise LearningError(
                "The model's chat template changes earlier turns as a conversation grows, so they cannot be learned "
                "together: export prompts and completions instead (`--format prompt-completion`)."
            )
        closed = after.find(end, len(before) + len(turn.text))
        said.append((len(before), closed + len(end) if closed >= 0 else len(after)))
    whole = shown(len(turns))
    return _Written(whole[: said[-1][1]], tuple(said))


def _plain(turns: Sequence[ChatTurn]) -> _Written:
    """Write a conversation as text; a turn of the agent's ends with the empty line behind it."""
    text, said = "", []
    for turn in turns:
        if turn.role == "assistant":
            text += "Action:"
            said.append((len(text), len(text) + len(turn.text) + 3))
            text += f" {turn.text}\n\n"
        else:
            text += f"{turn.text}\n\n"
    whole = text.rstrip("\n")
    return _Written(whole, tuple((begin, min(end, len(whole))) for begin, end in said))
