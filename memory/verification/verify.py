"""Verification: a skill that was mined from an episode is executed on its own before it is kept.

Something proposes skills, each with a test: the step of the episode where it begins, its actions, its preconditions and
its effects. `VerifiedSkills` decides:

* If the skill is exactly what the episode did, the episode was the test.
* Otherwise the episode is replayed up to the step where the skill begins, and then the skill's own actions are executed
  with the objects of that episode. Each has to be accepted; the preconditions have to hold before, and the effects
  after. If an action is refused, the skill is tried once more with the steps by which the episode approached or
  revealed objects: locations are facts, and an agent that uses the skill searches for objects itself.
* A skill that fails is not kept. A proposal may have alternatives, and the first that passes is kept.
* A skill that passed once in this process is not tested again, only reinforced.
* If the environment cannot be made, or the replay drifts, the skill is kept with half the confidence (`UNVERIFIED`). It
  gets its full confidence as soon as another episode verifies it.

Not here: testing a skill with other objects than those of its episode; feedback from its use shows that (`feedback`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ...envs.facts import Change
from ...envs.facts.graph import Fact
from ...errors import PatheiError
from ...experience import Trajectory
from ..items import Draft
from .replay import EpisodeReplay, ReplayEnvs, TryAction

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


class SkillCandidate(NamedTuple):
    """A skill with its test."""

    draft: Draft
    test: SkillTest


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
        self._passed: set[tuple[str, str]] = set()

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
        yield from found.values()

    def _without_test(self, candidate: SkillCandidate) -> Draft | None:
        """Return the draft of a candidate that needs no test, or None."""
        name = (candidate.draft.env, candidate.draft.key)
        if name in self._passed:
            self.counts.known += 1
        elif candidate.test.as_played:
            self.counts.as_played += 1
            self._passed.add(name)
        else:
            return None
        return candidate.draft

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
                found[place] = replace(proposals[place].candidates[0].draft, confidence=UNVERIFIED)
        self.counts.failed += len(failed)
        self.counts.steps += 0 if replay is None else replay.steps
        return found

    def _first_that_passes(self, replay: EpisodeReplay, proposal: SkillProposal, failed: set[str]) -> Draft | None:
        """Return the first candidate that passes; the keys of those that fail are added to `failed`."""
        for candidate in proposal.candidates:
            draft = self._without_test(candidate)
            if draft is not None:
                return draft
            draft = candidate.draft
            if run_test(candidate.test, replay):
                self.counts.verified += 1
                self._passed.add((draft.env, draft.key))
                failed.discard(draft.key)
                return draft
            failed.add(draft.key)
        return None


def run_test(test: SkillTest, replay: EpisodeReplay) -> bool:
    """Run a test at the current step of a replay, and return whether the skill passes."""
    if not all(map(replay.facts.holds, test.before)):
        return False
    if test.refused and not replay.attempt([TryAction(test.refused)]).refused:
        return False
    for actions in (test.actions, test.with_approach):
        if actions:
            outcome = replay.attempt(actions)
            done = not outcome.refused and (not test.success or outcome.success is True)
            if done and all(outcome.facts.holds(change.fact) == change.begins for change in test.after):
                return True
    return False
