"""What the methods against forgetting can be told; `methods` has the methods."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import at_least, check


@dataclass(frozen=True, slots=True)
class MethodConfig:
    """What the methods can be told; each reads its own fields only."""

    ewc_strength: float = 30.0
    """lambda of `ewc`, for Fisher information per token: 30 to 100 is where to begin."""
    l2sp_strength: float = 0.01
    """lambda of `l2sp`."""
    replay_sequences: int = 4
    """How many old sequences each step of `replay` and `self-replay` goes through."""
    replay_weight: float = 1.0
    """What their loss counts beside the task's."""
    kl_sequences: int = 4
    """How many old sequences each step of `kl` compares the model with its base on."""
    kl_weight: float = 1.0
    """What their divergence counts beside the task's loss."""
    samples: int = 512
    """How many sequences the base writes for `self-replay` before training."""
    wise_alpha: float = 0.5
    """How much of what was learned `wise-ft` keeps, in [0, 1]."""
    sequence_length: int = 128
    """T, the length of old sequences in tokens."""
    fisher_sequences: int = 256
    """How many old sequences Fisher information is estimated from, where none is given."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        rules = {
            **at_least(self, ewc_strength=0, l2sp_strength=0, replay_weight=0, kl_weight=0),
            **at_least(self, replay_sequences=1, kl_sequences=1, samples=1, fisher_sequences=1, sequence_length=2),
            "wise_alpha must be in [0, 1]": 0 <= self.wise_alpha <= 1,
        }
        check(rules, "method configuration")


__all__ = ["MethodConfig"]
