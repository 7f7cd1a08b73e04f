"""What a loop does, as data. Left out: doing it (`running`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from ..errors import at_least, check
from ..learners.config import ReferenceConfig
from ..learners.methods.ewc import EwcConfig
from ..learners.methods.registry import MethodConfigs
from ..learners.models.names import TINY
from ..learners.training.config import TrainingConfig

Learn = Literal["memory", "weights", "both"]
HOUSEHOLD: Final = "virtualhome"


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """One loop."""

    learn: Learn = "both"
    """What changes between rounds: an external memory, a language model's weights, or both."""
    world: str = HOUSEHOLD
    """The world. Weights are learned in the household only, where plans are told in words."""
    rounds: int = 2
    """How often it lives and learns."""
    tasks: int = 120
    """New tasks to live through in each round."""
    proposed: int = 60
    """So many goals of its own the automatic curriculum tries in each round; in the household only."""
    explored: int = 30
    """So many tasks more are explored, whatever their goal, in the first round."""
    held_out: int = 24
    """So many tasks of each group are kept for measuring: in unseen houses, of seen and of unseen activities."""
    steps: int = 60
    """The longest episode."""
    simulations: int = 1000
    """At most so many simulations of the tree search that plays what the agent cannot do yet."""
    seeds: int = 1
    """So many loops are run, each with its own tasks, and intervals are over all of them."""
    seed: int = 0
    """The first one's seed."""
    model: str = TINY
    """The language model that is tuned: a folder, an id on the hub, or `tiny`, which this machine trains for
    itself, once."""
    method: str = "ewc"
    """What keeps it near what it knew; see `pathei learn`."""
    against: str = "finetune"
    """The method that the last round is tuned with as well, to compare what is forgotten; empty for none."""
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(steps=150, learning_rate=3e-3, warmup=20, group_by_length=True)
    )
    """How each round's model is tuned; the next round goes on from it."""
    methods: MethodConfigs = field(default_factory=lambda: MethodConfigs(ewc=EwcConfig(strength=15.0)))
    """The methods' options."""
    reference: ReferenceConfig = field(default_factory=ReferenceConfig)
    """How reference text is prepared for the methods."""
    texts: tuple[Path, ...] = ()
    """Files of reference text, for methods that need it; the tiny model has its own."""
    held_out_texts: tuple[Path, ...] = ()
    """Files of held-out reference text, to measure forgetting; without them it is only measured for the tiny model.
    """
    embedder: str = "ngrams"
    """The memory's embedder; see `pathei memory build`."""
    workers: int = 2
    """How many processes play; 0 plays in this one."""
    timeout: float = 300.0
    """How long one task may take, in seconds."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        only = f"weights are learned in {HOUSEHOLD!r} only: learn 'memory' in {self.world!r}"
        rules = {
            **at_least(self, rounds=1, tasks=1, proposed=0, explored=0, held_out=1, steps=1, simulations=1),
            **at_least(self, seeds=1, seed=0, workers=0),
            "learn must be 'memory', 'weights' or 'both'": self.learn in ("memory", "weights", "both"),
            only: self.world == HOUSEHOLD or self.learn == "memory",
            "timeout must be more than 0": self.timeout > 0,
        }
        check(rules, "loop configuration")

    @property
    def remembers(self) -> bool:
        """Whether a memory grows."""
        return self.learn in ("memory", "both")

    @property
    def tunes(self) -> bool:
        """Whether weights change."""
        return self.learn in ("weights", "both")


__all__ = ["HOUSEHOLD", "Learn", "LoopConfig"]
