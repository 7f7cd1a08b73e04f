"""Skills from episodes: for every effect of an action, the steps that it needs, without particular objects.

A dependency slice of an episode (`slices`) becomes a skill if its last step changed something, or was an action that
the goal asks for. The objects of the last step become roles; other objects stay by their kind. Each skill comes with a
test (`verification.verify`). If that fails, the skill of a condition of the goal falls back on all steps from the first
to the last of its slice. Not here: revealing objects, and conditions reached together (`composing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...envs.facts import HOLDS, ROLES, Change, Entity, read_condition
from ...envs.facts.graph import Fact
from ...experience import Trajectory
from ..items import Draft
from ..redundancy import is_condition
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .composing import is_done, look, together
from .drafts import skill_about
from .episode_log import EpisodeLog, StepEffect, read_episode
from .signatures import ROOM, say_class, say_signature, write_step
from .slices import (
    DependencySlice,
    approach_steps,
    find_slice,
    net_changes,
    slice_actions,
    whole_slice,
    write_change,
)


class SkillBuilder:
    """Builds skills from episodes with graph facts; `VerifiedSkills` verifies them."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield the skills of an episode, unverified, those for single effects first."""
        best = (proposal.candidates[0].draft for proposal in self.propose(trajectory))
        yield from {draft.key: draft for draft in best}.values()

    def propose(self, trajectory: Trajectory) -> Iterator[SkillProposal]:
        """Yield proposals from an episode; nothing if it has no graph facts."""
        log = read_episode(trajectory)
        if log is None:
            return
        wanted = [found for found in map(read_condition, trajectory.task.goal.conditions) if found]
        for step in log.steps:
            if step.error:
                continue
            episode = _Episode(trajectory, log, frozenset(one.signature for one in wanted))
            things = tuple(dict.fromkeys(step.action.things))[: len(ROLES)]
            asked = tuple(one.signature for one in wanted if is_done(one, step))
            found = [_proposal(episode, step, things, asked), look(trajectory, log, step)]
            found += [_carried(episode, step, change) for change in step.moves]
            found += [_proposal(episode, step, (thing,), ()) for thing in _gained(log, step)]
            yield from (proposal for proposal in found if proposal is not None)
        proposal = together(trajectory, log, wanted)
        if proposal is not None:
            yield proposal


class _Episode(NamedTuple):
    """The context of all skills of an episode."""

    trajectory: Trajectory
    log: EpisodeLog
    wanted: frozenset[str]
    """The signatures of the goal's conditions."""


def _carried(episode: _Episode, step: StepEffect, change: Change) -> SkillProposal | None:
    """Return the skill of carrying an object into the room that a step entered, or None if the step did not."""
    log = episode.log
    room = next((thing for thing in step.action.things if thing.id == change.target), None)
    if room is None or not change.begins or change.what != "INSIDE" or change.entity in log.characters:
        return None
    carried = Entity(log.kind(change.entity) or "thing", change.entity)
    return _proposal(episode, step, (carried, room), (), change)


def _gained(log: EpisodeLog, step: StepEffect) -> list[Entity]:
    """Return what a step put into the hands that no action named, where nodes are kinds: mutton, by killing a sheep."""
    if not (log.by_kind and step.action.things):
        return []
    named = log.named(step.before | {step.text})
    held = [change.target for change in step.changes if change.what == HOLDS and change.begins and change.target]
    return [Entity(log.kind(id_), id_) for id_ in held if id_ not in named]


def _proposal(
    episode: _Episode,
    step: StepEffect,
    things: tuple[Entity, ...],
    asked: tuple[str, ...],
    carried: Change | None = None,
) -> SkillProposal | None:
    """Return the skill that ends with a step, or None if the step had no effect.

    Args:
        episode: The episode.
        step: The last step.
        things: The objects that become roles.
        asked: Conditions of the goal that ask for this action.
        carried: The change of the first object, if the step carried it.
    """
    if not (step.changes or asked or step.moves):
        return None
    lean = find_slice(episode.log, step, things)
    if lean is None:
        return None
    best = _candidate(episode, lean, asked, carried)
    if best is None:
        return None
    candidates = [best]
    if not best.test.as_played and not episode.wanted.isdisjoint(best.draft.data["effects"]):
        whole = whole_slice(episode.log, lean)
        other = None if whole is None else _candidate(episode, whole, asked, carried)
        candidates += [] if other is None else [other]
    return SkillProposal(lean.steps[0].number, tuple(candidates))


def _candidate(
    episode: _Episode, found: DependencySlice, asked: tuple[str, ...], carried: Change | None
) -> SkillCandidate | None:
    """Return a slice as a skill with its test, or None if it has no effect on its roles."""

    def write(places: Sequence[int]) -> Draft:
        """Write the skill with some of its steps, the last one included; what it brings about was tested."""
        steps, actions = (
            tuple(found.steps[place] for place in places),
            tuple(found.actions[place] for place in places),
        )
        return _draft(episode, DependencySlice(steps, actions, found.things), asked, claims, needs)

    log = episode.log
    roles = {thing.id: role for thing, role in zip(found.things, ROLES, strict=False)}
    claims = _claims(log, found, roles, carried)
    if not claims and not asked:
        return None
    needs = _needs(log, found.steps, roles)
    test = _test(log, found, tuple(needs.values()), tuple(claims.values()))
    return SkillCandidate(_draft(episode, found, asked, claims, needs), test, write)


def _draft(
    episode: _Episode,
    found: DependencySlice,
    asked: tuple[str, ...],
    claims: Mapping[str, Change],
    needs: Mapping[str, Fact],
) -> Draft:
    """Return a slice as a skill that brings about `claims`; of `needs`, what its steps end has to hold before."""
    log = episode.log
    roles = {thing.id: role for thing, role in zip(found.things, ROLES, strict=False)}
    effects = list(dict.fromkeys((*claims, *asked)))
    steps = [write_step(action, roles) for action in found.actions]
    preconditions = [atom for atom in _needs(log, found.steps, roles) if atom in needs]
    approach = sorted({action.verb for one, action in zip(found.steps, found.actions, strict=True) if one.moved})
    shown = ", ".join(effects)
    classes = _classes(log, roles, steps)
    limits = "".join(map(say_class, classes, classes.values()))
    given = " and ".join(say_signature(atom) for atom in preconditions if f"not {atom}" not in effects)
    said = ", ".join(map(say_signature, effects))
    return skill_about(
        episode.trajectory,
        f"How to bring about: {said}{limits}{given and f', if {given}'}. Steps: {'; '.join(steps)}.",
        f"{shown}{limits}: {'; '.join(steps)}",
        steps,
        effects,
        step=found.steps[-1].number,
        parameters=classes,
        preconditions=preconditions,
        approach=approach if len(found.actions) > 1 or not found.steps[-1].moved else [],
    )


def _classes(log: EpisodeLog, roles: Mapping[int, str], steps: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what each role has to be: a room; anything; or its kind where nodes are kinds and a step names others."""
    named = {word for step in steps for word in step.split()[1:]}
    particular = log.by_kind and named != set(roles.values())
    return {
        role: (ROOM,) if id_ in log.rooms else (log.kind(id_),) if particular else () for id_, role in roles.items()
    }


def _needs(log: EpisodeLog, steps: Sequence[StepEffect], roles: dict[int, str]) -> dict[str, Fact]:
    """Return what has to hold before some steps, by signature: what they end, but for where things were."""
    ended = ((write_change(log, one, roles, begins=True), one) for one in net_changes(steps) if not one.begins)
    return {atom: change.fact for atom, change in ended if atom and is_condition(atom)}


def _test(log: EpisodeLog, found: DependencySlice, before: tuple[Fact, ...], after: tuple[Change, ...]) -> SkillTest:
    own = dict(slice_actions(log, found))
    first, last = min(own), max(own)
    approach = dict(approach_steps(log, first, last)) | {number: TryAction(action) for number, action in own.items()}
    as_played = last - first == len(own) - 1 and all(action == log.steps[n].text for n, action in own.items())
    return SkillTest(
        tuple(TryAction(own[number]) for number in sorted(own)),
        tuple(approach[number] for number in sorted(approach)) if len(approach) > len(own) else (),
        before,
        after,
        as_played=as_played,
    )


def _claims(
    log: EpisodeLog, found: DependencySlice, roles: dict[int, str], carried: Change | None
) -> dict[str, Change]:
    """Return the net changes of the last step, by signature."""
    step, net = found.steps[-1], net_changes(found.steps)
    changes = (change for change in step.changes if change in net)
    claimed = [
        (write_change(log, change, roles), change)
        for change in (*changes, *_arrivals(step), *((carried,) if carried else ()))
    ]
    return {atom: change for atom, change in claimed if atom}


def _arrivals(step: StepEffect) -> Iterator[Change]:
    """Yield the changes by which the step entered a room that it names."""
    named = {thing.id for thing in step.action.things}
    for change in step.moves:
        if change.begins and change.what == "INSIDE" and change.target in named:
            yield change
