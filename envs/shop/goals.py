"""What to buy: goals made from a catalogue, in an order that is the same everywhere, identified by a hash.

WebShop draws prices before it seeds its generator, so its workers disagree on the goals; here every draw belongs to
its product (`HashRandom`). The order is a shuffle that belongs to the goals themselves. As is the custom, the first 500
are for testing, the next 1,000 for development, the rest for training.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from ...errors import DataError, GoalError, unknown
from ...stable_random import HashRandom, lot
from .catalogue import Product, ProductCatalogue

NO_LIMIT: Final = 1_000_000.0
"""The limit of a goal that names none."""
KINDS: Final = ("human", "synthetic")
SPLITS: Final[Mapping[str, tuple[int, int | None]]] = {"test": (0, 500), "dev": (500, 1500), "train": (1500, None)}
"""Which goals belong to which split, as the first and the one after the last."""

_LIMITS: Final = tuple(10.0 * step for step in range(1, 100))


class ShopGoal(NamedTuple):
    """What to buy."""

    asin: str
    """The product that was in mind; others of its kind may do as well."""
    text: str
    attributes: tuple[str, ...]
    options: Mapping[str, str] | tuple[str, ...]
    """Values by option; or, in what people wrote, values alone."""
    price_upper: float
    """In dollars."""

    def condition(self) -> dict[str, Any]:
        """Return the goal as the condition of a task, in plain JSON."""
        options = dict(self.options) if isinstance(self.options, Mapping) else list(self.options)
        return {
            "buy": self.asin,
            "attributes": list(self.attributes),
            "options": options,
            "price_upper": self.price_upper,
        }


class Goals:
    """The goals of one kind that a catalogue gives."""

    def __init__(self, catalogue: ProductCatalogue, kind: str = "human") -> None:
        """Make them.

        Args:
            catalogue: The products.
            kind: "human": what people wrote; "synthetic": attributes and every combination of options.

        Raises:
            UnknownNameError: there is no such kind.
            DataError: the catalogue has no goals of it.
        """
        if kind not in KINDS:
            raise unknown("kind of shop goals", kind, KINDS)
        make = _human if kind == "human" else _synthetic
        found = [goal for product in catalogue.products for goal in make(catalogue, product)]
        if not found:
            raise DataError(f"The catalogue {catalogue.name} has no {kind} goals: its file of instructions is empty.")
        found.sort(key=lambda goal: lot(catalogue.seed, "order", _key(goal).decode()))
        self.all: tuple[ShopGoal, ...] = tuple(found)
        self.digest: Final = hashlib.sha256(b"\n".join(map(_key, self.all))).hexdigest()[:16]
        """Identifies the goals and their order: equal digests, equal tasks."""

    def split(self, name: str) -> Sequence[ShopGoal]:
        """Return the goals of a split: `"test"`, `"dev"` or `"train"`.

        Raises:
            UnknownNameError: there is no such split.
            DataError: the catalogue is too small to have goals in it.
        """
        if name not in SPLITS:
            raise unknown("split of goals", name, SPLITS)
        begin, end = SPLITS[name]
        goals = self.all[begin:end]
        if not goals:
            raise DataError(f"There are {len(self.all)} goals only, so none are left for the split {name!r}.")
        return goals


def read_goal(text: str, condition: Mapping[str, Any], catalogue: ProductCatalogue) -> ShopGoal:
    """Read the condition that `ShopGoal.condition` wrote.

    Raises:
        GoalError: it is not one, or the catalogue lacks the product.
    """
    try:
        asin, options = condition["buy"], condition["options"]
        chosen = dict(options) if isinstance(options, Mapping) else tuple(options)
        goal = ShopGoal(asin, text, tuple(condition["attributes"]), chosen, float(condition["price_upper"]))
    except (KeyError, TypeError, ValueError) as error:
        raise GoalError(
            "A condition of the shop is {'buy': product, 'attributes': [...], 'options': {...} or [...], "
            f"'price_upper': dollars}}, not {dict(condition)!r}."
        ) from error
    if goal.asin not in catalogue.by_asin:
        raise GoalError(f"The goal's product {goal.asin!r} is not in the catalogue {catalogue.name}: name another one.")
    return goal


def _human(catalogue: ProductCatalogue, product: Product) -> Iterator[ShopGoal]:
    for place, one in enumerate(product.instructions):
        if one.attributes:
            limit, words = _limit(catalogue, product, place)
            yield ShopGoal(product.asin, one.text.strip(".") + words, one.attributes, one.options, limit)


def _synthetic(catalogue: ProductCatalogue, product: Product) -> Iterator[ShopGoal]:
    if not product.instruction or not product.wished:
        return
    limit, words = _limit(catalogue, product, "synthetic")
    names = sorted(product.options)
    for values in itertools.product(*(product.options[name] for name in names)):
        chosen = dict(zip(names, values, strict=True))
        options = ", and ".join(f"{name}: {value}" for name, value in chosen.items())
        text = f"{product.instruction}{' with ' if options else ''}{options}{words}"
        yield ShopGoal(product.asin, text, product.wished, chosen, limit)


def _limit(catalogue: ProductCatalogue, product: Product, place: object) -> tuple[float, str]:
    """Return the larger of two of the four next multiples of $10 above the price, and how it is written."""
    price = catalogue.price(product)
    above = [limit for limit in _LIMITS if limit > price][:4]
    if len(above) < 2:
        return NO_LIMIT, ""
    limit = max(HashRandom(catalogue.seed, "limit", product.asin, place).some(above, 2))
    return limit, f", and price lower than {limit:.2f} dollars"


def _key(goal: ShopGoal) -> bytes:
    return orjson.dumps([goal.text, goal.condition()])
