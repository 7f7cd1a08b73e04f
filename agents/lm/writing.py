"""One answer of a language model in the making, token by token. Not here: running the model (`local_model`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...experience import Tokens
from .backends import ModelReply, ModelRequest, Usage

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase


class TokenWriter:
    """Writes one answer, and says when it is done."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ask: ModelRequest, room: int, ends: frozenset[int]) -> None:
        """Begin an answer.

        Args:
            tokenizer: The model's.
            ask: What is asked.
            room: The maximum number of tokens.
            ends: The tokens that end an answer.
        """
        import torch

        self._tokenizer, self._ask, self._room, self._ends = tokenizer, ask, room, ends
        self._rng = torch.Generator().manual_seed(ask.seed % 2**63)
        self._ids: list[int] = []
        self._logs: list[float] = []
        self.text = ""
        self.done = room < 1

    def reply(self, prompt: Sequence[int]) -> ModelReply:
        """Return the answer to a prompt of these tokens."""
        tokens = Tokens(tuple(prompt), tuple(self._ids), tuple(self._logs))
        return ModelReply(self.text, tokens, tokens.logprobs, Usage(len(prompt), len(self._ids)))

    def write(self, logs: torch.Tensor) -> int:
        """Choose the next token, given the log-probabilities `[V]` of all, and return it."""
        token = pick(logs, self._ask.temperature, self._rng)
        self._ids.append(token)
        self._logs.append(float(logs[token]))
        self.text = str(self._tokenizer.decode(self._ids, skip_special_tokens=True))
        stops = [at for stop in self._ask.stop if (at := self.text.find(stop)) >= 0]
        if stops:
            self.text = self.text[: min(stops)]
        self.done = bool(stops) or token in self._ends or len(self._ids) >= self._room
        return token


def pick(logs: torch.Tensor, temperature: float, rng: torch.Generator) -> int:
    """Return the place of the greatest log-probability, or draw one in proportion to p ** (1 / temperature).

    Args:
        logs: Log-probabilities, shape `[N]`.
        temperature: 0 for the greatest.
        rng: Consumed where one is drawn.
    """
    import torch

    if temperature > 0:
        # On the CPU: a generator belongs to a device, and answers shall not depend on it.
        return int(torch.multinomial(torch.softmax(logs.cpu() / temperature, -1), 1, generator=rng))
    return int(logs.argmax())


__all__ = ["TokenWriter", "pick"]
