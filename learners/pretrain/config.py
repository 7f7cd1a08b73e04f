"""The configuration of one pre-training run. Not here: running it (`run`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from ...errors import at_least, check

ScaleName = Literal["tiny", "vit-s"]


class ModelScale(NamedTuple):
    """How large pictures, texts and encoders are."""

    picture: int
    """Height and width of a picture, in pixels."""
    patch: int
    """Height and width of a patch of a vision transformer, in pixels."""
    tokens: int
    """The longest text, in tokens."""
    vocabulary: int
    width: int
    layers: int
    heads: int
    convolutional: bool
    """Whether pictures are read by a small residual network; MAE always has a vision transformer."""


SCALES: Final[dict[str, ModelScale]] = {
    "tiny": ModelScale(56, 8, 96, 1024, 96, 3, 4, True),
    "vit-s": ModelScale(224, 16, 128, 8192, 384, 12, 6, False),
}
"""`tiny` is for two processor cores, `vit-s` (ViT-S/16 and a ModernBERT of its size) for a GPU."""


@dataclass(frozen=True, kw_only=True)
class PretrainOptions:
    """The objective, and how it is trained."""

    objective: str
    """The objective's name (`pathei list objective`)."""
    cueless: bool = False
    """Whether the negative control is trained instead."""
    scale: ScaleName = "tiny"
    """The size of the encoder.

    tiny: for a processor
    vit-s: ViT-S/16, or a ModernBERT of its size, for a GPU
    """
    steps: int = 400
    """Optimizer steps."""
    batch_size: int = 32
    """Examples per step."""
    learning_rate: float | None = None
    """The maximum learning rate of AdamW, reached after a twentieth of the steps; then it falls as a half cosine.

    None for the objective's own: 0.003 for texts, 0.001 for pictures.
    """
    weight_decay: float = 0.05
    """AdamW's decoupled decay."""
    mask_ratio: float | None = None
    """The masked share of tokens or patches; None for the objective's own (0.15 of text, 0.75 of pictures)."""
    seed: int = 0
    """Draws weights and batches."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """The precision of matrix products.

    fp32: float32
    bf16: bfloat16 (autocast)
    """
    device: Literal["auto", "cpu"] = "auto"
    """Where it is trained.

    auto: on a GPU where there is one
    cpu: on the processor
    """
    loaders: int = 0
    """Processes that make batches; 0 for this one."""
    save_every: int = 100
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        rules = {
            **at_least(self, steps=1, batch_size=2, weight_decay=0, seed=0, loaders=0, save_every=1),
            "learning_rate must be more than 0": self.learning_rate is None or self.learning_rate > 0,
            "mask_ratio must be between 0 and 1": self.mask_ratio is None or 0 < self.mask_ratio < 1,
            "scale must be 'tiny' or 'vit-s'": self.scale in SCALES,
        }
        check(rules, "configuration of pre-training")

    @property
    def size(self) -> ModelScale:
        """The sizes that `scale` names."""
        return SCALES[self.scale]


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(PretrainOptions):
    """One run: what is learned from, and where it is kept."""

    out: Path
    """The run's directory; created if it does not exist."""
    store: Path
    """The store; a fifth of its tasks is held out."""
