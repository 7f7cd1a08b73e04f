"""The grammar of noun phrases that actions, plans, instructions and goals share: which things does a name mean?

"the two clean plates from the sink" is a quantity, a state, a name and a place. A name is a class in words, in the
singular or plural; a usual synonym; a kind of thing ("dishes"); or the last or first words of a class. A place is a
room or a thing, and means what is in or on it at the beginning. Not here: verbs (`phrases`, `parse_goal`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ....errors import GoalError
from ...facts.conditions import EVERY
from ..engine.scene import Scene, bits
from ..engine.vocabulary import BETWEEN, INSIDE, ON, STATES

NONE: Final = -1
"""The count of "no light"."""

_SYNONYMS: Final = tuple(
    tuple(row.split(", "))
    for row in """\
television, tv, tv set, telly, television set
fridge, refrigerator, freezer
couch, sofa, settee, loveseat
trashcan, trash can, garbage can, rubbish bin, waste bin, bin, dustbin, trash, garbage, wastebasket, garbage bin
phone, mobile phone, cell phone, telephone, cellphone, smartphone, mobile
computer, pc, laptop, desktop
bookshelf, bookcase, book shelf
closet, wardrobe
faucet, tap, water tap
stove, hob, cooker, stovetop
bathtub, bath, tub, bath tub
houseplant, plant, house plant, potted plant
cup, mug, coffee cup, teacup
sweater, jumper, pullover
pants, trousers, jeans
living room, lounge, sitting room, livingroom
home office, study, office
hallway, hall, corridor
laundry room, utility room
kids bedroom, children's room, kids room, nursery, child's bedroom
bathroom, restroom, washroom
dining room, diningroom
nightstand, bedside table, night stand
coffee maker, coffee machine, coffeemaker
washing machine, washer
newspaper, paper
lunch box, lunchbox
backpack, rucksack
floor lamp, standing lamp
table lamp, desk lamp, bedside lamp
light, lights, ceiling light, room light
kitchen counter, counter, worktop, countertop
kitchen knife, knife
remote control, remote
tooth paste, toothpaste
teddy bear, teddy
toy box, toybox, toy chest
laundry basket, hamper
armchair, easy chair
cat, kitty
child, kid
photo frame, picture frame, photo
curtain, drapes, curtains, blinds
""".strip().split("\n")
)
_KINDS: Final = MappingProxyType(
    {
        "dish": "plate bowl cup glass fork spoon pot frying_pan kitchen_knife",
        "cutlery": "fork spoon kitchen_knife",
        "lamp": "floor_lamp table_lamp lamp",
        "toy": "toy_car teddy_bear building_blocks ball board_game",
        "clothe": "CLOTHES",
        "laundry": "CLOTHES",
        "clothing": "CLOTHES",
        "garment": "CLOTHES",
        "food": "EATABLE",
        "grocery": "EATABLE DRINKABLE",
        "snack": "EATABLE",
        "fruit": "apple banana tomato",
        "drink": "DRINKABLE",
        "beverage": "DRINKABLE",
        "device": "HAS_SWITCH",
        "appliance": "HAS_SWITCH",
        "animal": "cat",
        "pet": "cat",
        "seat": "SITTABLE",
        "cupboard": "kitchen_cabinet bathroom_cabinet",
        "cabinet": "kitchen_cabinet bathroom_cabinet cabinet",
    }
)
"""Kinds of things: the classes, or in capitals the properties, of which they are."""
_NUMBERS: Final = MappingProxyType(
    {word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)}
    | {"both": 2, "couple": 2, "several": 2, "single": 1}
)
_EVERY: Final = frozenset({"all", "every", "each", "everything", "any"})
_DEFINITE: Final = frozenset(
    {"the", "my", "your", "our", "this", "that", "these", "those", "its", "their", "his", "her"}
)
_INDEFINITE: Final = frozenset(
    {"a", "an", "some", "another", "other", "of", "pair", "piece", "pieces", "bit", "lot", "more"}
)
_STATE_ADJECTIVES: Final = MappingProxyType(
    {
        "dirty": "DIRTY",
        "clean": "CLEAN",
        "open": "OPEN",
        "opened": "OPEN",
        "closed": "CLOSED",
        "unplugged": "PLUGGED_OUT",
    }
)
_PLACE: Final = re.compile(r" (?:(?:that|which) (?:is|are) )?(in|on|inside|from|at|of|off|by) ")
_VESSEL: Final = re.compile(r"(?:glass|cup|bottle|carton|loaf|slice|can|mug|bag|box|pack|roll)(?:es|s)? of ")
_ID: Final = re.compile(r"\s*(?:\(\s*(\d{1,18})\s*\)|#?\b(\d{1,18}))$")  # longer numbers are no ids
_IRREGULAR: Final = MappingProxyType({"children": "child", "people": "person", "knives": "knife", "shelves": "shelf"})


class Noun(NamedTuple):
    """A noun phrase, found in a scene."""

    text: str
    """As it was said."""
    nodes: int
    """Bitset of the nodes that it may mean."""
    classes: tuple[str, ...]
    """Their classes."""
    number: int = 1
    """How many are meant: a number, `EVERY`, or `NONE`."""
    definite: bool = False
    """Whether one thing that is known is meant: "the lamp"."""

    def selector(self, scene: Scene) -> dict[str, Any]:
        """Return the selector of conditions: by class where that is enough, else by id."""
        whole = scene.union(self.classes)
        if self.nodes == whole:
            parts: list[dict[str, Any]] = [{"class": name} for name in self.classes]
        else:
            parts = [{"id": scene.ids[n]} for n in bits(self.nodes)]
        return parts[0] if len(parts) == 1 else {"any": parts}


def read_noun(text: str, scene: Scene) -> Noun:
    """Return what a noun phrase means.

    Raises:
        GoalError: nothing here has this name; half a sentence with the nearest name.
    """
    count, definite, name = _determined(text)
    found = _find(name, scene)
    if found is None:
        raise GoalError(f"there is no {name or text} here{_hint(name, scene)}")
    nodes, classes, plural = found
    there = nodes.bit_count()
    if count is None:
        count = 1 if not plural else EVERY if definite else min(2, there)
    if count == EVERY and there == 1:
        count = 1
    return Noun(text, nodes, classes, count, definite and not plural)


def _determined(text: str) -> tuple[int | None, bool, str]:
    """Take the determiners off a noun phrase: how many (None: as the noun says), whether definite, and the rest."""
    words = text.split()
    count: int | None = None
    definite = False
    while len(words) > 1 or words[:1] == ["everything"]:
        word = words[0]
        if word == "everything":
            return EVERY, False, " ".join(words)
        if word in _EVERY:
            count = EVERY
        elif word == "no":
            count = NONE
        elif word in _NUMBERS:
            count = _NUMBERS[word]
        elif word.isdecimal() and len(word) < 4:
            count = int(word)
        elif word in _DEFINITE:
            definite = True
        elif word not in _INDEFINITE:
            break
        del words[0]
    return count, definite, " ".join(words)


def _find(name: str, scene: Scene) -> tuple[int, tuple[str, ...], bool] | None:
    number = re.search(r"\s*\((\d{1,18})\)$", name)
    if number:
        index = scene.index.get(int(number[1]))
        noun = name[: number.start()]
        known = index is not None and (not noun or _by_name(noun, scene, 1 << index)[0])
        return (1 << index, (scene.classes[index],), False) if known and index is not None else None
    nodes, classes, plural = _by_name(name, scene, scene.everything)
    if nodes:
        return nodes, classes, plural
    head, _, rest = name.partition(" ")
    if head in _STATE_ADJECTIVES and rest:
        inner = _find(rest, scene)
        state = scene.states[STATES.index(_STATE_ADJECTIVES[head])]
        return _among(inner, state, scene)
    if vessel := _VESSEL.match(name):
        return _find(name[vessel.end() :], scene)
    for match in reversed(list(_PLACE.finditer(name))):
        inner, place = _find(name[: match.start()], scene), _find(_determined(name[match.end() :])[2], scene)
        if inner and place:
            return _among(inner, _within(place[0], scene), scene)
    for room in bits(scene.rooms):  # "the kitchen light"
        for said in _said_as(scene.classes[room]):
            if name.startswith(f"{said} "):
                inner = _find(name[len(said) + 1 :], scene)
                return _among(inner, _within(1 << room, scene), scene)
    return None


def _among(
    found: tuple[int, tuple[str, ...], bool] | None, nodes: int, scene: Scene
) -> tuple[int, tuple[str, ...], bool] | None:
    if found is None or not found[0] & nodes:
        return None
    kept = found[0] & nodes
    return kept, tuple(dict.fromkeys(scene.classes[n] for n in bits(kept))), found[2]


def _within(places: int, scene: Scene) -> int:
    """What is in or on some nodes at the beginning, however deep; of a room its doors as well."""
    found = places
    while True:
        more = found
        for source, relation, target in scene.edges:
            if relation in (INSIDE, ON, BETWEEN) and found >> target & 1:
                more |= 1 << source
        if more == found:
            return found & ~places
        found = more


def _by_name(name: str, scene: Scene, among: int) -> tuple[int, tuple[str, ...], bool]:
    """Find a name without a place: nodes, classes, and whether it is a plural."""
    if name in ("everything", "thing", "things"):
        return among & ~scene.rooms & ~scene.of_class.get("character", 0), scene.classes, True
    classes: Mapping[str, str] = {own.lower().replace("_", " "): own for own in scene.of_class}
    forms = [(name, False), *((form, True) for form in _singulars(name))]
    for form, plural in forms:
        for said in _said_as(form):
            if said in classes and (nodes := scene.of_class[classes[said]] & among):
                return nodes, (classes[said],), plural and said != name
        if form in _KINDS and (nodes := _kind(_KINDS[form], scene) & among):
            own = tuple(dict.fromkeys(scene.classes[n] for n in bits(nodes)))
            return nodes, own, plural or form in ("laundry", "clothing", "food", "cutlery", "fruit")
    for last in (True, False):
        for form, plural in forms:
            own = tuple(
                name
                for said, name in classes.items()
                if form
                and (said.endswith(f" {form}") if last else said.startswith(f"{form} "))
                and scene.of_class[name] & among
            )
            if own:
                return scene.union(own) & among, own, plural
    return 0, (), False


def _kind(words: str, scene: Scene) -> int:
    found = 0
    for word in words.split():
        found |= scene.having.get(word, 0) if word.isupper() else scene.of_class.get(word, 0)
    return found


def _said_as(name: str) -> Iterator[str]:
    """A name with its synonyms."""
    name = name.replace("_", " ")
    yield name
    for row in _SYNONYMS:
        if name in row:
            yield from row


def _singulars(name: str) -> Iterable[str]:
    """What a name may be the plural of."""
    start, _, last = name.rpartition(" ")
    found = [_IRREGULAR[last]] if last in _IRREGULAR else []
    if last.endswith("ies"):
        found.append(f"{last[:-3]}y")
    if last.endswith("es"):
        found.append(last[:-2])
    if last.endswith("s") and not last.endswith("ss"):
        found.append(last[:-1])
    return [f"{start} {word}".strip() for word in found]


def _hint(name: str, scene: Scene) -> str:
    near = difflib.get_close_matches(name, [own.lower().replace("_", " ") for own in scene.of_class], n=1)
    return f" (did you mean {near[0]}?)" if near else ""
