"""How much of a world a set of episodes has touched: distinct actions, objects and state changes.

The report of one episode is a `Coverage`, and those of many add up. State changes are reported by the kind of thing
(`"+ OPEN fridge"`), so that opening two fridges is one distinct change. They are read from the facts where the
environment reports its changes (see `Effects`), and else from the lines by which the observation changed. Not here:
which states were reached, as environments do not name them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ..envs.facts import read_actor
from ..experience import Json, Observation, Record, Trajectory

if TYPE_CHECKING:
    from rich.table import Table

_VERB = re.compile(r"^\s*(?:<char\d+>\s*)?\[(\w+)\]")
_THING = re.compile(r"<([^<>]+)>\s*(?:\((?:\d+\.)?(\d+)\))?")  # RobotHow writes (1.12)
_KIND = re.compile(r"<([^<>]+)>")
_NAMED = re.compile(r"([^\W\d]+)\s*\((\d+)\)")
_ID = re.compile(r"\s*\(\d+\)")
_NUMBER = re.compile(r"(\d{1,9}) (?=[^\W\d])")
_WORD = re.compile(r"[^\W_](?:[\w.'-]*[^\W_])?")
_UNTOLD = ("FACING", "CLOSE")
"""Where a character looks and what is near it changes with every step: these are no changes of the house."""


class ActionWords(NamedTuple):
    """An action taken apart."""

    verb: str
    """In lower case: `"grab"`."""
    things: tuple[str, ...]
    """The kinds of its objects: `("cup",)`."""
    ids: tuple[int, ...]
    """The ids of its objects, where it names them: `(12,)`."""
    number: int | None = None
    """How many it is about: 4 of `"mine 4 coal"`; None where it does not say."""

    @property
    def kind(self) -> tuple[str, ...]:
        """The verb and the kinds of its objects."""
        return (self.verb, *self.things)


@lru_cache(maxsize=1 << 16)
def read_act(action: str) -> ActionWords:
    """Take an action apart: a script line `[Grab] <cup> (12)`, or words, `mine 2 coal`, of which the first is the verb.

    Who acts, where several do, is no part of it.
    """
    verb = _VERB.match(action)
    if verb:
        found = _THING.findall(action, verb.end())
        return ActionWords(
            verb[1].lower(), tuple(name for name, _ in found), tuple(int(id_) for _, id_ in found if id_)
        )
    head, _, rest = read_actor(action)[1].strip().lower().partition(" ")
    ids = tuple(int(id_) for _, id_ in _NAMED.findall(rest))
    thing = " ".join(_ID.sub("", rest).split())
    number = _NUMBER.match(thing)
    thing = thing[number.end() :] if number else thing
    return ActionWords(head, (thing,) if thing else (), ids, int(number[1]) if number else None)


def read_kind(action: str) -> str:
    """Return the kind of an action in one string, `"putin cup fridge"`: the verb and the kinds of its objects."""
    verb = _VERB.match(action)
    return " ".join((verb[1].lower(), *_KIND.findall(action, verb.end())) if verb else read_act(action).kind)


class Effects:
    """Reads the state changes of one episode, step by step.

    An environment reports them in its facts: after a reset `{"graph": {"nodes": [[id, kind, ...], ...]}}`, after a step
    `{"changes": [[sign, id, word], [sign, id, word, id], ...]}` with the sign `"+"` or `"-"`, and new `"nodes"`.
    """

    def __init__(self, first: Observation) -> None:
        """Begin an episode with what was observed after its reset."""
        graph = (first.facts or {}).get("graph") or {}
        self._kinds: dict[int, str] = {}
        self._named: dict[str, list[int]] = {}
        """The nodes of each kind but those that act, by the words that an action calls it."""
        self._unnamed: list[tuple[int, str]] = []
        """Nodes that are still to be entered there: only actions without ids ask for words."""
        self._actors = frozenset(graph.get("characters") or ())
        self._learn(graph.get("nodes") or ())
        if not self._kinds:
            # A branch begins in the middle: what can be acted on has its kind in the actions.
            for act in map(read_act, first.actions or ()):
                self._kinds.update(zip(act.ids, act.things, strict=False))

    def of(self, before: Observation, after: Observation) -> list[str]:
        """Return the distinct changes between an observation and the next, by kind, in order.

        Without facts these are the lines that the text gained (`"+ line"`) and lost (`"- line"`), ids taken out.
        """
        changes = None if after.facts is None else after.facts.get("changes")
        if changes is None:
            return _line_changes(before.text, after.text)
        self._learn((after.facts or {}).get("nodes") or ())
        kinds = self._kinds
        found: dict[str, None] = {}
        for sign, id_, word, *other in changes:
            if word not in _UNTOLD:
                first = kinds.get(id_, "something")
                second = f" {kinds.get(other[0], 'something')}" if other else ""
                found[f"{sign} {first} {word}{second}"] = None
        return list(found)

    def touched(self, action: str, after: Observation) -> list[str]:
        """Return the single things that an action was about, each with its kind: `"cup (12)"`.

        They are those whose ids it names; else those of the facts whose kind it names; else those that changed.
        """
        act = read_act(action)
        if act.ids:
            is_plain = len(act.ids) == len(act.things)
            return [f"{name} ({id_})" for name, id_ in zip(act.things, act.ids, strict=True)] if is_plain else []
        for id_, kind in self._unnamed:
            self._named.setdefault(_words(kind), []).append(id_)
        self._unnamed.clear()
        changed = self._changed((after.facts or {}).get("changes") or ())
        said, found = f" {_words(action)} ", list[str]()
        for words in sorted(self._named, key=len, reverse=True):  # a towel rack is no towel
            for match in re.finditer(rf" {re.escape(words)}(?: \d+)?(?= )", said):
                nodes = self._named[words]
                one = nodes if len(nodes) == 1 else [id_ for id_ in nodes if id_ in changed]
                found += [f"{self._kinds[id_]} ({id_})" for id_ in one] or [match[0].strip()]
                said = said.replace(match[0], " ", 1)
        return found or [f"{self._kinds[id_]} ({id_})" for id_ in changed]

    def _changed(self, changes: Iterable[Sequence[Any]]) -> list[int]:
        """Return the nodes that changes are about: of what an actor does, the other one."""
        ids = (
            id_
            for _, first, word, *other in changes
            if word not in _UNTOLD
            for id_ in (other if first in self._actors else [first])
        )
        return [id_ for id_ in dict.fromkeys(ids) if id_ in self._kinds and id_ not in self._actors]

    def _learn(self, nodes: Iterable[Sequence[Any]]) -> None:
        for id_, kind, *_ in nodes:
            if id_ not in self._kinds and id_ not in self._actors:
                self._unnamed.append((id_, kind))
            self._kinds[id_] = kind


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.lower().replace("_", " ")))


def _line_changes(before: str, after: str) -> list[str]:
    if before == after:
        return []
    old = dict.fromkeys(_ID.sub("", before).splitlines())
    new = dict.fromkeys(_ID.sub("", after).splitlines())
    return [f"+ {line}" for line in new if line not in old] + [f"- {line}" for line in old if line not in new]


@dataclass(slots=True)
class Coverage:
    """What a set of episodes has touched. `a + b` is the coverage of both sets together."""

    episodes: int = 0
    """Trajectories, branches included."""
    failures: int = 0
    """Episodes that could not be played to their end."""
    successes: int = 0
    """Trajectories whose goal held at the end."""
    branches: int = 0
    """Trajectories that begin at a step of another one."""
    branch_successes: int = 0
    """Branches whose goal held at the end."""
    checked: int = 0
    """Trajectories whose environment reports whether the goal held."""
    steps: int = 0
    """Actions taken."""
    refused: int = 0
    """Actions that the world refused."""
    unchanged: int = 0
    """Actions that were not refused, and after which neither the facts nor the text were different."""
    verbs: Counter[str] = field(default_factory=Counter)
    """How often each verb was used."""
    actions: Counter[str] = field(default_factory=Counter)
    """How often each verb was used with each kind of things: `"grab cup"`."""
    objects: set[str] = field(default_factory=set)
    """The single things acted on, each with its scene: `"house:7 cup (12)"`."""
    effects: Counter[str] = field(default_factory=Counter)
    """How often each state change, by kind, was brought about: `"+ fridge OPEN"`."""

    @classmethod
    def of(cls, records: Iterable[Record]) -> Coverage:
        """Return the coverage of some records."""
        coverage = cls()
        for record in records:
            coverage.add(record)
        return coverage

    def add(self, record: Record) -> None:
        """Count one record more."""
        if not isinstance(record, Trajectory):
            self.failures += 1
            return
        self.episodes += 1
        self.checked += record.success is not None
        self.successes += record.success is True
        if record.parent is not None:
            self.branches += 1
            self.branch_successes += record.success is True
        self.steps += len(record.steps)
        scene = str(record.task.options.get("scene", f"{record.task.env} seed {record.task.seed}"))
        effects = Effects(record.steps[0].observation if record.steps else record.final)
        # What came after each step; an episode without steps has only the end.
        following = [*(step.observation for step in record.steps[1:]), record.final]
        for step, after in zip(record.steps, following, strict=False):
            act = read_act(step.action)
            self.verbs[act.verb] += 1
            self.actions[" ".join(act.kind)] += 1
            self.objects.update(f"{scene} {thing}" for thing in effects.touched(step.action, after))
            if "error" in step.info:
                self.refused += 1
                continue
            changed = effects.of(step.observation, after)
            same = step.observation.text == after.text
            self.unchanged += same and not changed and not (after.facts or {}).get("changes")
            self.effects.update(changed)

    def __add__(self, other: Coverage) -> Coverage:
        counts: dict[str, Json] = {name: getattr(self, name) + getattr(other, name) for name in (*_NUMBERS, *_COUNTERS)}
        return Coverage(**counts, objects=self.objects | other.objects)

    def summary(self) -> dict[str, Json]:
        """Return the counts alone, plain JSON: what the table shows; None for what the environment does not say."""
        return {
            "episodes": self.episodes,
            "failures": self.failures,
            "successes": self.successes if self.checked else None,
            "branches": self.branches,
            "branch_successes": self.branch_successes if self.checked else None,
            "steps": self.steps,
            "refused": self.refused,
            "unchanged": self.unchanged,
            "distinct_verbs": len(self.verbs),
            "distinct_actions": len(self.actions),
            "distinct_objects": len(self.objects) if self.objects or not self.steps else None,
            "distinct_effects": len(self.effects),
        }

    def to_json(self) -> dict[str, Json]:
        """Return all of it as plain JSON, keys sorted; `from_json` reads it back."""
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            **{name: dict(sorted(getattr(self, name).items())) for name in _COUNTERS},
            "objects": sorted(self.objects),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Coverage:
        """Return what `to_json` wrote."""
        fields: dict[str, Json] = {name: data.get(name, 0) for name in _NUMBERS}
        fields |= {name: Counter(data[name]) for name in _COUNTERS}
        return cls(**fields, objects=set(data["objects"]))

    def table(self, title: str = "Coverage") -> Table:
        """Return the report as a table for the terminal."""
        return compare({"": self}, title)


_NUMBERS = (
    "episodes",
    "failures",
    "successes",
    "branches",
    "branch_successes",
    "checked",
    "steps",
    "refused",
    "unchanged",
)
_COUNTERS = ("verbs", "actions", "effects")


def compare(reports: Mapping[str, Coverage], title: str) -> Table:
    """Return a table with one column for each report.

    Args:
        reports: By the name that heads the column.
        title: What stands above the table.
    """
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=any(reports))
    table.add_column("")
    for name in reports:
        table.add_column(name, justify="right")
    summaries = [report.summary() for report in reports.values()]
    for key in summaries[0] if summaries else ():
        if key == "distinct_objects" and all(summary[key] is None for summary in summaries):
            continue  # neither actions nor facts name a thing here
        if key.startswith("branch") and not any(summary["branches"] for summary in summaries):
            continue
        cells = ["unknown" if summary[key] is None else f"{summary[key]:,}" for summary in summaries]
        table.add_row(key.replace("_", " "), *cells)
    return table
