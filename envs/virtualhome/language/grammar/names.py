"""What things are called: the classes that a name means, which actions, plans, requests and goals all ask for here.

A name is a class in words, in the singular or plural; a usual synonym; a kind of thing ("dishes"); or the last or first
words of a class. Not here: articles, numbers, states and places around the name (`nouns`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

Having = tuple[tuple[str, frozenset[str]], ...]
"""The classes with each property."""

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
dining table, kitchen table, dinner table
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
        "lighting": "light ceiling_lamp floor_lamp table_lamp wall_lamp lamp",
        "person": "character child man woman",
    }
)
"""Kinds of things: the classes, or in capitals the properties, of which they are."""
_IRREGULAR: Final = MappingProxyType({"children": "child", "people": "person"})


class Name(NamedTuple):
    """What a name means among some classes."""

    classes: tuple[str, ...]
    plural: bool = False


_MASS_KINDS: Final = ("laundry", "clothing", "food", "cutlery", "fruit", "lighting")


@lru_cache(maxsize=1 << 12)
def read_name(name: str, classes: frozenset[str], having: Having = ()) -> Name | None:
    """Return the classes that a name means, or None.

    Args:
        name: In lower case with single spaces, without an article.
        classes: Those that there are, as script lines write them.
        having: The classes with each property, for kinds such as "clothes".
    """
    said = {own.replace("_", " "): own for own in classes}
    forms = [(name, False), *((form, True) for form in _singulars(name))]
    for form, plural in forms:
        for other in said_as(form):
            if other in said:
                return Name((said[other],), plural and other != name)
        if form in _KINDS and (own := _kind(_KINDS[form], classes, dict(having))):
            return Name(own, plural or form in _MASS_KINDS)
    for last in (True, False):
        for form, plural in forms:
            found = [
                own
                for words, own in said.items()
                if form and (words.endswith(f" {form}") if last else words.startswith(f"{form} "))
            ]
            if found:
                return Name(tuple(sorted(found)), plural)
    return None


def _kind(words: str, classes: frozenset[str], having: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    found: set[str] = set()
    for word in words.split():
        found |= having.get(word, frozenset()) if word.isupper() else {word}
    return tuple(sorted(found & classes))


def said_as(name: str) -> Iterator[str]:
    """Yield a name, in words, and its synonyms."""
    yield name
    for row in _SYNONYMS:
        if name in row:
            yield from row


def _singulars(name: str) -> Iterable[str]:
    """What a name may be the plural of."""
    start, _, last = name.rpartition(" ")
    found = [_IRREGULAR[last]] if last in _IRREGULAR else []
    if last.endswith("ves"):
        found += [f"{last[:-3]}f", f"{last[:-3]}fe"]
    if last.endswith("ies"):
        found.append(f"{last[:-3]}y")
    if last.endswith("es"):
        found.append(last[:-2])
    if last.endswith("s") and not last.endswith("ss"):
        found.append(last[:-1])
    return [f"{start} {word}".strip() for word in found]
