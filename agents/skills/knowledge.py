"""The queries of an agent that acts by skills: how to bring something about, in which order, and where objects are.

Answers are cached for the episode, so that each query is sent once. With an empty memory every answer is empty.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from ...envs.facts import ROLES
from ...memory.builders.composing import LOOK
from ...memory.builders.signatures import ROOM, in_order, say_signature, words
from ...memory.items import Filter, Hit, Item, Kind
from ...memory.plans.template import TemplateStep, match_goal, steps_from
from ...memory.protocol import Memory

_MANY: Final = 64
_FEW: Final = 24

Step = tuple[str, ...]
"""A verb, then roles or kinds of objects: `("PutIn", "x", "y")`."""


class Skill(NamedTuple):
    """A skill, with its roles named as in the condition that it serves."""

    id: str
    """The id of the item."""
    steps: tuple[Step, ...]
    rooms: frozenset[str]
    """The roles that have to be rooms."""
    kinds: Mapping[str, Sequence[str]]
    """The kinds that other roles have to be of; a role that is not there may be anything."""
    approach: frozenset[str]
    """The verbs that only approach something."""
    effects: frozenset[str]
    """All effects, each with its own roles."""
    worth: float
    """How well it has served; alternatives are ordered by this."""


class KnownLocation(NamedTuple):
    """A location of objects of a kind."""

    relation: str
    """`"ON"` or `"INSIDE"` a kind of object, or `"ROOM"`."""
    place: str
    times: float
    """How often they were seen there; weighted by the confidence of the item."""
    id: str
    """The id of the item."""


class KnownPlan(NamedTuple):
    """A whole plan for a goal."""

    id: str
    """The id of its item."""
    steps: list[TemplateStep]
    values: dict[str, str]
    """The values of its parameters that the goal gives; a value that is read on the way is added."""


class KnownEpisode(NamedTuple):
    """What an episode did that reached its goal."""

    id: str
    """The id of its item."""
    actions: tuple[str, ...]


class SkillOrder(NamedTuple):
    """The order in which conditions are served."""

    places: tuple[int, ...]
    """The indexes of the conditions, in order."""
    ids: tuple[str, ...]
    """The items that show this order."""


class SkillKnowledge:
    """The knowledge of a memory, as far as it was queried."""

    def __init__(self, recollection: Memory, env: str | None = None) -> None:
        """Query a memory.

        Args:
            recollection: The memory.
            env: The gymnasium id of the environment; None for items of all.
        """
        self._recollection = recollection
        self._env = env
        self._skills: dict[str, list[Skill]] = {}
        self._locations: dict[str, list[KnownLocation]] = {}

    def skills(self, signature: str, limits: str = "") -> list[Skill]:
        """Return the skills that bring about a condition, best first.

        Args:
            signature: The condition.
            limits: What its roles are, rooms or of a kind, in the words of a skill's text (`signatures.say_class`).
        """
        found = self._skills.get(signature + limits)
        if found is None:
            hits = self._ask("skill", f"How to bring about: {say_signature(signature)}{limits}. Steps:", _MANY)
            read = (_skill(hit.item, signature) for hit in hits)
            found = sorted((skill for skill in read if skill), key=lambda skill: (-skill.worth, skill.steps))
            self._skills[signature + limits] = found
        return found

    @cached_property
    def approaches(self) -> frozenset[str]:
        """The verbs that approach something."""
        return frozenset(skill.steps[-1][0] for skill in self.skills("you INSIDE x"))

    def fixes(self, step: Step) -> list[Skill]:
        """Return the skills that fix a refusal of a step."""
        signature = f"can {' '.join(step)}"
        found = self._skills.get(signature)
        if found is None:
            hits = self._ask("skill", f"When {' '.join(step)} is refused because", _FEW)
            read = (_skill(hit.item, signature) for hit in hits)
            found = self._skills[signature] = [skill for skill in read if skill]
        return found

    def before(self, signature: str, step: Step) -> list[Step]:
        """Return the steps right before a step in the skills for a condition, most frequent first."""
        counts: defaultdict[Step, float] = defaultdict(float)
        for skill in self.skills(signature):
            for earlier, later in zip(skill.steps, skill.steps[1:], strict=False):
                if later == step:
                    counts[earlier] += skill.worth
        return sorted(counts, key=lambda one: (-counts[one], one))

    def order(self, signatures: Sequence[str]) -> SkillOrder:
        """Return the order in which such conditions were reached together; the given order if that is unknown."""
        listed = ", then ".join(map(say_signature, dict.fromkeys(signatures)))
        question = f"How to reach several things together: {listed}."
        hits = self._ask("skill", question, _MANY) if len(signatures) > 1 else ()
        ahead: Counter[tuple[str, str]] = Counter()
        ids = []
        asked = set(signatures)
        for hit in hits:
            calls = hit.item.draft.data.get("calls") or ()
            pairs = {(a, b) for place, a in enumerate(calls) for b in calls[place + 1 :] if a != b and {a, b} <= asked}
            ids += [hit.item.id] if pairs else []
            for pair in pairs:
                ahead[pair] += hit.item.seen
        late = [sum(np.sign(ahead[other, one] - ahead[one, other]) for other in signatures) for one in signatures]
        return SkillOrder(tuple(sorted(range(len(signatures)), key=lambda place: late[place])), tuple(ids))

    def locations(self, kind: str) -> list[KnownLocation]:
        """Return where objects of a kind are kept, including rooms, most frequent first."""
        found = self._locations.get(kind)
        if found is None:
            article = "An" if kind[:1] in "aeiou" else "A"
            asked = (f"{article} {words(kind)} is kept", f"{article} {words(kind)} is found in the")
            items = {hit.item.id: hit.item for text in asked for hit in self._ask("fact", text, _FEW)}
            kept = (_location(item, kind) for item in items.values())
            found = sorted((one for one in kept if one), key=lambda one: (-one.times, one.place))
            self._locations[kind] = found
        return found

    @cached_property
    def looks(self) -> Mapping[str, tuple[str, str]]:
        """By the kind of a container, the verb that reveals its contents and the id of the item."""
        found: dict[str, tuple[str, str]] = {}
        for hit in self._ask("skill", "How to reveal what is in or behind the", _MANY):
            data = hit.item.draft.data
            if data.get("effects") == [LOOK]:
                verb, name = data["steps"][0].split(" ")
                found.setdefault(name, (verb, hit.item.id))
        return found

    def plans(self, goal: str) -> list[KnownPlan]:
        """Return whole plans for a goal text, best first."""
        found = []
        for hit in self._ask("skill", f"How to do: {goal}.", _MANY):
            data = hit.item.draft.data
            values = match_goal(str(data.get("name")), goal) if data.get("plan") else None
            if values is not None:
                found.append((_worth(hit.item), KnownPlan(hit.item.id, steps_from(data), values)))
        return [plan for _, plan in sorted(found, key=lambda one: -one[0])]

    def episodes(self, goal: str) -> list[KnownEpisode]:
        """Return episodes that reached a goal of the same words, the most useful first."""
        found = []
        for hit in self._ask("episode", f"Goal: {goal}. It succeeded after", _MANY):
            draft = hit.item.draft
            if draft.success and draft.task.split() == goal.split():
                actions = tuple(map(str, draft.data.get("actions") or ()))
                found.append((-_worth(hit.item), len(actions), KnownEpisode(hit.item.id, actions)))
        return [episode for *_, episode in sorted(found, key=lambda one: one[:2])]

    def _ask(self, kind: Kind, text: str, k: int) -> Sequence[Hit]:
        return self._recollection.query(text, k, Filter(kinds=(kind,), env=self._env))


def _skill(item: Item, signature: str) -> Skill | None:
    """Return an item as a skill for a condition, or None if it does not bring it about."""
    data = item.draft.data
    for effect in data.get("effects", ()):
        renamed, roles = in_order(effect) if not effect.startswith("can ") else (effect, ())
        if renamed != signature or data.get("calls") or data.get("plan"):
            continue
        fresh = iter(role for role in ROLES if role not in ROLES[: len(roles)])
        names = dict(zip(roles, ROLES, strict=False))
        parameters = data.get("parameters", ())
        names |= {one["name"]: next(fresh) for one in parameters if one["name"] not in names} if roles else {}
        steps = tuple(tuple(names.get(word, word) for word in step.split(" ")) for step in data["steps"])
        classes = {names.get(one["name"], ""): one["classes"] for one in parameters if one["classes"]}
        rooms = frozenset(role for role, limit in classes.items() if limit == [ROOM])
        kinds = {role: limit for role, limit in classes.items() if role not in rooms}
        approach, effects = frozenset(data.get("approach", ())), frozenset(data["effects"])
        tools = {word for step in steps for word in step[1:] if word not in ROLES}
        return Skill(item.id, steps, rooms, kinds, approach, effects, _worth(item) / (1 + len(tools)))
    return None


def _worth(item: Item) -> float:
    return item.draft.confidence * (item.seen + 2 * item.helpful) / (1 + 2 * item.harmful)


def _location(item: Item, name: str) -> KnownLocation | None:
    data = item.draft.data
    if data.get("object") != name or data.get("when") != "kept":
        return None
    return KnownLocation(data["relation"], data["place"], item.seen * item.draft.confidence, item.id)
