"""How a search is configured: what `pathei.collectors.search.mcts` can do, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from ...errors import at_least, check


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How to search."""

    simulations: int = 1000
    """The maximum number of simulations."""
    env_steps: int | None = None
    """The maximum number of transitions of the environment; None for no limit. What replaying costs is not counted."""
    seconds: float | None = None
    """The maximum processor time in seconds; None for no limit. Only a search without this limit is repeatable."""
    depth: int = 25
    """The horizon: no walk, rollout included, is longer, and nothing after it counts."""
    discount: float = 0.99
    """The factor by which a reward counts less for each step that it comes later; in (0, 1]."""
    selection: Literal["uct", "puct"] = "uct"
    """"uct": value + exploration * sqrt(ln N / n), untried actions first; "puct": value + exploration * prior *
    sqrt(N) / (1 + n), an untried action being worth what the tried ones returned on average. n and N are the visits of
    the edge and of all edges of the node."""
    exploration: float = 1.0
    """The weight of exploration against values, which are scaled to [0, 1] by the returns seen in this search."""
    backup: Literal["max", "mean"] = "max"
    """"max": an edge is worth the best return seen through it; "mean": their mean."""
    rollout: Literal["random", "prior", "none"] = "random"
    """"random", "prior" (drawn in proportion to the prior) or "none" (the value estimate alone)."""
    rollout_steps: int | None = None
    """A rollout is cut off after this number of steps, and the value estimate added; None to go on to the horizon."""
    transpositions: bool = True
    """Whether equal states at equal depth share a node, where the model can tell equal states."""
    prune: bool = True
    """Whether a state that was reached before, no later and by a walk that earned no less, is a dead end. The best
    return stays what it is unless a walk gains by the discount alone, earning and losing the same again and again.
    Where a plan may not stop, it only keeps `greedy` and `breadth` from going on there."""
    greedy: int = 300
    """How many transitions the tree grows best first, at the beginning and after each that promises more than all
    before: by what was earned on the way, less 0.01 for each step, and less where only actions are left that the prior
    finds unlikely; where rewards are small, less of both. Most goals whose reward is progress are reached in this
    stage; 0 for none. Only where states are distinguished (`prune`)."""
    breadth: float = 0.5
    """The share of transitions by which the tree grows in the order of depth, in [0, 1), as long as no walk succeeded:
    sparse rewards are then found within 1 / breadth times the transitions of a breadth-first search. Only where states
    are distinguished (`prune`), and no prior leads."""
    widening: float | None = None
    """Progressive widening: a node visited N times has at most ceil(N ** widening) children, those that are solved or
    belong to a best walk not counted against it; None for all."""
    may_stop: bool = True
    """Whether a plan may end before the world ends the episode, as an agent that has done its work stops. No state is
    then worth less than 0, the return of doing nothing. False: a plan is a whole episode, to its end or the horizon, so
    a search may have to choose the least of evils."""
    stop_on_success: bool = False
    """Whether to stop at the first plan that reaches the goal."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        rules = {
            **at_least(self, simulations=1, env_steps=1, depth=1, exploration=0, rollout_steps=1, greedy=0),
            "seconds must be more than 0": self.seconds is None or self.seconds > 0,
            "discount must be in (0, 1]": 0 < self.discount <= 1,
            "selection must be 'uct' or 'puct'": self.selection in ("uct", "puct"),
            "backup must be 'max' or 'mean'": self.backup in ("max", "mean"),
            "rollout must be 'random', 'prior' or 'none'": self.rollout in ("random", "prior", "none"),
            "breadth must be in [0, 1)": 0 <= self.breadth < 1,
            "widening must be in (0, 1]": self.widening is None or 0 < self.widening <= 1,
        }
        check(rules, "search configuration")


TREE_ALONE: Final[dict[str, Any]] = {"prune": False, "greedy": 0, "breadth": 0.0}
"""The fields of a `SearchConfig` for Monte Carlo tree search as published, without what was added to it here."""
