"""What an agent that acts by skills asks of a memory: how to bring something about, in which order, where things are.

Answers are kept for the episode, so that each question is asked once. With an empty memory every answer is empty.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ...memory.builders.lifting import ROLES, in_order, words
from ...memory.builders.plans import match_goal
from ...memory.builders.skills import LOOK
from ...memory.items import Filter, Hit, Item
from ...memory.protocol import Recollection

_MANY: Final = 64
_FEW: Final = 24

Step = tuple[str, ...]
"""A verb, then roles or kinds of things: `("PutIn", "x", "y")`."""


class Skill(NamedTuple):
    """A skill, its roles named as the condition that it is to serve names them."""

    id: str
    """The item's."""
    steps: tuple[Step, ...]
    rooms: frozenset[str]
    """The roles that have to be rooms."""
    approach: frozenset[str]
    """The verbs with which it only goes somewhere."""
    effects: frozenset[str]
    """Everything that it brings about, each with its own roles."""
    worth: float
    """How well it has served: what skills for the same are ordered by."""


class KnownLocation(NamedTuple):
    """Where things of a kind are."""

    relation: str
    """`"ON"` or `"INSIDE"` a kind of thing, or `"ROOM"`."""
    place: str
    times: float
    """How often they were seen there; less where it was only said."""
    id: str
    """The item's."""


class SkillOrder(NamedTuple):
    """In which order conditions are served."""

    places: tuple[int, ...]
    """Their places, the first to be served first."""
    ids: tuple[str, ...]
    """The items that say so."""


class SkillKnowledge:
    """What a memory knows, as far as it was asked."""

    def __init__(self, recollection: Recollection, world: str | None = None) -> None:
        """Ask a memory.

        Args:
            recollection: The memory.
            world: The gymnasium id of the world; None asks for those of all.
        """
        self._recollection = recollection
        self._world = world
        self._skills: dict[str, list[Skill]] = {}
        self._spots: dict[str, list[KnownLocation]] = {}
        self._looks: dict[str, tuple[str, str]] | None = None
        self._ways: frozenset[str] | None = None
        self._mends: dict[str, list[Skill]] = {}

    def skills(self, signature: str, rooms: str = "") -> list[Skill]:
        """Return the skills that bring a condition about, the one that has served best first.

        Args:
            signature: The condition.
            rooms: Which of its roles are rooms, in the words in which skills say it.
        """
        found = self._skills.get(signature + rooms)
        if found is None:
            hits = self._ask("skill", f"How to bring about: {signature}{rooms}. Steps:", _MANY)
            read = (_skill(hit.item, signature) for hit in hits)
            found = sorted((skill for skill in read if skill), key=lambda skill: (-skill.worth, skill.steps))
            self._skills[signature + rooms] = found
        return found

    def ways(self) -> frozenset[str]:
        """Return the verbs with which one goes somewhere."""
        if self._ways is None:
            self._ways = frozenset(skill.steps[-1][0] for skill in self.skills("you INSIDE x"))
        return self._ways

    def mends(self, step: Step) -> list[Skill]:
        """Return what helped when a step was refused."""
        signature = " ".join(step)
        found = self._mends.get(signature)
        if found is None:
            hits = self._ask("skill", f"When {signature} is refused because", _FEW)
            read = (_skill(hit.item, f"can {signature}") for hit in hits)
            found = self._mends[signature] = [skill for skill in read if skill]
        return found

    def before(self, signature: str, step: Step) -> list[Step]:
        """Return what came right before a step in the skills for a condition, what came most often first."""
        counts: defaultdict[Step, float] = defaultdict(float)
        for skill in self.skills(signature):
            for earlier, later in zip(skill.steps, skill.steps[1:], strict=False):
                if later == step:
                    counts[earlier] += skill.worth
        return sorted(counts, key=lambda one: (-counts[one], one))

    def order(self, signatures: Sequence[str]) -> SkillOrder:
        """Return in which order such conditions were reached together; as they are where that is not known."""
        told = ", then ".join(dict.fromkeys(signatures))
        hits = (
            self._ask("skill", f"How to reach several things together: {told}.", _MANY) if len(signatures) > 1 else ()
        )
        ahead: Counter[tuple[str, str]] = Counter()
        ids = []
        asked = set(signatures)
        for hit in hits:
            calls = hit.item.draft.data.get("calls") or ()
            pairs = {(a, b) for place, a in enumerate(calls) for b in calls[place + 1 :] if a != b and {a, b} <= asked}
            ids += [hit.item.id] if pairs else []
            for pair in pairs:
                ahead[pair] += hit.item.seen
        late = [sum(_sign(ahead[other, one] - ahead[one, other]) for other in signatures) for one in signatures]
        return SkillOrder(tuple(sorted(range(len(signatures)), key=lambda place: late[place])), tuple(ids))

    def spots(self, name: str) -> list[KnownLocation]:
        """Return where things of a kind are kept, the most usual place first; rooms among them."""
        found = self._spots.get(name)
        if found is None:
            article = "An" if name[:1] in "aeiou" else "A"
            asked = (f"{article} {words(name)} is kept", f"{article} {words(name)} is found in the")
            items = {hit.item.id: hit.item for text in asked for hit in self._ask("fact", text, _FEW)}
            found = sorted(_spots(items.values(), name), key=lambda spot: (-spot.times, spot.place))
            self._spots[name] = found
        return found

    def looks(self) -> Mapping[str, tuple[str, str]]:
        """Return by the kind of a thing with which verb one sees what is in or behind it, and the item's id."""
        if self._looks is None:
            self._looks = {}
            for hit in self._ask("skill", "How to bring to light what is in or behind the", _MANY):
                data = hit.item.draft.data
                if data.get("effects") == [LOOK]:
                    verb, name = data["steps"][0].split(" ")
                    self._looks.setdefault(name, (verb, hit.item.id))
        return self._looks

    def plans(self, goal: str) -> list[tuple[str, list[str]]]:
        """Return whole plans for a goal in words, with the ids of their items, those that served best first."""
        found = []
        for hit in self._ask("skill", f"How to do: {goal}.", _FEW):
            data = hit.item.draft.data
            names = match_goal(str(data.get("name")), goal) if data.get("plan") else None
            if names is not None:
                steps = [step.format_map(_Names(names)) for step in data["steps"]]
                found.append((_worth(hit.item), hit.item.id, steps))
        return [(id_, steps) for _, id_, steps in sorted(found, key=lambda one: -one[0])]

    def _ask(self, kind: str, text: str, k: int) -> Sequence[Hit]:
        where = Filter(kinds=("skill",) if kind == "skill" else ("fact",), world=self._world)
        return self._recollection.query(text, k, where)


class _Names(dict[str, str]):
    """What stands in braces and is no open word stays as it is."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _skill(item: Item, signature: str) -> Skill | None:
    """Return an item as a skill for a condition, or None if it does not bring that about."""
    data = item.draft.data
    for effect in data.get("effects", ()):
        renamed, roles = in_order(effect) if not effect.startswith("can ") else (effect, ())
        if renamed != signature or data.get("calls") or data.get("plan"):
            continue
        fresh = iter(role for role in ROLES if role not in ROLES[: len(roles)])
        names = dict(zip(roles, ROLES, strict=False))
        parameters = data.get("parameters", ())
        names |= {one["name"]: next(fresh) for one in parameters if one["name"] not in names} if roles else {}
        steps = tuple(tuple(_named(word, names) for word in step.split(" ")) for step in data["steps"])
        rooms = frozenset(names.get(one["name"], "") for one in parameters if one["classes"] == ["room"])
        approach, effects = frozenset(data.get("approach", ())), frozenset(data["effects"])
        return Skill(item.id, steps, rooms, approach, effects, _worth(item) / (1 + _tools(steps)))
    return None


def _named(word: str, names: Mapping[str, str]) -> str:
    return names.get(word, word)


def _tools(steps: Sequence[Step]) -> int:
    return len({word for step in steps for word in step[1:] if word not in ROLES})


def _worth(item: Item) -> float:
    return item.draft.confidence * (item.seen + 2 * item.helpful) / (1 + 2 * item.harmful)


def _spots(items: Iterable[Item], name: str) -> list[KnownLocation]:
    found = []
    for item in items:
        data = item.draft.data
        if data.get("object") == name and data.get("when") == "kept":
            found.append(KnownLocation(data["relation"], data["place"], item.seen * item.draft.confidence, item.id))
    return found


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


__all__ = ["KnownLocation", "Skill", "SkillKnowledge", "SkillOrder", "Step"]
