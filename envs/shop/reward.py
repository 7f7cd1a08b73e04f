"""WebShop's reward: how well what was bought fits what was asked for (Yao et al. 2022, and their `goal.py`).

    reward = type * (attributes matched + options matched + [price <= limit]) / (attributes + options + 1)

Comparisons of words are `thefuzz`'s `token_set_ratio`, here by way of `rapidfuzz` with the same preparation. One part
cannot be reproduced: WebShop finds the nouns of titles with a spaCy model, which no package index has. By default
every word of letters that is no stop word counts as a noun; with the model at hand, give the environment
`nouns=spacy_nouns("en_core_web_sm")`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ...errors import MissingDependencyError
from ...extras import needed_by
from ..documents.ranking import STOPWORDS
from .catalogue import LEVEL, Product
from .goals import ShopGoal

Nouns = Callable[[str], Sequence[str]]
"""Given a title, its nouns in lower case, in order."""

ALIKE: Final = 85
"""Words are alike if their ratio, rounded, is above this."""

COLOURS: Final = tuple(
    """alabaster apricot aqua ash asphalt azure banana beige black blue blush bordeaux bronze brown burgundy camel camo
    caramel champagne charcoal cheetah chestnut chocolate christmas coffee cognac copper coral cranberry cream crystal
    dark denim eggplant elephant espresso fuchsia gold granite grape graphite grass gray green grey heather indigo ivory
    ivy khaki lavender lemon leopard light lilac lime magenta maroon mauve merlot midnight mint mocha multicolor
    mushroom mustard natural navy nude olive orange peach pewter pink plum purple rainbow red rose royal rust sand
    sapphire seashell silver skull slate steel stone stonewash sunflower tan taupe teal tiger turquoise violet walnut
    wheat white wine yellow""".split()
)
"""WebShop's colours: an option's value that contains one is taken for the first that it contains."""

_WORD: Final = re.compile(r"\w+")
_BEYOND_ASCII: Final = dict.fromkeys(range(128, 256))


class Reward(NamedTuple):
    """A reward with its parts."""

    total: float
    """In [0, 1]; 1 is success."""
    kind: float
    """1 for the same kind of thing, 0.5, 0.1 or 0 for others."""
    attributes: int
    """How many were matched."""
    options: int
    """How many were matched."""
    price: bool
    """Whether the price is within the limit."""


def reward(
    bought: Product, chosen: Sequence[str], price: float, goal: ShopGoal, wanted: Product, nouns: Nouns
) -> Reward:
    """Return what buying something earns.

    Args:
        bought: The product.
        chosen: The values of the options that were chosen.
        price: What it costs, in dollars.
        goal: What was asked for.
        wanted: The product that the goal was made from.
        nouns: Finds the nouns of titles.

    Raises:
        MissingDependencyError: rapidfuzz is not installed.
    """
    attributes = sum(has_attribute(bought, attribute) for attribute in goal.attributes)
    given = [colour_of(value) for value in chosen]
    asked = asked_options(goal)
    options = sum(any(alike(one, value) for one in given) for value in asked)
    affordable = price <= goal.price_upper
    kind = kind_reward(bought, wanted, nouns)
    total = kind * (attributes + options + affordable) / (len(goal.attributes) + len(asked) + 1)
    return Reward(total, kind, attributes, options, affordable)


def kind_reward(bought: Product, wanted: Product, nouns: Nouns) -> float:
    """Return 1 if two products are of a kind, by their query, departments or the nouns of their titles; else less."""
    bought_nouns, wanted_nouns = nouns(bought.title), nouns(wanted.title)
    # Distinct nouns in common, out of all of them with repetitions: as WebShop counts.
    share = len(set(bought_nouns) & set(wanted_nouns)) / len(wanted_nouns) if wanted_nouns else 0.2
    if share == 0:
        return 0.0
    if share < 0.1:
        return 0.1
    same_query = bought.query == wanted.query
    same_place = len(_levels(bought.path) & _levels(wanted.path)) >= 2
    return 1.0 if same_query or same_place or share > 0.2 else 0.5


def has_attribute(product: Product, attribute: str) -> bool:
    """Return whether a product has an attribute: among its own, or word for word in its texts."""
    return (
        any(alike(own, attribute) for own in product.attributes)
        or attribute in product.title.lower()
        or attribute in " ".join(product.bullets).lower()
        or attribute in product.description.lower()
    )


def asked_options(goal: ShopGoal) -> list[str]:
    """Return the options of a goal as they are compared.

    A goal that names its options is compared as WebShop does, which writes the name and the value as one text; its
    colours are then not reduced to one word, and a few goals cannot be met in full.
    """
    if isinstance(goal.options, Mapping):
        return [
            next((colour for colour in COLOURS if colour in (name, value)), str((name, value)))
            for name, value in goal.options.items()
        ]
    return [colour_of(value) for value in goal.options]


@lru_cache(maxsize=1 << 16)
def colour_of(value: str) -> str:
    """Return the first of WebShop's colours that a value contains, else the value."""
    return next((colour for colour in COLOURS if colour in value), value)


@lru_cache(maxsize=1 << 18)
def alike(one: str, other: str) -> bool:
    """Return whether two texts are alike by their sets of words (`thefuzz.fuzz.token_set_ratio` above 85)."""
    with needed_by("The shop"):
        from rapidfuzz import fuzz, utils
    prepared = (utils.default_process(text.translate(_BEYOND_ASCII)) for text in (one, other))
    return round(fuzz.token_set_ratio(*prepared)) > ALIKE


@lru_cache(maxsize=1 << 16)
def plain_nouns(title: str) -> tuple[str, ...]:
    """Return every word of letters that is no stop word: what stands in for a tagger."""
    return tuple([word for word in _WORD.findall(title.lower()) if word.isalpha() and word not in STOPWORDS])


def spacy_nouns(model: str = "en_core_web_sm") -> Nouns:
    """Return what finds nouns as WebShop does, with a spaCy model.

    Raises:
        MissingDependencyError: spaCy or the model is not installed.
    """
    try:
        import spacy

        tagger = spacy.load(model)
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f"Tagging nouns needs spaCy and its model {model!r}: pip install spacy, and the model from spaCy's pages."
        ) from error

    @lru_cache(maxsize=1 << 16)
    def nouns(title: str) -> tuple[str, ...]:
        return tuple([token.text.lower() for token in tagger(title) if token.pos_ in ("PNOUN", "NOUN", "PROPN")])

    return nouns


@lru_cache(maxsize=1 << 16)
def _levels(path: str) -> frozenset[str]:
    return frozenset(level.strip() for level in path.split(LEVEL))
