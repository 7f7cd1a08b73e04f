"""Corpora from collected episodes: examples of every kind, balanced and split.

The result follows from the set of trajectories and the configuration alone, whatever the order of the trajectories:
every episode has random numbers of its own, drawn from the seed, the kind and its id. Not here: files (`files`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final

from ...envs.verbalizer import is_unseen_activity
from ...errors import ConfigError
from ...experience import Trajectory
from ...stable_random import StableRandom
from ..evaluation.plan_execution import PlanExecutor
from ..examples import SPLITS, Example, Split
from . import bare, chores, happenings
from .branches.playing import BranchPoint, branch_points
from .branches.questions import contrast, counterfactual, next_state, next_states
from .config import BRANCH_KINDS, GOAL_CONDITIONS, CorpusConfig, CorpusDraft
from .episodes import CorpusEpisode, read_episode
from .knowledge import ActivityKnowledge, learn
from .splits import split_of

_SPARE: Final = 4
"""How many times the wanted number of examples are made, to choose a balanced set from."""
_RARELY: Final = 10
"""An answer with this number of examples is not rare enough to limit the others."""
_CONSEQUENCES: Final[Mapping[str, Callable[..., Iterator[CorpusDraft]]]] = {
    "next-state": next_state, "next-states": next_states, "contrast": contrast, "counterfactual": counterfactual,
}  # fmt: skip
"""What makes the examples of each kind for which episodes are played again."""


def build_corpora(
    trajectories: Iterable[Trajectory],
    config: CorpusConfig | None = None,
    *,
    expand: Callable[[Trajectory], Trajectory] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """Make examples from episodes; where an environment offers no graph of facts, those of the kind `plan` alone.

    Args:
        trajectories: In any order.
        config: What to make.
        expand: Completes a branch: `ExperienceStore.expand`. Needed where there are branches.
        progress: Called with how many episodes were gone through, once for each kind, and of how many.

    Returns:
        The examples, by split and kind; no prompt occurs twice, and none of `train` in another split.

    Raises:
        ConfigError: there is a branch, and `expand` is not given.
        RecordError: the facts of an episode are malformed.
    """
    config = CorpusConfig() if config is None else config
    episodes: dict[Split, list[CorpusEpisode]] = {split: [] for split in SPLITS}
    for trajectory in trajectories:
        split = split_of(trajectory.task, held_out=config.held_out)
        if split is not None:
            episode = read_episode(_whole(trajectory, expand))
            if episode is not None:
                episodes[split].append(episode)
    known = learn(episode for group in episodes.values() for episode in group if episode.has_graph)
    found: list[Example] = []
    taken: set[str] = set()
    gone, total = 0, len(config.kinds) * sum(map(len, episodes.values()))
    with PlanExecutor() as executor:
        for split in SPLITS:
            chosen_first = sorted(episodes[split], key=lambda e: (zlib.crc32(e.id.encode(), config.seed), e.id))
            maker = _Maker(config, known, split, executor)
            for kind in config.kinds:
                limit = config.per_kind if split == "train" else config.held_out_per_kind
                made = maker.make(kind, _counted(chosen_first, gone, total, progress), _SPARE * limit)
                gone += len(chosen_first)
                several = kind == "plan-bare" or not any(
                    one.has_graph for one in chosen_first
                )  # episodes without facts reach one goal by several plans
                made = _unambiguous(bare.commonest(made) if several else made, taken)
                chosen = balanced(made, limit)
                found += chosen
                taken.update(example.prompt for example in chosen)
    if progress is not None:
        progress(total, total)
    return found


def _counted(
    episodes: Iterable[CorpusEpisode], gone: int, total: int, progress: Callable[[int, int], None] | None
) -> Iterator[CorpusEpisode]:
    """Yield episodes, and say after each how many were gone through."""
    for number, episode in enumerate(episodes, gone + 1):
        yield episode
        if progress is not None:
            progress(number, total)


def _whole(trajectory: Trajectory, expand: Callable[[Trajectory], Trajectory] | None) -> Trajectory:
    if trajectory.parent is None:
        return trajectory
    if expand is None:
        raise ConfigError(
            f"The trajectory {trajectory.id!r} is a branch: give build_corpora(expand=store.expand) to complete it."
        )
    return expand(trajectory)


class _Maker:
    """Makes the examples of one split."""

    def __init__(
        self,
        config: CorpusConfig,
        known: ActivityKnowledge,
        split: Split,
        executor: PlanExecutor,
    ) -> None:
        self._config = config
        self._known = known
        self._split = split
        self._executor = executor
        self._numbered: dict[str, frozenset[str] | None] = {}
        self._points: dict[str, list[BranchPoint]] = {}
        fresh = split == "unseen"
        own = [name for name in sorted(known.goals) if is_unseen_activity(name) == fresh]
        # Names of unseen activities never stand in an example of a seen one; the other way round does no harm.
        self._names = own if not fresh or len(own) > 2 * _SPARE else sorted(known.goals)

    def make(self, kind: str, episodes: Iterable[CorpusEpisode], enough: int) -> list[Example]:
        """Make examples of a kind until there are enough."""
        found: list[Example] = []
        for episode in episodes:
            seed = zlib.crc32(episode.id.encode())
            choices = StableRandom.seeded(self._config.seed, zlib.crc32(kind.encode()), seed)
            for number, draft in enumerate(self._drafts(kind, episode, choices)):
                found.append(self._example(kind, episode, number, draft))
            if len(found) >= enough:
                break
        return found

    def _drafts(self, kind: str, episode: CorpusEpisode, choices: StableRandom) -> Iterator[CorpusDraft]:
        words, wanted = self._config.max_words, self._config.per_episode
        known, names = self._known, self._names
        if kind == GOAL_CONDITIONS:
            return bare.goal_conditions(episode, words)
        if not episode.has_graph:
            return bare.done_plan(episode, words) if kind == "plan" else iter(())
        if kind in ("plan", "plan-confusing"):
            return chores.plans(episode, choices, words, self._numbered_in, confusing=kind != "plan")
        if kind == "plan-bare":
            return bare.bare_plan(episode, words, self._executor)
        if kind == "recognition":
            return chores.recognition(episode, choices, words, wanted, known, names)
        if kind == "inference":
            return chores.inference(episode, choices, words, wanted, known, names)
        if kind in ("relevance", "irrelevance"):
            return chores.relevance(episode, choices, words, wanted, known, negated=kind != "relevance")
        if kind in BRANCH_KINDS:
            return _CONSEQUENCES[kind](episode, self._branched(episode), choices, words, wanted)
        if not episode.start.characters or (kind != "counting" and not episode.verbalizer.tracks_load(episode.task)):
            return iter(())
        make = {"counting": happenings.counting, "tracking": happenings.tracking, "location": happenings.location}
        return make[kind](episode, choices, words, wanted)

    def _numbered_in(self, episode: CorpusEpisode) -> frozenset[str] | None:
        """Carrying a plan out costs more than all else, so it is done once."""
        if episode.id not in self._numbered:
            self._numbered[episode.id] = chores.numbered_kinds(episode, self._executor)
        return self._numbered[episode.id]

    def _branched(self, episode: CorpusEpisode) -> list[BranchPoint]:
        """Play an episode again and leave it at some steps; this too is done once."""
        if episode.id not in self._points:
            config, seed = self._config, zlib.crc32(episode.id.encode())
            self._points[episode.id] = branch_points(
                self._executor.env(episode.task),
                episode.trajectory,
                StableRandom.seeded(config.seed, zlib.crc32(b"branches"), seed),
                points=config.per_episode,
                others=config.branches,
                ahead=config.ahead,
            )
        return self._points[episode.id]

    def _example(self, kind: str, episode: CorpusEpisode, number: int, draft: CorpusDraft) -> Example:
        source = {
            "trajectory": episode.id,
            "step": draft.step,
            "activity": episode.activity,
            "house": episode.scene,
            "answer": draft.answer,
            "question": dict(draft.about),
        }
        if kind in ("plan", "plan-confusing"):
            source["task"] = chores.task_json(episode)
        return Example(
            id=f"{kind}/{episode.id}/{number}",
            kind=kind,
            prompt=draft.prompt,
            completion=f" {draft.completion}",
            choices=tuple(f" {choice}" for choice in draft.choices),
            split=self._split,
            source=source,
        )


def _unambiguous(examples: Sequence[Example], taken: set[str]) -> list[Example]:
    """Leave out prompts that are taken, repeated, or answered in different ways."""
    answers: dict[str, set[str]] = {}
    for example in examples:
        answers.setdefault(example.prompt, set()).add(example.completion)
    found: dict[str, Example] = {}
    for example in examples:
        if example.prompt not in taken and len(answers[example.prompt]) == 1:
            found.setdefault(example.prompt, example)
    return list(found.values())


def balanced(examples: Sequence[Example], limit: int) -> list[Example]:
    """Choose at most `limit` examples, all answers as often as each other as far as there are enough.

    None is chosen more than twice as often as the median answer could be, unless that is very rare.
    """
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(str(example.source["answer"]), []).append(example)
    if not groups:
        return []
    most = max(_RARELY, int(2 * median(map(len, groups.values()))))
    queues = [groups[answer][:most] for answer in sorted(groups)]
    chosen: list[Example] = []
    for place in range(most):
        chosen += [queue[place] for queue in queues if place < len(queue)]
    order = sorted(chosen[:limit], key=lambda example: (zlib.crc32(example.id.encode()), example.id))
    return order
