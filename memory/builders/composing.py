"""Skills that are more than one effect: revealing objects, and reaching several conditions together.

An action that reveals new objects becomes a skill of its own ("look"). Several conditions that were reached together
become a skill that calls the skills of each, in the order in which they were reached. Its test executes the slices of
each (`slices`), one condition after the other from the start of the episode; all of them have to hold afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, permutations
from typing import Final, NamedTuple

from ...envs.facts import ROLES, Change, ConditionSignature, Entity, NodeSelector
from ...envs.facts.signatures import done
from ...experience import Trajectory
from ..items import Draft
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .drafts import skill_about
from .episode_log import EpisodeLog, StepEffect
from .signatures import say_signature, words, write_step
from .slices import approach_steps, find_slice, reveals, slice_actions, write_change

LOOK: Final = "x is seen"
"""The effect of skills that reveal objects."""
_ORDERS: Final = 6
"""The maximum number of orders that are tried."""


class _Service(NamedTuple):
    """A step at which a condition began to hold for some objects."""

    step: StepEffect
    things: tuple[Entity, ...]
    change: Change | None
    """The change that shows it; None for a condition on an action."""


def look(trajectory: Trajectory, log: EpisodeLog, step: StepEffect) -> SkillProposal | None:
    """Return the skill of revealing objects by the action of a step, or None if it revealed nothing."""
    if step.moved or len(step.action.things) != 1 or not reveals(log, step):
        return None
    thing = step.action.things[0]
    steps = [write_step(step.action, {})]
    text = f"How to reveal what is in or behind the {words(thing.kind)}: {'; '.join(steps)}."
    key, name = f"{LOOK}: {'; '.join(steps)}", f"look into the {words(thing.kind)}"
    draft = skill_about(trajectory, text, key, steps, [LOOK], step=step.number, name=name)
    return SkillProposal(step.number, (SkillCandidate(draft, SkillTest((TryAction(step.text),), as_played=True)),))


def together(trajectory: Trajectory, log: EpisodeLog, wanted: Sequence[ConditionSignature]) -> SkillProposal | None:
    """Return the skill of reaching several conditions in an order that works, or None if the episode did not.

    The order in which they were reached is tried first. It may be wrong: an agent that takes the juice, closes the
    fridge and then puts the juice on the table has not closed the fridge first.
    """
    served = {number: found for number, one in enumerate(wanted) if (found := _services(one, log))}
    if not trajectory.success or len(served) < 2:
        return None
    played = sorted(served, key=lambda number: (served[number][-1].step.number, str(number)))
    last = {change.fact: change for step in log.steps for change in (*step.changes, *step.moves)}
    claims = [one.change for number in played for one in served[number] if one.change is not None]
    after = tuple(change for change in claims if last[change.fact] == change)
    candidates = []
    for order in islice(permutations(played), _ORDERS):
        actions = _one_after_another(log, [service for number in order for service in served[number]])
        if actions is not None:
            own = tuple(action for action in actions if action.needed)
            test = SkillTest(own, actions if len(own) < len(actions) else (), after=after)
            candidates.append(SkillCandidate(_draft(trajectory, [wanted[number] for number in order]), test))
    return SkillProposal(0, tuple(candidates)) if candidates else None


def is_done(wanted: ConditionSignature, step: StepEffect) -> bool:
    """Return whether a step is the action that a condition asks for; such a condition leaves no other trace."""
    if not wanted.signature.endswith("is done"):
        return False
    things = step.action.things
    return wanted.signature == done(step.action.verb, ROLES[: len(wanted.roles)]) and all(
        role.takes(thing.kind, thing.id) for role, thing in zip(wanted.roles, things, strict=False)
    )


def _draft(trajectory: Trajectory, order: Sequence[ConditionSignature]) -> Draft:
    roles: dict[NodeSelector, str] = {}
    calls = []
    for one in order:
        signature = one.signature
        for place, selector in enumerate(one.roles):
            role = roles.setdefault(selector, f"{ROLES[len(roles) % len(ROLES)]}{len(roles) // len(ROLES) or ''}")
            signature = signature.replace(f"{ROLES[place]} ", f"<{role}> ").replace(f" {ROLES[place]}", f" <{role}>")
        calls.append(signature.replace("<", "").replace(">", ""))
    calls = list(dict.fromkeys(calls))
    return skill_about(
        trajectory,
        f"How to reach several things together: {', then '.join(map(say_signature, calls))}.",
        f"together: {'; '.join(calls)}",
        calls,
        calls,
        name=" & ".join(calls),
        parameters=roles.values(),
        calls=[one.signature for one in order],
    )


def _one_after_another(log: EpisodeLog, services: Sequence[_Service]) -> tuple[TryAction, ...] | None:
    """Return the slices of conditions in order, with their approaches; None if a slice is too long.

    An action that an earlier condition has used may be refused; an approach is repeated.
    """
    actions: list[TryAction] = []
    begun: set[int] = set()
    for step, things, _ in services:
        found = find_slice(log, step, things)
        if found is None:
            return None
        own = {number: TryAction(action, number not in begun) for number, action in slice_actions(log, found)}
        approach = {number: one for number, one in approach_steps(log, 0, step.number) if number not in begun}
        both = approach | own
        actions += [both[number] for number in sorted(both)]
        begun |= both.keys()
    return tuple(actions)


def _services(wanted: ConditionSignature, log: EpisodeLog) -> list[_Service]:
    """Return the last step at which a condition began to hold, for each object, in order."""
    found: dict[tuple[int, ...], _Service] = {}
    for step in log.steps:
        if step.error:
            continue
        for service in _served_by(wanted, step, log):
            ids = tuple(thing.id for thing in service.things)
            found.pop(ids, None)
            found[ids] = service
    return list(found.values())


def _served_by(wanted: ConditionSignature, step: StepEffect, log: EpisodeLog) -> Iterator[_Service]:
    if is_done(wanted, step):
        yield _Service(step, step.action.things, None)
    for change in (*step.changes, *step.moves):
        things = tuple(Entity(log.kind(id_), id_) for id_ in change.entities if id_ not in log.characters)
        if _is_wanted(wanted, change, things, log):
            yield _Service(step, things, change)


def _is_wanted(wanted: ConditionSignature, change: Change, things: tuple[Entity, ...], log: EpisodeLog) -> bool:
    roles = {thing.id: role for thing, role in zip(things, ROLES, strict=False)}
    return write_change(log, change, roles) == wanted.signature and all(
        role.takes(thing.kind, thing.id) for role, thing in zip(wanted.roles, things, strict=True)
    )
