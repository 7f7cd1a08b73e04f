"""Removing superfluous steps from a skill that passed its test: each step is left out, and stays if it was needed.

Every attempt begins at a snapshot of the state where the skill begins. All steps but the last may be refused in an
attempt: one that only undid another is refused without it, and both go. Not here: other orders of the steps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from .replay import EpisodeReplay, TryAction

if TYPE_CHECKING:
    from .verify import SkillTest

_ATTEMPTS: Final = 60
"""The maximum number of attempts for one skill."""


def needed_steps(test: SkillTest, actions: Sequence[TryAction], replay: EpisodeReplay) -> tuple[int, ...]:
    """Return the places, among the steps of a skill, of those that its test needs; the state is where it begins.

    Args:
        test: The test that the skill passed.
        actions: The actions that passed it: those of the skill are needed, those that approach something are not.
        replay: The episode, at the step where the skill begins.
    """
    own = [place for place, action in enumerate(actions) if action.needed]
    last, left = len(own) - 1, _ATTEMPTS

    def attempt(steps: Collection[int]) -> tuple[int, ...] | None:
        """Return the steps that were done, if they pass; steps that are refused are not needed."""
        nonlocal left
        left -= 1
        chosen = {own[step]: step for step in steps}
        tried = [place for place, action in enumerate(actions) if place in chosen or not action.needed]
        firm = {own[last]} if not test.success else set[int]()
        outcome = replay.attempt([TryAction(actions[place].action, place in firm) for place in tried])
        done = tuple(chosen[tried[place]] for place in outcome.accepted if tried[place] in chosen)
        is_over = test.success or last in done
        return done if is_over and test.holds(outcome) else None

    kept = tuple(range(last + 1))
    if last and (found := attempt((last,))) is not None:
        return found
    shrinking = last > 0
    while shrinking and left > 0:
        shrinking = False
        for step in reversed(kept[: len(kept) if test.success else -1]):
            if step in kept and len(kept) > 1 and left > 0:
                found = attempt([one for one in kept if one != step])
                if found:
                    kept, shrinking = found, True
        shrinking = shrinking and len(kept) > 2
    return kept
