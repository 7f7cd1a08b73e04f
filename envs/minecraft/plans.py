"""The way to a thing along the recipe graph: what is still to be mined, crafted, placed and smelted, in order.

A plan counts on what is held and on what is near, and takes for each thing the way that costs least by a rough price of
finding and making it. How much work is left is the progress of a goal, and the first step is what the oracle does. It
knows the rules and not the land, so a plan may fail where the land lacks something. Not here: looking for things, which
`explorer` does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple

from ...errors import GoalError
from .goals import MinecraftGoal
from .rules import TOOLS, GameRules, Recipe, is_several, stands_for

PRICES: Final[Mapping[str, float]] = {
    "oak_log": 2, "birch_log": 2, "spruce_log": 3, "acacia_log": 3, "dirt": 1, "grass_block": 1, "sand": 5, "stone": 1,
    "cobblestone": 1, "deepslate": 3, "gravel": 4, "granite": 3, "diorite": 3, "andesite": 3, "coal_ore": 3,
    "iron_ore": 4, "copper_ore": 4, "gold_ore": 9, "redstone_ore": 9, "lapis_ore": 10, "diamond_ore": 14,
    "emerald_ore": 30,
    "oak_leaves": 30, "birch_leaves": 30, "spruce_leaves": 30, "acacia_leaves": 30, "grass": 9, "dandelion": 6,
    "poppy": 6, "cornflower": 8, "oxeye_daisy": 8, "cactus": 9, "dead_bush": 9, "sugar_cane": 8, "pumpkin": 12,
    "sandstone": 7,
}  # fmt: skip
"""Blocks of the land, each with a rough price of finding one and breaking it, in actions."""
_HUNT: Final = 8.0
_SERVE: Final = 7.0
"""Using a tool on an animal."""
_FIGHT: Final = 25.0
_TRIED: Final = 8
"""How many ways are tried where the cheapest lead nowhere."""
_BURNS: Final = 200
"""Ticks of fire that smelting one thing takes."""


class PlanStep(NamedTuple):
    """One thing to do."""

    verb: str
    """`mine`, `craft`, `smelt`, `place`, `kill`, `eat`, `use`, `equip`."""
    thing: str
    number: int
    price: float
    """How much work it is, in actions, roughly."""

    def __str__(self) -> str:
        return f"{self.verb} {self.thing}" if self.number == 1 else f"{self.verb} {self.number} {self.thing}"


class Planner:
    """Plans by one set of rules."""

    def __init__(self, rules: GameRules) -> None:
        """Prepare."""
        self.rules = rules
        self._closure = lru_cache(maxsize=1 << 10)(self._find_closure)
        self._costs = lru_cache(maxsize=1 << 12)(self._price_all)
        self._parts = {part for recipes in rules.recipes.values() for one in recipes for part in one.parts}
        self._hunted: dict[str, str] = {}
        for name, one in sorted(rules.creatures.items(), key=lambda entry: bool(entry[1]["hostile"])):
            for drop in one["drops"]:
                self._hunted.setdefault(drop, name)

    def steps(self, goal: MinecraftGoal, held: Mapping[str, int], within: Collection[str], lack: int) -> list[PlanStep]:
        """Return what is to be done for a goal about things; none for one about places and times.

        Args:
            goal: The goal.
            held: What is held.
            within: The blocks that are near.
            lack: How many are still lacking.

        Raises:
            GoalError: nothing that is known makes the thing.
        """
        if lack <= 0 or goal.kind in ("biome", "depth", "distance", "slept", "survived"):
            return []
        plan = _Plan(self, Counter(held), set(within))
        if goal.kind == "killed":
            return [PlanStep("kill", goal.thing, 1, _HUNT)] * lack
        thing = plan.member(goal.thing)
        if goal.kind == "inventory":
            plan.obtain(thing, lack + plan.stock[thing])
        elif goal.kind == "mined":
            plan.tool(thing)
            plan.steps.append(PlanStep("mine", thing, lack, lack * PRICES.get(thing, _FIGHT)))
        elif goal.kind in ("placed", "eaten"):
            plan.obtain(thing, lack)
            plan.steps += [PlanStep("place" if goal.kind == "placed" else "eat", thing, 1, 1.0)] * lack
        elif goal.kind == "used":
            plan.obtain(thing, 1)
            plan.steps += [PlanStep("equip" if thing in self.rules.armor else "use", thing, 1, 1.0)] * lack
        elif goal.kind == "crafted":
            plan.craft(thing, lack)
        else:
            plan.smelt(thing, lack)
        return plan.steps

    def work(self, goal: MinecraftGoal, held: Mapping[str, int], within: Collection[str], lack: int) -> float:
        """Return how much work is left, in actions, roughly; infinity where no plan is known."""
        try:
            return sum(step.price for step in self.steps(goal, held, within, lack))
        except GoalError:
            return math.inf

    def costs(
        self, name: str, held: Mapping[str, int], within: Collection[str], barred: Collection[str] = ()
    ) -> Mapping[str, float]:
        """Return what one of each thing costs that the making of a thing may involve.

        Args:
            name: The thing.
            held: What is there and costs nothing.
            within: The blocks that are near.
            barred: What may not be used: infinity.
        """
        return self._costs(name, frozenset(+Counter(held)), frozenset(within), frozenset(barred))

    def _price_all(
        self, name: str, held: frozenset[str], within: frozenset[str], barred: frozenset[str]
    ) -> Mapping[str, float]:
        closure = self._closure(name)
        costs = {one: math.inf if one in barred else self._found(one, held, within) for one in closure}
        for _ in range(12):
            changed = False
            for one in closure:
                if one in held or one in barred:
                    continue
                for price in self._made(one, costs):
                    if price < costs[one] - 1e-9:
                        costs[one], changed = price, True
            if not changed:
                break
        return costs

    def _found(self, name: str, held: frozenset[str], within: frozenset[str]) -> float:
        """Return the price of finding a thing: nothing for what is held."""
        if name in held:
            return 0.0
        prices = [1.0 if block in within else _price(block) for block in self.rules.giving.get(name, ())]
        if name in self._hunted:
            prices.append(_FIGHT if self.rules.creatures[self._hunted[name]]["hostile"] else _HUNT)
        return min(prices, default=math.inf)

    def _made(self, name: str, costs: Mapping[str, float]) -> Iterator[float]:
        for recipe in self.rules.recipes.get(name, ()):
            yield (1 + sum(costs[part] * count for part, count in recipe.parts.items())) / recipe.makes
        for source in self.rules.smelted.get(name, ()):
            yield 1.5 + costs[source]
        if name in self.rules.givers:
            yield _SERVE + costs[self.rules.givers[name][0]]

    def _find_closure(self, name: str) -> tuple[str, ...]:
        """Return the things that the making of a thing may involve."""
        found, waiting = {name}, [name]
        while waiting:
            one = waiting.pop()
            parts = {part for recipe in self.rules.recipes.get(one, ()) for part in recipe.parts}
            new = (parts | set(self.rules.smelted.get(one, ())) | set(self.rules.givers.get(one, ())[:1])) - found
            found |= new
            waiting += new
        return tuple(sorted(found))

    def useful(self, name: str, held: Collection[str]) -> bool:
        """Return whether a thing is good for something: crafting, smelting, eating, wearing, or as the best tool.

        Args:
            name: The thing.
            held: What is held; of tools that do the same, one is enough.
        """
        rules = self.rules
        if name.endswith(TOOLS):
            return not any(one != name and rules.as_good(one, name) for one in held)
        return name in self._parts or name in rules.smelting or name in rules.foods or name in rules.armor

    def hunted(self, name: str) -> str | None:
        """Return the creature that leaves a thing."""
        return self._hunted.get(name)


class _Way(NamedTuple):
    """One way of getting a thing."""

    price: float
    """Of one of it, roughly."""
    go: Callable[[], None]


class _Plan:
    """A plan in the making: what will be there after the steps so far."""

    def __init__(self, planner: Planner, stock: Counter[str], within: set[str]) -> None:
        self.planner, self.rules, self.stock, self.within = planner, planner.rules, stock, within
        self.steps: list[PlanStep] = []
        self._making: list[str] = []
        """What the steps in the making are for: nothing is made of itself, as an ingot of the nuggets of an ingot."""

    def member(self, name: str) -> str:
        """Return the thing of a group that is the easiest to get; another name is its own."""
        if not is_several(name):
            return name
        held = [one for one in self.stock if stands_for(name, one)]
        if held:
            return max(held, key=lambda one: (self.stock[one], one))
        made = (self.rules.giving, self.rules.recipes, self.rules.smelted)
        names = {one for things in made for one in things if stands_for(name, one)}
        if not names:
            raise _no_way(name.replace("|", " or "))
        return min(names, key=lambda one: (self.planner.costs(one, self.stock, self.within)[one], one))

    def obtain(self, name: str, count: int) -> None:
        """Have this many of a thing."""
        lack = count - self.stock[name]
        if lack <= 0:
            return
        if name in self._making:
            raise _no_way(name)
        self._making.append(name)
        self._follow(name, self._ways(name, lack))
        self._making.pop()

    def craft(self, name: str, count: int) -> None:
        """Craft this many more of a thing."""
        if name not in self.rules.recipes:
            raise GoalError(f"{name} is not made by crafting.")
        self._follow(name, self._crafting(name, count))

    def smelt(self, name: str, count: int) -> None:
        """Smelt this many more of a thing."""
        if name not in self.rules.smelted:
            raise GoalError(f"{name} is not made by smelting.")
        self._follow(name, self._smelting(name, count))

    def tool(self, block: str) -> None:
        """Have a tool that gets something out of a block."""
        if not self.rules.breaks(block, +self.stock):
            self.obtain(self.rules.tools[block], 1)

    def _follow(self, name: str, ways: Iterable[_Way]) -> None:
        """Take the way that costs least, or the next where that leads nowhere: prices are rough."""
        stock, within, steps, making = Counter(self.stock), set(self.within), len(self.steps), len(self._making)
        for way in sorted((one for one in ways if one.price < math.inf), key=lambda one: one.price)[:_TRIED]:
            try:
                return way.go()
            except GoalError:
                self.stock, self.within = Counter(stock), set(within)
                del self.steps[steps:], self._making[making:]
        raise _no_way(name)

    def _ways(self, name: str, lack: int) -> Iterator[_Way]:
        """Yield the ways of getting this many more of a thing."""
        yield from self._crafting(name, lack)
        yield from self._smelting(name, lack)
        if name in self.rules.giving:
            block = self._block(name)
            price = 1.0 if block in self.within else _price(block)
            yield _Way(price, lambda: self._mine(name, block, lack))
        if self.planner.hunted(name):
            yield _Way(_HUNT, lambda: self._kill(name, lack))
        if name in self.rules.givers:
            tool = self.rules.givers[name][0]
            yield _Way(_SERVE + self._costs(name, {})[tool], lambda: self._serve(name, tool, lack))

    def _crafting(self, name: str, count: int) -> Iterator[_Way]:
        for recipe in self.rules.recipes.get(name, ()):
            yield _Way(self._price(recipe, count), partial(self._craft, recipe, count))

    def _smelting(self, name: str, count: int) -> Iterator[_Way]:
        for source in self.rules.smelted.get(name, ()):
            yield _Way(1.5 + self._costs(name, {source: count})[source], partial(self._smelt, name, source, count))

    def _craft(self, recipe: Recipe, count: int) -> None:
        times = math.ceil(count / recipe.makes)
        for part, each in recipe.parts.items():
            self._use(part, each * times)
        if recipe.table:
            self._station("crafting_table")
        self._do("craft", recipe.name, times * recipe.makes, float(times))

    def _smelt(self, name: str, source: str, count: int) -> None:
        self._use(source, count)
        self._fuel(source, count)
        self._station("furnace")
        self.steps.append(PlanStep("smelt", source, count, 1 + count / 2))
        self.stock[name] += count

    def _mine(self, name: str, block: str, count: int) -> None:
        self.tool(block)
        price = _price(block)
        self._do("mine", name, count, count * (1.0 if math.isinf(price) else price))

    def _kill(self, name: str, count: int) -> None:
        creature = self.planner.hunted(name)
        assert creature is not None
        price = _FIGHT if self.rules.creatures[creature]["hostile"] else _HUNT
        self.steps += [PlanStep("kill", creature, 1, price)] * count
        self.stock[name] += count

    def _serve(self, name: str, tool: str, count: int) -> None:
        if self.rules.givers[name][0].endswith("bucket"):  # it is filled, and not there any more
            self._use(tool, count)
        else:
            self.obtain(tool, 1)
        self.steps += [PlanStep("use", tool, 1, _SERVE)] * count
        self.stock[name] += count

    def _price(self, recipe: Recipe, count: int) -> float:
        """Return what one of a thing costs when this number of it is crafted."""
        times = math.ceil(count / recipe.makes)
        needs = {part: each * times for part, each in recipe.parts.items()}
        costs = self._costs(recipe.name, needs)
        lacking = {part: need - self.stock[part] for part, need in needs.items() if need > self.stock[part]}
        price = times + sum((costs[part] + 0.01) * lack for part, lack in lacking.items())
        return price / (times * recipe.makes)

    def _costs(self, name: str, needs: Mapping[str, int]) -> Mapping[str, float]:
        """Return what things cost that a thing is made of; of what there is too little, what one more costs."""
        held = {one: count for one, count in self.stock.items() if count >= needs.get(one, 1)}
        return self.planner.costs(name, held, self.within, self._making)

    def _block(self, name: str) -> str:
        return min(self.rules.giving[name], key=lambda one: (one not in self.within, _price(one), one))

    def _use(self, name: str, count: int) -> None:
        self.obtain(name, count)
        self.stock[name] -= count

    def _fuel(self, source: str, count: int) -> None:
        need = count * _BURNS
        for name in sorted(self.rules.fuels(+self.stock, source), key=lambda one: -self.rules.fuel[one]):
            if name.endswith(("coal", "_log", "_planks")) and self.stock[name] * self.rules.fuel[name] >= need:
                self.stock[name] -= math.ceil(need / self.rules.fuel[name])
                return
        near = "coal_ore" in self.within or "deepslate_coal_ore" in self.within
        name = "coal" if near and source != "coal" else self.member("log")
        self._use(name, math.ceil(need / self.rules.fuel[name]))

    def _station(self, name: str) -> None:
        """Have a crafting table or a furnace near."""
        if name not in self.within:
            self._use(name, 1)
            self.steps.append(PlanStep("place", name, 1, 1.0))
            self.within.add(name)

    def _do(self, verb: str, name: str, count: int, price: float) -> None:
        self.steps.append(PlanStep(verb, name, count, price))
        self.stock[name] += count


def _no_way(name: str) -> GoalError:
    return GoalError(f"No way is known to get {name} in the Minecraft world.")


def _price(block: str) -> float:
    return PRICES.get(block.removeprefix("deepslate_") if block.endswith("_ore") else block, math.inf)
