"""A stand-in for a language model that writes skills: right ones, and plausible ones that do not have their effect.

For every mined skill it writes that skill, the same without its last step, and the same with another final verb; each
once, so that counts do not show which is right. Skills that reveal objects and orders of conditions are unchanged.
`by_outcome` reduces feedback to the outcome of episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pathei.experience import Step, Trajectory
from pathei.memory.items import Draft
from pathei.memory.protocol import Builder
from pathei.memory.verification.replay import TryAction
from pathei.memory.verification.verify import Propose, SkillCandidate, SkillProposal

WRONG: Final = MappingProxyType(
    {
        "Close": "Touch", "Drink": "Touch", "Eat": "Touch", "Grab": "Touch", "Lie": "Sit", "Open": "Touch",
        "Pour": "PutIn", "PutBack": "PutIn", "PutIn": "PutBack", "Read": "LookAt", "Rinse": "Wipe", "Scrub": "Wipe",
        "Sit": "Touch", "SwitchOff": "PlugOut", "SwitchOn": "PlugIn", "Wash": "Touch", "Watch": "LookAt",
        "Wipe": "Rinse",
    }
)  # fmt: skip
"""Verbs and plausible wrong ones."""
_SINGLE: Final = "How to bring about: "


class Author:
    """Proposes what a function proposes, and wrong skills next to them."""

    def __init__(self, propose: Propose) -> None:
        """Add wrong skills to the proposals of a function."""
        self._propose = propose

    def propose(self, trajectory: Trajectory) -> Iterator[SkillProposal]:
        """Yield right and wrong skills, with tests that distinguish them."""
        for proposal in self._propose(trajectory):
            yield proposal
            best = proposal.candidates[0]
            if best.draft.text.startswith(_SINGLE):
                yield from (SkillProposal(proposal.begin, (wrong,)) for wrong in _wrong(best))

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield all of them, unverified."""
        for proposal in self.propose(trajectory):
            yield proposal.candidates[0].draft


class Once:
    """Passes on each skill for a single effect once, as skills that a model writes would come."""

    def __init__(self, builder: Builder) -> None:
        """Filter the drafts of a builder."""
        self._builder = builder
        self._keys: set[str] = set()

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield drafts that are new, and those that are not such skills."""
        for draft in self._builder.build(trajectory):
            if draft.key not in self._keys or not draft.text.startswith(_SINGLE):
                self._keys.add(draft.key)
                yield draft


def by_outcome(trajectory: Trajectory) -> Trajectory:
    """Return an episode whose notes name used and abandoned items only."""

    def known(step: Step) -> Step:
        notes = step.info.get("agent")
        if not notes:
            return step
        kept = {name: ids for name, ids in notes.items() if name in ("memory", "abandoned")}
        return replace(step, info={**step.info, "agent": kept})

    return replace(trajectory, steps=tuple(map(known, trajectory.steps)))


def _wrong(right: SkillCandidate) -> Iterator[SkillCandidate]:
    draft, test = right.draft, right.test
    steps, actions = draft.data["steps"], [action for action, _ in test.actions]
    if len(steps) > 1:
        yield _other(right, steps[:-1], actions[:-1])
    verb, space, things = steps[-1].partition(" ")
    if verb in WRONG:
        action = actions[-1].replace(f"[{verb}]", f"[{WRONG[verb]}]")
        yield _other(right, [*steps[:-1], f"{WRONG[verb]}{space}{things}"], [*actions[:-1], action])


def _other(right: SkillCandidate, steps: list[str], actions: list[str]) -> SkillCandidate:
    draft, test = right.draft, right.test
    head = draft.key.removesuffix("; ".join(draft.data["steps"]))
    shown = "; ".join(steps)
    other = replace(
        draft,
        text=f"{_SINGLE}{head.removesuffix(': ')}. Steps: {shown}.",
        key=f"{head}{shown}",
        data={**draft.data, "steps": steps},
    )
    changed = test._replace(actions=tuple(map(TryAction, actions)), with_approach=(), as_played=False)
    return SkillCandidate(other, changed)


__all__ = ["WRONG", "Author", "Once", "by_outcome"]
