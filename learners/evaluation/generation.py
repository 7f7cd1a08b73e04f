"""Written answers: the first line that a model generates for each prompt.

Greedy or by beam search, never sampled, whatever the model's own defaults are. Prompts of similar length are batched,
padded on the left so that every answer begins at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..models.load import context_of
from ..training.batches import encode_prompts, pad_of
from ..training.losses import Precision, autocast
from .perplexity import asked

if TYPE_CHECKING:
    from torch import nn
    from transformers import GenerationConfig, PreTrainedTokenizerBase


def generate(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 256,
    beams: int = 1,
    batch: int = 32,
    precision: Precision = "fp32",
) -> list[str]:
    """Let a model answer.

    Args:
        model: A causal language model of transformers.
        tokenizer: The model's.
        prompts: What is asked; none empty. One that leaves no room in the model's context for `max_new_tokens`, or for
            half the context if that is less, loses its beginning.
        max_new_tokens: The maximum length of an answer, in tokens.
        beams: 1 for greedy, more for beam search.
        batch: Prompts in one forward pass.
        precision: Of the forward passes.

    Returns:
        For each prompt the answer up to its end of sequence or first line break, without surrounding white space.
    """
    import torch

    context, where = context_of(model, limit=1 << 16), next(model.parameters()).device
    room = min(max_new_tokens, context // 2)
    encoded = [ids[-(context - room) :] for ids in encode_prompts(tokenizer, prompts)]
    config = _config(tokenizer, room, beams)
    order, answers = sorted(range(len(encoded)), key=lambda i: -len(encoded[i])), [""] * len(encoded)
    with asked(model), torch.inference_mode():
        for begin in range(0, len(order), batch):
            part = order[begin : begin + batch]
            longest = len(encoded[part[0]])
            pads = [longest - len(encoded[i]) for i in part]
            ids = torch.tensor([[pad_of(tokenizer)] * pad + encoded[i] for pad, i in zip(pads, part, strict=True)])
            mask = (torch.arange(longest) >= torch.tensor(pads)[:, None]).long()
            with autocast(model, precision):
                said: Any = model.generate(  # type: ignore[operator]
                    input_ids=ids.to(where), attention_mask=mask.to(where), generation_config=config
                )
            for i, text in zip(part, tokenizer.batch_decode(said[:, longest:], skip_special_tokens=True), strict=True):
                answers[i] = first_line(text)
    return answers


def first_line(text: str) -> str:
    """Return the text up to its first line break, without surrounding spaces; an answer is one line."""
    return text.partition("\n")[0].strip()


def _config(tokenizer: PreTrainedTokenizerBase, room: int, beams: int) -> GenerationConfig:
    """Return the decoding configuration; it overrides the model's own defaults."""
    from transformers import GenerationConfig

    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=room,
        num_beams=beams,
        do_sample=False,
        early_stopping=beams > 1,
        length_penalty=1.0,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        pad_token_id=pad_of(tokenizer),
        eos_token_id=_ends(tokenizer),
        use_cache=True,
    )


def _ends(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens with which an answer ends: the end of a sequence, and every token with a line break in it."""
    spoken = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    ends = {token for token, text in enumerate(spoken) if "\n" in text}
    return sorted(ends | ({tokenizer.eos_token_id} - {None}))
