"""Tiny language models from configuration, and Fisher information made up for them; what the EWC tests share."""

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

VOCABULARY = 48


def gpt2(seed: int = 0) -> GPT2LMHeadModel:
    """Return a GPT-2 with tied embeddings and transposed weights, without dropout."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    config.resid_pdrop = config.embd_pdrop = config.attn_pdrop = 0.0
    return GPT2LMHeadModel(config)


def llama(seed: int = 0) -> LlamaForCausalLM:
    """Return a Llama with untied embeddings and plain linear layers."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=0,
        )
    )


def made_up_fisher(model: nn.Module, seed: int = 1) -> dict[str, Tensor]:
    """Return non-negative numbers for every parameter, a tenth of them 0."""
    generator = torch.Generator().manual_seed(seed)
    found = {name: torch.rand(one.shape, generator=generator) for name, one in model.named_parameters()}
    return {name: one * (one > 0.1) for name, one in found.items()}


def move(model: nn.Module, seed: int = 2, by: float = 0.1) -> None:
    """Take a random step away, so that a penalty is not 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for one in model.parameters():
            if one.requires_grad:
                one.add_(torch.randn(one.shape, generator=generator), alpha=by)


def penalty(model: nn.Module, fisher: dict[str, Tensor], anchor: dict[str, Tensor], strength: float) -> Tensor:
    """Return the penalty as anybody would write it, for autograd."""
    parameters = dict(model.named_parameters())
    terms = [(one.float() * (parameters[name] - anchor[name].float()) ** 2).sum() for name, one in fisher.items()]
    return strength * torch.stack(terms).sum()


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of all gradients."""
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
