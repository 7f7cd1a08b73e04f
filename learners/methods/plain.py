"""Fine-tuning without a regularizer: of all weights, or of a low-rank adapter."""

from __future__ import annotations

from typing import Final

from .protocol import Method

METHODS: Final = (
    Method("finetune", "plain fine-tuning, without a regularizer"),
    Method("lora", "plain fine-tuning of a low-rank adapter (Hu et al. 2021)", needs=frozenset({"adapter"})),
)
