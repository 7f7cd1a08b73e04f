"""Tiny models, sequences, and Fisher information by another route, for the tests of `learners.fisher`.

Run as a program it estimates into a file, slowly, so that it can be killed:
`python -m pathei.tests.support.fisher_models DIRECTORY BACKEND`; or one of two processes: `... DIRECTORY RANK WORLD`.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from pathei.learners.fisher.estimate import estimate
from pathei.learners.fisher.record import FisherDiagonal

VOCABULARY = 37


def gpt2(seed: int = 0, *, words: int = VOCABULARY) -> GPT2LMHeadModel:
    """Tied embedding and head, learnt positions, LayerNorm, transposed linear layers, biases; and dropout."""
    config = GPT2Config(
        n_layer=2, n_embd=16, n_head=2, vocab_size=words, n_positions=24, bos_token_id=0, eos_token_id=0
    )
    return spread(GPT2LMHeadModel(config), seed)


def llama(seed: int = 0, *, tied: bool = False) -> LlamaForCausalLM:
    """RMSNorm, rotary positions, grouped queries, and a token without a gradient in the embedding (padding)."""
    config = LlamaConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=VOCABULARY,
        max_position_embeddings=24,
        attention_bias=True,
        tie_word_embeddings=tied,
        pad_token_id=3,
    )
    return spread(LlamaForCausalLM(config), seed)


def spread(model: nn.Module, seed: int) -> nn.Module:
    """Give every parameter values of its own: at their first values norms and biases would hide faults."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(std=0.3, generator=generator)
    return model.train()


def texts(lengths: Sequence[int], seed: int = 0) -> list[Tensor]:
    """Return token ids of these lengths; all tokens occur, padding's too."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, VOCABULARY, (length,), generator=generator) for length in lengths]


def by_vmap(model: nn.Module, sequences: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return F by torch.func, for sequences of one length: nothing of it is shared with the code under test."""
    model.eval()

    def loss(parameters: dict[str, Tensor], ids: Tensor) -> Tensor:
        logits = torch.func.functional_call(model, parameters, (ids[None],), {"use_cache": False}).logits[0]
        return cross_entropy(logits[:-1], ids[1:])

    own = {name: value.detach() for name, value in model.named_parameters()}
    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(own, torch.stack(list(sequences)))
    return {name: (len(sequences[0]) - 1) * value.square().mean(0) for name, value in each.items()}


def by_grad(model: nn.Module, sequences: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return F by plain autograd, for sequences of any length."""
    model.eval()
    own = dict(model.named_parameters())
    total = {name: torch.zeros_like(value) for name, value in own.items()}
    for ids in sequences:
        nats = cross_entropy(model(ids[None]).logits[0, :-1], ids[1:], reduction="sum")
        for name, one in zip(own, torch.autograd.grad(nats, list(own.values())), strict=True):
            total[name] += one.square()
    return {name: value / sum(len(ids) - 1 for ids in sequences) for name, value in total.items()}


def distance(found: FisherDiagonal, truth: dict[str, Tensor]) -> float:
    """Return the greatest difference within any tensor, relative to that tensor's greatest entry."""
    assert found.tensors.keys() == truth.keys()
    return max(float((found.tensors[n] - truth[n]).abs().max() / truth[n].abs().max()) for n in truth)


def main(directory: Path, backend: str) -> None:
    """Estimate with a checkpoint after every sequence, and say how far it is."""

    def tell(done: int, total: int) -> None:
        print(done, flush=True)
        time.sleep(0.05)

    found = estimate(
        gpt2(), texts([9, 14, 5, 20] * 6), backend=backend, checkpoint=directory / "part", every=1, progress=tell
    )
    found.save(directory / "whole.safetensors")


def shared(directory: Path, rank: int, world: int) -> None:
    """Estimate as one process of several."""
    where = f"file://{directory / 'meeting'}"
    torch.distributed.init_process_group("gloo", init_method=where, rank=rank, world_size=world)
    found = estimate(gpt2(), texts([9, 14, 5, 20, 7]), backend="hooks", batch=2, labels="sample", seed=4)
    found.save(directory / f"{rank}.safetensors")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) == 4:
        shared(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), sys.argv[2])
