"""What a shop sells, and how it is searched; products are read from WebShop's own file format.

WebShop's field names (`name`, `full_description`, `small_description`, `pricing`, `customization_options`, ...) are
those of its `items_shuffle.json`; the attributes and instructions are in two more files. Not here: images other than
the address of the first, reviews and ratings, which WebShop's files do not hold either.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Final, NamedTuple

from ...errors import DataError
from ...stable_random import lot
from ..documents.ranking import Bm25

RESULTS: Final = 50
"""The maximum number of products that a search finds."""
PER_PAGE: Final = 10
"""The number of products on a page."""
NO_PRICE: Final = 100.0
"""The price in dollars of a product that names none."""

LEVEL: Final = "\u203a"
"""What parts the departments of a path: a single angle quotation mark, with blanks around it."""

_LONGEST_ASIN: Final = 10


class Instruction(NamedTuple):
    """What somebody was asked to buy, or asked for, with one product in mind."""

    text: str
    attributes: tuple[str, ...]
    options: tuple[str, ...]
    """Values of options, without saying of which option."""


class Product(NamedTuple):
    """A product as its pages show it."""

    asin: str
    """Its number in the shop."""
    title: str
    description: str
    bullets: tuple[str, ...]
    prices: tuple[float, ...]
    """One price in dollars, or the two ends of a range; empty if the file names none."""
    tag: str
    """The price as the shop shows it: `"$9.99 to $12.5"`."""
    options: Mapping[str, tuple[str, ...]]
    """Values by option, all in lower case."""
    category: str
    """One of five: beauty, electronics, fashion, garden, grocery."""
    query: str
    """The search by which the product was once collected; products of one kind share it."""
    path: str
    """Its place in the shop's departments, parted by `LEVEL`."""
    image: str
    """The address of its picture."""
    attributes: tuple[str, ...]
    """What a buyer may ask of it: `"gluten free"`."""
    instruction: str
    """A sentence made from some attributes, from which goals without people are made; empty if there is none."""
    wished: tuple[str, ...]
    """Those attributes."""
    instructions: tuple[Instruction, ...]
    """What people wrote with this product in mind."""

    @property
    def index_text(self) -> str:
        """What the search knows of it."""
        options = ", and ".join(f"{name}: {', '.join(values)}" for name, values in self.options.items())
        first = self.bullets[0] if self.bullets else ""
        return " ".join((self.title, self.description, first, options)).lower()


class ProductCatalogue:
    """Products in order, with their prices and the search over them; never changed after it was made."""

    def __init__(self, products: Iterable[Product], name: str, *, seed: int = 233) -> None:
        """Take products.

        Args:
            products: In the order in which ties of a search are shown.
            name: What to call them: a folder, or `"generated:0"`.
            seed: From which prices follow where the shop names a range, and the order of goals.

        Raises:
            DataError: there are none.
        """
        self.products = tuple(products)
        self.name = name
        self.seed = seed
        if not self.products:
            raise DataError(f"The catalogue {name} has no products: look at its file of items.")
        self.by_asin: Mapping[str, Product] = {product.asin: product for product in self.products}

    @cached_property
    def index(self) -> Bm25:
        """The search, made when it is first asked."""
        return Bm25([product.index_text for product in self.products])

    @cached_property
    def digest(self) -> str:
        """Identifies the products and prices: the first 16 hex digits of a SHA-256."""
        rows = [[*product, self.price(product)] for product in self.products]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]

    def price(self, product: Product) -> float:
        """Return what a product costs, in dollars; within a range it depends on the seed and the product alone."""
        if len(product.prices) < 2:
            return product.prices[0] if product.prices else NO_PRICE
        low, high = product.prices
        return low + (high - low) * lot(self.seed, "price", product.asin)

    def search(self, query: str) -> tuple[Product, ...]:
        """Return the best products for a query, best first, at most 50."""
        return tuple([self.products[place] for place in self.index.search(query, RESULTS)])


def read_products(
    items: Sequence[Mapping[str, Any]], attributes: Mapping[str, Any], people: Mapping[str, Any]
) -> list[Product]:
    """Read products as WebShop does: a number that comes again, is `nan` or has more than ten characters is skipped.

    Args:
        items: The content of `items_shuffle.json`.
        attributes: The content of `items_ins_v2.json`: by number `attributes`, `instruction`, `instruction_attributes`.
        people: The content of `items_human_ins.json`: by number a list of instructions.

    Raises:
        DataError: an item lacks something; it is named.
    """
    products: dict[str, Product] = {}
    for place, item in enumerate(items):
        try:
            asin = item["asin"]
            if asin != "nan" and len(asin) <= _LONGEST_ASIN and asin not in products:
                products[asin] = _product(item, attributes.get(asin) or {}, people.get(asin) or ())
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            name = item.get("asin", "without a number") if isinstance(item, Mapping) else "that is no object"
            raise DataError(
                f"Item {place + 1} ({name}) is not as WebShop's files have it ({type(error).__name__}: {error}): "
                "fetch the file again, or fix that item."
            ) from error
    return list(products.values())


def _product(item: Mapping[str, Any], notes: Mapping[str, Any], people: Sequence[Mapping[str, Any]]) -> Product:
    bullets = item["small_description"]
    prices = _prices(item.get("pricing"))
    return Product(
        asin=item["asin"],
        title=item["name"],
        description=item["full_description"] or "",
        bullets=tuple(bullets if isinstance(bullets, list) else [bullets or ""]),
        prices=prices,
        tag=" to ".join(f"${price}" for price in prices or (NO_PRICE,)),
        options=_options(item["customization_options"]),
        category=item["category"],
        query=item["query"].lower().strip(),
        path=item["product_category"],
        image=(item.get("images") or [""])[0],
        attributes=tuple(notes.get("attributes") or ()) if "attributes" in notes else ("DUMMY_ATTR",),
        instruction=notes.get("instruction") or "",
        wished=tuple(notes.get("instruction_attributes") or ()),
        instructions=tuple(
            Instruction(one["instruction"], tuple(one["instruction_attributes"]), tuple(one["instruction_options"]))
            for one in people
        ),
    )


def _prices(written: str | None) -> tuple[float, ...]:
    """Read `"$9.99$12.50"`."""
    return tuple(float(Decimal(re.sub(r"[^\d.]", "", one))) for one in (written or "").split("$")[1:3])


def _options(written: Mapping[str, Any] | str | None) -> dict[str, tuple[str, ...]]:
    if not isinstance(written, Mapping):
        return {}
    return {
        name.lower(): tuple([one["value"].strip().replace("/", " | ").lower() for one in values])
        for name, values in written.items()
        if values is not None
    }
