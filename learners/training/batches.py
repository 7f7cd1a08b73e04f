"""From examples to token rows and batches, and from reference text to sequences; every choice follows from a seed.

The loss is on the answer alone: a row knows where its answer begins, and no token before it ever becomes a label. Which
rows a step takes is a function of the seed and the step's number, so a resumed run needs no state to go on alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import orjson

from ...errors import LearningError, RecordError
from ..examples import Example
from .conversations import conversation_tokens

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

IGNORED: Final = -100
"""The label of a token that is no part of the loss, as torch and transformers have it."""


_SEPARATORS: Final = ("<|endoftext|>", "<|end_of_text|>", "</s>")
_ALIKE: Final = 8
"""Steps within which rows of similar length are grouped: enough to leave a tenth of padding instead of a half."""


class TokenizedExample(NamedTuple):
    """One example as tokens."""

    ids: tuple[int, ...]
    """The prompt, the answer and the end-of-sequence token."""
    start: int
    """Where the answer begins: so long is the prompt."""
    weight: float
    """What its loss counts."""
    heard: tuple[tuple[int, int], ...] = ()
    """Ranges of places behind `start`, in order: what others, such as the environment, say between the answers of a
    conversation."""
    heard_weight: float = 0.0
    """What the loss of those places counts, as a share of `weight`; 0 for no loss there."""

    @property
    def learned(self) -> int:
        """How many tokens of answers have a loss; the very first token of a row is never predicted."""
        return len(self.ids) - max(self.start, 1) - sum(end - begin for begin, end in self.heard)

    @property
    def labels(self) -> list[int]:
        """What the model learns to say at each place, `IGNORED` within the prompt and what others say unheeded."""
        labels = [IGNORED] * self.start + list(self.ids[self.start :])
        for begin, end in self.heard if not self.heard_weight else ():
            labels[begin:end] = [IGNORED] * (end - begin)
        return labels

    @property
    def token_weights(self) -> list[float]:
        """What the loss counts at each place that has one."""
        found = [self.weight] * len(self.ids)
        for begin, end in self.heard:
            found[begin:end] = [self.weight * self.heard_weight] * (end - begin)
        return found

    def without(self, excess: int) -> TokenizedExample | None:
        """Return the row without its first `excess` tokens; None if a single answer would be cut, or none is left."""
        if not self.heard and excess >= self.start:
            return None
        cut = [(max(begin - excess, 0), end - excess) for begin, end in self.heard if end > excess]
        start = max(self.start - excess, 0)
        while cut and cut[0][0] <= start:  # The row now begins with what others say.
            start = max(start, cut.pop(0)[1])
        row = TokenizedExample(self.ids[excess:], start, self.weight, tuple(cut), self.heard_weight)
        return row if row.learned > 0 else None


def labelled(ids: Sequence[int], learned: Sequence[bool], weight: float) -> TokenizedExample:
    """Return a row in which these tokens have a loss, at least one of them."""
    start = list(learned).index(True)
    heard, begun = [], None
    for place, one in enumerate([*learned[start:], True], start=start):
        if not one and begun is None:
            begun = place
        elif one and begun is not None:
            heard.append((begun, place))
            begun = None
    return TokenizedExample(tuple(ids), start, weight, tuple(heard))


class TokenizedExamples(NamedTuple):
    """Examples as tokens, and what became of those that are too long."""

    rows: tuple[TokenizedExample, ...]
    dropped: int
    """How many examples were left out for their length."""
    truncated: int
    """How many lost the beginning of their prompt."""
    max_length: int
    """The limit, in tokens."""

    @property
    def note(self) -> str | None:
        """One sentence on the over-long ones, or None if there were none."""
        if not self.dropped and not self.truncated:
            return None
        cut = f", {self.truncated} cut at the prompt's beginning" if self.truncated else ""
        counts = f"{self.dropped} left out{cut}"
        return f"Longer than {self.max_length} tokens: {counts}; raise max_length, as far as the model's context goes."


class TrainingBatch(NamedTuple):
    """Rows side by side, padded on the right; tensors of shape `[rows, longest]` on the processor."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    """1 at tokens, 0 at padding."""
    labels: torch.Tensor
    """The token at its own place, `IGNORED` for prompt and padding: models shift by themselves."""
    weights: torch.Tensor
    """What the loss of each token counts; of padding and a row's first token, what its answers' count."""


def tokenise(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    over_long: Literal["drop", "truncate"] = "drop",
    weights: Mapping[str, float] | None = None,
    env_loss: float = 0.0,
) -> TokenizedExamples:
    """Make token rows of examples.

    The prompt is tokenised as it will be at inference (`encode_prompts`). The answer's tokens are those that follow it
    in the joint text; where a token would straddle the border, the answer is tokenised by itself.

    Args:
        examples: What to learn.
        tokenizer: Has an end-of-sequence token, which every answer ends with.
        max_length: The longest row, in tokens.
        over_long: What becomes of longer ones.
        weights: What the loss of a kind counts; 1 where it is not named.
        env_loss: What the loss of what others say in conversations counts, as a share of the answers'.

    Raises:
        LearningError: there is no end-of-sequence token, no example of a kind that is weighted, no row is left, or no
            example is a conversation and `env_loss` is more than 0.
    """
    eos = tokenizer.eos_token_id
    if not isinstance(eos, int):
        raise LearningError("The tokenizer has no end-of-sequence token, so no answer would ever end: set eos_token.")
    weights = weights or {}
    if strange := sorted(set(weights) - {example.kind for example in examples}):
        raise LearningError(f"No example is of the kind {strange[0]!r}, to which `weights` gives a weight.")
    if env_loss and not any(example.turns for example in examples):
        raise LearningError(
            "The loss on what the environment says (`env_loss`) needs conversations, and no example is one: make some "
            "with `pathei store export --format chat`."
        )
    rows, dropped, truncated = [], 0, 0
    for whole in _rows_of(examples, tokenizer, weights):
        excess = len(whole.ids) - max_length
        whole = whole._replace(heard_weight=env_loss)
        row = whole if excess <= 0 else whole.without(excess) if over_long == "truncate" else None
        if row is None:
            dropped += 1
            continue
        truncated += excess > 0
        rows.append(row)
    if not rows:
        raise LearningError(
            f"None of {len(examples)} examples fits into {max_length} tokens, so there is nothing to learn: "
            "raise max_length, or look whether the corpus is empty."
        )
    return TokenizedExamples(tuple(rows), dropped, truncated, max_length)


def _rows_of(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, weights: Mapping[str, float]
) -> Iterator[TokenizedExample]:
    """Yield the whole row of every example: of questions with answers, and of conversations."""
    chat, eos = has_chat(tokenizer), int(tokenizer.eos_token_id)
    asked = [one for one in examples if not one.turns]
    answers = [one.completion.lstrip() if chat else one.completion for one in asked]
    prompts = encode_prompts(tokenizer, [one.prompt for one in asked])
    wholes = encode_prompts(tokenizer, [one.prompt for one in asked], answers)
    encoded = iter(zip(answers, prompts, wholes, strict=True))
    for example in examples:
        weight = float(weights.get(example.kind, 1.0))
        if example.turns:
            yield labelled(*conversation_tokens(example.turns, tokenizer, chat=chat), weight)
            continue
        answer, prompt, whole = next(encoded)
        if whole[: len(prompt)] != prompt or len(whole) == len(prompt):
            whole = prompt + tokenizer(answer, add_special_tokens=False)["input_ids"]
        yield TokenizedExample((*whole, eos), len(prompt), weight)


def has_chat(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a model is prompted through a chat template, as instruct models are; base models read plain text."""
    return bool(getattr(tokenizer, "chat_template", None))


def encode_prompts(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], answers: Sequence[str] = ()
) -> list[list[int]]:
    """Return the tokens of prompts as a model reads them, in training, evaluation and acting alike.

    A chat template makes each the user's turn, behind which the assistant's begins. Without one a prompt is plain text,
    with what the tokenizer puts before it and without an end of sequence that it may add.

    Args:
        tokenizer: The model's.
        prompts: What is asked.
        answers: What follows each prompt; nothing if there are none.
    """
    texts, chat = list(prompts), has_chat(tokenizer)
    if not texts:
        return []
    if chat:
        turns = [[{"role": "user", "content": text}] for text in texts]
        texts = [str(tokenizer.apply_chat_template(one, tokenize=False, add_generation_prompt=True)) for one in turns]
    texts = [text + answer for text, answer in zip(texts, answers, strict=True)] if answers else texts
    encoded, eos = tokenizer(texts, add_special_tokens=not chat, verbose=False)["input_ids"], tokenizer.eos_token_id
    return [ids[:-1] if len(ids) > 1 and ids[-1] == eos and not chat else list(ids) for ids in encoded]


def separator_of(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return the token that stands between documents: for chat models not the one that ends a turn; None without one.

    A tokenizer does not say which token separated the documents that its model was pretrained on, so a chat model's is
    looked for by the names in use.
    """
    known = tokenizer.get_vocab() if has_chat(tokenizer) else {}
    found = next((known[name] for name in _SEPARATORS if name in known), tokenizer.eos_token_id)
    return found if isinstance(found, int) else None


def order_of(lengths: Sequence[int], *, steps: int, batch: int, seed: int, alike: bool = False) -> NDArray[np.int64]:
    """Return which rows every optimizer step takes: the next ones of an endless series of shuffled epochs.

    Args:
        lengths: Of every row, in tokens.
        steps: How many optimizer steps there are.
        batch: How many rows a step takes.
        seed: Shuffles; every epoch differently.
        alike: Sort the rows of a few steps by length before they are dealt out, and shuffle the steps.

    Returns:
        Numbers of rows, shape `[steps, batch]`. They follow from the arguments, so a resumed run needs no state.
    """
    count = len(lengths)
    epochs = range(-(-steps * batch // count))
    series = np.concatenate([np.random.default_rng([seed, epoch]).permutation(count) for epoch in epochs])
    taken = series[: steps * batch].reshape(steps, batch)
    if not alike:
        return taken
    measured = np.asarray(lengths)
    for window in range(0, steps, _ALIKE):
        some = taken[window : window + _ALIKE]
        ranked = some.ravel()[np.argsort(measured[some.ravel()], kind="stable")].reshape(some.shape)
        taken[window : window + _ALIKE] = np.random.default_rng([seed, window, 1]).permutation(ranked)
    return taken


def collate(rows: Sequence[TokenizedExample], pad: int) -> TrainingBatch:
    """Lay rows side by side.

    Args:
        rows: At least one.
        pad: The token to pad with; it is masked, so any will do.
    """
    import torch

    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[pad] * (longest - len(row.ids))] for row in rows])
    labels = torch.tensor([[*row.labels, *[IGNORED] * (longest - len(row.ids))] for row in rows])
    lengths = torch.tensor([len(row.ids) for row in rows])
    mask = (torch.arange(longest) < lengths[:, None]).long()
    weights = [[*row.token_weights, *[row.weight] * (longest - len(row.ids))] for row in rows]
    return TrainingBatch(ids, mask, labels, torch.tensor(weights))


def pad_of(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the token to pad with: the tokenizer's own, or that which ends a sequence."""
    pad = tokenizer.pad_token_id
    return pad if isinstance(pad, int) else int(tokenizer.eos_token_id or 0)


# --- reference text


def read_texts(paths: Iterable[Path]) -> list[str]:
    """Read reference text: every `.jsonl` line is a text (a string, or an object with `text`), every other file is one.

    Raises:
        RecordError: a file is missing or is not of this form; says which and where.
    """
    texts: list[str] = []
    for path in paths:
        try:
            data = path.read_bytes()
            if path.suffix != ".jsonl":
                texts.append(data.decode())
                continue
            for number, line in enumerate(data.splitlines(), start=1):
                value = orjson.loads(line)
                text = value.get("text") if isinstance(value, dict) else value
                if not isinstance(text, str):
                    raise RecordError(
                        f"Line {number} of {path} holds no text: write a string, or an object with `text`."
                    )
                texts.append(text)
        except OSError as error:
            raise RecordError(f"There is no text to read at {path} ({error.strerror}).") from error
        except ValueError as error:
            raise RecordError(f"{path} is not a text file in UTF-8, or not JSON Lines: {error}.") from error
    return texts


def sequences_of(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, length: int) -> NDArray[np.int64]:
    """Lay texts end to end, a separator after each (`separator_of`), and cut that into sequences of equal length.

    Args:
        texts: Reference text, in order.
        tokenizer: The model's.
        length: T, in tokens; what is left at the end is dropped.

    Returns:
        Token ids, shape `[sequences, length]`.

    Raises:
        LearningError: there is less text than one sequence.
    """
    separator = separator_of(tokenizer)
    end = [] if separator is None else [separator]
    encoded = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    tokens = np.array([token for ids in encoded for token in (*ids, *end)], dtype=np.int64)
    if tokens.size < length:
        raise LearningError(
            f"The reference text has {tokens.size} tokens, less than one sequence of {length}: give more text, or a "
            "shorter sequence length."
        )
    return tokens[: tokens.size // length * length].reshape(-1, length)


def draw(sequences: NDArray[np.int64], count: int, *, seed: int, step: int) -> NDArray[np.int64]:
    """Draw sequences for an optimizer step, none twice: a function of the seed and the step's number.

    Args:
        sequences: Shape `[sequences, T]`.
        count: How many; all of them if there are fewer.
        seed: The method's seed.
        step: How many optimizer steps were done before.
    """
    chosen = np.random.default_rng([seed, step]).choice(len(sequences), min(count, len(sequences)), replace=False)
    return sequences[chosen]
