"""What can be asked for in the world: conditions as JSON, how far they are, and what they are in words.

A condition is `{KIND: THING, "count": N}`, `count` being 1 if it is left out. The kinds are `inventory` (held now),
`crafted`, `smelted`, `mined`, `placed`, `killed`, `eaten` (since the beginning), `used` (a tool that did its work, or
what is worn), `slept` and `survived` (nights, and days since one last died; the thing is `"night"` or `"day"`), and
`reached`: a biome `{"reached": {"biome": "desert"}}`, a depth `{"depth": 11}` (at that height or below), or a distance
from the beginning `{"distance": 100}` (in blocks). A thing may be one of the groups `log`, `planks`, `wool`, `bed`, or
one of several, `"coal|charcoal"`. Conditions on the graph of `graph` are read as well: what is held,
`{"from": {"class": "character"}, "relation": "HOLDS", "to": {"class": "stick"}}`, and states as `CRAFTED`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...errors import GoalError
from ...experience import Json
from ..facts import HOLDING, ConditionJson, EdgeCondition, NodeCondition, parse_condition
from ..facts.sentences import Rows, choose_kind, read_sentences, read_some
from .process.game import Seen
from .rules import GROUPS, matching, stands_for

COUNTED: Final = (
    "inventory", "crafted", "smelted", "mined", "placed", "killed", "eaten", "used", "slept", "survived",
)  # fmt: skip
_DONE: Final = ("crafted", "smelted", "mined", "placed", "killed", "eaten")
_DAY: Final = 24_000
SAID: Final[Rows] = (
    (r"(?:craft|make|build) X", "X CRAFTED"),
    (r"(?:smelt|cook) X", "X SMELTED"),
    (r"(?:break|dig up) X", "X MINED"),
    (r"(?:place|put down) X", "X PLACED"),
    (r"(?:kill|slay|hunt|defeat) X", "X KILLED"),
    (r"eat X", "X EATEN"),
    (r"(?:you )?(?:have|hold|get|obtain|acquire|take|mine|gather|collect|pick up|chop|dig) X", "you HOLDS X"),
)
"""How goals on the graph are said; `"mine 3 oak logs"` asks for what is held then."""
_WORDS: Final = {
    "inventory": "have", "crafted": "craft", "smelted": "smelt", "mined": "break", "placed": "place",
    "killed": "kill", "eaten": "eat", "used": "use", "slept": "sleep for", "survived": "survive",
}  # fmt: skip


class MinecraftGoal(NamedTuple):
    """One condition."""

    kind: str
    """One of `COUNTED`, or `"biome"`, `"depth"`, `"distance"`."""
    thing: str
    """What it is about; `""` for a depth and a distance."""
    number: int
    """How many; the height, or the distance in blocks."""

    def measure(self, seen: Seen, begun: Seen) -> float:
        """Return how far it is, from 0 to 1 where it holds.

        Args:
            seen: What is perceived now.
            begun: What was perceived at the beginning.
        """
        if self.kind == "biome":
            return float(seen["biome"] == self.thing)
        (x, y, z), (x0, y0, z0) = seen["position"], begun["position"]
        if self.kind == "depth":
            return 1.0 if y <= self.number else max(0.0, min(0.99, (y0 - y) / max(1.0, y0 - self.number)))
        if self.kind == "distance":
            return min(1.0, math.hypot(x - x0, z - z0) / self.number)
        return min(1.0, self.reached(seen) / self.number)

    def reached(self, seen: Seen) -> int:
        """Return how many there are of a counted thing."""
        stats: Mapping[str, Mapping[str, int]] = seen["stats"]
        if self.kind == "inventory":
            return matching(self.thing, seen["inventory"])
        if self.kind == "slept":
            return stats.get("slept", {}).get("times", 0)
        if self.kind == "survived":
            return int(seen["alive"] // _DAY)
        if self.kind == "used" and any(stands_for(self.thing, worn) for worn in seen["worn"] if worn):
            return max(1, matching(self.thing, stats.get("used", {})))
        return matching(self.thing, stats.get(self.kind, {}))

    def say(self) -> str:
        """Return it in words: `"craft 4 sticks"` is `"craft 4 stick"`, as actions are written."""
        if self.kind == "biome":
            return f"reach a {self.thing} biome"
        if self.kind == "depth":
            return f"reach a height of {self.number} or below"
        if self.kind == "distance":
            return f"go {self.number} blocks away from where you begin"
        return f"{_WORDS[self.kind]} {self.number} {self.thing.replace('|', ' or ')}"


def measure_team(goal: MinecraftGoal, team: Sequence[Seen], begun: Sequence[Seen]) -> float:
    """Return how far several bots are together: one that is there has reached a place, and things are added up.

    Args:
        goal: The condition.
        team: What each perceives now.
        begun: What each perceived at the beginning.
    """
    if goal.kind in ("biome", "depth", "distance"):
        return max(map(goal.measure, team, begun))
    return goal.measure(together(team), begun[0])


def together(team: Sequence[Seen]) -> Seen:
    """Return what several bots perceive as if one did: their things and what they did added up, what is near joined."""
    if len(team) == 1:
        return team[0]
    held: Counter[str] = Counter()
    done: dict[str, Counter[str]] = {}
    for seen in team:
        held.update(seen["inventory"])
        for kind, counts in seen["stats"].items():
            done.setdefault(kind, Counter()).update(counts)
    within = sorted({name for seen in team for name in seen["within"]})
    worn = [name for seen in team for name in seen["worn"]]
    alive = min(seen["alive"] for seen in team)
    return {**team[0], "inventory": dict(held), "stats": done, "within": within, "worn": worn, "alive": alive}


def read_goal(condition: Mapping[str, Any]) -> MinecraftGoal:
    """Return a condition, of the form above or on the graph.

    Raises:
        GoalError: it is malformed, or nothing that can be checked here.
    """
    if "node" in condition or "from" in condition:
        return _on_graph(condition)
    rest = dict(condition)
    count = rest.pop("count", 1)
    (kind, thing), *others = rest.items() or [("", None)]
    if others or type(count) is not int or count < 1:
        raise GoalError(f"{_FORM}, not {dict(condition)!r}.")
    if kind == "reached" and isinstance(thing, Mapping) and len(thing) == 1:
        ((what, value),) = thing.items()
        if what == "biome" and isinstance(value, str):
            return MinecraftGoal("biome", value, 1)
        if what in ("depth", "distance") and type(value) is int and (what == "depth" or value > 0):
            return MinecraftGoal(what, "", value)
    if kind not in COUNTED or not isinstance(thing, str) or not thing:
        raise GoalError(f"{_FORM}, not {dict(condition)!r}.")
    return MinecraftGoal(kind, thing, count)


def read_goals(conditions: Sequence[Mapping[str, Any]]) -> tuple[MinecraftGoal, ...]:
    """Return conditions, in their order.

    Raises:
        GoalError: one is malformed.
    """
    return tuple(read_goal(one) for one in conditions)


def say_goals(goals: Sequence[MinecraftGoal]) -> str:
    """Return goals as a sentence: `"Craft 1 stone_pickaxe and have 3 coal."`."""
    text = " and ".join(goal.say() for goal in goals)
    return f"{text[:1].upper()}{text[1:]}."


def write_goal(goal: MinecraftGoal) -> dict[str, Json]:
    """Return a condition as JSON."""
    if goal.kind in ("depth", "distance"):
        return {"reached": {goal.kind: goal.number}}
    if goal.kind == "biome":
        return {"reached": {"biome": goal.thing}}
    return {goal.kind: goal.thing} if goal.number == 1 else {goal.kind: goal.thing, "count": goal.number}


def read_words(text: str, kinds: Collection[str], *, whole: bool = False) -> tuple[ConditionJson, ...]:
    """Return the conditions on the graph that a goal in words states; empty where they cannot be read.

    Args:
        text: The goal.
        kinds: The kinds of things that are known.
        whole: Whether it is to be empty where only a part can be read.
    """
    known = list(dict.fromkeys((*GROUPS, *kinds)))

    def name(said: str) -> str:
        return choose_kind(said, known, lambda kind: kind.replace("_", " "))

    try:
        return tuple((read_sentences if whole else read_some)(text, SAID, name))
    except GoalError:
        return ()


def _on_graph(condition: Mapping[str, Any]) -> MinecraftGoal:
    parsed = parse_condition(condition).condition
    if isinstance(parsed, EdgeCondition) and set(parsed.relations) <= set(HOLDING) and len(parsed.target.classes) == 1:
        return MinecraftGoal("inventory", parsed.target.classes[0], parsed.count)
    if isinstance(parsed, NodeCondition) and parsed.state.lower() in _DONE and len(parsed.node.classes) == 1:
        return MinecraftGoal(parsed.state.lower(), parsed.node.classes[0], parsed.count)
    raise GoalError(
        f"The Minecraft world checks what the character HOLDS and the states {', '.join(map(str.upper, _DONE))} of one "
        f"kind of thing, not {dict(condition)!r}."
    )


_FORM: Final = (
    f"A condition of the Minecraft world is {{KIND: THING, 'count': N}} with a kind among {', '.join(COUNTED)}, or "
    "{'reached': {'biome': NAME}}, {'reached': {'depth': HEIGHT}}, {'reached': {'distance': BLOCKS}}"
)
