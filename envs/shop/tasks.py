"""Tasks of the shop, what solves them, and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...errors import ConfigError
from ...experience import Goal, Task
from ...stable_random import HashRandom
from ..contract import Requirement
from .catalogue import PER_PAGE, Product
from .goals import ShopGoal
from .pages import BUY, NEXT
from .reward import alike, colour_of
from .shops import GENERATED, Shop, shop_named

ENV: Final = "pathei/WebShop-v0"


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return goals of the training split of the generated catalogue, in an order that belongs to the seed.

    Raises:
        ConfigError: more are asked for than there are.
    """
    goals = shop_named(GENERATED).goals().split("train")
    if n > len(goals):
        raise ConfigError(f"The generated shop has {len(goals)} goals to train on: ask for no more, not for {n}.")
    numbers = HashRandom("tasks", seed).some(range(len(goals)), n)
    return [_task(goals[number], "human:train", number, GENERATED) for number in numbers]


def split_tasks(split: str, *, catalogue: str = GENERATED, kind: str = "human") -> list[Task]:
    """Return all goals of a split, in their order.

    Args:
        split: `"test"`, `"dev"`, `"train"`.
        catalogue: As the environment's option.
        kind: `"human"` or `"synthetic"`.

    Raises:
        UnknownNameError: there is no such split or kind.
        DataError: the catalogue cannot be read or is too small.
    """
    goals = shop_named(catalogue).goals(kind).split(split)
    return [_task(goal, f"{kind}:{split}", number, catalogue) for number, goal in enumerate(goals)]


def demonstration(task: Task) -> Sequence[str]:
    """Return the actions that buy the very product that a task's goal was made from, with its options.

    That earns 1 in the generated shop. In WebShop's own a few goals cannot be met in full, whatever is bought.

    Raises:
        ConfigError: the task has no goal of the shop, or no search finds the product.
    """
    if not task.goal.conditions or "buy" not in task.goal.conditions[0]:
        raise ConfigError(f"The task {task.id!r} has no goal of the shop, {{'buy': ...}}.")
    shop = shop_named(str(task.options.get("catalogue", GENERATED)))
    condition = task.goal.conditions[0]
    product = shop.catalogue.by_asin.get(condition["buy"])
    if product is None:
        raise ConfigError(f"The product {condition['buy']!r} of the task {task.id!r} is not in its catalogue.")
    clicks = [f"click[{value}]" for value in _values(product, condition["options"])]
    return [*_find(shop, product), f"click[{product.asin.lower()}]", *clicks, f"click[{BUY.lower()}]"]


def check_shop() -> Sequence[Requirement]:
    """Look at what is there."""
    return [
        Requirement.packages("packages of the shop", "rapidfuzz", "snowballstemmer", extra="shop"),
        Requirement("generated catalogue", True, "part of pathei"),
        Requirement(
            "WebShop's own products", False, "WebShop's setup.sh downloads them: name their folder", required=False
        ),
    ]


def _task(goal: ShopGoal, where: str, number: int, catalogue: str) -> Task:
    digest = shop_named(catalogue).goals(where.partition(":")[0]).digest
    name = f"webshop:{digest}:{where}:{number}"
    return Task(name, ENV, 0, Goal(goal.text, (goal.condition(),)), {"catalogue": catalogue})


def _values(product: Product, asked: dict[str, str] | Sequence[str]) -> list[str]:
    """Return the product's values that were asked for; where only values are given, those that come nearest."""
    if isinstance(asked, dict):
        return list(asked.values())
    values = [value for some in product.options.values() for value in some]
    exact = [one for one in asked if one in values]
    near = [
        next((value for value in values if alike(colour_of(value), colour_of(one))), None)
        for one in asked
        if one not in values
    ]
    return [*exact, *(value for value in near if value is not None)]


def _find(shop: Shop, product: Product) -> list[str]:
    """Return the search, and the turns of the page, that bring a product into sight."""
    for words in (product.title, f"{product.title} {product.description}", product.index_text):
        # Square brackets would end the action.
        query = " ".join(words.translate(_NO_BRACKETS).lower().split())
        found = shop.catalogue.search(query)
        if product in found:
            return [f"search[{query}]", *[f"click[{NEXT.lower()}]"] * (found.index(product) // PER_PAGE)]
    raise ConfigError(f"No search finds {product.asin} ({product.title}) among the first results.")


_NO_BRACKETS: Final = str.maketrans("[]", "  ")
