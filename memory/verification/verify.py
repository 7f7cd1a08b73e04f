"""Verification: a skill that was mined from an episode is executed on its own before it is kept.

Something proposes skills, each with a test: the step of the episode where it begins, its actions, its preconditions and
its effects. `VerifiedSkills` decides:

* If the skill is exactly what the episode did, the episode was the test.
* Otherwise the episode is replayed up to the step where the skill begins, and then the skill's own actions are executed
  with the objects of that episode. Each has to be accepted; the preconditions have to hold before, and the effects
  after. If an action is refused, the skill is tried once more with the steps by which the episode approached or
  revealed objects: locations are facts, and an agent that uses the skill searches for objects itself.
* Of a skill that passes, every step is left out once, and it is kept without those that it does not need (`shorten`). A
  skill that contains a shorter one of the same effect, proved before, is that one.
* A whole plan is carried out in other tasks of the same sort instead, and kept if it reaches their goals.
* A skill that fails is not kept. A proposal may have alternatives, and the first that passes is kept.
* A skill that passed once is not tested again, only reinforced. A memory recalls its own to its builders, so it does
  not matter in how many goes it is filled. The order of the episodes does: a skill is tested in the first one that
  shows it, and kept as that one needs it.
* If the environment cannot be made, or the replay drifts, the skill is kept with half the confidence (`UNVERIFIED`). It
  gets its full confidence as soon as another episode verifies it.

Not here: testing a skill for objects with others than those of its episode; feedback shows that (`feedback`).
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ...envs.facts import Change
from ...envs.facts.graph import Fact
from ...errors import PatheiError
from ...experience import Trajectory
from ..items import Draft
from ..plans.siblings import PlanProof
from ..redundancy import effect_of, is_redundant, places_of
from .replay import EpisodeReplay, ReplayEnvs, ReplayResult, TryAction
from .shorten import needed_steps

UNVERIFIED: Final = 0.5
"""The confidence of a skill that has not been verified."""


class SkillTest(NamedTuple):
    """What has to be done, and has to hold, for a skill to pass."""

    actions: tuple[TryAction, ...]
    """The actions of the skill."""
    with_approach: tuple[TryAction, ...] = ()
    """The same with the approaching and revealing steps of the episode; empty if there were none."""
    before: tuple[Fact, ...] = ()
    """The facts that have to hold before."""
    after: tuple[Change, ...] = ()
    """The changes that have to be in force afterwards."""
    refused: str = ""
    """An action that has to be refused before, so that there is a refusal to fix; empty for none."""
    success: bool = False
    """Whether the goal of the episode has to hold afterwards."""
    as_played: bool = False
    """Whether the episode did exactly this, with nothing in between."""
    elsewhere: Callable[[ReplayEnvs], PlanProof] | None = None
    """Carries the skill out in other tasks, which replaces the test in the episode; None for no such test."""

    def holds(self, outcome: ReplayResult) -> bool:
        """Return whether what has to hold afterwards does."""
        is_done = not outcome.refused and (not self.success or outcome.success is True)
        return is_done and all(outcome.facts.holds(change.fact) == change.begins for change in self.after)


class SkillCandidate(NamedTuple):
    """A skill with its test."""

    draft: Draft
    test: SkillTest
    write: Callable[[Sequence[int]], Draft | None] | None = None
    """Writes the skill with some of its steps only, by their places; None if all of them belong to it."""

    def only(self, steps: Sequence[int]) -> Draft:
        """Return the skill with some of its steps, or the whole one if it cannot be written so."""
        whole = self.draft
        if self.write is None or len(steps) == len(self.test.actions):
            return whole
        shorter = self.write(steps)
        return whole if shorter is None or effect_of(shorter) != effect_of(whole) else shorter


class SkillProposal(NamedTuple):
    """Alternatives for one skill, which all begin at one step; the best first."""

    begin: int
    candidates: tuple[SkillCandidate, ...]


Propose = Callable[[Trajectory], Iterable[SkillProposal]]
"""Returns proposals from an episode; the same trajectory gives the same proposals."""


@dataclass(slots=True)
class VerificationCounts:
    """The outcomes of proposals so far; failures count once per episode, the others as often as proposed."""

    as_played: int = 0
    """Skills that are exactly what the episode did."""
    verified: int = 0
    """Skills that were executed and passed."""
    known: int = 0
    """Skills that had passed before."""
    failed: int = 0
    """Skills that were executed and failed."""
    unverified: int = 0
    """Skills that could not be executed, and were kept with half the confidence."""
    steps: int = 0
    """Environment steps used for verification."""
    seconds: float = 0.0
    """Time used for verification."""


class VerifiedSkills:
    """The builder that verifies proposals; see the head of this file."""

    def __init__(self, propose: Propose) -> None:
        """Verify what a function proposes."""
        self.counts = VerificationCounts()
        """The outcomes so far."""
        self.envs = ReplayEnvs()
        """The environments for replays; several builders may share them, one at a time."""
        self._propose = propose
        self._passed: dict[tuple[str, str], list[Draft]] = {}
        """What passed in earlier episodes, by environment and effect, the shortest first."""
        self._fresh: dict[tuple[str, str], list[Draft]] = {}
        """What passed in this episode."""

    def recall(self, drafts: Iterable[Draft]) -> None:
        """Take the verified skills among what a memory holds, in the order in which it was added, as having passed."""
        for draft in drafts:
            if draft.kind != "skill" or draft.confidence <= UNVERIFIED:
                continue
            known = self._passed.setdefault(_name(draft), [])
            if not any(other.text == draft.text or is_redundant(draft, other) for other in known):
                insort(known, draft, key=lambda one: (len(one.data.get("steps", ())), one.text))

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return verified skills, and with less confidence those that cannot be tested, in the order of proposals."""
        proposals = list(self._propose(trajectory))
        kept = [self._without_test(proposal.candidates[0]) for proposal in proposals]
        untested = [place for place, draft in enumerate(kept) if draft is None]
        if untested:
            begun = time.perf_counter()
            for place, draft in self._test(trajectory, proposals, untested).items():
                kept[place] = draft
            self.counts.seconds += time.perf_counter() - begun
        found: dict[str, Draft] = {}
        for draft in kept:
            if draft is not None:
                found.setdefault(draft.key, draft)
        self._fresh.clear()
        self.recall(found.values())
        yield from found.values()

    def _without_test(self, candidate: SkillCandidate) -> Draft | None:
        """Return the draft of a candidate that needs no test, or None."""
        draft = candidate.draft
        name = _name(draft)
        for other in (*self._passed.get(name, ()), *self._fresh.get(name, ())):
            steps = places_of(other, draft)
            if other.key == draft.key or (steps is not None and candidate.only(steps).key == other.key):
                self.counts.known += 1
                return draft if steps is None else candidate.only(steps)
        if candidate.test.as_played and (candidate.write is None or len(candidate.test.actions) == 1):
            return self._as_played(draft)
        return None

    def _as_played(self, draft: Draft) -> Draft:
        self.counts.as_played += 1
        return self._passes(draft)

    def _passes(self, draft: Draft) -> Draft:
        self._fresh.setdefault(_name(draft), []).append(draft)
        return draft

    def _test(
        self, trajectory: Trajectory, proposals: Sequence[SkillProposal], untested: Sequence[int]
    ) -> dict[int, Draft | None]:
        """Test proposals, and return their drafts by place; None for those that failed."""
        found: dict[int, Draft | None] = {}
        failed: set[str] = set()
        replay = None
        try:
            replay = self.envs.replay(trajectory)
            for place in sorted(untested, key=lambda place: proposals[place].begin):
                replay.advance_to(proposals[place].begin)
                found[place] = self._first_that_passes(replay, proposals[place], failed)
        except Exception as error:  # noqa: BLE001  # an environment may raise anything; then nothing is verified
            if not isinstance(error, PatheiError):
                self.envs.close()
            rest = [place for place in untested if place not in found]
            self.counts.unverified += len(rest)
            for place in rest:
                best = proposals[place].candidates[0]
                if best.test.elsewhere is not None:
                    found[place] = None  # it may hold what is true of its episode only
                    continue
                confidence = best.draft.confidence if best.test.as_played else UNVERIFIED
                found[place] = replace(best.draft, confidence=confidence)
        self.counts.failed += len(failed)
        self.counts.steps += 0 if replay is None else replay.steps
        return found

    def _first_that_passes(self, replay: EpisodeReplay, proposal: SkillProposal, failed: set[str]) -> Draft | None:
        """Return the first candidate that passes; the keys of those that fail are added to `failed`."""
        for candidate in proposal.candidates:
            draft = self._without_test(candidate)
            if draft is not None:
                return draft
            whole, test = candidate.draft, candidate.test
            if test.elsewhere is not None:
                if (kept := self._proved(candidate, test.elsewhere)) is not None:
                    failed.discard(whole.key)
                    return kept
                failed.add(whole.key)
                continue
            passing = test.actions if test.as_played else run_test(test, replay)
            if passing:
                steps = needed_steps(test, passing, replay) if candidate.write else range(len(test.actions))
                draft = candidate.only(steps)
                failed.discard(whole.key)
                if test.as_played and draft is whole:
                    return self._as_played(draft)
                self.counts.verified += 1
                return self._passes(draft)
            failed.add(whole.key)
        return None

    def _proved(self, candidate: SkillCandidate, elsewhere: Callable[[ReplayEnvs], PlanProof]) -> Draft | None:
        """Return the draft of a skill that reached the goals of other tasks, or None."""
        proof = elsewhere(self.envs)
        self.counts.steps += proof.steps
        if not proof.holds:
            return None
        self.counts.verified += 1
        return self._passes(candidate.draft)


def _name(draft: Draft) -> tuple[str, str]:
    """Return what skills that may contain each other have in common; keys of other skills are their own."""
    return draft.env, effect_of(draft) or draft.key


def run_test(test: SkillTest, replay: EpisodeReplay) -> tuple[TryAction, ...]:
    """Run a test at the current step of a replay, and return the actions that passed; none if the skill fails."""
    if not all(map(replay.facts.holds, test.before)):
        return ()
    if test.refused and not replay.attempt([TryAction(test.refused)]).refused:
        return ()
    for actions in (test.actions, test.with_approach):
        if actions and test.holds(replay.attempt(actions)):
            return actions
    return ()
