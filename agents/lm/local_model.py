"""Any causal language model of transformers, in this process: batched, with a key-value cache, seeds and stop strings.

Each request samples from a generator of its own, so what it is answered does not depend on what it was batched with,
up to rounding. Not here: images (a model here reads text only), quantised bases (load them yourself and hand them
over), beams, nucleus sampling, models without attention.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...errors import ModelError
from ...experience import Tokens
from ...pretrained import load_pretrained
from .backends import Choice, Conversation, Message, ModelReply, ModelRequest, RatedChoices, Usage
from .likelihood import Logs, PromptCache, behind, cache_of, likeliest, one_by_one, run_prompts, shared_prefix

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_T = TypeVar("_T")
_CLOSE: Final = {"torch.float32": 1e-2, "torch.float64": 1e-4}
"""By how much two ways to rate an option may differ through rounding, in nats; `_CLOSE_ELSE` in half precision."""
_CLOSE_ELSE: Final = 0.5


class LocalModel:
    """A model and its tokenizer as a `Backend`."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str | None = None,
        batch: int = 8,
        chat: bool | None = None,
    ) -> None:
        """Take a model that is loaded; its weights may change between requests, as they do in training.

        Args:
            model: A causal language model. It is put into evaluation mode whenever it is asked.
            tokenizer: Its tokenizer.
            name: What to record as the model; where it was loaded from if None.
            batch: The number of conversations in one forward pass.
            chat: Whether to use the tokenizer's chat template; wherever there is one if None.

        Raises:
            ModelError: a chat template is asked for and there is none.
        """
        self._model = model
        self._tokenizer = tokenizer
        self._name = name or str(getattr(model.config, "_name_or_path", "") or type(model).__name__)
        self._batch = batch
        has = bool(getattr(tokenizer, "chat_template", None))
        if chat and not has:
            raise ModelError(f"The tokenizer of {self._name!r} has no chat template: leave `chat` out.")
        self._chat = has if chat is None else chat
        self._shares: bool | None = None
        self._known = PromptCache()

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: str | None = None,
        dtype: str = "auto",
        batch: int = 8,
        chat: bool | None = None,
    ) -> LocalModel:
        """Load a model with its tokenizer.

        Args:
            path: A run, an adapter, a model's folder, a GGUF file, an id on the Hugging Face hub, or `tiny`.
            device: `"cpu"`, `"cuda"`, `"cuda:1"`, ...; None for the GPU if there is one.
            dtype: Of the weights: `"float32"`, `"bfloat16"`, ...; `"auto"` for what the files have, and `"float32"` on
                a processor, most of which compute in half precision many times more slowly.
            batch: See above.
            chat: See above.

        Raises:
            MissingDependencyError: torch, transformers, or what an adapter or a GGUF file needs is not installed.
            ModelError: there is no such model or device, or it is not a causal language model.
        """
        model, tokenizer = load_pretrained(path, dtype, device)
        if dtype == "auto" and model.device.type == "cpu":
            model = model.float()  # type: ignore[no-untyped-call]
        return cls(model, tokenizer, name=str(path), batch=batch, chat=chat)

    @property
    def name(self) -> str:
        """Where the model was loaded from."""
        return self._name

    @property
    def context(self) -> int | None:
        """The longest sequence that the model's configuration allows, in tokens."""
        longest = getattr(self._model.config, "max_position_embeddings", None)
        return longest if isinstance(longest, int) and longest > 0 else None

    @property
    def shares_prefix(self) -> bool | None:
        """Whether options are rated behind a common prompt; None before the first rating.

        The first rating is checked against the plain way; a model that answers otherwise is then rated one by one, and
        so is whatever is longer than a model's sliding window.
        """
        return self._shares

    def count(self, conversation: Conversation, /) -> int:
        """Return how many tokens a conversation has."""
        return len(self._encode(conversation))

    # --- answers in words

    def generate(self, asks: Sequence[ModelRequest], /) -> list[ModelReply]:
        """Answer each request, greedily or by sampling from its seed.

        Raises:
            ModelError: a conversation holds an image, or leaves no room for an answer in the model's context.
        """
        import torch

        self._model.eval()  # type: ignore[no-untyped-call]
        with torch.inference_mode():
            free = [ask for ask in asks if not ask.among]
            said = iter([reply for part in _batches(free, self._batch) for reply in self._answer(part)])
            return [self._among(ask) if ask.among else next(said) for ask in asks]

    def _among(self, ask: ModelRequest) -> ModelReply:
        """Answer with the likeliest of some options, or with one that is drawn."""
        import torch

        prompt, end = self._encode(ask.conversation), self._tokenizer.eos_token_id
        among = [one for one in ask.among if one]
        options = self._options(Choice(ask.conversation, tuple(among)))
        if isinstance(end, int) and len(among) < len(ask.among):
            among, options = [*among, ""], [*options, [end]]
        self._room([*prompt, *max(options, key=len)][:-1], 1)
        if ask.temperature > 0 or self._shares is not True:
            [logs] = self._logs([prompt], [options])  # the first rating is checked
            rng = torch.Generator().manual_seed(ask.seed % 2**63)
            place = pick(torch.tensor([sum(one) for one in logs]), ask.temperature, rng)
            found = logs[place]
        else:
            place, found = likeliest(self._model, prompt, options, self._pad, self._known)
        tokens = Tokens(tuple(prompt), tuple(options[place]), found)
        return ModelReply(among[place], tokens, found, Usage(len(prompt), len(found)))

    def _answer(self, asks: Sequence[ModelRequest]) -> list[ModelReply]:
        import torch

        prompts = [self._encode(ask.conversation) for ask in asks]
        writers = [
            TokenWriter(self._tokenizer, ask, self._room(ids, ask.max_tokens), self._ends)
            for ids, ask in zip(prompts, asks, strict=True)
        ]
        cache, logits, mask = run_prompts(self._model, prompts, self._pad)
        while True:
            logs = torch.log_softmax(logits.float(), -1)
            tokens = [self._pad if one.done else one.write(row) for one, row in zip(writers, logs, strict=True)]
            if all(one.done for one in writers):
                break
            mask = torch.cat([mask, mask.new_ones(len(asks), 1)], 1)
            out = self._model(
                input_ids=torch.tensor(tokens, device=mask.device)[:, None],
                attention_mask=mask,
                # A row that is done may be at the end of the context; what is written to it does not matter.
                position_ids=(mask.sum(1, keepdim=True) - 1).clamp(max=(self.context or 1 << 62) - 1),
                **behind(self._model, cache),
            )
            cache, logits = cache_of(out), out.logits[:, -1]
        return [writer.reply(ids) for writer, ids in zip(writers, prompts, strict=True)]

    def _room(self, ids: Sequence[int], wanted: int) -> int:
        """Return how many tokens may be generated."""
        context = self.context
        if context is None:
            return wanted
        if len(ids) >= context:
            raise ModelError(
                f"The prompt has {len(ids)} tokens and the context of {self._name!r} is {context}: shorten it."
            )
        return min(wanted, context - len(ids))

    # --- likelihoods

    def rate(self, choices: Sequence[Choice], /) -> list[RatedChoices]:
        """Rate the options of each request, each conversation run once.

        An option is tokenised by itself, and the end of the sequence after it is not rated.

        Raises:
            ModelError: an option is empty, a conversation holds an image, or both together exceed the model's context.
        """
        import torch

        rated: list[RatedChoices] = []
        self._model.eval()  # type: ignore[no-untyped-call]
        with torch.inference_mode():
            for part in _batches(choices, self._batch):
                prompts = [self._encode(choice.conversation) for choice in part]
                options = [self._options(choice) for choice in part]
                for prompt, ids in zip(prompts, options, strict=True):
                    self._room([*prompt, *max(ids, key=len, default=[])][:-1], 1)
                logs = self._logs(prompts, options)
                for prompt, ids, found in zip(prompts, options, logs, strict=True):
                    rated.append(RatedChoices(tuple(found), Usage(len(prompt)), tuple(prompt), tuple(map(tuple, ids))))
        return rated

    def _logs(self, prompts: list[list[int]], options: list[list[list[int]]]) -> list[Logs]:
        longest = max(len(prompt) + max(map(len, ids), default=0) for prompt, ids in zip(prompts, options, strict=True))
        if self._shares is False or longest > self._window:
            return one_by_one(self._model, prompts, options)
        logs = shared_prefix(self._model, prompts, options, self._pad)
        if self._shares is None and any(options):
            row = next(row for row, ids in enumerate(options) if ids)
            # The longest one is where a wrong mask or position would show most.
            pick = max(range(len(options[row])), key=lambda i: len(options[row][i]))
            [[plain]] = one_by_one(self._model, [prompts[row]], [[options[row][pick]]])
            close = _CLOSE.get(str(self._model.dtype), _CLOSE_ELSE)
            self._shares = abs(sum(plain) - sum(logs[row][pick])) <= close
            if not self._shares:
                return one_by_one(self._model, prompts, options)
        return logs

    @property
    def _window(self) -> float:
        """How far back the model sees from each token, in tokens: a tree's mask knows no limit."""
        config = self._model.config
        window = getattr(config, "sliding_window", None)
        return window if isinstance(window, int) and getattr(config, "use_sliding_window", True) else math.inf

    def _options(self, choice: Choice) -> list[list[int]]:
        if not choice.options:
            return []
        lead = "" if self._chat and not choice.conversation.begun else choice.conversation.lead
        texts = [lead + option for option in choice.options]
        ids: list[list[int]] = self._tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        if not all(ids) or not all(choice.options):
            raise ModelError("An option that is to be rated has no tokens: options must not be empty.")
        return ids

    # --- tokens

    def _encode(self, conversation: Conversation) -> list[int]:
        """Return the token ids of a conversation, without an end of sequence that a tokenizer may add."""
        if conversation.images:
            raise ModelError(
                f"The model {self._name!r} in this process reads text only and was shown an image: use an endpoint, "
                "or leave images out."
            )
        tokenizer = self._tokenizer
        turns = conversation.messages or (Message("user", conversation.cue),)
        text = _templated(tokenizer, turns) + conversation.begun if self._chat else conversation.plain()
        ids: list[int] = tokenizer(text, add_special_tokens=not self._chat, verbose=False)["input_ids"]
        ids = ids[:-1] if len(ids) > 1 and ids[-1] == tokenizer.eos_token_id and not self._chat else ids
        if not ids:
            raise ModelError(f"There is nothing for {self._name!r} to read: the prompt is empty.")
        return ids

    @property
    def _pad(self) -> int:
        for token in (self._tokenizer.pad_token_id, self._tokenizer.eos_token_id):
            if isinstance(token, int):
                return token
        return 0

    @property
    def _ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        config: Any = getattr(self._model, "generation_config", None)
        named = getattr(config, "eos_token_id", None)
        several = named if isinstance(named, list) else [named]
        return frozenset(token for token in [*several, self._tokenizer.eos_token_id] if isinstance(token, int))


def _templated(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """Write messages by the model's template; one that knows no system role is given it as the user's first words."""
    from jinja2 import TemplateError

    def write(given: Sequence[Message]) -> str:
        plain = [{"role": one.role, "content": one.text} for one in given]
        return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True))

    try:
        return write(messages)
    except TemplateError:
        if len(messages) < 2 or messages[0].role != "system":
            raise
        joined = Message("user", f"{messages[0].text}\n\n{messages[1].text}")
        return write([joined, *messages[2:]])


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


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
        self._ended = False
        self.done = room < 1

    def reply(self, prompt: Sequence[int]) -> ModelReply:
        """Return the answer to a prompt of these tokens."""
        tokens = Tokens(tuple(prompt), tuple(self._ids), tuple(self._logs))
        cut = bool(self._ids) and not self._ended
        return ModelReply(self.text, tokens, tokens.logprobs, Usage(len(prompt), len(self._ids)), cut=cut)

    def write(self, logs: torch.Tensor) -> int:
        """Choose the next token, given the log-probabilities `[V]` of all, and return it."""
        token = pick(logs, self._ask.temperature, self._rng)
        self._ids.append(token)
        self._logs.append(float(logs[token]))
        self.text = str(self._tokenizer.decode(self._ids, skip_special_tokens=True))
        stops = [at for stop in self._ask.stop if (at := self.text.find(stop)) >= 0]
        if stops:
            self.text = self.text[: min(stops)]
        self._ended = bool(stops) or token in self._ends
        self.done = self._ended or len(self._ids) >= self._room
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
