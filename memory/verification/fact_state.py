"""The facts that hold at the current step of an episode, as verification and feedback check them."""

from __future__ import annotations

from collections.abc import Mapping

from ...envs.facts import FactGraph, read_changes
from ...envs.facts.graph import Fact, read_nodes
from ...errors import RecordError
from ...experience import Json


class FactState:
    """The current facts; unknown in an environment without graph facts, or with malformed ones."""

    def __init__(self, graph: FactGraph | None) -> None:
        """Start with a graph, which is changed by `update`."""
        self.graph = graph

    @classmethod
    def of(cls, facts: Mapping[str, Json] | None) -> FactState:
        """Read the facts of a reset."""
        try:
            return cls(FactGraph.of(facts))
        except RecordError:
            return cls(None)

    @property
    def is_known(self) -> bool:
        """Whether there are facts."""
        return self.graph is not None

    @property
    def characters(self) -> tuple[int, ...]:
        """The characters."""
        return () if self.graph is None else self.graph.characters

    def update(self, facts: Mapping[str, Json] | None) -> None:
        """Apply the changes of a step that was not refused; malformed ones are ignored."""
        if self.graph is None:
            return
        try:
            nodes, changes = read_nodes(facts), read_changes(facts)
        except RecordError:
            return
        if nodes:
            self.graph.add(nodes)
        for change in changes:
            self.graph.apply(change)

    def copy(self) -> FactState:
        """Return an independent copy."""
        return FactState(None if self.graph is None else self.graph.copy())

    def holds(self, fact: Fact) -> bool:
        """Return whether a fact holds; False if nothing is known. `HOLDS` stands for either hand."""
        entity, what, target = fact
        if self.graph is None:
            return False
        if target is None:
            return what in self.graph.states.get(entity, ())
        return self.graph.has(entity, what, target)
