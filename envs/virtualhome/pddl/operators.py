"""The rules `clean` as PDDL operators: typed STRIPS without negative preconditions, so that any planner can read them.

The operators promise less than the rules allow, and no more: whatever they permit, the household does. So a plan can be
done as it is, and a planner may find none where there is one. What is simplified:

* A character reaches what it has walked to, and what is on that or openly in it; not its neighbours. `leave` gives up
  the place and has no script line. Without it every walk would have to name where it began.
* What stands in something that can be closed is taken from there, never walked to.
* Rooms between which all doors are open form a zone; a shut door is opened on the way and stays open.
* Every negative has a fact of its own: `shut` and `open`, `free` and `busy`.

Not here: the facts of a scene (`scene`), and goals (`goal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

Atom = tuple[str, ...]
"""A predicate and its arguments; a variable begins with `?`."""

TYPES: Final = "place hand zone - object thing room - place"
TYPE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"?x": "thing", "?s": "thing", "?p": "place", "?r": "room", "?h": "hand", "?g": "hand", "?a": "zone", "?b": "zone"}
)
"""The type of each variable, whatever operator it stands in."""
PREDICATES: Final = tuple(
    tuple(text.split())
    for text in (
        "acting", "claiming", "moving", "standing", "sitting", "lying", "at ?p", "within ?r", "here ?a",
        "zone ?r ?a", "passage ?a ?b", "gate ?x ?a ?b", "exposed ?p", "inside ?p ?r", "loose ?x", "fixed ?x",
        "portable ?x", "on ?x ?s", "in ?x ?s", "not-on ?x ?s", "not-in ?x ?s", "graspable ?x", "surface ?x",
        "container ?x", "accessible ?x", "holds ?h ?x", "unheld ?x", "free ?h", "busy ?h", "openable ?x", "open ?x",
        "shut ?x", "may-open ?x", "cold ?x", "warm ?x", "switch ?x", "running ?x", "off ?x", "quiet ?x",
        "powered ?x", "plug ?x", "plugged ?x", "unplugged ?x", "clean ?x", "dirty ?x", "seat ?x", "bed ?x",
        "rests-on ?x", "facing ?x", "readable ?x", "drinkable ?x", "eatable ?x", "typable ?x", "movable ?x",
        "squeezable ?x", "lookable ?x", "person ?x", "clothes ?x",
        "worn ?x", "cuttable ?x", "knife ?x",
    )
)  # fmt: skip
"""Every predicate that the operators and the facts of a scene use."""


class Operator(NamedTuple):
    """A PDDL action, and what it stands for in the household."""

    name: str
    needs: tuple[Atom, ...]
    adds: tuple[Atom, ...] = ()
    deletes: tuple[Atom, ...] = ()
    lines: tuple[Atom, ...] = ()
    """The household's actions in order: a verb in upper case and the variables of its objects."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Its parameters, in order."""
        atoms = (*self.needs, *self.adds, *self.deletes)
        return tuple(dict.fromkeys(word for atom in atoms for word in atom[1:] if word.startswith("?")))

    def write(self) -> str:
        """Return it in PDDL."""
        parameters = " ".join(f"{one} - {TYPE_OF[one]}" for one in self.variables)
        effects = [*map(write_atom, self.adds), *(f"(not {write_atom(one)})" for one in self.deletes)]
        return (
            f"  (:action {self.name}\n    :parameters ({parameters})\n"
            f"    :precondition (and {' '.join(map(write_atom, self.needs))})\n"
            f"    :effect (and {' '.join(effects)}))"
        )


def write_atom(atom: Atom) -> str:
    """Return an atom in PDDL."""
    return f"({' '.join(atom)})"


def _rule(name: str, needs: str, adds: str = "", deletes: str = "", line: str = "") -> Operator:
    """Read an operator from lists of atoms that are parted by commas."""
    return Operator(name, _atoms(f"acting, {needs}"), _atoms(adds), _atoms(deletes), _atoms(line))


def _atoms(text: str) -> tuple[Atom, ...]:
    return tuple(tuple(part.split()) for part in text.split(",") if part.strip())


def operators(faced: Iterable[str]) -> list[Operator]:
    """Return the operators that change the household.

    Args:
        faced: The names of what the goal wants to be faced or looked at; going away ends that.
    """
    away = "".join(f", facing {name}" for name in faced)
    return [
        _rule("leave", "at ?p, within ?r, standing", "moving", f"at ?p, within ?r{away}"),
        _rule("walk", "moving, standing, exposed ?p, inside ?p ?r, zone ?r ?a, here ?a", "at ?p, within ?r", "moving",
              "WALK ?p"),
        _rule("cross", "moving, here ?a, passage ?a ?b", "here ?b", "here ?a"),
        _rule("open-way", "moving, standing, gate ?x ?a ?b, here ?a, shut ?x, free ?h",
              "passage ?a ?b, passage ?b ?a, open ?x", "shut ?x", "WALK ?x, OPEN ?x"),
        *_taking(),
        *_putting(),
        *_handling(),
        _rule("sit", "at ?x, seat ?x, standing", "rests-on ?x, sitting", "standing", "SIT ?x"),
        _rule("lie", "at ?x, bed ?x, standing", "rests-on ?x, lying", "standing", "LIE ?x"),
        _rule("stand-up", "rests-on ?x", "standing", "rests-on ?x, sitting, lying", "STANDUP"),
        _rule("turn-to", "exposed ?x, inside ?x ?r, within ?r", "facing ?x", away[2:], "TURNTO ?x"),
    ]  # fmt: skip


def _taking() -> list[Operator]:
    found = []
    for hand, needs in (("right", "free right"), ("left", "busy right, free left")):
        common = f"graspable ?x, standing, inside ?x ?r, within ?r, {needs}"
        adds, deletes = f"holds {hand} ?x, busy {hand}", f"free {hand}, unheld ?x, exposed ?x, inside ?x ?r"
        found += [
            _rule(f"take-from-{hand}", f"at ?s, on ?x ?s, {common}", f"{adds}, not-on ?x ?s", f"{deletes}, on ?x ?s",
                  "GRAB ?x"),
            _rule(f"take-out-{hand}", f"at ?s, in ?x ?s, accessible ?s, {common}", f"{adds}, not-in ?x ?s",
                  f"{deletes}, in ?x ?s", "GRAB ?x"),
            _rule(f"take-up-{hand}", f"at ?x, loose ?x, {common}", f"{adds}, moving",
                  f"{deletes}, loose ?x, at ?x, within ?r", "GRAB ?x"),
        ]  # fmt: skip
    return found


def _putting() -> list[Operator]:
    holding, within, freed, gone = (
        "holds ?h ?x",
        "within ?r",
        "free ?h, unheld ?x, inside ?x ?r",
        "holds ?h ?x, busy ?h",
    )
    return [
        _rule("put-on", f"at ?s, surface ?s, fixed ?s, {holding}, {within}", f"on ?x ?s, exposed ?x, {freed}",
              f"{gone}, not-on ?x ?s", "PUTBACK ?x ?s"),
        _rule("put-on-portable", f"at ?s, surface ?s, portable ?s, {holding}, {within}", f"on ?x ?s, {freed}",
              f"{gone}, not-on ?x ?s", "PUTBACK ?x ?s"),
        _rule("put-in", f"at ?s, container ?s, accessible ?s, {holding}, {within}", f"in ?x ?s, {freed}",
              f"{gone}, not-in ?x ?s", "PUTIN ?x ?s"),
        _rule("drop", f"{holding}, {within}", f"loose ?x, exposed ?x, {freed}", gone, "DROP ?x"),
    ]  # fmt: skip


def _handling() -> list[Operator]:
    return [
        _rule("open", "at ?x, openable ?x, shut ?x, may-open ?x, free ?h", "open ?x, accessible ?x", "shut ?x",
              "OPEN ?x"),
        _rule("close", "at ?x, openable ?x, open ?x", "shut ?x", "open ?x, accessible ?x", "CLOSE ?x"),
        _rule("switch-on", "at ?x, switch ?x, off ?x, powered ?x, warm ?x", "running ?x",
              "off ?x, quiet ?x, may-open ?x", "SWITCHON ?x"),
        _rule("switch-on-cold", "at ?x, switch ?x, off ?x, powered ?x, cold ?x", "running ?x", "off ?x, quiet ?x",
              "SWITCHON ?x"),
        _rule("switch-off", "at ?x, switch ?x, running ?x", "off ?x, quiet ?x, may-open ?x", "running ?x",
              "SWITCHOFF ?x"),
        _rule("plug-in", "at ?x, plug ?x, unplugged ?x, free ?h", "plugged ?x, powered ?x", "unplugged ?x",
              "PLUGIN ?x"),
        _rule("plug-out", "at ?x, plug ?x, plugged ?x, quiet ?x, free ?h", "unplugged ?x", "plugged ?x, powered ?x",
              "PLUGOUT ?x"),
        _rule("plug-out-running", "at ?x, plug ?x, plugged ?x, running ?x, free ?h",
              "unplugged ?x, off ?x, quiet ?x, may-open ?x", "plugged ?x, powered ?x, running ?x", "PLUGOUT ?x"),
        _rule("wash", "at ?x", "clean ?x", "dirty ?x", "WASH ?x"),
        _rule("wear", "clothes ?x, holds ?h ?x", "worn ?x, free ?h, unheld ?x", "holds ?h ?x, busy ?h", "PUTON ?x"),
        _rule("wash-held", "holds ?h ?x", "clean ?x", "dirty ?x", "WASH ?x"),
    ]  # fmt: skip


_IN_VIEW: Final = "facing ?x, exposed ?x, inside ?x ?r, within ?r"
PERFORMED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "READ": ("holds ?h ?x, readable ?x",),
    "DRINK": ("holds ?h ?x, drinkable ?x",),
    "EAT": ("at ?x, eatable ?x", "holds ?h ?x, eatable ?x"),
    "CUT": ("at ?x, cuttable ?x, holds ?h ?s, knife ?s, free ?g",),
    "TOUCH": ("at ?x", "holds ?h ?x"),
    "TYPE": ("at ?x, typable ?x",),
    "PUSH": ("at ?x, free ?h",),
    "PULL": ("at ?x, movable ?x, free ?h",),
    "MOVE": ("at ?x, movable ?x, free ?h",),
    "SQUEEZE": ("at ?x, squeezable ?x, free ?h",),
    "RINSE": ("at ?x", "holds ?h ?x"),
    "SCRUB": ("at ?x", "holds ?h ?x"),
    "LOOKAT": (_IN_VIEW,),
    "POINTAT": (_IN_VIEW,),
    "WATCH": (f"lookable ?x, {_IN_VIEW}",),
    "GREET": ("person ?x, exposed ?x, inside ?x ?r, within ?r",),
    "SLEEP": ("rests-on ?s",),
    "WAKEUP": ("rests-on ?s",),
})  # fmt: skip
"""What verbs need that leave no trace, or none that is needed; several ways for some. They count when the goal asks."""


def performing(verb: str) -> list[Operator]:
    """Return the operators of such a verb, to be done for its own sake; none for other verbs."""
    line = verb if verb in ("SLEEP", "WAKEUP") else f"{verb} ?x"
    ways = enumerate(PERFORMED.get(verb, ()), 1)
    return [_rule(f"{verb.lower()}-{number}", needs, line=line) for number, needs in ways]
