"""TextWorld's facts as a graph, the words of its commands, and the goals that its actions can bring about.

A proposition such as `in(key: k, box: c)` becomes an edge, `open(box: c)` a state. Every node's id follows from its
name, so commands, which name things without ids, are read without a graph as well. Not here: directions between rooms
(they are in TextWorld's own list, `facts["facts"]`), and recipes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from ...errors import GoalError
from ...experience import Task
from ..facts import Action, ConditionJson, FactGraph
from ..facts.sentences import HELD, OPENED, PLACED, ROOMS, Rows, read_sentences, read_some
from ..graph_goals import GraphGoals, edge, kinds_of, state
from ..verbalizer import Verbalizer, capitalised

PLAYER: Final = "character"
_PLAYER_ID: Final = 1
_RELATIONS: Final = {"at": "INSIDE", "in": "INSIDE", "on": "ON", "match": "FITS"}
_STATES: Final = frozenset(
    "open closed locked edible eaten cut uncut chopped sliced diced raw cooked fried grilled roasted burned drinkable "
    "consumed cookable cuttable".split()
)
_TYPES: Final = {
    "r": "ROOM", "d": "DOOR", "c": "CONTAINER", "s": "SUPPORTER", "f": "FOOD", "k": "KEY", "o": "OBJECT",
}  # fmt: skip
_COMMANDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), verb)
    for pattern, verb in (
        (r"take (.+) from (.+)", "TAKE_FROM"),
        (r"insert (.+) into (.+)", "INSERT"),
        (r"put (.+) on (.+)", "PUT"),
        (r"lock (.+) with (.+)", "LOCK"),
        (r"unlock (.+) with (.+)", "UNLOCK"),
        (r"(?:cook|slice|chop|dice|cut) (.+) with (.+)", ""),
        (r"(?:take|drop|open|close|eat|drink|examine) (.+)", ""),
    )
)


@lru_cache(maxsize=1 << 14)
def node_of(name: str) -> int:
    """Return the id of a thing or room by its name."""
    return zlib.crc32(name.encode()) >> 1 | 1 << 31


def read_facts(propositions: Iterable[Any]) -> FactGraph:
    """Return TextWorld's propositions as a graph."""
    kinds: dict[int, str] = {_PLAYER_ID: PLAYER}
    states: dict[int, set[str]] = {_PLAYER_ID: set()}
    rooms, edges = set(), set()
    doors: dict[int, set[int]] = {}
    for proposition in propositions:
        nodes = []
        for variable in proposition.arguments:
            if variable.type in ("P", "I"):
                nodes.append(_PLAYER_ID)
                continue
            node = node_of(variable.name)
            nodes.append(node)
            if node not in kinds:
                kinds[node], states[node] = variable.name, {_TYPES.get(variable.type, "THING")}
            if variable.type == "r":
                rooms.add(node)
        name = proposition.name
        if name in _STATES:
            states[nodes[0]].add(name.upper())
        elif name == "in" and nodes[-1] == _PLAYER_ID:
            edges.add((_PLAYER_ID, "HOLDS", nodes[0]))
        elif name in _RELATIONS:
            edges.add((nodes[0], _RELATIONS[name], nodes[1]))
        elif name == "link":
            doors.setdefault(nodes[1], set()).update((nodes[0], nodes[2]))
    edges |= {(door, "LEADS_TO", room) for door, own in doors.items() for room in own}
    order = sorted(kinds, key=lambda node: (node != _PLAYER_ID, kinds[node]))
    return FactGraph(
        {
            "nodes": [[node, kinds[node], sorted(states[node])] for node in order],
            "edges": [list(one) for one in sorted(edges)],
            "rooms": sorted(rooms),
            "characters": [_PLAYER_ID],
        }
    )


def conditions_of(propositions: Iterable[Any]) -> tuple[ConditionJson, ...]:
    """Return what a quest asks for as conditions; empty where one of its propositions is no fact of the graph."""
    found: list[ConditionJson] = []
    for proposition in propositions:
        names = [PLAYER if one.type in ("P", "I") else one.name for one in proposition.arguments]
        if proposition.name in _STATES:
            found.append(state(names[0], proposition.name.upper()))
        elif proposition.name == "in" and names[-1] == PLAYER:
            found.append(edge(PLAYER, "HOLDS", names[0]))
        elif proposition.name in _RELATIONS:
            found.append(edge(names[0], _RELATIONS[proposition.name], names[1]))
        else:
            return ()
    return tuple(found)


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    """Yield what actions can bring about: doors and containers, things moved, food eaten, rooms reached."""

    def of(*types: str) -> list[str]:
        return kinds_of(graph, lambda node, kind: not graph.states[node].isdisjoint(types))

    fitted = {target for ends in graph.out.values() for relation, target in ends if relation == "FITS"}
    for kind in of("DOOR", "CONTAINER"):
        # What stands open without a door or lid has neither state.
        if any({"OPEN", "CLOSED", "LOCKED"} & graph.states[node] for node in graph.kinds if graph.kinds[node] == kind):
            yield state(kind, "OPEN")
            yield state(kind, "CLOSED")
    for kind in kinds_of(graph, lambda node, _: node in fitted):
        yield state(kind, "LOCKED")
    for kind in of("EDIBLE"):
        yield state(kind, "EATEN")
    movable = of("OBJECT", "KEY", "FOOD")
    for kind in movable:
        yield edge(PLAYER, "HOLDS", kind)
    for relation, types in (("INSIDE", "CONTAINER"), ("ON", "SUPPORTER"), ("INSIDE", "ROOM")):
        for kind in movable:
            for place in of(types):
                yield edge(kind, relation, place)
    for kind in of("ROOM"):
        yield edge(PLAYER, "INSIDE", kind)


SAID: Final[Rows] = (
    (
        r"(?:go|head|venture|travel|move|go to the|take a trip)(?: through(?: the)?)?(?: to(?: the)?)?"
        r" (?:north|south|east|west)(?: .+)?",
        "",
    ),
    (r"(?:look around|examine) .+", ""),
    (r"\w+ .+ into X(?:'s lock)? to unlock it", "not X LOCKED"),
    (r"\w+ .+ into X(?:'s lock)? to lock it", "X LOCKED"),
    (r"use it to unlock X", "not X LOCKED"),
    (r"(?:close|shut) X after placing .+ in it", "X CLOSED"),
    (r"from in (?:the )?closed .+, (?:take|get|pick up) X", "you HOLDS X"),
    *HELD,
    (r"(?:eat|consume) X", "X EATEN"),
    (r"X is eaten", "X EATEN"),
    *ROOMS,
    *PLACED,
    *OPENED,
)
"""How goals are said: TextWorld's own sentences, and others."""
_BEGINNING: Final = re.compile(
    r"^.*(?:your task for today is to|your task for today\.|your objective is to|how to play!|please"
    r"|i need you to do for me\.|of textworld[;!.]|entered textworld[;!.]|textworld!(?: you do!)?|you do!)\s*",
    re.IGNORECASE,
)
_FIRST: Final = re.compile(
    r"^(?:your )?first(?: off| of all| stop| step| thing i need you to do is to| objective is to)?\b,?\s*"
    r"(?:if it's not too much trouble, |i need you to |you could, like, |it would be [\w ]+? if you could )*",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(
    r"(?:(?:okay, )?and then|then|next|following that|after that|that done|with that (?:over with|accomplished|done)"
    r"|(?:if you can|once you) \w[\w ]*? that|(?:after you have|having|once you have|if you have|after) [^,.]+"
    r"|with the [^,.]+|if you can get your hands on [^,.]+|once you're [^,.]+|if you can manage to go [^,.]+), ",
    re.IGNORECASE,
)
_END: Final = re.compile(
    r"\s*(?:once that's all handled, you can stop!?|and once you've done that, you win!?"
    r"|and if you do that, you're the winner!?|that's it!?|got that\? good!?|alright, thanks!?)$",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(r" (?:that's )?(?:in|within|inside|from) the .+$")
_SHUT: Final = re.compile(r"^(?:locked|closed) ")
_DEEDS: Final = frozenset(
    "open close shut lock unlock take get pick put place insert go head travel venture move eat drop retrieve recover "
    "lift deposit sit rest use you".split()
)


def read_objective(text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
    """Return the conditions that an objective states, by its words alone: names are kinds, known or not.

    Args:
        text: The game's own objective, or any sentence that `SAID` has.
        kinds: Kinds that were seen.
        whole: Whether it is to be empty where a clause cannot be read.
    """
    said = _END.sub("", _BEGINNING.sub("", " ".join(text.split())))
    said = _AFTER.sub("", _FIRST.sub("", said))
    known = {kind.casefold(): kind for kind in kinds}

    def name(words: str) -> str:
        for form in (words, _SHUT.sub("", words), _PLACE.sub("", words), _SHUT.sub("", _PLACE.sub("", words))):
            if form.casefold() in known:
                return known[form.casefold()]
        if words.split(" ", maxsplit=1)[0].lower() in _DEEDS or re.search(r"[.!?;,:] ", words):
            raise GoalError(f"{words!r} is no thing")
        return form

    try:
        read = (read_sentences if whole else read_some)(said, SAID, name)
    except GoalError:
        return ()
    stated = [one["node"] for one in read if "state" in one]
    return tuple(_unlocked(one) for one in read if one.get("not", {}).get("node") not in stated)


def _unlocked(condition: ConditionJson) -> ConditionJson:
    """Return a condition that something is not locked as what unlocking brings about: it is closed then."""
    inner = condition.get("not", {})
    return {**inner, "state": "CLOSED"} if inner.get("state") == "LOCKED" else condition


def goal_space() -> GraphGoals:
    """Return the goals of TextWorld's games."""
    return GraphGoals(possible, rows=SAID)


class TextWorldVerbalizer(Verbalizer):
    """Commands of TextWorld."""

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Take a command apart; ids follow from names, so no graph is needed."""
        words = " ".join(text.split())
        for pattern, verb in _COMMANDS:
            match = pattern.fullmatch(words)
            if match is not None:
                names = match.groups()
                return Action(verb or words.split(" ", 1)[0].upper(), names, tuple(map(node_of, names)))
        return Action(words.replace(" ", "_").upper(), (), ()) if words else None

    def say_action(self, action: Action | str, numbered: Any = ()) -> str:
        """Return a command as a sentence: "Put the key on the desk."""
        read = self.read_action(action) if isinstance(action, str) else action
        if read is None or not read.names:
            return capitalised(action.strip() if isinstance(action, str) else action.verb.replace("_", " ").lower())
        verb, between = read.verb.lower().removesuffix("_from"), _BETWEEN.get(read.verb, "with")
        names = [f"the {name}" for name in read.names]
        return capitalised(f"{verb} {f' {between} '.join(names)}")

    def read_goal(self, text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
        """Return the conditions that an objective states; see `read_objective`."""
        return read_objective(text, kinds, whole=whole)

    def activity(self, task: Task) -> str | None:
        """Return what kind of quest it is, by the conditions that it ends with: "lock a door"."""
        return _quest_kind(task.goal.conditions)

    def scene(self, task: Task) -> str:
        """Return the game."""
        return f"textworld:{task.options.get('game', task.seed)}"


_BETWEEN: Final = {"TAKE_FROM": "from", "INSERT": "into", "PUT": "on"}
_KINDS_OF_QUEST: Final = (
    ("EATEN", "eat something"), ("LOCKED", "lock something"), ("OPEN", "open something"), ("CLOSED", "close something"),
    ("HOLDS", "take something"), ("ON", "put something on something"), ("INSIDE", "put something somewhere"),
)  # fmt: skip


def _quest_kind(conditions: Sequence[ConditionJson]) -> str | None:
    found = {str(one.get("state") or one.get("relation")) for one in conditions}
    found |= {"HERE" for one in conditions if one.get("from") == {"class": PLAYER} and one["relation"] == "INSIDE"}
    if found == {"INSIDE", "HERE"} and len(conditions) == 1:
        return "go somewhere"
    return next((words for what, words in _KINDS_OF_QUEST if what in found), None)
