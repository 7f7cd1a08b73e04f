"""A stand-in for a language model that writes skills: right ones, and plausible ones that do not do what they say.

For every skill that is mined it writes that one, the same without its last step, and the same with another verb at its
end; each once, so that no count of lives says which is right. What brings things to light and orders of conditions are
left as they are. `by_outcome` makes feedback what it is without knowing what an item was used for.
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
from pathei.memory.verification.verify import SkillCandidate, SkillProposal, SkillProposer

WRONG: Final = MappingProxyType(
    {
        "Close": "Touch", "Drink": "Touch", "Eat": "Touch", "Grab": "Touch", "Lie": "Sit", "Open": "Touch",
        "Pour": "PutIn", "PutBack": "PutIn", "PutIn": "PutBack", "Read": "LookAt", "Rinse": "Wipe", "Scrub": "Wipe",
        "Sit": "Touch", "SwitchOff": "PlugOut", "SwitchOn": "PlugIn", "Wash": "Touch", "Watch": "LookAt",
        "Wipe": "Rinse",
    }
)  # fmt: skip
"""A verb that one might take for another."""
_SINGLE: Final = "How to bring about: "


class Author:
    """Proposes what another does, and wrong skills beside."""

    def __init__(self, proposer: SkillProposer) -> None:
        """Write beside what a builder proposes."""
        self._proposer = proposer

    def propose(self, trajectory: Trajectory) -> Iterator[SkillProposal]:
        """Return right and wrong skills, with trials that tell one from the other."""
        for proposal in self._proposer.propose(trajectory):
            yield proposal
            best = proposal.candidates[0]
            if best.draft.text.startswith(_SINGLE):
                yield from (SkillProposal(proposal.begin, (wrong,)) for wrong in _wrong(best))

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return all of them, unproved."""
        for proposal in self.propose(trajectory):
            yield proposal.candidates[0].draft


class Once:
    """Passes on skills for single effects only once, as what is written and not lived comes."""

    def __init__(self, builder: Builder) -> None:
        """Pass on what a builder makes."""
        self._builder = builder
        self._keys: set[str] = set()

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return what is new, and what is no such skill."""
        for draft in self._builder.build(trajectory):
            if draft.key not in self._keys or not draft.text.startswith(_SINGLE):
                self._keys.add(draft.key)
                yield draft


def by_outcome(trajectory: Trajectory) -> Trajectory:
    """Return an episode of which only is known which items were used and which given up."""

    def known(step: Step) -> Step:
        notes = step.info.get("agent")
        if not notes:
            return step
        kept = {name: ids for name, ids in notes.items() if name in ("memory", "abandoned")}
        return replace(step, info={**step.info, "agent": kept})

    return replace(trajectory, steps=tuple(map(known, trajectory.steps)))


def _wrong(right: SkillCandidate) -> Iterator[SkillCandidate]:
    draft, trial = right
    steps, actions = draft.data["steps"], [action for action, _ in trial.actions]
    if len(steps) > 1:
        yield _other(right, steps[:-1], actions[:-1])
    verb, space, things = steps[-1].partition(" ")
    if verb in WRONG:
        action = actions[-1].replace(f"[{verb}]", f"[{WRONG[verb]}]")
        yield _other(right, [*steps[:-1], f"{WRONG[verb]}{space}{things}"], [*actions[:-1], action])


def _other(right: SkillCandidate, steps: list[str], actions: list[str]) -> SkillCandidate:
    draft, trial = right
    head = draft.key.removesuffix("; ".join(draft.data["steps"]))
    told = "; ".join(steps)
    other = replace(
        draft,
        text=f"{_SINGLE}{head.removesuffix(': ')}. Steps: {told}.",
        key=f"{head}{told}",
        data={**draft.data, "steps": steps},
    )
    return SkillCandidate(other, trial._replace(actions=tuple(map(TryAction, actions)), led=(), lived=False))


__all__ = ["WRONG", "Author", "Once", "by_outcome"]
