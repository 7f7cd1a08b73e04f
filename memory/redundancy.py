"""Skills that say more than is needed: a skill whose steps contain those of a shorter one with the same effect.

The effect of a skill is its key without its steps, so two skills have the same effect if they bring about the same
conditions of the same roles. A skill that also needs something else to hold before (`"x is PLUGGED_OUT"`) begins
elsewhere and contains no other. Where a thing is (`"x ON y"`) is not needed before: an agent goes where things are.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..envs.facts import YOU
from .items import Draft


def effect_of(draft: Draft) -> str:
    """Return the effect of a skill as its key states it; empty if the key does not end with the steps."""
    if draft.kind != "skill":
        return ""
    shown = "; ".join(map(str, draft.data.get("steps", ())))
    return draft.key.removesuffix(shown) if shown and draft.key.endswith(shown) else ""


def is_condition(atom: str) -> bool:
    """Return whether a signature is a state, or about the character, rather than where a thing is."""
    return " is " in atom or YOU in atom.split()


def places_of(shorter: Draft, longer: Draft) -> tuple[int, ...] | None:
    """Return the places in a skill of the steps of another with the same effect; None if it does not contain them.

    Args:
        shorter: The skill that may be contained.
        longer: The skill that may contain it. It contains itself.
    """
    if not (effect := effect_of(longer)) or effect != effect_of(shorter) or longer.peers != shorter.peers:
        return None
    if longer.data.get("calls") or sorted(longer.data["effects"]) != sorted(shorter.data["effects"]):
        return None
    needed = [set(filter(is_condition, map(str, one.data["preconditions"]))) for one in (longer, shorter)]
    if not needed[0] <= needed[1]:
        return None
    return _within(shorter.data["steps"], longer.data["steps"])


def is_redundant(longer: Draft, shorter: Draft) -> bool:
    """Return whether a skill contains a shorter one with the same effect that is known at least as well."""
    if longer.key == shorter.key or longer.confidence > shorter.confidence:
        return False
    return places_of(shorter, longer) is not None


def _within(part: Sequence[str], whole: Sequence[str]) -> tuple[int, ...] | None:
    """Return the last places at which a sequence stands in another in order, or None."""
    places, end = list[int](), len(whole)
    for step in reversed(part):
        found = next((place for place in range(end - 1, -1, -1) if whole[place] == step), None)
        if found is None:
            return None
        places.append(found)
        end = found
    return tuple(reversed(places))
