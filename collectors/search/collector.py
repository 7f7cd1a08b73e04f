"""Goal-directed play: search a plan for each task, do it in the real environment, and record that.

What is stored was lived: the plan is executed step by step in a freshly reset environment, and if its outcome is not
what the search promised the task is a `Failure`. With `keep_tree` the search tree is lived as well and recorded as
branches that share their prefix with the trajectory they leave. How the search works is in `search`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import gymnasium
import numpy as np

from ...envs.model import EnvModel, Model, Searchable, VerifiedReplay
from ...envs.plans import without_idle_steps
from ...envs.snapshots import Snapshot, Snapshotter
from ...errors import ContractError, GoalError, SnapshotError
from ...experience import Failure, Json, Parent, Record, Step, Task, Trajectory
from ..protocol import episode_seed, trajectory_id
from ..rollout.episode import Envs, Recorder, RecorderSnapshot, one_line
from .mcts import Search, SearchConfig, SearchResult, TreeEdge, TreeNode

COLLECTOR = "mcts"


@runtime_checkable
class Informed(Protocol):
    """A model that knows which actions the goal is likely to need."""

    def prior(self, actions: Any, /) -> Any:
        """Return a weight for each action, shape `[actions]`."""
        ...


def household_search(*, simulations: int = 20_000, seconds: float | None = None, depth: int = 45) -> SearchConfig:
    """Return the search that suits household goals: PUCT, up to the first success (benchmarks/collectors/mcts.py)."""
    return SearchConfig(
        simulations=simulations,
        seconds=seconds,
        depth=depth,
        selection="puct",
        exploration=0.5,
        stop_on_success=True,
    )


@dataclass(frozen=True, slots=True)
class MctsConfig:
    """How the collector searches and what it keeps."""

    search: SearchConfig = field(default_factory=household_search)
    """One search. With a limit in seconds the episodes depend on the machine's speed."""
    prior: str = "heuristic"
    """"heuristic": the model's own idea of what the goal needs, where it has one; "none": every action alike."""
    keep_tree: bool = False
    """Whether to record the whole search tree, as branches."""
    minimise: bool = True
    """Whether to remove the steps that do not matter to the outcome."""


class FoundPlan(NamedTuple):
    """A plan for the environment's present episode."""

    plan: tuple[Any, ...]
    """The model's actions, steps that do not matter removed."""
    result: SearchResult
    """The search that found it; its plan is the one before."""


class Mcts:
    """The collector. The same task and seed give the same records (unless the search is limited in seconds)."""

    def __init__(self, config: MctsConfig | None = None, *, seed: int = 0) -> None:
        """Prepare to collect.

        Args:
            config: How to search.
            seed: Mixed with each task's own seed.
        """
        self._config = MctsConfig() if config is None else config
        self._seed = seed
        self._envs = Envs()
        self._replayed: dict[str, gymnasium.Env[Any, Any]] = {}

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Search each task, and yield its trajectory, then the branches of the tree if they are kept."""
        for task in tasks:
            yield from self._collect(task)

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()
        self._replayed.clear()

    def _collect(self, task: Task) -> list[Record]:
        recorder: Recorder | None = None
        try:
            env = self._searchable(task)
            recorder = Recorder(env, task, max_steps=self._config.search.depth + 1)
            recorder.reset()
            recorder.stage = "act"
            rng = np.random.default_rng(episode_seed(self._seed, task))
            model = model_in(recorder)
            found = find_plan(model, self._config, rng)
            if not found.plan and not found.result.success:
                raise GoalError("No plan was found: nothing that the search tried brought the goal nearer.")
            texts = [model.text(action) for action in found.plan]
            root = self._live(recorder, task, texts, found)
            return [root, *self._branches(env, task, model, found, root)] if self._config.keep_tree else [root]
        except Exception as error:  # noqa: BLE001  # a world may raise anything, and it is kept as a Failure
            self._forget(task)
            return [recorder.failure(error) if recorder else Failure(task, "make", one_line(error))]

    def _searchable(self, task: Task) -> gymnasium.Env[Any, Any]:
        """Return the task's environment, replaying where it has no snapshots of its own."""
        if task.env in self._replayed:
            return self._replayed[task.env]
        env = self._envs.get(task)
        try:
            Snapshotter(env)
        except SnapshotError:
            if hasattr(env.unwrapped, "snapshot"):
                raise
            env = self._replayed[task.env] = VerifiedReplay(env)
        return env

    def _forget(self, task: Task) -> None:
        self._replayed.pop(task.env, None)
        self._envs.drop(task)

    def _live(self, recorder: Recorder, task: Task, texts: list[str], found: FoundPlan) -> Trajectory:
        """Do the plan in the freshly reset environment and return what happened."""
        recorder.reset()
        for text in texts:
            step = recorder.step(text)
            if "error" in step.info:
                raise ContractError(f"The plan's step {text!r} was refused when it was done: {step.info['error']}.")
            if recorder.over:
                break
        result = found.result
        cost: dict[str, Json] = {
            "simulations": result.simulations,
            "env_steps": result.env_steps,
            "value": result.value,
            "solved": result.solved,
            "plan_length": len(result.plan),
        }
        origin = {"search": cost, "config": _plain_config(self._config), "seed": self._seed}
        root = recorder.trajectory(trajectory_id(task, COLLECTOR, self._seed), COLLECTOR, origin)
        if result.success and not root.success:
            raise ContractError(
                "The plan reached the goal in the search and not in the environment: its model and its step differ."
            )
        return root

    def _branches(
        self, env: gymnasium.Env[Any, Any], task: Task, model: Model[Any, Any], found: FoundPlan, root: Trajectory
    ) -> list[Trajectory]:
        return TreeRecorder(env, task, model, root, found.plan).record(found.result.root)


def model_in(recorder: Recorder) -> Model[Any, Any]:
    """Return the model of an episode that was just reset: the world's own where it offers one, else an `EnvModel`.

    A time limit around it is not part of a world's own model: the search has its own horizon, and plans are done for
    real.

    Raises:
        SnapshotError: the environment cannot be saved.
    """
    inner = recorder.env.unwrapped
    if isinstance(inner, Searchable):
        return inner.model()
    actions = recorder.observation.actions
    return EnvModel(recorder.env, {} if actions is None else {"actions": actions})


def find_plan(model: Model[Any, Any], config: MctsConfig, rng: np.random.Generator) -> FoundPlan:
    """Search a plan from where the model is, and rid it of steps that do not matter.

    Args:
        model: The world; left where it was.
        config: How to search.
        rng: Consumed.
    """
    prior = model.prior if config.prior == "heuristic" and isinstance(model, Informed) else None
    result = Search(model, config.search, rng, prior=prior).run()
    plan = without_idle_steps(model, result.plan) if result.success and config.minimise else result.plan
    return FoundPlan(plan, result)


def _plain_config(config: MctsConfig) -> dict[str, Json]:
    plain: dict[str, Json] = dataclasses.asdict(config)
    return plain


class _Start(NamedTuple):
    """Where a branch begins."""

    node: TreeNode
    parent: Parent
    """The trajectory that it leaves, and after how many steps."""
    at: Snapshot
    mark: RecorderSnapshot


class TreeRecorder:
    """Lives a search tree in the real environment, branch by branch, each step once.

    A branch follows the most visited edges down to a leaf; the edges that it passes by begin branches of their own.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        task: Task,
        model: Model[Any, Any],
        root: Trajectory,
        plan: tuple[Any, ...],
    ) -> None:
        """Prepare to record.

        Args:
            env: The environment; it is reset to the task.
            task: The task.
            model: Writes the tree's actions as text.
            root: The trajectory of the plan.
            plan: Its actions; where they run along the tree, branches leave from there.
        """
        self._recorder = Recorder(env, task, max_steps=1_000_000)
        self._snapshots = Snapshotter(env)
        self._model = model
        self._root = root
        self._plan = plan
        self._found: list[Trajectory] = []

    def record(self, tree: TreeNode) -> list[Trajectory]:
        """Return every edge of the tree as a step of exactly one branch, but those that the plan took."""
        self._recorder.reset()
        begin = _Start(tree, Parent(self._root.id, 0), self._snapshots.snapshot(), self._recorder.mark())
        waiting = self._along_plan(begin)
        seen: set[int] = set()
        while waiting:
            waiting += self._branch(*waiting.pop(), seen)
        return self._found

    def _along_plan(self, begin: _Start) -> list[tuple[_Start, TreeEdge]]:
        """Follow the plan as far as the tree does, and return the edges that it passes by."""
        waiting, here = [], begin
        for place, action in enumerate((*self._plan, None)):
            taken = next((edge for edge in here.node.edges if edge.action == action), None)
            waiting += [(here, edge) for edge in here.node.edges if edge is not taken]
            if taken is None:
                break
            self._recorder.step(self._model.text(action))
            parent = Parent(self._root.id, place + 1)
            here = _Start(taken.child, parent, self._snapshots.snapshot(), self._recorder.mark())
        return waiting

    def _branch(self, start: _Start, edge: TreeEdge | None, seen: set[int]) -> list[tuple[_Start, TreeEdge]]:
        """Live one branch, and return where others leave it. A node that several edges lead to is followed once."""
        recorder = self._recorder
        self._snapshots.restore(start.at)
        recorder.resume(start.mark)
        id_ = f"{self._root.id}/branch-{len(self._found)}"
        waiting: list[tuple[_Start, TreeEdge]] = []
        steps: list[Step] = []
        visits = edge.visits if edge is not None else 0
        while edge is not None:
            steps.append(recorder.step(self._model.text(edge.action)))
            node = edge.child
            if recorder.over or id(node) in seen:
                break
            seen.add(id(node))
            ranked = sorted(node.edges, key=lambda e: -e.visits)
            if len(ranked) > 1:
                parent = Parent(id_, start.parent.step + len(steps))
                here = _Start(node, parent, self._snapshots.snapshot(), recorder.mark())
                waiting += [(here, other) for other in ranked[1:]]
            edge = ranked[0] if ranked else None
        branch = Trajectory(
            id_,
            self._root.task,
            tuple(steps),
            recorder.observation,
            COLLECTOR,
            start.parent,
            {"visits": visits},
        )
        self._found.append(branch)
        return waiting
