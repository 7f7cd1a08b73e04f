"""Skills from episodes: for everything that an action brought about, the steps that it took, without particular things.

A stretch of an episode (`stretches`) becomes a skill when its last step changed something, or was a deed that the goal
asked for. What the last step names become roles; what else is named stays by its kind. Each skill comes with a trial
(`proving`). Where that fails, the skill of a condition of the goal falls back on all that was done from its first step
to its last. Left out: things brought to light, and conditions reached together (`composing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ...experience import Trajectory
from ..items import Draft, Source
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .composing import LOOK, is_done, look, together
from .events import EpisodeLog, Fact, StateChange, StepEffect, fold
from .lifting import ROLES, LiftedAction, ObjectRef, read_condition
from .slices import DependencySlice, actions_of, atom_of, net_of, stretch_of, ways, whole_of

_ROOM: Final = "room"


class SkillBuilder:
    """The builder of skills, as proposed; `proving.Proved` proves them."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return what would be the skills of an episode, unproved, those for single effects first."""
        best = (proposal.candidates[0].draft for proposal in self.propose(trajectory))
        yield from {draft.key: draft for draft in best}.values()

    def propose(self, trajectory: Trajectory) -> Iterator[SkillProposal]:
        """Return what an episode may teach; nothing where it tells no facts."""
        happened = fold(trajectory)
        if happened is None:
            return
        wanted = [found for found in map(read_condition, trajectory.task.goal.conditions) if found]
        for step in happened.steps:
            if step.error:
                continue
            episode = _Episode(trajectory, happened, frozenset(one.signature for one in wanted))
            things = tuple(dict.fromkeys(step.act.things))[: len(ROLES)]
            asked = tuple(one.signature for one in wanted if is_done(one, step))
            found = [_proposal(episode, step, things, asked), look(trajectory, step)]
            found += [_carried(episode, step, change) for change in step.moves]
            yield from (proposal for proposal in found if proposal is not None)
        proposal = together(trajectory, happened, wanted)
        if proposal is not None:
            yield proposal


class _Episode(NamedTuple):
    """What every skill of an episode is made with."""

    trajectory: Trajectory
    happened: EpisodeLog
    wanted: frozenset[str]
    """The signatures of the goal's conditions."""


def _carried(episode: _Episode, step: StepEffect, change: StateChange) -> SkillProposal | None:
    """Return the skill of bringing what was carried into the room that a step went to, or None if it was not that."""
    happened = episode.happened
    room = next((thing for thing in step.act.things if thing.id == change.target), None)
    if room is None or not change.begins or change.what != "INSIDE" or change.thing in happened.you:
        return None
    carried = ObjectRef(happened.names.get(change.thing, "thing"), change.thing)
    return _proposal(episode, step, (carried, room), (), change)


def _proposal(
    episode: _Episode,
    step: StepEffect,
    things: tuple[ObjectRef, ...],
    asked: tuple[str, ...],
    carried: StateChange | None = None,
) -> SkillProposal | None:
    """Return the skill whose last step is this one, or None if nothing came of it.

    Args:
        episode: The episode.
        step: The last step.
        things: What the roles are.
        asked: Deeds that it was, which the goal asks for.
        carried: What it did to the first of the things by carrying it.
    """
    if not (step.changes or asked or step.moves):
        return None
    lean = stretch_of(episode.happened, step, things)
    if lean is None:
        return None
    best = _candidate(episode, lean, asked, carried)
    if best is None:
        return None
    candidates = [best]
    if not best.trial.lived and not episode.wanted.isdisjoint(best.draft.data["effects"]):
        whole = whole_of(episode.happened, lean)
        other = None if whole is None else _candidate(episode, whole, asked, carried)
        candidates += [] if other is None else [other]
    return SkillProposal(lean.steps[0].number, tuple(candidates))


def _candidate(
    episode: _Episode, stretch: DependencySlice, asked: tuple[str, ...], carried: StateChange | None
) -> SkillCandidate | None:
    """Return a stretch as a skill with its trial, or None if it has no effect that could be told."""
    trajectory, happened = episode.trajectory, episode.happened
    roles = {thing.id: role for thing, role in zip(stretch.things, ROLES, strict=False)}
    claims = _claims(happened, stretch, roles, carried)
    effects = list(dict.fromkeys((*claims, *asked)))
    if not effects:
        return None
    steps = [write_act(act, roles) for act in stretch.acts]
    needs = {
        atom: change.fact
        for change in net_of(stretch.steps)
        if not change.begins and (atom := atom_of(happened, change, roles, begins=True))
    }
    parameters = [
        {"name": role, "classes": [_ROOM] if thing_id in happened.rooms else []} for thing_id, role in roles.items()
    ]
    approach = sorted({act.verb for one, act in zip(stretch.steps, stretch.acts, strict=True) if one.moved})
    told = ", ".join(effects)
    rooms = "".join(f" ({role} is a room)" for id_, role in roles.items() if id_ in happened.rooms)
    draft = Draft(
        "skill",
        f"How to bring about: {told}{rooms}. Steps: {'; '.join(steps)}.",
        trajectory.task.env,
        key=f"{told}{rooms}: {'; '.join(steps)}",
        task=trajectory.task.goal.text,
        success=trajectory.success,
        data={
            "name": effects[0],
            "parameters": parameters,
            "preconditions": list(needs),
            "steps": steps,
            "effects": effects,
            "calls": [],
            "approach": approach if len(stretch.acts) > 1 or not stretch.steps[-1].moved else [],
        },
        source=Source(trajectory.id, stretch.steps[-1].number),
    )
    return SkillCandidate(draft, _trial(happened, stretch, tuple(needs.values()), tuple(claims.values())))


def _trial(
    happened: EpisodeLog, stretch: DependencySlice, before: tuple[Fact, ...], after: tuple[StateChange, ...]
) -> SkillTest:
    own = dict(actions_of(stretch))
    first, last = min(own), max(own)
    led = dict(ways(happened, first, last)) | {number: TryAction(action) for number, action in own.items()}
    lived = last - first == len(own) - 1 and all(action == happened.steps[n].action for n, action in own.items())
    return SkillTest(
        tuple(TryAction(own[number]) for number in sorted(own)),
        tuple(led[number] for number in sorted(led)) if len(led) > len(own) else (),
        before,
        after,
        lived=lived,
    )


def _claims(
    happened: EpisodeLog, stretch: DependencySlice, roles: dict[int, str], carried: StateChange | None
) -> dict[str, StateChange]:
    """Return what the last step brought about and no earlier one had undone, by signature."""
    step, net = stretch.steps[-1], net_of(stretch.steps)
    changes = (change for change in step.changes if change in net)
    found = [
        (atom_of(happened, change, roles), change)
        for change in (*changes, *_arrivals(step), *((carried,) if carried else ()))
    ]
    return {atom: change for atom, change in found if atom}


def _arrivals(step: StepEffect) -> Iterator[StateChange]:
    """Yield that the one who acts came into a room on purpose."""
    named = {thing.id for thing in step.act.things}
    for change in step.moves:
        if change.begins and change.what == "INSIDE" and change.target in named:
            yield change


def write_act(act: LiftedAction, roles: dict[int, str]) -> str:
    """Write a step of a skill: `"PutIn x y"`; a thing without a role by its kind: `"Grab mop"`."""
    return " ".join([act.verb, *(roles.get(thing.id, thing.name) for thing in act.things)])


__all__ = ["LOOK", "SkillBuilder", "write_act"]
