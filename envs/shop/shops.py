"""Shops by name, each made once and kept: its catalogue, its goals, its pages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from ...errors import ConfigError
from .catalogue import ProductCatalogue
from .generated import PRODUCTS, generated_catalogue
from .goals import Goals
from .official import load_official
from .pages import ShopPages
from .reward import alike

GENERATED: Final = "generated"


class Shop:
    """A catalogue with what is made of it on demand."""

    def __init__(self, catalogue: ProductCatalogue) -> None:
        """Open a shop."""
        self.catalogue = catalogue
        self._goals: dict[str, Goals] = {}
        self._pages: dict[bool, ShopPages] = {}

    def prepare(self) -> None:
        """Make the search now, and see that the packages are there, rather than at the first search or purchase.

        Raises:
            MissingDependencyError: one is not installed.
        """
        _ = self.catalogue.index
        alike("", "")

    def goals(self, kind: str = "human") -> Goals:
        """Return the goals of a kind; see `Goals`."""
        if kind not in self._goals:
            self._goals[kind] = Goals(self.catalogue, kind)
        return self._goals[kind]

    def pages(self, *, show_attributes: bool = False) -> ShopPages:
        """Return the pages."""
        if show_attributes not in self._pages:
            self._pages[show_attributes] = ShopPages(self.catalogue, show_attributes=show_attributes)
        return self._pages[show_attributes]


@lru_cache(maxsize=8)
def shop_named(name: str) -> Shop:
    """Return a shop: `"generated"`, `"generated:SEED"`, `"generated:SEED:PRODUCTS"`, or a folder of WebShop's files.

    Raises:
        ConfigError: seed or number of products is no number.
        DataError: the folder's files are missing or are not WebShop's.
    """
    kind, *numbers = name.split(":")
    if kind != GENERATED:
        return Shop(load_official(Path(name)))
    if len(numbers) > 2 or not all(number.isdigit() for number in numbers) or numbers[1:] == ["0"]:
        raise ConfigError(
            f"A generated catalogue is 'generated', 'generated:SEED' or 'generated:0:1200', not {name!r}."
        )
    seed, count = (*map(int, numbers), *(0, PRODUCTS)[len(numbers) :])
    return Shop(generated_catalogue(seed, count))
