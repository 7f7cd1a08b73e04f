"""A language model and a tokenizer small enough to train in a second, for the tests of learning."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathei.learners.examples import Example
from pathei.learners.models.base import BaseRecipe, train_base

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

END = "<|end|>"
OLD = [
    f"The {thing} stands on the {place}, and nobody has moved it." for thing in ("cup", "lamp") for place in "abcdef"
]
"""Old text."""
RECIPE = BaseRecipe(layers=2, width=32, heads=2, vocabulary=400, context=64, steps=60, batch=4, learning_rate=5e-3)
TEXTS = tuple(
    f"The {thing} is in the {room}. Q: Where is the {thing}?\nA: the {room}\n"
    for thing in ("apple", "book", "cup", "towel", "radio", "pillow")
    for room in ("kitchen", "bedroom", "bathroom", "living room")
)
"""Questions with answers, on which `small_model` is trained."""


def tiny_examples(count: int = 20) -> list[Example]:
    """Return questions of two kinds with answers of several lengths."""
    return [
        Example(
            f"q{number}",
            "counting" if number % 2 else "plan",
            f"Q: Where is cup {number}?\nA:",
            f" On table {number % 3}" + " under the lamp" * (number % 4),
        )
        for number in range(count)
    ]


def tiny_tokenizer() -> "PreTrainedTokenizerFast":
    """Return a byte-level tokenizer: any text has tokens, and they give it back."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    bpe.train_from_iterator(OLD + [one.prompt + one.completion for one in tiny_examples()], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=END, bos_token=END, pad_token=END, clean_up_tokenization_spaces=False
    )


def tiny_model(family: str = "gpt2", *, seed: int = 0, **options: Any) -> "PreTrainedModel":
    """Return an untrained model with 320 words; gpt2 ties its embeddings, llama does not.

    Args:
        family: `"gpt2"` or `"llama"`.
        seed: Of its weights.
        options: Of its configuration, in place of ours.
    """
    import torch
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

    common = {"vocab_size": 320, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    if family == "gpt2":
        none = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        config = GPT2Config(**{**common, **none, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 2, **options})
    else:
        size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
        config = LlamaConfig(**{**common, **size, "max_position_embeddings": 64, **options})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config)


def save_tiny(folder: Path, **options: Any) -> Path:
    """Write the model and the tokenizer where `from_pretrained` finds them."""
    tiny_model(**options).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@lru_cache(maxsize=4)
def small_model(seed: int = 0) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a model of a few thousand weights that was trained on `TEXTS`, and its tokenizer.

    They are shared, so a test leaves them as they are.
    """
    return train_base(TEXTS * 4, replace(RECIPE, seed=seed))
