"""What a loop does, as data. Not here: doing it (`run`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from ..errors import at_least, check, of_type
from ..learners.config import ReferenceConfig
from ..learners.methods.ewc import EwcConfig
from ..learners.methods.registry import MethodConfigs
from ..learners.training.config import TrainingConfig, learning_rate_for
from ..pretrained import TINY

Learn = Literal["memory", "weights", "both"]
RENAMED: Final[Mapping[str, str | None]] = MappingProxyType({"world": "env"})
"""Fields as older versions wrote them (see `learners.config_migration`)."""


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """One loop."""

    learn: Learn = "both"
    """What changes between rounds.

    memory: an external memory
    weights: a language model's weights
    both: one and the other
    """
    env: str = "virtualhome"
    """The environment (`pathei env list`). Weights learn from plans that reached their goal, in the environment's own
    words."""
    rounds: int = 2
    """The number of rounds of collecting and learning."""
    tasks: int = 120
    """The number of new tasks in each round."""
    proposed: int = 60
    """The number of self-proposed goals that the curriculum tries in each round, where the environment offers goals."""
    explored: int = 30
    """The number of additional tasks that are explored without regard to their goal, in the first round."""
    held_out: int = 24
    """The number of tasks of each group that are kept for measuring: in unseen scenes, of seen and of unseen
    activities where the environment's tasks have activities."""
    steps: int = 60
    """The maximum length of an episode."""
    simulations: int = 1000
    """The maximum number of simulations of the tree search, which plays what the agent cannot do yet."""
    seeds: int = 1
    """The number of loops, each with its own tasks; intervals are over all of them."""
    seed: int = 0
    """The seed of the first loop."""
    model: str = TINY
    """The language model to tune: a folder, an id on the hub, or `tiny`, a small one that is trained once on this
    machine."""
    method: str = "ewc"
    """The continual-learning method that limits forgetting; see `pathei learn`."""
    against: str = "finetune"
    """The method that the last round's model is tuned with as well, to compare forgetting; empty for none."""
    plays: bool = True
    """Whether the agents that ask the language model play the held-out tasks. Otherwise only what the model forgot, and
    how well it predicts plans that reach held-out goals, is measured, which takes seconds."""
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(steps=150, warmup=20, group_by_length=True))
    """How each round's model is tuned; the next round starts from it."""
    notes: float = 0.5
    """Where a memory grows: the share of the plans that are learned behind what the memory shows for their goals, as
    the agent with both is shown it, and of the questions for places behind its facts; 0 for plans alone."""
    methods: MethodConfigs = field(default_factory=lambda: MethodConfigs(ewc=EwcConfig(strength=15.0)))
    """The methods' options."""
    reference: ReferenceConfig = field(default_factory=ReferenceConfig)
    """How reference text is prepared for the methods."""
    texts: tuple[Path, ...] = ()
    """Files of reference text, for methods that need it; `tiny` and `smollm2` have Python's documentation."""
    held_out_texts: tuple[Path, ...] = ()
    """Files of retention text, on which forgetting is measured; `tiny` and `smollm2` have what is held out of Python's
    documentation. Without any, forgetting is not measured."""
    embedder: str = "ngrams"
    """The memory's embedder; see `pathei memory build`."""
    workers: int = 2
    """The number of processes that play; 0 plays in this one."""
    timeout: float = 300.0
    """The time limit of one task, in seconds."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        check(of_type(self), "loop configuration")
        rules = {
            **at_least(self, rounds=1, tasks=1, proposed=0, explored=0, held_out=1, steps=1, simulations=1),
            **at_least(self, seeds=1, seed=0, workers=0),
            "learn must be 'memory', 'weights' or 'both'": self.learn in ("memory", "weights", "both"),
            "timeout must be more than 0": self.timeout > 0,
            "notes must be from 0 to 1": 0 <= self.notes <= 1,
        }
        check(rules, "loop configuration")

    def with_rate(self, stored: float | None) -> LoopConfig:
        """Return the configuration with a learning rate: its own, or that of the loop as it was begun, or the model's.

        Args:
            stored: The rate of a loop that was begun with this directory.
        """
        if self.training.learning_rate is not None:
            return self
        rate = stored or learning_rate_for(self.training.lora is not None, self.model)
        return replace(self, training=replace(self.training, learning_rate=rate))

    @property
    def remembers(self) -> bool:
        """Whether a memory grows."""
        return self.learn in ("memory", "both")

    @property
    def tunes(self) -> bool:
        """Whether weights change."""
        return self.learn in ("weights", "both")
