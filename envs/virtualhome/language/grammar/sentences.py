"""Requests and goals in English, read into conditions: "put two plates on the table and don't turn on the TV".

One grammar reads what is to be done and what is to be true, and all that `describe_goal` writes. Clauses are joined by
"and", "then" or commas; "it" and "them" mean the thing named before. Of a verb that leaves nothing behind to check
("watch television") doing it is the condition. What is not understood is refused with the reason. Not here: noun
phrases (`nouns`), single clauses (`clauses`), "or", "except", and time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Final

from .....errors import GoalError, nearest
from .....experience import Goal
from ....facts.conditions import ConditionJson
from ....facts.sentences import require_one_end
from ...engine.rules import Rules
from ...engine.scene import Scene
from ..phrases import DEEDS, ERRANDS, STATE_WORDS
from .clauses import ClauseReader
from .forms import OPPOSITE, STATE, denied, patterns
from .nouns import Moment, beginning

GRAMMAR: Final = """\
One clause, or several joined by "and". Name things as the observation does. The clauses are:
  the THING is STATE            STATE: on, off, open, closed, clean, plugged in, unplugged
  every THING is STATE          all things of that kind; also "no", "at least two", "exactly one"
  nothing is on the THING, nobody is in the ROOM, the ROOM is dark
  a THING is on the THING       a thing lies or stands on another
  a THING is in the THING       a thing is inside another
  you hold a THING
  you wear the THING
  you are in the ROOM
  you are on the THING          you sit or lie on it
  you are sitting, you are lying
  turn on the THING, put the THING on the THING, ...      what is to be done, and "don't ..." what is not"""

_POLITE: Final = re.compile(
    r"^(?:(?:please|kindly|now|then|first|next|finally|also|just|ok|okay|hey|so|and|hi|hello)[ ,]+"
    r"|(?:could|can|would|will) you (?:please |kindly |mind )?|i(?:'d| would) like (?:you )?(?:to (?=\w+ (?!be\b))|)"
    r"|i (?:want|need) (?:you )?(?:to (?=\w+ (?!be\b))|)|you (?:should|must|have to|need to) |let's |let us "
    r"|(?:make sure|ensure|see to it|check|be sure|see|mind)(?: that)? |(?:remember|don't forget|do not forget) to "
    r"|(?:go (?:and )?(?=(?:get|fetch|open|close|turn|switch|put|take|wash|clean|grab)\b))|your task is to |try to "
    r"|help me (?:to )?|it is time to |time to |go ahead and |be so kind and )"
)
_TAIL: Final = re.compile(
    r"[ ,]+(?:please|for me|thanks|thank you|right now|now|again|too|as well|if you can|ok|anywhere|everywhere|at all)$"
)
_NEVER: Final = re.compile(
    r"^(?:don't|do not|dont|never|you must not|avoid|stop|i (?:don't|do not) (?:want|like)|not every(?= )) "
)
_SITS: Final = re.compile(r"\b(?:sits|lies|sleeps|stands|sleeping) (?:down )?(?=(?:on|in) )")
_QUESTION: Final = re.compile(
    r"(?:is|are|isn't|aren't|was|does|did|has|do (?:you|i|we)|where|what|which|who|whose|why|when|how)\b"
)
_EXACT: Final = re.compile(r"\b(?:exactly|precisely|just)\b")
_JOINT: Final = re.compile(
    r"(\s*(?:,?\s+and then\s+|,\s*then\s+|\s+then\s+|,\s*and\s+|,\s*but\s+|,\s*|\s+and\s+|\s+but\s+|;\s*|\.\s+))"
)
_PREFACE: Final = re.compile(rf"{_JOINT.pattern[:-1]}|:\s+|,?\s+while\s+|,?\s+with\s+)")
_LONGEST: Final = 13
"""How many parts and joints a clause has at most where some cannot be read."""
_PART: Final = re.compile(
    r"^((?:its |the )?(?:lid|door)|that|this)\b(?= (?:is |should be )?(?:closed|open|shut|on|in|off)\b)"
)
_STATED: Final = re.compile(r"\b(?:is|are|be)\b")
_PRONOUN: Final = re.compile(r"\b(it|them|they)\b")
_OF_PLACES: Final = re.compile(r"(?:open|close|shut)\b")
"""How a clause begins whose "it" is rather the place named before than the thing in it."""
_SAID: Final = MappingProxyType({state: said for said, state in reversed(list(STATE_WORDS.items()))})
_UNSAYABLE: Final = frozenset(
    "or except unless until before after if while whenever when instead without either neither only".split()
)


def read_instruction(text: str, scene: Scene, rules: Rules | None = None) -> Goal:
    """Return the goal that a request states, with its own words as the text.

    Args:
        text: One clause or several, to be done or to be true.
        scene: The household whose things it names.
        rules: Whose verbs may be asked for, where they leave nothing behind.

    Raises:
        GoalError: a clause cannot be read, or names what is not there.
    """
    return Goal(text.strip(), read_sentence(text, scene, rules))


def read_sentence(text: str, scene: Scene, rules: Rules | None = None) -> tuple[ConditionJson, ...]:
    """Return the conditions that a sentence states; the arguments are those of `read_instruction`.

    Raises:
        GoalError: a clause cannot be read, or names what is not there; every problem is named.
    """
    said = _plain_text(text)
    if _QUESTION.match(said):
        raise GoalError(f"{text.strip()!r} is a question: say what is to be done, or to be true.")
    reader = _Reader(beginning(scene), frozenset(DEEDS) if rules is None else frozenset(rules.table))
    found = reader.whole(said)
    if found is None:
        head, _, rest = said.partition(" ")
        again = f"{_corrected(head, scene)} {rest}"  # a verb only: another name may be of another thing
        found = _Reader(beginning(scene), reader.clauses.verbs).whole(again) if again != said else None
    if found is None:
        raise GoalError(f"The goal cannot be read: {'; '.join(reader.problems(said))}.")
    if not found:
        raise GoalError("The goal asks for nothing that can be checked: say what is to be done, or to be true.")
    if _in_order(said):
        require_one_end(found, _opposite, _SAID.__getitem__)
    return tuple(_running_closed(_settled(found, said, scene), scene))


def _opposite(one: ConditionJson, other: ConditionJson) -> bool:
    """Whether two conditions put the same things in opposite states."""
    opposite = OPPOSITE.get(one.get("state", ""))
    return opposite is not None and other == {**one, "state": opposite}


def _in_order(said: str) -> bool:
    """Whether clauses say what is done, one after the other; what is to be true has no order."""
    return "then" in said.split() or not _STATED.search(said)


def _running_closed(conditions: Sequence[ConditionJson], scene: Scene) -> list[ConditionJson]:
    """Add that a machine which is to run with things in it is closed: "put the plates in the washer and start it"."""
    found: list[ConditionJson] = []
    for one in conditions:
        machine = one.get("node")
        filled = any(more.get("relation") == "INSIDE" and more.get("to") == machine for more in conditions)
        stated = any(more.get("node") == machine and more.get("state") in ("OPEN", "CLOSED") for more in conditions)
        opens = machine is not None and _nodes(machine, scene) & scene.having["CAN_OPEN"]
        if one.get("state") == "ON" and opens and filled and not stated:
            found.append({"node": machine, "state": "CLOSED"})
        found.append(one)
    return found


def _settled(conditions: Sequence[ConditionJson], said: str, scene: Scene) -> list[ConditionJson]:
    """Leave out what is said twice, and what later clauses undo: holding what is put down, opening what is closed.

    What is to be true ("the fridge is open and the fridge is closed") has no order, so nothing there is undone.
    """
    found: list[ConditionJson] = []
    is_order = _in_order(said)
    for place, one in enumerate(conditions):
        later = conditions[place + 1 :]
        held = one.get("relation") == "HOLDS" and any(
            more.get("relation") in ("ON", "INSIDE") and _among(more["from"], one["to"], scene) for more in later
        )
        opposite = OPPOSITE.get(one.get("state", "")) if is_order else None
        undone = any(more == {**one, "state": opposite} for more in later) if opposite else False
        if not (held or undone or one in found):
            found.append(one)
    return found


def _among(some: ConditionJson, all_: ConditionJson, scene: Scene) -> bool:
    """Whether one selector means some of what another means."""
    few, many = (_nodes(selector, scene) for selector in (some, all_))
    return some == all_ or bool(few and not few & ~many)


def _nodes(selector: ConditionJson, scene: Scene) -> int:
    if "any" in selector:
        return reduce(or_, (_nodes(one, scene) for one in selector["any"]), 0)
    if "id" in selector:
        return 1 << scene.index[selector["id"]] if selector["id"] in scene.index else 0
    return scene.union([selector["class"]]) if "class" in selector else scene.having.get(selector["property"], 0)


def _plain_text(text: str) -> str:
    said = " ".join(text.strip().strip("\"'").rstrip(".!?").lower().replace("\u2019", "'").split())
    said = re.sub(r"^(turn|switch|shut|power) of (?=\w)", r"\1 off ", re.sub(r"\s+([,;])", r"\1", said))
    said = re.sub(r"\b(\w+) or more\b", r"at least \1", re.sub(r"\b(\w+) or (?:fewer|less)\b", r"at most \1", said))
    if not said:
        raise GoalError("The goal is empty: say what is to be done, as in 'turn on the lamp'.")
    return said


def read_parts(text: str, moment: Moment, *, whole: bool = False) -> list[ConditionJson]:
    """Return the conditions that the clauses of a text state, as far as they can be read: what they are for is skipped.

    Args:
        text: "dinner is near: put a plate on the table".
        moment: The household.
        whole: Whether nothing may be skipped: then it is empty where a clause cannot be read.

    Raises:
        GoalError: the text is empty.
    """
    said = _plain_text(text)
    reader = _Reader(moment, frozenset(DEEDS))
    found = reader.whole(said)
    if found is None and not whole:
        head, colon, tail = said.partition(": ")
        found = reader.readable(tail, head) if colon else []
        found = found or reader.readable(said)
    return _settled(found or [], said, moment.scene)


class _Reader:
    """Reads the clauses of one text."""

    def __init__(self, moment: Moment, verbs: frozenset[str]) -> None:
        self.clauses = ClauseReader(moment, verbs)
        self.trouble: dict[str, str] = {}

    def whole(self, said: str) -> list[ConditionJson] | None:
        parts = _JOINT.split(said)
        return self._from(parts, 0, ()) if len(parts) < 60 else None

    def _from(self, parts: Sequence[str], place: int, before: tuple[str, ...]) -> list[ConditionJson] | None:
        """Read the clauses from a place on, each as short as can be: "put the cup and the plate away" is one."""
        if place >= len(parts):
            return []
        for end in range(place + 1, len(parts) + 1, 2):
            clause = "".join(parts[place:end]).strip(" ,;.")
            self.clauses.named = before
            found = self._clause(clause) if clause else []
            if found is None:
                continue
            rest = self._from(parts, end + 1, self.clauses.named)
            if rest is not None:
                return [*found, *rest]
        return None

    def readable(self, said: str, about: str = "") -> list[ConditionJson]:
        """Read the clauses that can be read, and leave the others out; what they are about may be said before."""
        parts, place = _PREFACE.split(said), 0
        found: list[ConditionJson] = []
        self.clauses.named = ()
        self.clauses.mention(about)
        while place < len(parts):
            for end in range(place + 1, min(len(parts), place + _LONGEST) + 1, 2):
                read = self._clause("".join(parts[place:end]).strip(" ,;.:"))
                if read is not None:
                    found += read
                    place = end + 1
                    break
            else:
                self.clauses.mention(parts[place])
                place += 2
        return found

    def problems(self, said: str) -> list[str]:
        """Say what is wrong, once for each clause."""
        parts, place = _JOINT.split(said), 0
        found: list[str] = []
        self.clauses.named = ()
        while place < len(parts):
            tried = ["".join(parts[place:end]).strip(" ,;.") for end in range(place + 1, len(parts) + 1, 2)]
            good = next((size for size, clause in enumerate(tried, 1) if self._clause(clause) is not None), 0)
            if not good and tried[0]:
                said_why = [self.trouble[clause] for clause in tried if clause in self.trouble]
                missing = [why for why in said_why if why.startswith(("there is no ", "none of "))]
                if missing or said_why or not found:
                    found.append(min(missing or said_why or [f"{tried[0]!r} {_FORMS}"], key=len))
            place += 2 * max(good, 1)
        return list(dict.fromkeys(found)) or [f"{said!r} {_FORMS}"]

    def _clause(self, clause: str) -> list[ConditionJson] | None:
        whole = clause
        try:
            found = self._polite(clause)
        except GoalError as error:
            self.trouble.setdefault(whole, str(error))
            return None
        if found is None and (words := _UNSAYABLE & set(clause.split())):
            self.trouble[whole] = f"{whole!r} has {sorted(words)[0]!r}, which no condition can say"
        return found

    def _polite(self, clause: str) -> list[ConditionJson] | None:
        if _UNSAYABLE & set(clause.split()) and "in or on" not in clause and "on or in" not in clause:
            return None
        while (shorter := _TAIL.sub("", clause)) != clause:
            clause = shorter
        error: GoalError | None = None
        while True:
            try:
                found = self._negated(clause)
            except GoalError as problem:
                found, error = None, error or problem
            if found is not None:
                return found
            shorter = _POLITE.sub("", clause, count=1)
            if shorter == clause:
                break
            clause, error = shorter, None
        if error is not None:
            raise error
        return None

    def _negated(self, clause: str) -> list[ConditionJson] | None:
        clause = _SITS.sub("is ", clause).replace(" off of ", " off ")
        match = _NEVER.match(clause)
        if match is None:
            return self._positive(clause)
        if _EXACT.search(clause):
            raise GoalError(f"{clause!r} denies an exact number, which no condition can say")
        rest = clause[match.end() :]
        if match[0] == "not every ":
            return [{"not": one} for one in self._positive(f"every {rest}") or ()] or None
        rest = re.sub(r"^(\w+?)(?:n)?ing\b", lambda m: m[1], rest) if clause.startswith(("avoid", "stop")) else rest
        kept = re.fullmatch(rf"(?:leave|let|have|keep) (.+?) {STATE}", rest)
        found = self._positive(f"{kept[1]} is {kept[2]}" if kept else rest)
        return None if found is None else [denied(one) for one in found]

    def _with_pronoun(self, clause: str, match: re.Match[str]) -> list[ConditionJson] | None:
        """Read a clause with what "it" means: the thing named last, or else its place ("put it in and close it")."""
        meant = self.clauses.named
        if match.re is _PART or _OF_PLACES.match(clause):  # "put the milk in the fridge and close it"
            meant = (*meant[1:2], *meant[:1], *meant[2:])
        problem: GoalError | None = None
        for name in meant:
            self.clauses.named = meant
            try:
                found = self._positive(f"{clause[: match.start()]}{name}{clause[match.end() :]}")
            except GoalError as error:
                problem = problem or error
                continue
            if found is not None:
                return found
        if problem is not None:
            raise problem
        if meant:
            return None
        raise GoalError(f"{clause!r} does not say what {match[1]!r} is")

    def _positive(self, clause: str) -> list[ConditionJson] | None:
        if match := _PART.match(clause) or _PRONOUN.search(clause):
            return self._with_pronoun(clause, match)
        for said, meant in ERRANDS:
            if match := said.fullmatch(clause):
                sentence = meant.format(n=match["n"] or "one" if "n" in said.groupindex else "")
                return [one for part in sentence.split(", ") for one in self.clauses.read(part) or ()]
        return self.clauses.read(clause)


_FORMS: Final = "has none of the forms that can be checked, such as 'turn on the lamp' or 'the lamp is on'"


def _corrected(word: str, scene: Scene) -> str:
    """Return the word that one which is no word here was meant to be."""
    known = _words(scene)
    if len(word) < 4 or word in known or not word.isalpha():
        return word
    return nearest(word, known) or word


def _words(scene: Scene) -> frozenset[str]:
    said: Iterable[str] = (text for _, pattern in patterns() for text in re.findall(r"[a-z]+", pattern.pattern))
    own = (word for name in scene.of_class for word in name.lower().split("_"))
    states = (word for text in STATE_WORDS for word in text.split())
    return frozenset({*said, *own, *states, "place", "bring", "carry", "table", "every", "please", "move", "store"})
