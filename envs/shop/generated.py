"""A catalogue of our own, generated from a seed: what the shop sells where WebShop's files are not at hand.

Five categories, 85 kinds of thing, invented brands; attributes, options and prices as such things have them, and
instructions as people write them. It is made in WebShop's file format (`wares.json` holds the words) and read by the
same code. It is no substitute for WebShop's data in a comparison with published figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from ...stable_random import HashRandom
from .catalogue import LEVEL, ProductCatalogue, read_products

PRODUCTS = 1200
"""How many products a generated catalogue has unless another number is asked for."""

_DIGITS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Files(NamedTuple):
    """A catalogue in WebShop's file format."""

    items: list[dict[str, Any]]
    """`items_shuffle.json`."""
    attributes: dict[str, Any]
    """`items_ins_v2.json`."""
    people: dict[str, list[dict[str, Any]]]
    """`items_human_ins.json`."""


@lru_cache(maxsize=4)
def generated_catalogue(seed: int = 0, count: int = PRODUCTS) -> ProductCatalogue:
    """Return the catalogue that belongs to a seed; the same one while it is kept, for it takes a second to make."""
    return ProductCatalogue(read_products(*generate(seed, count)), f"generated:{seed}:{count}")


def generate(seed: int, count: int = PRODUCTS) -> Files:
    """Generate products, in WebShop's file format.

    Args:
        seed: The same seed makes the same products on every machine.
        count: How many; a longer catalogue begins with the shorter one.
    """
    wares = json.loads(files(__package__).joinpath("wares.json").read_text("utf-8"))
    kinds = [
        {**kind, "category": category, "path": f"{department['root']} {LEVEL} {kind['path']}"}
        for category, department in wares["categories"].items()
        for kind in department["kinds"]
    ]
    # Kinds in turn, each round in its own order, so that any number of products has all categories.
    made = Files([], {}, {})
    for begin in range(0, count, len(kinds)):
        order = HashRandom(seed, "round", begin).some(kinds, len(kinds))
        for number, kind in enumerate(order[: count - begin], begin):
            _make(made, HashRandom(seed, "product", number), kind, wares)
    return made


def _make(made: Files, lots: HashRandom, kind: Mapping[str, Any], wares: Mapping[str, Any]) -> None:
    """Make one product and put it into the files."""
    asin = _new_asin(lots, made.attributes)
    phrases = wares["phrases"]
    brand = "".join(map(lots.pick, wares["brands"]))
    pool = list(dict.fromkeys(one for name in kind["attributes"] for one in wares["attributes"][name]))
    attributes = lots.some(pool, lots.between(3, 6))
    options = {name: _values(lots, wares["lists"][values]) for name, values in kind["options"].items()}
    words = {"noun": kind["noun"].lower(), "brand": brand, "attributes": _listed(attributes[:3])}
    low = round(kind["price"][0] * (kind["price"][1] / kind["price"][0]) ** lots.uniform(), 2)
    high = round(low * (1.1 + lots.uniform()), 2)
    made.items.append(
        {
            "asin": asin,
            "name": f"{brand} {kind['noun']}, {', '.join(one.title() for one in attributes[:3])}",
            "full_description": lots.pick(phrases["descriptions"]).format(**words, use=lots.pick(phrases["uses"])),
            "small_description": [
                *(
                    lots.pick(phrases["attribute_bullets"]).format(**words, attribute=one).capitalize()
                    for one in attributes
                ),
                *lots.some(phrases["uses"], 2),
            ],
            "pricing": f"${low}" if lots.uniform() < 0.6 else f"${low}${high}",
            "customization_options": {
                name: [{"value": value, "image": None} for value in values] for name, values in options.items()
            },
            "category": kind["category"],
            "query": kind["query"],
            "product_category": kind["path"],
            "images": [""],
        }
    )
    wished = lots.some(attributes, min(len(attributes), lots.between(1, 3)))
    made.attributes[asin] = {
        "attributes": attributes,
        "instruction": f"Find me {', '.join(wished)} {kind['query']}",
        "instruction_attributes": wished,
    }
    made.people[asin] = [_ask(lots, kind["noun"].lower(), attributes, options, phrases) for _ in range(3)]


def _ask(
    lots: HashRandom,
    noun: str,
    attributes: Sequence[str],
    options: Mapping[str, Sequence[str]],
    phrases: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Write an instruction as somebody would who has a product in mind."""
    wanted = lots.some(attributes, lots.between(1, 3))
    asked = [lots.pick(options[name]) for name in options if lots.uniform() < 0.75]
    form = lots.pick(phrases["kinds"])
    if asked:
        values = " and ".join(asked)
        short = lots.pick(phrases["options"]).format(values=values)
        sentence = lots.pick(phrases["options_sentence"]).format(values=values)
    else:
        short = sentence = ""
    text = form.format(
        asks=lots.pick(phrases["asks"]),
        noun=noun,
        attributes=", ".join(wanted),
        attributes_and=_listed(wanted),
        options=short,
        options_sentence=sentence,
    )
    return {"instruction": text.strip(), "instruction_attributes": wanted, "instruction_options": asked}


def _new_asin(lots: HashRandom, taken: Mapping[str, Any]) -> str:
    while (asin := "B0" + "".join(lots.pick(_DIGITS) for _ in range(8))) in taken:
        pass
    return asin


def _values(lots: HashRandom, values: Sequence[str]) -> list[str]:
    """Return some of an option's values, in their usual order."""
    chosen = set(lots.some(values, lots.between(2, 6)))
    return [value for value in values if value in chosen]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
