"""Goal-directed play: search a plan for each task, do it in the real environment, and record that.

What is stored was really done: the plan is executed step by step in a freshly reset environment, and if its outcome is
not what the search promised the task is a `Failure`. With `keep_tree` the search tree is played as well and recorded as
branches that share their prefix with the trajectory they leave. How the search works is in `mcts`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, repeat
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ...agents.lm.prior import LmPrior
from ...agents.protocol import Decision
from ...envs.model import EnvModel, Model, own_model
from ...envs.plans import without_idle_steps
from ...envs.replay import VerifiedReplay
from ...envs.snapshots import Snapshotter
from ...errors import ContractError, GoalError, SnapshotError, at_least, check
from ...experience import Goal, Json, Trajectory
from ..rollout.episode import PutImage, Recorder
from ..rollout.policy import HELD, PolicyReport, Rng
from ..rollout.rollout import Rollout
from .branches import TreeRecorder, found_on
from .config import SearchConfig
from .guided import GuidedModel
from .mcts import Prior, Search, SearchResult
from .roots import merged_search
from .tree import TreeNode

COLLECTOR = "mcts"
LM_PRIOR = "lm:"


def household_search(*, simulations: int = 20_000, seconds: float | None = None, depth: int = 45) -> SearchConfig:
    """Return the search that suits household goals: PUCT, up to the first success (benchmarks/collectors/mcts.py)."""
    return SearchConfig(
        simulations=simulations,
        seconds=seconds,
        depth=depth,
        selection="puct",
        exploration=0.5,
        greedy=1000,
        stop_on_success=True,
    )


@dataclass(frozen=True, slots=True)
class MctsConfig:
    """How a policy searches and what it keeps."""

    search: SearchConfig = field(default_factory=household_search)
    """One search. With a limit in seconds the episodes depend on the machine's speed."""
    prior: str = "heuristic"
    """"heuristic": the model's own idea of what the goal needs, where it has one; "none": every action alike;
    "lm:MODEL": how likely a language model finds each action (by any name that `agents.registry` takes)."""
    keep_tree: bool = False
    """Whether to record the whole search tree, as branches."""
    minimise: bool = True
    """Whether to remove the steps that do not matter to the outcome."""
    roots: int = 1
    """How many independent trees are searched, each with the whole budget, and merged."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        named = self.prior.startswith(LM_PRIOR) and self.prior != LM_PRIOR
        rules = {
            "prior must be 'heuristic', 'none' or 'lm:MODEL'": named or self.prior in ("heuristic", "none"),
            **at_least(self, roots=1),
            "keep_tree keeps one tree, and needs roots of 1": self.roots == 1 or not self.keep_tree,
        }
        check(rules, "search collector configuration")


class FoundPlan(NamedTuple):
    """A plan for the environment's present episode."""

    plan: tuple[Any, ...]
    """The model's actions, steps that do not matter removed."""
    result: SearchResult
    """The search that found it; its plan is the one before."""
    env_steps: int
    """Transitions of the search, and of removing steps."""


class SearchPolicy:
    """Searches a plan with Monte Carlo tree search, then does it; it learns nothing."""

    def __init__(self, config: MctsConfig | None = None, *, must_succeed: bool = True) -> None:
        """Create the policy.

        Args:
            config: How to search; with a limit in seconds, episodes depend on the machine's speed.
            must_succeed: Whether it is a failure if no plan was found, or if the plan ends otherwise than in the
                search. If not, the best plan is done, even an empty one: a curriculum counts that as a missed goal.
        """
        self._config = MctsConfig() if config is None else config
        self._must_succeed = must_succeed

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Search, and do the best plan that was found; nothing is searched or done where the goal holds already.

        Raises:
            GoalError: no plan was found, and it must be, or there is no goal to search for.
            ContractError: the plan led somewhere else than in the search.
            SnapshotError: the environment can be neither saved nor replayed.
        """
        recorder.env = snapshotable(recorder.env)
        recorder.reset()
        if recorder.held:
            return PolicyReport({"ended": HELD})
        require_goal(recorder)
        model: Model[Any, Any]
        prior: Prior | None = None
        if self._lm_prior is None:
            model = model_in(recorder)
        else:
            model = shown = _text_model(recorder)
            prior = text_prior(self._lm_prior, shown, recorder.task.goal)
        found = find_plan(model, self._config, np.random.default_rng(rng), prior=prior)
        if self._must_succeed and not found.plan and not found.result.success:
            raise GoalError("No plan was found: nothing that the search tried brought the goal nearer.")
        recorder.reset()
        noted = _along(found.result.root, found.plan) if self._config.keep_tree else ()
        do(recorder, [model.text(action) for action in found.plan], strict=self._must_succeed, notes=noted)
        if self._must_succeed and found.result.success and not recorder.success:
            raise ContractError(
                "The plan reached the goal in the search and not in the environment: its model and its step differ."
            )

        def branches(root: Trajectory) -> list[Trajectory]:
            return TreeRecorder(recorder.env, model, root, found.plan).record(found.result.root)

        result = found.result
        cost = {key: getattr(result, key) for key in ("simulations", "env_steps", "value", "solved")}
        origin = {
            "search": {**cost, "plan_length": len(result.plan)},
            "config": dataclasses.asdict(self._config),
        }
        return PolicyReport(origin, found.env_steps, branches if self._config.keep_tree else None)

    def learn(self, trajectory: Trajectory) -> None:
        """Do nothing."""

    @cached_property
    def _lm_prior(self) -> LmPrior | None:
        if not self._config.prior.startswith(LM_PRIOR):
            return None
        from ...agents.registry import get_backend

        return LmPrior(get_backend(self._config.prior.removeprefix(LM_PRIOR)), cut=True)


def make_searcher(config: MctsConfig | None = None, *, seed: int = 0, put_image: PutImage | None = None) -> Rollout:
    """Return the collector that searches a plan for each task; see `SearchPolicy` and `Rollout`."""
    config = MctsConfig() if config is None else config
    max_steps = config.search.depth + 1
    return Rollout(SearchPolicy(config), name=COLLECTOR, max_steps=max_steps, seed=seed, put_image=put_image)


def require_goal(recorder: Recorder) -> None:
    """Refuse an episode that was just reset whose environment checks goals and was given none.

    Raises:
        GoalError: so it is, and a search would find nothing.
    """
    own = own_model(recorder.env.unwrapped)
    if own is not None and own.success() is None:
        raise GoalError(
            f"The goal {recorder.task.goal.text[:100]!r} has no conditions that can be checked, so there is nothing to "
            "search for: `pathei plan` says why its words cannot be read."
        )


def do(
    recorder: Recorder, plan: Sequence[str], *, strict: bool = False, notes: Sequence[Mapping[str, Json]] = ()
) -> None:
    """Do the actions of a plan until the episode is over.

    Args:
        recorder: The episode.
        plan: The actions in words.
        strict: Whether a refused step is an error.
        notes: What is noted of the first actions.

    Raises:
        ContractError: a step was refused, and `strict` is set.
    """
    for action, noted in zip(plan, chain(notes, repeat({})), strict=False):
        if recorder.over:
            break
        step = recorder.step(action, Decision(action, notes=noted))
        if strict and "error" in step.info:
            raise ContractError(f"The plan's step {action!r} was refused when it was done: {step.info['error']}.")


def _along(node: TreeNode, plan: Sequence[Any]) -> list[dict[str, Json]]:
    """Return what the search found on the edges of a plan, as far as it runs along the tree."""
    noted = list[dict[str, Json]]()
    for action in plan:
        edge = next((one for one in node.edges if one.action == action), None)
        if edge is None:
            break
        noted.append(found_on(edge))
        node = edge.child
    return noted


def snapshotable(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """Return an environment that can be saved: itself, or wrapped in `VerifiedReplay` where it has no snapshots.

    One that refuses them at some moments says so by `partial_snapshots = True`, and is wrapped as well.

    Raises:
        SnapshotError: it has snapshots, but a wrapper around it cannot be saved.
    """
    if getattr(env.unwrapped, "partial_snapshots", False):
        return VerifiedReplay(env)
    try:
        Snapshotter(env)
    except SnapshotError:
        if hasattr(env.unwrapped, "snapshot"):
            raise
        return VerifiedReplay(env)
    return env


def model_in(recorder: Recorder) -> Model[Any, Any]:
    """Return the model of an episode that was just reset: the env's own where it offers one, else an `EnvModel`.

    A time limit around it is not part of an env's own model: the search has its own horizon, and plans are done in the
    real environment.

    Raises:
        SnapshotError: the environment cannot be saved.
    """
    own = own_model(recorder.env.unwrapped)
    return _text_model(recorder) if own is None else own


def _text_model(recorder: Recorder) -> EnvModel:
    """Return the model that a language model can read: it has observations."""
    actions = recorder.observation.actions
    return EnvModel(recorder.env, {} if actions is None else {"actions": actions}, observation=recorder.raw)


def text_prior(prior: LmPrior, model: EnvModel, goal: Goal) -> Prior:
    """Return a language model's prior as a search over this model asks for it."""
    return lambda actions: prior.prior(model.observation(), goal, [model.text(action) for action in actions])


def find_plan(
    model: Model[Any, Any], config: MctsConfig, rng: np.random.Generator, *, prior: Prior | None = None
) -> FoundPlan:
    """Search a plan from where the model is, and remove the steps that do not matter.

    Args:
        model: The model; left where it was.
        config: How to search.
        rng: Consumed.
        prior: Weighs actions, in place of the model's own heuristic.
    """
    if prior is None and config.prior == "heuristic":
        prior = getattr(model, "prior", None)
    if config.roots > 1:
        result = merged_search(model, config.search, rng, roots=config.roots, prior=prior)
    else:
        result = Search(model, config.search, rng, prior=prior).run()
    if not (result.success and config.minimise):
        return FoundPlan(result.plan, result, result.env_steps)
    counted = GuidedModel(model, lambda action: 1.0)
    plan = without_idle_steps(counted, result.plan)
    return FoundPlan(plan, result, result.env_steps + counted.steps)
