"""What each step of an episode changed, by the facts of its environment, one line per change.

Facts that hold a graph list their changes; of any others, what is different afterwards is listed. Not here: words of
an environment's own (`pathei.envs.verbalizer`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import orjson

from ...envs.facts.graph import PASSING, Change, FactGraph, read_changes, read_nodes
from ...errors import RecordError
from ...experience import Json, Observation, Trajectory


class ShownChange(NamedTuple):
    """One fact that began or ended with a step."""

    sign: str
    """`"+"` for what began, `"-"` for what ended."""
    text: str
    """The fact: `"cup (12) ON table (7)"`."""
    passing: bool = False
    """Whether it says only what the character is close to or faces, which changes with every step."""


def changes_of(whole: Trajectory) -> list[list[ShownChange]]:
    """Return what each step of an episode changed; nothing where there are no facts.

    Args:
        whole: An episode from its beginning: a branch has to be expanded first.
    """
    seen = [*(step.observation for step in whole.steps), whole.final]
    try:
        graph = FactGraph.of(seen[0].facts)
        if graph is not None:
            return _graph_changes(graph.kinds, seen[1:])
    except RecordError:
        pass  # facts that only look like a graph's are compared like any others
    facts = [_plain_facts(one.facts) for one in seen]
    return [list(_differences(before, after)) for before, after in pairwise(facts)]


def _graph_changes(kinds: Mapping[int, str], after: Sequence[Observation]) -> list[list[ShownChange]]:
    names, found = dict(kinds), list[list[ShownChange]]()
    for one in after:
        new = read_nodes(one.facts)
        names |= {node: kind for node, (kind, _) in new.items()}
        begun = [ShownChange("+", " ".join([_name(node, names), *states])) for node, (_, states) in new.items()]
        found.append(begun + [_shown(change, names) for change in read_changes(one.facts)])
    return found


def _shown(change: Change, names: Mapping[int, str]) -> ShownChange:
    target = [] if change.target is None else [_name(change.target, names)]
    text = " ".join([_name(change.entity, names), change.what, *target])
    return ShownChange("+" if change.begins else "-", text, change.what in PASSING)


def _name(node: int, names: Mapping[int, str]) -> str:
    return f"{names.get(node, 'something')} ({node})"


def _differences(before: Mapping[str, None], after: Mapping[str, None]) -> Iterator[ShownChange]:
    yield from (ShownChange("-", fact) for fact in before if fact not in after)
    yield from (ShownChange("+", fact) for fact in after if fact not in before)


def _plain_facts(facts: Json, path: str = "") -> dict[str, None]:
    """Return facts of any form as lines, one for each value in them, in their order."""
    if isinstance(facts, Mapping):
        lines = [line for key, value in facts.items() for line in _plain_facts(value, f"{path}.{key}" if path else key)]
    elif isinstance(facts, list | tuple):
        lines = [line for value in facts for line in _plain_facts(value, path)]
    else:
        value = facts if isinstance(facts, str) else orjson.dumps(facts).decode()
        lines = [f"{path}: {value}"] if path else []
    return dict.fromkeys(lines)
