"""Corpora out of lived episodes: examples of every kind, balanced and split.

What comes out follows from the set of trajectories and the configuration alone, whatever the order of the trajectories:
every episode has random numbers of its own, drawn from the seed, the kind and its id. Left out: files (`files`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Final

from ...envs.virtualhome.houses.stable_random import StableRandom
from ...errors import ConfigError
from ...experience import Trajectory
from ..evaluation.plan_execution import PlanExecutor
from ..examples import SPLITS, Example, Split
from . import bare, chores, happenings
from .config import CorpusConfig, CorpusDraft
from .episodes import ENV, HouseholdEpisode, fold
from .knowledge import ActivityKnowledge, learn
from .splits import activity_of, house_of, is_unseen_activity, split_of

_RULES: Final = "clean"
"""Only under these rules what is carried comes along by the facts; the historical ones leave it where it was."""
_SPARE: Final = 4
"""So many times the wanted number of examples are made, to choose a balanced lot from."""
_RARELY: Final = 10
"""An answer that is given so often is not rare enough to limit the others."""


def build_corpora(
    trajectories: Iterable[Trajectory],
    config: CorpusConfig | None = None,
    *,
    expand: Callable[[Trajectory], Trajectory] | None = None,
) -> list[Example]:
    """Make examples of lived episodes of `pathei/VirtualHome-v0`; episodes of other worlds are passed over.

    Args:
        trajectories: In any order.
        config: What to make.
        expand: Makes a branch whole: `ExperienceStore.expand`. Needed where there are branches.

    Returns:
        The examples, by split and kind; no prompt occurs twice, and none of `train` in another split.

    Raises:
        ConfigError: there is a branch, and `expand` is not given.
        RecordError: the facts of an episode are malformed.
    """
    config = CorpusConfig() if config is None else config
    episodes: dict[Split, list[HouseholdEpisode]] = {split: [] for split in SPLITS}
    for trajectory in trajectories:
        split = split_of(trajectory.task, held_out=config.held_out) if trajectory.task.env == ENV else None
        if split is not None:
            episode = fold(_whole(trajectory, expand))
            if episode is not None:
                episodes[split].append(episode)
    known = learn(episode for group in episodes.values() for episode in group)
    found: list[Example] = []
    taken: set[str] = set()
    with PlanExecutor() as executor:
        trimmer = bare.PlanTrimmer(executor)
        for split in SPLITS:
            lived = sorted(episodes[split], key=lambda e: (zlib.crc32(e.id.encode(), config.seed), e.id))
            maker = _Maker(config, known, split, executor, trimmer)
            for kind in config.kinds:
                limit = config.per_kind if split == "train" else config.held_out_per_kind
                made = maker.make(kind, lived, _SPARE * limit)
                made = _unambiguous(bare.commonest(made) if kind == "plan-bare" else made, taken)
                chosen = balanced(made, limit)
                found += chosen
                taken.update(example.prompt for example in chosen)
    return found


def _whole(trajectory: Trajectory, expand: Callable[[Trajectory], Trajectory] | None) -> Trajectory:
    if trajectory.parent is None:
        return trajectory
    if expand is None:
        raise ConfigError(
            f"The trajectory {trajectory.id!r} is a branch: give build_corpora(expand=store.expand) to make it whole."
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
        trimmer: bare.PlanTrimmer,
    ) -> None:
        self._config = config
        self._known = known
        self._split = split
        self._executor = executor
        self._trimmer = trimmer
        self._numbered: dict[str, frozenset[str] | None] = {}
        fresh = split == "unseen"
        own = [name for name in sorted(known.goals) if is_unseen_activity(name) == fresh]
        # Names of unseen activities never stand in an example of a seen one; the other way round does no harm.
        self._names = own if not fresh or len(own) > 2 * _SPARE else sorted(known.goals)

    def make(self, kind: str, episodes: Sequence[HouseholdEpisode], enough: int) -> list[Example]:
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

    def _drafts(self, kind: str, episode: HouseholdEpisode, choices: StableRandom) -> Iterator[CorpusDraft]:
        words, wanted = self._config.max_words, self._config.per_episode
        known, names = self._known, self._names
        if kind in ("plan", "plan-confusing"):
            return chores.plans(episode, choices, words, self._numbered_in, confusing=kind != "plan")
        if kind == "plan-bare":
            return bare.bare_plan(episode, words, self._trimmer)
        if kind == "recognition":
            return chores.recognition(episode, choices, words, wanted, known, names)
        if kind == "inference":
            return chores.inference(episode, choices, words, wanted, known, names)
        if kind in ("relevance", "irrelevance"):
            return chores.relevance(episode, choices, words, wanted, known, negated=kind != "relevance")
        if kind != "counting" and episode.task.options.get("rules", _RULES) != _RULES:
            return iter(())
        make = {"counting": happenings.counting, "tracking": happenings.tracking, "location": happenings.location}
        return make[kind](episode, choices, words, wanted)

    def _numbered_in(self, episode: HouseholdEpisode) -> frozenset[str] | None:
        """Carrying a plan out costs more than all else, so it is done once."""
        if episode.id not in self._numbered:
            self._numbered[episode.id] = chores.numbered_classes(episode, self._executor)
        return self._numbered[episode.id]

    def _example(self, kind: str, episode: HouseholdEpisode, number: int, draft: CorpusDraft) -> Example:
        source = {
            "trajectory": episode.id,
            "step": draft.step,
            "activity": activity_of(episode.task),
            "house": house_of(episode.task),
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
    """Leave out prompts that were taken, that come again, and that were answered in different ways."""
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
    lots: dict[str, list[Example]] = {}
    for example in examples:
        lots.setdefault(str(example.source["answer"]), []).append(example)
    if not lots:
        return []
    most = max(_RARELY, int(2 * median(map(len, lots.values()))))
    queues = [lots[answer][:most] for answer in sorted(lots)]
    chosen: list[Example] = []
    for place in range(most):
        chosen += [queue[place] for queue in queues if place < len(queue)]
    order = sorted(chosen[:limit], key=lambda example: (zlib.crc32(example.id.encode()), example.id))
    return order


__all__ = ["balanced", "build_corpora"]
