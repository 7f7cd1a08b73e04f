"""Noun phrases, which actions, plans, requests and goals share: which things does "the two clean plates" mean?

"at least two clean plates from the sink" is a quantity, a state, a name (`names`) and a place. A place is a room or a
thing, and means what is in or on it at the moment asked about: the beginning for goals, the present for actions. Not
here: verbs (`clauses`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .....errors import GoalError, nearest
from ....facts.conditions import EVERY, ConditionJson
from ...engine.scene import Scene, bits
from ...engine.vocabulary import BETWEEN, CHARACTER_CLASS, INSIDE, ON, STATES
from ..phrases import STATE_WORDS
from .names import Having, read_name, said_as

if TYPE_CHECKING:
    from ...engine.world import World

NONE: Final = -1
"""The least number of what needs not be there at all."""

NUMBERS: Final = MappingProxyType(
    {word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)}
    | {"both": 2, "couple": 2, "several": 2, "single": 1, "a": 1, "an": 1}
)
_EVERY: Final = frozenset({"all", "every", "each", "any"})
_DEFINITE: Final = frozenset(
    {"the", "my", "your", "our", "this", "that", "these", "those", "its", "their", "his", "her"}
)
_INDEFINITE: Final = frozenset(
    {"a", "an", "some", "another", "other", "of", "pair", "piece", "pieces", "bit", "lot", "more"}
)
_BOUNDS: Final = tuple(
    (re.compile(rf"(?:{said}) (\w+) (?:of )?"), least, most)
    for said, least, most in (
        ("at least|no fewer than|no less than|not fewer than|not less than", 0, None),
        ("more than", 1, None),
        ("at most|no more than|not more than|up to|a maximum of", None, 0),
        ("fewer than|less than", None, -1),
        ("exactly|precisely|just", 0, 0),
    )
)
"""What is added to the number that follows, for the least and for the most."""
_NO: Final = re.compile(r"(?:not (?:a single|a|an|one|any)|no|none)\b ?")
_BUT: Final = re.compile(
    r"(?:all|every|each)(?: of)?(?: (?P<all>.+?))? (?:but|except|except for) (?P<few>\w+)(?: of (?P<of>.+))?"
)
"""All but some, which can be said of the things before or after: "all cups but one", "all but two of the cups"."""
_OR: Final = re.compile(r",? or |, (?=.* or )")
_WHOLE: Final = MappingProxyType(
    {
        "everything": "every thing",
        "anything": "every thing",
        "something": "a thing",
        "nothing": "no thing",
        "nobody": "no person",
        "no one": "no person",
        "somebody": "a person",
        "someone": "a person",
        "anybody": "every person",
        "anyone": "every person",
        "everybody": "every person",
        "everyone": "every person",
    }
)
_PRONOUN: Final = re.compile(rf"({'|'.join(_WHOLE)})\b")
QUANTIFIED: Final = re.compile(
    rf"(?:{'|'.join((*_WHOLE, *_EVERY, *NUMBERS))}|[0-9]{{1,3}}|no|not|none|at|more|up|fewer|less|exactly|precisely"
    r"|just)\b"
)
"""How a phrase begins that says how many."""
QUANTITY: Final = (
    r"(?:no|not (?:a single|a|an|one|any)"
    r"|(?:(?:at least|at most|exactly|more than|fewer than|less than|no more than|up to) )?"
    rf"(?:{'|'.join(NUMBERS)}|[0-9]{{1,3}}))"
)
"""A whole quantity, other than all of them."""
_STATE: Final = "|".join(sorted(STATE_WORDS, key=len, reverse=True))
ADJECTIVE: Final = r"(?:dirty|clean|opened|open|closed|unplugged|plugged in|lit)"
_ADJECTIVE: Final = re.compile(rf"({ADJECTIVE}) (.+)")
_RELATIVE: Final = re.compile(rf"(.+?) (?:that|which) (?:is|are) (?:still |left )?({_STATE})( .+)?")
_PLACE: Final = re.compile(r" (?:(?:that|which) (?:is|are) )?(in|on|inside|from|at|of|off|by) ")
_HOME: Final = re.compile(r"(?:whole |entire )?(?:house|home|flat|apartment|household|place)")
_VESSEL: Final = re.compile(r"(?:glass|cup|bottle|carton|loaf|slice|can|mug|bag|box|pack|roll)(?:es|s)? of ")
_ID: Final = re.compile(r"\s*(?:\(\s*(\d{1,18})\s*\)|#?\b(\d{1,18}))$")  # longer numbers are no ids
_LONGEST: Final = 16
"""How many spaces a name has at most: every "in" and "on" of it is tried as the one before its place."""
_MOVABLE: Final = "GRABBABLE"


class Moment(NamedTuple):
    """A household at one moment, as noun phrases speak of it."""

    scene: Scene
    states: Sequence[int]
    """For each state of `scene.state_names`, the bitset of nodes in it."""
    within: Callable[[int], int]
    """What is in or on some nodes, however deep; of a room its doors as well."""
    seen: bool = True
    """Whether it is a household that is there; else a name that may mean several classes means any of them."""


class Noun(NamedTuple):
    """A noun phrase, found in a household."""

    text: str
    """As it was said."""
    nodes: int
    """Bitset of the nodes that it may mean."""
    classes: tuple[str, ...]
    """Their classes."""
    number: int = 1
    """How many are meant at least: a number, `EVERY`, or `NONE`."""
    most: int | None = None
    """How many are meant at most."""
    definite: bool = False
    """Whether one thing that is known is meant: "the lamp"."""
    things: bool = False
    """Whether whatever can be carried is meant: "everything"."""
    name: str = ""
    """The text without its determiners."""
    fresh: bool = False
    """Whether it is said as of a thing that was not named before: "a lamp", "two lamps"."""
    same: str = ""
    """The name under which other nouns mean the same thing."""

    def selector(self, scene: Scene) -> dict[str, Any]:
        """Return the selector of conditions: by class where that is enough, else by id."""
        if self.things and self.nodes == scene.having[_MOVABLE]:
            return {"property": _MOVABLE}
        found = as_selector(self.nodes, scene, self.classes)
        return {**found, "same": self.same} if self.same else found

    def only(self, nodes: int, scene: Scene) -> Noun:
        """Return the same of some of the nodes."""
        return self._replace(nodes=nodes, classes=tuple(dict.fromkeys(scene.classes[n] for n in bits(nodes))))

    def counted(self, condition: dict[str, Any]) -> list[ConditionJson]:
        """Return the conditions on how many are so: at least, at most, or both."""
        found: list[ConditionJson] = []
        if self.number != NONE:
            found.append(_times(condition, self.number))
        if self.most is not None and (self.most == 0 or self.most < self.nodes.bit_count()):
            found.append({"not": _times(condition, self.most + 1)})
        return found


class _Found(NamedTuple):
    nodes: int
    classes: tuple[str, ...]
    plural: bool = False
    things: bool = False


class _Determined(NamedTuple):
    """A phrase without its determiners."""

    name: str
    number: int | None = None
    """None: as the noun says."""
    most: int | None = None
    definite: bool = False
    fewer: int = 0
    """How many of all are left out: "all cups but one"."""


def as_selector(nodes: int, scene: Scene, classes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the selector of some nodes: by class where that is enough, else by id.

    Args:
        nodes: Bitset of them.
        scene: Theirs.
        classes: Their classes, in the order in which they are named; that of the nodes if empty.
    """
    classes = classes or tuple(dict.fromkeys(scene.classes[n] for n in bits(nodes)))
    if nodes == scene.union(classes):
        parts: list[dict[str, Any]] = [{"class": name} for name in classes]
    else:
        parts = [{"id": scene.ids[n]} for n in bits(nodes)]
    return parts[0] if len(parts) == 1 else {"any": parts}


def beginning(scene: Scene) -> Moment:
    """Return a household as it is at the beginning."""
    return Moment(scene, scene.states, lambda nodes: _within(nodes, lambda more: _at_first(more, scene)))


def present(world: World) -> Moment:
    """Return a household as it is now."""
    into = tuple(world.into[relation] for relation in (INSIDE, ON, BETWEEN))

    def directly(nodes: int) -> int:
        found = 0
        for node in bits(nodes):
            for table in into:
                found |= table[node]
        return found

    return Moment(world.scene, world.having, lambda nodes: _within(nodes, directly))


def read_noun(text: str, moment: Moment) -> Noun:
    """Return what a noun phrase means.

    Raises:
        GoalError: nothing here has this name; half a sentence with the nearest name.
    """
    said = _determined(text)
    scene = moment.scene
    found = _find(said.name, moment, scene.everything)
    if found is None:
        raise GoalError(_missing(said.name or text, moment))
    there = found.nodes.bit_count()
    number = said.number
    if number is None:
        number = 1 if not found.plural else EVERY if said.definite else min(2, there)
    most = said.most
    if said.fewer:
        number = most = there - said.fewer
        if number < 1:
            raise GoalError(f"there are no more than {there} of {said.name} here")
    if number == EVERY and there == 1:
        number = 1
    definite = said.definite and not found.plural
    fresh = not said.definite and (found.plural or text.partition(" ")[0] in (*_INDEFINITE, *NUMBERS))
    return Noun(text, found.nodes, found.classes, number, most, definite, found.things, said.name, fresh)


def find_one(text: str, moment: Moment, among: int) -> int:
    """Return the bitset of the nodes that the name of one thing may mean; 0 where it says that there are several.

    Args:
        text: The name, with or without an article, a state, a place and an id: `"the plate in the sink"`,
            `"lamp 32"`.
        moment: The household.
        among: Bitset of the nodes that may be meant.
    """
    said = _determined(text)
    if said.number not in (None, 1) or said.most is not None:
        return 0
    found = _find(said.name, moment, among)
    return 0 if found is None else found.nodes


def merged(nouns: list[Noun]) -> list[Noun]:
    """Return nouns by class, as "the pillow from the couch and the pillow from the bed" are two pillows."""
    found: dict[int, Noun] = {}
    for noun in nouns:
        known = found.get(noun.nodes)
        alike = known is not None and min(known.number, noun.number) > 0
        found[noun.nodes] = known._replace(number=known.number + noun.number) if known and alike else noun
    return list(found.values())


def _determined(text: str) -> _Determined:
    """Take the determiners off a noun phrase."""
    text = text.replace("_", " ")
    text = _PRONOUN.sub(lambda match: _WHOLE[match[1]], text, count=1) if _PRONOUN.match(text) else text
    least: int | None = None
    most: int | None = None
    definite = False
    for pattern, low, high in _BOUNDS:
        match = pattern.match(text)
        number = _number(match[1]) if match else None
        if match is not None and number is not None:
            least = NONE if low is None else number + low
            most = None if high is None else number + high
            text = text[match.end() :]
            break
    if least is None and (match := _NO.match(text)):
        least, most, text = NONE, 0, text[match.end() :]
    if match := _BUT.fullmatch(text):
        name = _determined(match["of"] or match["all"])
        return name._replace(fewer=_number(match["few"]) or 0)
    words = text.split()
    while len(words) > 1:
        word = words[0]
        if word in _DEFINITE:
            definite = True
        elif word in _EVERY or (word not in _INDEFINITE and _number(word) is not None):
            if least is None:
                least = EVERY if word in _EVERY else _number(word)
        elif word not in _INDEFINITE:
            break
        del words[0]
    return _Determined(" ".join(words), least, most, definite)


def _number(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 4 else NUMBERS.get(word)


def _times(condition: dict[str, Any], number: int) -> ConditionJson:
    return condition if number == 1 else {**condition, "count": "all" if number == EVERY else number}


def _find(name: str, moment: Moment, among: int) -> _Found | None:
    scene = moment.scene
    if name.count(" ") > _LONGEST:
        return None
    if len(parts := _OR.split(name)) > 1:
        return _either([_find(_determined(part).name, moment, among) for part in parts])
    if number := _ID.search(name):
        index = scene.index.get(int(number[1] or number[2]))
        noun = name[: number.start()].strip()
        if index is None or not among >> index & 1 or (noun and _by_name(noun, scene, 1 << index) is None):
            return None
        return _Found(1 << index, (scene.classes[index],))
    if found := _by_name(name, scene, among):
        return found
    if match := _ADJECTIVE.fullmatch(name):
        inner = _find(match[2], moment, among)
        return _among(inner, _in_state(match[1], moment), scene)
    if match := _RELATIVE.fullmatch(name):
        inner = _find(f"{match[1]}{match[3] or ''}", moment, among)
        return _among(inner, _in_state(match[2], moment), scene)
    if match := _VESSEL.match(name):
        return _find(name[match.end() :], moment, among)
    for match in reversed(list(_PLACE.finditer(name))):
        where = _determined(name[match.end() :]).name
        inner = _find(name[: match.start()], moment, among)
        if inner and _HOME.fullmatch(where):
            return inner
        if inner and (place := _find(where, moment, scene.everything)):
            return _among(inner, moment.within(place.nodes), scene)
    for room in bits(scene.rooms):  # "the kitchen light"
        for said in said_as(scene.classes[room].replace("_", " ")):
            if name.startswith(f"{said} "):
                inner = _find(name[len(said) + 1 :], moment, among)
                return _among(inner, moment.within(1 << room), scene)
    return None


def _either(parts: Sequence[_Found | None]) -> _Found | None:
    """Return what any of some phrases means; None if one of them means nothing."""
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    nodes, classes = 0, dict[str, None]()
    for part in found:
        nodes |= part.nodes
        classes |= dict.fromkeys(part.classes)
    return _Found(nodes, tuple(classes), any(part.plural for part in found))


def _in_state(word: str, moment: Moment) -> int:
    return moment.states[STATES.index(STATE_WORDS[word])]


def _among(found: _Found | None, nodes: int, scene: Scene) -> _Found | None:
    if found is None or not found.nodes & nodes:
        return None
    kept = found.nodes & nodes
    return found._replace(nodes=kept, classes=tuple(dict.fromkeys(scene.classes[n] for n in bits(kept))))


def _at_first(nodes: int, scene: Scene) -> int:
    found = 0
    for source, relation, target in scene.edges:
        if relation in (INSIDE, ON, BETWEEN) and nodes >> target & 1:
            found |= 1 << source
    return found


def _within(places: int, directly: Callable[[int], int]) -> int:
    found, fresh = places, places
    while fresh:
        fresh = directly(fresh) & ~found
        found |= fresh
    return found & ~places


def _by_name(name: str, scene: Scene, among: int) -> _Found | None:
    """Find a name without a place."""
    if name in ("thing", "things", "stuff", "grabbable thing", "grabbable things"):
        nodes = scene.having[_MOVABLE] & among & ~scene.of_class.get(CHARACTER_CLASS, 0)
        classes = tuple(dict.fromkeys(scene.classes[n] for n in bits(nodes)))
        return _Found(nodes, classes, not name.endswith("thing"), True) if nodes else None
    if name in ("room", "rooms"):
        nodes = scene.rooms & among
        return _Found(nodes, tuple(dict.fromkeys(scene.classes[n] for n in bits(nodes))), name == "rooms")
    everything = among == scene.everything
    classes_here = frozenset(scene.of_class if everything else (scene.classes[n] for n in bits(among)))
    read = read_name(name, classes_here, _having(scene))
    if read is None:
        return None
    return _Found(scene.union(read.classes) & among, read.classes, read.plural)


@lru_cache(maxsize=16)
def _having(scene: Scene) -> Having:
    return tuple(
        (name, frozenset(scene.classes[n] for n in bits(nodes))) for name, nodes in scene.having.items() if nodes
    )


def _missing(name: str, moment: Moment) -> str:
    """Why a name means nothing, as half a sentence."""
    for match in (_ADJECTIVE.fullmatch(name), _RELATIVE.fullmatch(name)):
        if match is not None:
            state, thing = (match[1], match[2]) if match.re is _ADJECTIVE else (match[2], f"{match[1]}{match[3] or ''}")
            if _find(thing, moment, moment.scene.everything) is not None:
                return f"none of the {thing} here is {state}"
    head = next((name[: one.start()] for one in _PLACE.finditer(name)), name)
    name = name if head != name and _find(head, moment, moment.scene.everything) else head
    near = nearest(name, [own.replace("_", " ") for own in moment.scene.of_class])
    return f"there is no {name} here{f' (did you mean {near}?)' if near else ''}"
