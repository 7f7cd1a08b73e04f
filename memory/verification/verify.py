"""Skills proved by execution: what is mined from an episode is carried out by itself before it is kept.

A builder proposes what may be a skill, each with a trial: from which step of the episode it begins, which actions it
is, and what it claims. `VerifiedSkills` decides:

* Where nothing was left out, the episode itself was the trial.
* Otherwise the episode is carried out again up to where the skill begins, then the skill's own actions with the things
  of that episode. Each must be accepted; what it says held before must hold before, and what it says it brings about
  must hold afterwards. If one is refused, it is tried once more with the steps that the episode took to go somewhere or
  to bring something to light: ways and places are a matter of facts, and whoever acts by the skill looks for them.
* What fails is not kept. A proposal may have others to fall back on, and the first that is proved is kept.
* What was proved once, in this process, is not tried again: it is seen once more.
* Where the world cannot be made, or goes another way than it did, nothing is proved: the proposal is kept with half the
  confidence (`UNPROVED`), and has its full confidence as soon as another episode proves it.

Left out: trying a skill with other things than those of its episode; how it served says that (`feedback`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from ...errors import PatheiError
from ...experience import Trajectory
from ..builders.events import Fact, StateChange
from ..items import Draft
from .replay import EpisodeReplay, ReplayEnvs, TryAction

UNPROVED: Final = 0.5
"""The confidence of a skill that nothing has proved."""


class SkillTest(NamedTuple):
    """What has to be done, and has to hold, for a skill to be proved."""

    actions: tuple[TryAction, ...]
    """The skill's own."""
    led: tuple[TryAction, ...] = ()
    """The same with the ways and finds of the episode; empty where there were none."""
    before: tuple[Fact, ...] = ()
    """What must hold before."""
    after: tuple[StateChange, ...] = ()
    """What must have begun, or ended, afterwards: the fact then holds, or does not."""
    refused: str = ""
    """An action that must be refused before, so that there is something to mend; empty for none."""
    success: bool = False
    """Whether the episode's goal must hold afterwards."""
    lived: bool = False
    """Whether the episode did just this, and nothing in between."""


class SkillCandidate(NamedTuple):
    """A skill with its trial."""

    draft: Draft
    trial: SkillTest


class SkillProposal(NamedTuple):
    """What may be a skill: the candidates, all of which begin at one step, the one that would be best first."""

    begin: int
    candidates: tuple[SkillCandidate, ...]


class SkillProposer(Protocol):
    """A builder whose drafts are still to be proved."""

    def propose(self, trajectory: Trajectory) -> Iterable[SkillProposal]:
        """Return what an episode may teach; the same trajectory gives the same proposals."""
        ...


@dataclass(slots=True)
class SkillVerifier:
    """What came of the proposals so far; what failed is counted once for an episode, the rest as often as proposed."""

    lived: int = 0
    """Nothing had been left out of them."""
    tried: int = 0
    """They were carried out, and proved."""
    known: int = 0
    """They had been proved before."""
    failed: int = 0
    """They were carried out, and did not do what they claim."""
    unproved: int = 0
    """They could not be carried out, and were kept with half the confidence."""
    steps: int = 0
    """So many actions were sent to worlds for it."""
    seconds: float = 0.0
    """So long it took."""


class VerifiedSkills:
    """The builder of what another proposes, as far as it is proved; see the head of this file."""

    def __init__(self, proposer: SkillProposer, worlds: ReplayEnvs | None = None) -> None:
        """Prove what a builder proposes.

        Args:
            proposer: Whose proposals.
            worlds: Where they are carried out; several builders may share them, one at a time.
        """
        self.proofs = SkillVerifier()
        """What came of it so far."""
        self._proposer = proposer
        self._worlds = ReplayEnvs() if worlds is None else worlds
        self._proved: set[tuple[str, str]] = set()

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return what is proved, and with less confidence what nothing can prove, in the order of the proposals."""
        proposals = list(self._proposer.propose(trajectory))
        kept = [self._settled(proposal.candidates[0]) for proposal in proposals]
        open_ = [place for place, draft in enumerate(kept) if draft is None]
        if open_:
            begun = time.perf_counter()
            for place, draft in self._carried_out(trajectory, proposals, open_).items():
                kept[place] = draft
            self.proofs.seconds += time.perf_counter() - begun
        found: dict[str, Draft] = {}
        for draft in kept:
            if draft is not None:
                found.setdefault(draft.key, draft)
        yield from found.values()

    def _settled(self, candidate: SkillCandidate) -> Draft | None:
        """Return the draft of a candidate that needs no trial, or None."""
        name = (candidate.draft.world, candidate.draft.key)
        if name in self._proved:
            self.proofs.known += 1
        elif candidate.trial.lived:
            self.proofs.lived += 1
            self._proved.add(name)
        else:
            return None
        return candidate.draft

    def _carried_out(
        self, trajectory: Trajectory, proposals: Sequence[SkillProposal], open_: Sequence[int]
    ) -> dict[int, Draft | None]:
        """Return what became of proposals, by their places; None for those that failed."""
        found: dict[int, Draft | None] = {}
        failed: set[str] = set()
        reliving = None
        try:
            reliving = self._worlds.relive(trajectory)
            for place in sorted(open_, key=lambda place: proposals[place].begin):
                reliving.go_on(proposals[place].begin)
                found[place] = self._tried(reliving, proposals[place], failed)
        except Exception as error:  # noqa: BLE001  # a world may raise anything, and then it proves nothing
            if not isinstance(error, PatheiError):
                self._worlds.close()
            rest = [place for place in open_ if place not in found]
            self.proofs.unproved += len(rest)
            for place in rest:
                found[place] = replace(proposals[place].candidates[0].draft, confidence=UNPROVED)
        self.proofs.failed += len(failed)
        self.proofs.steps += 0 if reliving is None else reliving.steps
        return found

    def _tried(self, reliving: EpisodeReplay, proposal: SkillProposal, failed: set[str]) -> Draft | None:
        """Return the first candidate that is proved; the keys of those that fail are added to `failed`."""
        for candidate in proposal.candidates:
            settled = self._settled(candidate)
            if settled is not None:
                return settled
            draft = candidate.draft
            if holds(candidate.trial, reliving):
                self.proofs.tried += 1
                self._proved.add((draft.world, draft.key))
                failed.discard(draft.key)
                return draft
            failed.add(draft.key)
        return None


def holds(trial: SkillTest, reliving: EpisodeReplay) -> bool:
    """Carry a trial out from where an episode stands, and tell whether all that it claims came about."""
    if not reliving.facts.issuperset(trial.before):
        return False
    if trial.refused and not reliving.attempt([TryAction(trial.refused)]).refused:
        return False
    for actions in (trial.actions, trial.led):
        if actions:
            outcome = reliving.attempt(actions)
            done = not outcome.refused and (not trial.success or outcome.success is True)
            if done and all((change.fact in outcome.facts) == change.begins for change in trial.after):
                return True
    return False


__all__ = [
    "UNPROVED",
    "SkillCandidate",
    "SkillProposal",
    "SkillProposer",
    "SkillTest",
    "SkillVerifier",
    "VerifiedSkills",
    "holds",
]
