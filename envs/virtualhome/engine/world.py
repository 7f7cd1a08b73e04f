"""A household in motion: every fact in integer tables, every change recorded, any earlier moment one walk away.

The tables hold bitsets (see `scene`), so a question about all nodes at once ("what is within reach?") is a few integer
operations. Changes made by one action form a `WorldSnapshot`; versions form a tree, and `restore` walks from one
version to another by undoing and redoing what lies between (the rerooting of Baker's persistent arrays, 1978). A
snapshot is therefore a pointer, costs nothing, stays valid for ever, and search needs no copies.

What an action requires and does is not here but in `rules`; this file knows nodes, edges and states only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from .navigation import Doorways, Paths, doorways
from .preconditions import LASTING
from .rules import RuleSheet
from .scene import Edge, Scene, bits
from .vocabulary import CHARACTER_CLASS, CLOSE, FACING, HANDS, RELATIONS

if TYPE_CHECKING:
    from .rules import BoundRule, EngineAction, Rules

_SPATIAL: Final = (CLOSE, FACING)
_IN: Final = len(RELATIONS)
_STATES: Final = 2 * _IN
_PUT_BACK: Final = _STATES + 1
_REACHED: Final = _STATES + 2
_PASSING: Final = frozenset((CLOSE, FACING, _IN + CLOSE, _IN + FACING, _REACHED))
"""The tables that answers to lasting questions do not depend on."""

_A = TypeVar("_A")


class GraphChange(NamedTuple):
    """One overwritten table entry."""

    table: int
    place: int
    old: int
    new: int


class WorldSnapshot:
    """A moment in a world's history: what the last action changed, and the moment before it.

    Attributes:
        parent: The moment before; None for the beginning.
        depth: How many changing actions lie between the beginning and here.
        delta: What the action overwrote, in order.
        key: Hash of the whole state at this moment (see `World.key`), or None while nobody has asked for it.
    """

    __slots__ = ("delta", "depth", "key", "parent")

    def __init__(self, parent: WorldSnapshot | None, delta: list[tuple[int, int, int, int]]) -> None:
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.delta = delta
        self.key: int | None = None


class World:
    """The present state of one household under one set of rules.

    Edges between a character and anything else in the relations CLOSE and FACING change with every step, so they are
    kept once, in the character's own rows; all other edges stand in the rows of both ends. Read them through
    `targets`, `sources` and `has`, which know this.

    Attributes:
        scene: What never changes.
        rules: What actions require and do.
        out: `out[r][a]` is the bitset of nodes that `a` has relation `r` to.
        into: `into[r][b]` is the bitset of nodes that have relation `r` to `b`.
        having: `having[s]` is the bitset of nodes in state `s` (a place in `scene.state_names`).
        put_back: `put_back[n]` is 0, or 1 + relation * N + place, from where `n` was grabbed.
        reached: `reached[0]` is the bitset of the nodes that were walked to or found (only the rules of v1 ask).
        doorways: How doors join the rooms.
        paths: A cache of `moving`: which rooms can be reached from where, by the doors that are shut.
        bound: The rules prepared for this scene, by verb in upper case.
        sheet: All of them, prepared to be listed.
        choose: Picks one node where the original takes the first of a set; replace it to make another choice.
        version: The present moment.
    """

    def __init__(self, scene: Scene, rules: Rules) -> None:
        """Set the household up as the scene describes it."""
        size = len(scene.ids)
        self.scene: Scene = scene
        self.rules: Rules = rules
        self.size: int = size
        self.characters: tuple[int, ...] = scene.characters
        self.character_set: int = scene.of_class[CHARACTER_CLASS]
        self.out: list[list[int]] = [[0] * size for _ in RELATIONS]
        self.into: list[list[int]] = [[0] * size for _ in RELATIONS]
        self.having: list[int] = list(scene.states)
        self.put_back: list[int] = [0] * size
        self.reached: list[int] = [0]
        self.tables: list[list[int]] = [*self.out, *self.into, self.having, self.put_back, self.reached]
        self._delta: list[tuple[int, int, int, int]] = []
        self._keys: dict[tuple[int, int, int], int] = {}
        self._answers: dict[tuple[Callable[[World, int], object], int], Any] = {}
        self._lasting: dict[tuple[Callable[[World, int], object], int], Any] = {}
        for edge in scene.edges:
            self.link(*edge)
        self._delta = []
        self.start: WorldSnapshot = WorldSnapshot(None, [])
        self.version: WorldSnapshot = self.start
        self.version.key = 0
        self.bound: dict[str, BoundRule] = rules.bind(scene)
        self.sheet: RuleSheet = RuleSheet(self.bound.values())
        self.choose: Callable[[World, int, int, int], int] = rules.choose
        self.bodies: int = scene.having["BODY_PART"]
        self.doorways: Doorways = doorways(scene)
        self.paths: dict[tuple[int, int], Paths] = {}

    # --- acting

    def act(self, action: EngineAction, character: int | None = None) -> str | None:
        """Let a character act, if the rules allow it; nothing changes when they do not.

        Args:
            action: A grounded action of these rules.
            character: Index of the node that acts; the first character if None.

        Returns:
            None when it was done, otherwise why not, in words.
        """
        c = self.characters[0] if character is None else character
        refusal = self.bound[action.verb].attempt(self, c, action.first, action.second)
        if self._delta:
            self.version = WorldSnapshot(self.version, self._delta)
            self._delta = []
        return refusal

    def apply(self, action: EngineAction, character: int) -> None:
        """Let a character do what is known to be possible: `act` without asking, for search."""
        for effect in self.bound[action.verb].effects:
            effect(self, character, action.first, action.second)
        if self._delta:
            self.version = WorldSnapshot(self.version, self._delta)
            self._delta = []

    def refusal(self, action: EngineAction, character: int | None = None) -> str | None:
        """Return why an action is not possible now, or None if it is; nothing changes."""
        c = self.characters[0] if character is None else character
        return self.bound[action.verb].refusal(self, c, action.first, action.second)

    def possible(self, action: EngineAction, character: int) -> bool:
        """Return whether an action is possible now: `refusal` without the words, for search."""
        return self.bound[action.verb].possible(self, character, action.first, action.second)

    def admissible(
        self, character: int | None = None, among: int | None = None, sheet: RuleSheet | None = None
    ) -> list[EngineAction]:
        """Return every action that the rules allow now, in order of verb, object and destination.

        Args:
            character: Index of the node that acts; the first character if None.
            among: A bitset; only actions whose objects are all in it are listed. Everything if None.
            sheet: Some of `bound`, where not all matter.
        """
        c = self.characters[0] if character is None else character
        among = self.scene.everything if among is None else among
        found: list[EngineAction] = []
        for rule, first, second in (sheet or self.sheet).options(self, c, among):
            found += rule.among(self, c, first, second)
        return found

    # --- moments

    def restore(self, version: WorldSnapshot) -> None:
        """Go to any moment of this world's history, forwards, backwards or into another branch.

        Costs time in proportion to the changes that lie between.
        """
        tables = self.tables
        here, redo, passing = self.version, [], True
        there = version
        while there.depth > here.depth:
            redo.append(there)
            there = there.parent  # type: ignore[assignment]  # the root has depth 0, so a deeper one has a parent
        while here is not there:
            for table, place, old, _ in reversed(here.delta):
                tables[table][place] = old
                passing = passing and table in _PASSING
            if here.depth == there.depth:
                redo.append(there)
                there = there.parent  # type: ignore[assignment]
            here = here.parent  # type: ignore[assignment]
        for step in reversed(redo):
            for table, place, _, new in step.delta:
                tables[table][place] = new
                passing = passing and table in _PASSING
        self.version = version
        self._answers.clear()
        if not passing:
            self._lasting.clear()

    @property
    def key(self) -> int:
        """A 64-bit hash of the present state: equal for equal states of one scene, in any process, however reached.

        It is kept up change by change (Zobrist 1970, with one key for each value that a table entry takes).
        """
        missing: list[WorldSnapshot] = []
        version = self.version
        while version.key is None:
            missing.append(version)
            version = version.parent  # type: ignore[assignment]  # the root always has a key
        key: int = version.key
        for version in reversed(missing):
            for table, place, old, new in version.delta:
                key ^= self._entry_key(table, place, old) ^ self._entry_key(table, place, new)
            version.key = key
        return key

    def _entry_key(self, table: int, place: int, value: int) -> int:
        entry = (table, place, value)
        key = self._keys.get(entry)
        if key is None:
            if len(self._keys) > 1_000_000:  # keys are a function of the entry: forgetting them is safe
                self._keys.clear()
            text = b"%d %d %x" % entry
            key = self._keys[entry] = int.from_bytes(blake2b(text, digest_size=8).digest())
        return key

    # --- questions

    def ask(self, question: Callable[[World, int], _A], character: int) -> _A:
        """Return the answer to a question about all nodes; it is worked out once until something changes.

        Most rules ask the same few questions, and the observation asks them again. The answers to questions that are
        `lasting` outlast changes that do not concern them.
        """
        asked = (question, character)
        answer: _A | None = self._answers.get(asked)
        if answer is None and (answer := self._lasting.get(asked)) is None:
            answer = question(self, character)
            (self._lasting if question in LASTING else self._answers)[asked] = answer
        return answer

    def targets(self, node: int, relation: int) -> int:
        """Return the bitset of nodes that `node` has this relation to."""
        found = self.out[relation][node]
        if relation in _SPATIAL and not self.character_set >> node & 1:
            for c in self.characters:
                found |= (self.into[relation][c] >> node & 1) << c
        return found

    def sources(self, node: int, relation: int) -> int:
        """Return the bitset of nodes that have this relation to `node`."""
        found = self.into[relation][node]
        if relation in _SPATIAL and not self.character_set >> node & 1:
            for c in self.characters:
                found |= (self.out[relation][c] >> node & 1) << c
        return found

    def has(self, source: int, relation: int, target: int) -> bool:
        """Return whether this edge holds now."""
        return bool(self.targets(source, relation) >> target & 1)

    def states_of(self, node: int) -> tuple[str, ...]:
        """Return the names of the states that a node is in, in the order of the vocabulary."""
        names = self.scene.state_names
        return tuple(name for name, nodes in zip(names, self.having, strict=True) if nodes >> node & 1)

    def held(self, character: int) -> int:
        """Return the bitset of what a character holds in either hand."""
        return self.out[HANDS[0]][character] | self.out[HANDS[1]][character]

    def edges(self, relations: Iterable[int] = range(len(RELATIONS))) -> list[Edge]:
        """Return the edges of some relations that hold now, ordered by relation, source and target."""
        return [
            Edge(source, relation, target)
            for relation in relations
            for source, row in enumerate(self._rows(relation))
            if row
            for target in bits(row)
        ]

    def _rows(self, relation: int) -> list[int]:
        if relation in _SPATIAL:
            return [self.targets(source, relation) for source in range(self.size)]
        return self.out[relation]

    def to_graph(self) -> dict[str, Any]:
        """Return the present state in VirtualHome's form: `{"nodes": [...], "edges": [...]}` with ids."""
        ids = self.scene.ids
        nodes = [{**node, "states": list(self.states_of(i))} for i, node in enumerate(self.scene.nodes)]
        edges = [{"from_id": ids[a], "relation_type": RELATIONS[r], "to_id": ids[b]} for a, r, b in self.edges()]
        return {"nodes": nodes, "edges": edges}

    # --- changes; only effects call these, between `act` and its return

    def write(self, table: int, place: int, value: int) -> None:
        """Overwrite one table entry and remember what it was."""
        row = self.tables[table]
        old = row[place]
        if old != value:
            row[place] = value
            if self._answers:
                self._answers.clear()
            if self._lasting and table not in _PASSING:
                self._lasting.clear()
            self._delta.append((table, place, old, value))

    def link(self, source: int, relation: int, target: int) -> None:
        """Add an edge."""
        apart = relation in _SPATIAL and self.character_set & (1 << source | 1 << target)
        if not apart or apart >> source & 1:
            self.write(relation, source, self.out[relation][source] | 1 << target)
        if not apart or apart >> target & 1:
            self.write(_IN + relation, target, self.into[relation][target] | 1 << source)

    def unlink(self, source: int, relation: int, target: int) -> None:
        """Remove an edge, if it is there."""
        self.write(relation, source, self.out[relation][source] & ~(1 << target))
        self.write(_IN + relation, target, self.into[relation][target] & ~(1 << source))

    def cut(self, node: int, relation: int) -> None:
        """Remove all edges of one relation at a node, in both directions."""
        bit = 1 << node
        out, into = self.out[relation], self.into[relation]
        leaving, arriving = out[node], into[node]
        if relation in _SPATIAL:
            for c in self.characters:
                if out[c] & bit:
                    self.write(relation, c, out[c] & ~bit)
                if into[c] & bit:
                    self.write(_IN + relation, c, into[c] & ~bit)
        if leaving:
            self.write(relation, node, 0)
        if arriving:
            self.write(_IN + relation, node, 0)
        if relation in _SPATIAL and self.character_set & bit:
            return  # the other ends do not keep a copy
        for other in bits(leaving):
            self.write(_IN + relation, other, into[other] & ~bit)
        for other in bits(arriving):
            self.write(relation, other, out[other] & ~bit)

    def cut_targets(self, node: int, relation: int) -> None:
        """Remove the edges of one relation (not CLOSE or FACING) that leave a node."""
        for other in bits(self.out[relation][node]):
            self.unlink(node, relation, other)

    def near(self, character: int, nodes: int) -> None:
        """Make a bitset of nodes CLOSE to a character, in both directions, in addition to those that are."""
        self.write(CLOSE, character, self.out[CLOSE][character] | nodes)
        self.write(_IN + CLOSE, character, self.into[CLOSE][character] | nodes)
        for other in bits(nodes & self.character_set):
            self.write(CLOSE, other, self.out[CLOSE][other] | 1 << character)
            self.write(_IN + CLOSE, other, self.into[CLOSE][other] | 1 << character)

    def near_only(self, character: int, nodes: int) -> None:
        """Make a bitset of nodes CLOSE to a character, in both directions, and no others: `cut`, then `near`."""
        if len(self.characters) > 1:
            self.cut(character, CLOSE)
        self.write(CLOSE, character, nodes)
        self.write(_IN + CLOSE, character, nodes)
        if len(self.characters) > 1:
            self.near(character, nodes)

    def set_facing(self, character: int, nodes: int) -> None:
        """Make a character FACING exactly these nodes."""
        self.write(FACING, character, nodes)
        for other in self.characters:
            row = self.into[FACING][other]
            bit = 1 << character
            self.write(_IN + FACING, other, row | bit if nodes >> other & 1 else row & ~bit)

    def set_state(self, node: int, state: int, value: bool) -> None:
        """Put a node into a state, or out of it."""
        nodes = self.having[state]
        self.write(_STATES, state, nodes | 1 << node if value else nodes & ~(1 << node))

    def remember(self, node: int, relation: int, place: int) -> None:
        """Note from where a node was taken."""
        self.write(_PUT_BACK, node, 1 + relation * self.size + place)

    def forget(self, node: int) -> None:
        """Forget from where a node was taken."""
        self.write(_PUT_BACK, node, 0)

    def reach(self, node: int) -> None:
        """Note that a node was walked to or found."""
        self.write(_REACHED, 0, self.reached[0] | 1 << node)
