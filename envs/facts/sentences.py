"""Goals in words over graph facts: "open the chest, then put the key on the table", "the red ball is next to a box".

A world says which sentences it has, as rows of a pattern and what it states: `("open X", "X OPEN")`. The grammar here
is the same for all: clauses joined by "and", "then", commas or full stops; what is polite around them; "don't" and
"not"; numbers, "every" and "no"; "it" for the thing named before; "X and Y" for two things. What later clauses undo is
left out. Not here: "or" and time, which are refused, and whether actions can bring a goal about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ...errors import GoalError, nearest
from .conditions import ConditionJson
from .contradictions import OPPOSITE

Rows = Sequence[tuple[str, str]]
"""Patterns with `X` and `Y` for things, and what each states: `"X OPEN"`, `"you HOLDS X"`, `"not X LOCKED"`; `""` for
what is only on the way. Where a pattern has no `Y` that is stated, the class is `""`. The first that matches counts."""
Naming = Callable[[str], str]
"""Returns the kind that a name without an article means; raises `GoalError` with half a sentence."""

_THINGS: Final = ("X", "Y")
_IS: Final = "(?:is|are|be|gets|becomes|should be|must be|stands|lies|has to be|ends up|to be)"
HELD: Final[Rows] = (
    (r"(?:you |i )?(?:hold|have|carry|are (?:holding|carrying)) X", "you HOLDS X"),
    (
        r"(?:take|get|grab|pick[- ]up|retrieve|recover|lift|fetch|collect|obtain)(?: hold of)? X"
        r"(?:,? (?:from|out of|off|that's in|that is in|in|on|within|inside) (?:(?! and | then |, |; ).)+)?",
        "you HOLDS X",
    ),
    (r"pick X up", "you HOLDS X"),
    (rf"X {_IS} (?:in|inside) your (?:hands?|inventory)", "you HOLDS X"),
    (r"(?:drop|release|let go of|put down) X", "not you HOLDS X"),
)
"""Holding things, and letting go of them."""
PLACED: Final[Rows] = (
    (r"(?:put|place|drop|leave|deposit|throw|toss|ditch) X on the floor (?:of|in) Y", "X INSIDE Y"),
    (r"(?:put|place|sit|rest|set|lay|leave|move|bring|carry|drop) X (?:on|onto|upon|on top of) Y", "X ON Y"),
    (
        r"(?:put|place|insert|deposit|store|leave|drop|throw|move|bring|carry) X (?:in|into|inside|within|to) Y",
        "X INSIDE Y",
    ),
    (r"take X (?:to|into) Y", "X INSIDE Y"),
    (rf"X {_IS} (?:in|inside|within) Y", "X INSIDE Y"),
    (rf"X {_IS} (?:on|upon|on top of) Y", "X ON Y"),
)
"""Things in and on others."""
OPENED: Final[Rows] = (
    (r"(?:unlock and )?(?:open|pull open) X(?: (?:with|using) .+)?", "X OPEN"),
    (r"(?:close|shut) X", "X CLOSED"),
    (r"lock X(?: (?:with|using) .+)?", "X LOCKED"),
    (r"unlock X(?: (?:with|using) .+)?", "not X LOCKED"),
    (rf"X {_IS} (?:open|opened|wide open|ajar)", "X OPEN"),
    (rf"X {_IS} (?:closed|shut)", "X CLOSED"),
    (rf"X {_IS} locked(?: (?:with|using) .+)?", "X LOCKED"),
    (rf"X {_IS} unlocked(?: (?:with|using) .+)?", "not X LOCKED"),
)
"""What opens, closes and locks."""
ROOMS: Final[Rows] = (
    (r"you are (?:in|inside|at) X", "you INSIDE X"),
    (
        r"(?:be in|enter|visit|reach|go (?:back )?(?:to|into)|walk (?:to|into)|move to|head (?:to|for)) X",
        "you INSIDE X",
    ),
)
"""Where one goes."""

_POLITE: Final = re.compile(
    r"^(?:(?:please|kindly|now|then|first|next|finally|also|just|and|ok|okay|hey|so|hi|hello)\b[ ,]*"
    r"|(?:could|can|would|will) you |i(?:'d| would) like (?:you )?to |i (?:want|need) (?:you )?to "
    r"|you (?:should|must|have to|need to|can) |(?:your|the) (?:goal|task|objective) is (?:to |that )"
    r"|(?:doublecheck|assure|make it so|look and see|check|ensure|see to it|make (?:absolutely )?sure)(?: that)? "
    r"|(?:try|make an effort|make an attempt|attempt) to |go and |let's )",
)
_TAIL: Final = re.compile(r"[ ,]+(?:please|for me|now|again|too|as well|thanks|thank you)$")
_NEVER: Final = re.compile(r"^(?:don't|do not|never|avoid|you must not|it is not true that) ")
_JOINT: Final = re.compile(r"(,? and then |, then | then |, and |, but |, | and | but |; |[.!] (?=\S))")
_DETERMINER: Final = re.compile(r"^(?:the|a|an|my|your|some|this|that|any|one) ")
_NUMBERS: Final[Mapping[str, int]] = {
    word: number for number, word in enumerate("two three four five six seven eight nine ten".split(), 2)
}
_UNSAYABLE: Final = frozenset("or either neither unless until before while except without only instead".split())
_OF_PLACES: Final = frozenset({"OPEN", "CLOSED", "LOCKED"})
"""States in which "it" is rather the place that was named before than the thing in it."""
_PRONOUNS: Final = frozenset({"it", "them", "this", "that"})
_MOST_PARTS: Final = 9
"""How many parts and joints a clause has at most."""


class _Named(NamedTuple):
    """What a clause was about, in its words; empty for none."""

    thing: str
    place: str


_NOTHING: Final = _Named("", "")


def read_sentences(text: str, rows: Rows, name: Naming) -> tuple[ConditionJson, ...]:
    """Return the conditions that a text states.

    Args:
        text: Clauses, to be done or to be true.
        rows: What can be said in this world.
        name: Finds the kind that a name means.

    Raises:
        GoalError: a clause cannot be read, or names what is not known; the message says which.
    """
    parts = _JOINT.split(_plain(text))
    found: list[ConditionJson] = []
    problems: list[str] = []
    last, place = _NOTHING, 0
    while place < len(parts):
        read = None
        for size in range(_longest(parts, place), 0, -2):
            clause = "".join(parts[place : place + size])
            try:
                read = _clause(clause, rows, name, last)
            except GoalError as error:
                problems = [*problems, str(error)] if size == 1 or not problems else problems
            if read is not None:
                found += read[0]
                last = read[1] if read[1][0] else last
                place += size + 1
                break
        if read is None:
            raise GoalError(f"The goal cannot be read: {problems[-1] if problems else _unread(parts[place])}.")
    if not found:
        raise GoalError("The goal says nothing that can be checked.")
    require_one_end(found, _opposite, str.lower)
    return tuple(_settled(found))


def read_some(text: str, rows: Rows, name: Naming) -> tuple[ConditionJson, ...]:
    """Return the conditions of those clauses of a text that can be read; empty where none can."""
    parts = _JOINT.split(_plain(text, empty=True))
    found: list[ConditionJson] = []
    last, place = _NOTHING, 0
    while place < len(parts):
        step = 2
        for size in range(_longest(parts, place), 0, -2):
            try:
                read = _clause("".join(parts[place : place + size]), rows, name, last)
            except GoalError:
                continue
            if read is not None:
                found += read[0]
                last, step = read[1] if read[1][0] else last, size + 1
                break
        place += step
    return tuple(_settled(found))


def _longest(parts: Sequence[str], place: int) -> int:
    """Return how many parts and joints a clause may have that begins at a place: none goes on after a full stop."""
    size = 1
    while size + 2 <= min(_MOST_PARTS, len(parts) - place) and parts[place + size].strip() not in (".", "!"):
        size += 2
    return size


def choose_kind(name: str, kinds: Sequence[str], noun: Callable[[str], str] = str) -> str:
    """Return the one of some kinds that a name means: its words, their plural, or the only kind that ends with them.

    Args:
        name: Without an article.
        kinds: All kinds.
        noun: Returns a kind in words.

    Raises:
        GoalError: none, or several; half a sentence.
    """
    words = {noun(kind).casefold(): kind for kind in kinds}
    low = " ".join(name.casefold().replace("_", " ").strip("\"'`").split())
    sets = {said: frozenset(said.split()) for said in words}
    forms = list(dict.fromkeys((low, low.removesuffix("s"), low.removesuffix("es"), f"{low}s", low.rsplit("/")[-1])))
    for form in forms:
        if form in words:
            return words[form]
    for form in forms:
        found = sorted({kind for said, kind in words.items() if sets[said] == frozenset(form.split())})
        found = found or sorted({kind for said, kind in words.items() if said.endswith(f" {form}")})
        if len(found) == 1:
            return found[0]
        if found:
            raise GoalError(f"{name!r} may be {', '.join(map(noun, found[:-1]))} or {noun(found[-1])}")
    near = nearest(low, words)
    raise GoalError(f"there is no {name!r} here{f' (did you mean {near}?)' if near else ''}")


def _plain(text: str, *, empty: bool = False) -> str:
    said = " ".join(text.replace("\u2019", "'").split()).strip("\"'").rstrip(".!?; ")
    if not said and not empty:
        raise GoalError("The goal is empty: say what is to be done, or to be true.")
    if not empty and (odd := _UNSAYABLE & set(re.findall(r"[a-z]+", said.lower()))):
        raise GoalError(f"The goal cannot be read: {sorted(odd)[0]!r} is not understood; say what is to be true.")
    return said


def _clause(clause: str, rows: Rows, name: Naming, last: _Named) -> tuple[list[ConditionJson], _Named] | None:
    """Return the conditions of a clause and what it was about; None where no row fits.

    Raises:
        GoalError: rows fit, and none of them with names that are known.
    """
    said, denied = clause.strip(), False
    while True:
        shorter = _TAIL.sub("", said)
        for pattern in (_POLITE, _NEVER):
            match = pattern.match(shorter.lower())
            if match:
                denied ^= pattern is _NEVER
                shorter = shorter[match.end() :]
        if shorter == said:
            break
        said = shorter
    if re.search(r"\b(?:is|are) not\b|\bisn't\b|\baren't\b", said):
        said, denied = re.sub(r"\b(is|are) not\b|\b(is|are)n't\b", lambda match: match[1] or match[2], said), not denied
    problem: GoalError | None = None
    for row, states in rows:
        match = _compiled(row).fullmatch(said)
        if match is None:
            continue
        try:
            return _made(match.groupdict(), states, denied, name, last)
        except GoalError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return None


def _made(
    groups: Mapping[str, str], states: str, denied: bool, name: Naming, last: _Named
) -> tuple[list[ConditionJson], _Named]:
    if not states:
        return [], _NOTHING
    *negated, rest = states.split("not ", 1) if states.startswith("not ") else (states,)
    before = last.place or last.thing if rest.split()[-1] in _OF_PLACES else last.thing
    found: list[ConditionJson] = []
    about = _NOTHING
    for one in re.split(r", and | and |, ", groups.get("X", "")):
        count, no, kind = _named(one, name, before)
        other = _named(groups["Y"], name, last.thing)[2] if groups.get("Y") else ""
        if kind == other:
            raise GoalError(f"{one!r} cannot be in, on or next to itself")
        condition = _condition(rest.split(), {"X": kind, "Y": other}, count)
        found.append({"not": condition} if (bool(negated) + denied + no) % 2 else condition)
        about = _Named(before if one.strip().lower() in _PRONOUNS else one, groups.get("Y") or "")
    return found, about


def _named(text: str, name: Naming, last: str) -> tuple[int | str, bool, str]:
    """Return how many, whether none, and the kind that is named."""
    said = text.strip()
    if said.lower() in _PRONOUNS:
        if not last:
            raise GoalError(f"{said!r} has no thing before it")
        said = last
    count: int | str = 1
    head, _, rest = said.partition(" ")
    low = head.lower()
    if rest and low in ("every", "each", "all"):
        count, said = "all", _DETERMINER.sub("", rest)
    elif rest and low == "no":
        return 1, True, name(rest)
    elif rest and (low in _NUMBERS or (low.isdecimal() and int(low) > 0)):
        count, said = _NUMBERS.get(low) or int(low), rest
    match = _DETERMINER.match(said.lower())
    return count, False, name(said[match.end() :] if match else said)


def _condition(parts: Sequence[str], things: Mapping[str, str], count: int | str) -> dict[str, Any]:
    def selector(word: str) -> dict[str, Any]:
        thing, dot, ending = word.partition(".")
        return {"class": things.get(thing, "character") + dot + ending}

    counted: dict[str, Any] = {} if count == 1 else {"count": count}
    if len(parts) == 2:
        return {"node": selector(parts[0]), "state": parts[1], **counted}
    return {"from": selector(parts[0]), "relation": parts[1], "to": selector(parts[2]), **counted}


def require_one_end(
    found: Sequence[ConditionJson], opposite: Callable[[ConditionJson, ConditionJson], bool], say: Callable[[str], str]
) -> None:
    """Refuse what only the order would tell apart: "turn on the TV and turn it off", "open the chest, then close it".

    Opening something to take or put a thing, and closing it then, is one way to one end, so that may be said.

    Args:
        found: What was read, in its order.
        opposite: Whether two conditions put the same things in states that nothing is in at once.
        say: Says a state in words.

    Raises:
        GoalError: something is to be so, and then to be otherwise, with nothing done in between that needs it.
    """
    for place, one in enumerate(found):
        end = next((n for n, more in enumerate(found) if n > place and opposite(one, more)), None)
        if end is None:
            continue
        if one["state"] != "OPEN" or not any("relation" in more for more in found[place + 1 : end]):
            raise GoalError(
                f"The goal cannot be read: one thing is to be {say(str(one['state']))}, and then "
                f"{say(str(found[end]['state']))}. A goal says what is true at the end, and the order of what is done "
                "cannot be said: say only how it is to end."
            )


def _opposite(one: ConditionJson, other: ConditionJson) -> bool:
    """Whether two conditions put the same things in states that nothing is in at once."""
    alike = "state" in one and one.get("node") == other.get("node")
    return alike and frozenset((one["state"], other["state"])) in OPPOSITE


def _settled(found: Sequence[ConditionJson]) -> Iterator[ConditionJson]:
    """Leave out what is said twice, and what later clauses undo: holding what is put down, opening what is closed."""
    for place, one in enumerate(found):
        later = found[place + 1 :]
        held = one.get("relation") == "HOLDS" and any(_moves(more, one["to"]) for more in later)
        undone = any(_opposite(one, more) for more in later)
        passed = one.get("relation") == "INSIDE" and any(
            more.get("from") == one["from"] and more.get("relation") in ("INSIDE", "ON") for more in later
        )
        if not (held or undone or passed or one in found[:place]):
            yield one


def _moves(later: ConditionJson, thing: ConditionJson) -> bool:
    """Whether a condition means that a thing is held no longer."""
    placed = later.get("from") == thing and later.get("relation") in ("INSIDE", "ON", "NEXT_TO")
    return placed or (later.get("node") == thing and later.get("state") == "EATEN")


def _unread(clause: str) -> str:
    return f"{clause.strip()!r} is not understood"


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    for thing in _THINGS:
        pattern = re.sub(rf"(?<!<)\b{thing}\b", rf"(?P<{thing}>.+?)", pattern, count=1)
    return re.compile(pattern, re.IGNORECASE)
