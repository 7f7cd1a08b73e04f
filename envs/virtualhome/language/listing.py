"""The admissible actions of a household as script lines; lines, and what a rule lists, are written once.

Not here: which actions are admissible (`engine.rules`), and reading lines that were not listed (`script`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..engine.rules import BoundRule, EngineAction
from ..engine.scene import bits
from .observation import nameable
from .script import write_line

if TYPE_CHECKING:
    from ..engine.world import World

_KEPT: Final = 64
"""How many sets of objects a rule keeps the lines of; about 1 MB in a house of 100 nodes."""


class Listing:
    """The lines of one world; its methods but `__init__` are questions for `World.ask`."""

    def __init__(self, world: World) -> None:
        """Prepare; nothing is written yet."""
        self._scene, self._rules = world.scene, world.rules
        self._written: dict[BoundRule, dict[tuple[int, int], list[str]]] = {rule: {} for rule in world.bound.values()}
        self._lines: dict[BoundRule, dict[tuple[int, int], str]] = {rule: {} for rule in world.bound.values()}
        verbs = {rule: rule.rule.key for rule in self._lines}
        self._heads = {
            rule: (verb, write_line(EngineAction(verb), self._scene, self._rules)) for rule, verb in verbs.items()
        }
        """The verb of each rule, in upper case and as lines begin with it."""
        self.known: dict[str, EngineAction] = {}
        """The actions that were listed so far, by their lines."""

    def perceived(self, world: World, character: int) -> tuple[str, ...]:
        """Return the lines of the actions on what the character perceives."""
        return self._listed(world, character, nameable(world, character))

    def everything(self, world: World, character: int) -> tuple[str, ...]:
        """Return the lines of all actions."""
        return self._listed(world, character, world.scene.everything)

    def _listed(self, world: World, character: int, among: int) -> tuple[str, ...]:
        lines: list[str] = []
        for rule, first, second in world.sheet.options(world, character, among):
            if rule.pair:
                possible = rule.among(world, character, first, second)
                lines += self._lines_of(rule, [(action.first, action.second) for action in possible])
                continue
            written = self._written[rule]
            found = written.get((first, second))
            if found is None:
                if len(written) >= _KEPT:
                    written.clear()
                found = written[first, second] = self._lines_of(rule, _objects(rule, first, second))
            lines += found
        return tuple(lines)

    def _lines_of(self, rule: BoundRule, objects: list[tuple[int, int]]) -> list[str]:
        """Return the lines of a rule for objects and destinations."""
        lines = self._lines[rule]
        return [lines.get(pair) or self._write(rule, *pair) for pair in objects]

    def _write(self, rule: BoundRule, first: int, second: int) -> str:
        """Write a line as `write_line` does."""
        verb, line = self._heads[rule]
        if first >= 0:
            line = f"{line} {self._scene.name(first)}"
        if second >= 0:
            line = f"{line} {self._scene.name(second)}"
        self._lines[rule][first, second] = line
        self.known[line] = EngineAction(verb, first, second)
        return line


def _objects(rule: BoundRule, first: int, second: int) -> list[tuple[int, int]]:
    """Return the objects and destinations of two bitsets that a rule takes, -1 for none."""
    if not rule.arity:
        return [(-1, -1)]
    destinations = bits(second) if rule.arity == 2 else (-1,)
    return [(o, d) for o in bits(first) for d in destinations]
