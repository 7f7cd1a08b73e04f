"""Requests and goals in English, read into conditions: "put two plates on the table and don't turn on the TV".

One grammar reads what is to be done and what is to be true, and all that `describe_goal` writes. Clauses are joined by
"and", "then" or commas; "it" and "them" mean the thing named before. Of a verb that leaves nothing behind to check
("watch television") doing it is the condition. What is not understood is refused with the reason. Not here: noun
phrases (`nouns`), "or", "except", and time.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from ....errors import GoalError
from ....experience import Goal
from ...facts.conditions import EVERY, ConditionJson
from ..engine.rules import Rules
from ..engine.scene import Scene, bits
from ..engine.vocabulary import CHARACTER_CLASS, STATES
from .nouns import NONE, Noun, read_noun
from .phrases import (
    AT_WORDS,
    AWAY,
    CHANGES,
    DEEDS,
    DISCARD,
    ERRANDS,
    GO,
    HOLD,
    IN_WORDS,
    PLACE_SPLIT,
    PLACING,
    PREPOSITION,
    PUT_AWAY_IN,
    STATE_WORDS,
    WEAR,
)

GRAMMAR: Final = """\
One clause, or several joined by "and". Name things as the observation does. The clauses are:
  the THING is STATE            STATE: on, off, open, closed, clean, plugged in, unplugged
  every THING is STATE          all things of that kind; also "two", "no", "the THINGS in the ROOM"
  a THING is on the THING       a thing lies or stands on another
  a THING is in the THING       a thing is inside another
  you hold a THING
  you wear the THING
  you are in the ROOM
  you are on the THING          you sit or lie on it
  you are sitting, you are lying
  turn on the THING, put the THING on the THING, ...      what is to be done, and "don't ..." what is not"""

_YOU: Final = {"class": CHARACTER_CLASS}
_ABLE: Final = MappingProxyType(
    {"ON": "HAS_SWITCH", "OFF": "HAS_SWITCH", "OPEN": "CAN_OPEN", "CLOSED": "CAN_OPEN", "PLUGGED_IN": "HAS_PLUG"}
    | {"PLUGGED_OUT": "HAS_PLUG"}
)
_OPPOSITE: Final = MappingProxyType({"ON": "OFF", "OFF": "ON", "OPEN": "CLOSED", "CLOSED": "OPEN"})
_STATE: Final = "|".join(sorted(STATE_WORDS, key=len, reverse=True))
_BE: Final = r"(?:is|are|be|should be|must be|has to be|have to be|needs to be|need to be|to be|stays?|remains?)"

_POLITE: Final = re.compile(
    r"^(?:(?:please|kindly|now|then|first|next|finally|also|just|ok|okay|hey|so|and|hi|hello)[ ,]+"
    r"|(?:could|can|would|will) you (?:please |kindly |mind )?|i(?:'d| would) like (?:you )?(?:to (?=\w+ (?!be\b))|)"
    r"|i (?:want|need) (?:you )?(?:to (?=\w+ (?!be\b))|)|you (?:should|must|have to|need to) |let's |let us "
    r"|(?:make sure|ensure|see to it|check|be sure|see|mind)(?: that)? |(?:remember|don't forget|do not forget) to "
    r"|(?:go (?:and )?(?=(?:get|fetch|open|close|turn|switch|put|take|wash|clean|grab)\b))|your task is to |try to "
    r"|help me (?:to )?|it is time to |time to |go ahead and |be so kind and )"
)
_TAIL: Final = re.compile(r"[ ,]+(?:please|for me|thanks|thank you|right now|now|again|too|as well|if you can|ok)$")
_NEVER: Final = re.compile(r"^(?:don't|do not|dont|never|you must not|avoid|stop) ")
_JOINT: Final = re.compile(
    r"(\s*(?:,?\s+and then\s+|,\s*then\s+|\s+then\s+|,\s*and\s+|,\s*but\s+|,\s*|\s+and\s+|\s+but\s+|;\s*|\.\s+))"
)
_LIST: Final = re.compile(r"\s*(?:,\s*and\s+|,\s*|\s+and\s+)")
_PRONOUN: Final = re.compile(r"\b(it|them|they)\b")
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
    said = " ".join(text.strip().strip("\"'").rstrip(".!?").lower().replace("\u2019", "'").split())
    said = re.sub(r"\s+([,;])", r"\1", said)
    if not said:
        raise GoalError("The goal is empty: say what is to be done, as in 'turn on the lamp'.")
    reader = _Reader(scene, frozenset(DEEDS) if rules is None else frozenset(rules.table))
    found = reader.whole(said)
    if found is None:
        head, _, rest = said.partition(" ")
        again = f"{_corrected(head, scene)} {rest}"  # a verb only: another name may be of another thing
        found = _Reader(scene, reader.verbs).whole(again) if again != said else None
    if found is None:
        raise GoalError(f"The goal cannot be read: {'; '.join(reader.problems(said))}.")
    return tuple(found)


class _Reader:
    """Reads the clauses of one text."""

    def __init__(self, scene: Scene, verbs: frozenset[str]) -> None:
        self.scene, self.verbs = scene, verbs
        self.last = ""
        """The thing named last, for "it"."""
        self.trouble: dict[str, str] = {}

    def whole(self, said: str) -> list[ConditionJson] | None:
        parts = _JOINT.split(said)
        return self._from(parts, 0, "") if len(parts) < 60 else None

    def _from(self, parts: Sequence[str], place: int, before: str) -> list[ConditionJson] | None:
        """Read the clauses from a place on, each as short as can be: "put the cup and the plate away" is one."""
        if place >= len(parts):
            return []
        for end in range(place + 1, len(parts) + 1, 2):
            clause = "".join(parts[place:end]).strip(" ,;.")
            self.last = before
            found = self._clause(clause) if clause else []
            if found is None:
                continue
            rest = self._from(parts, end + 1, self.last)
            if rest is not None:
                return [*found, *rest]
        return None

    def problems(self, said: str) -> list[str]:
        """Say what is wrong, once for each clause."""
        parts, place = _JOINT.split(said), 0
        found: list[str] = []
        self.last = ""
        while place < len(parts):
            tried = ["".join(parts[place:end]).strip(" ,;.") for end in range(place + 1, len(parts) + 1, 2)]
            good = next((size for size, clause in enumerate(tried, 1) if self._clause(clause) is not None), 0)
            if not good and tried[0]:
                said_why = [self.trouble[clause] for clause in tried if clause in self.trouble]
                missing = [why for why in said_why if why.startswith("there is no ")]
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
        if match := _NEVER.match(clause):
            rest = clause[match.end() :]
            rest = re.sub(r"^(\w+?)(?:n)?ing\b", lambda m: m[1], rest) if clause.startswith(("avoid", "stop")) else rest
            kept = re.fullmatch(rf"(?:leave|let|have|keep) (.+?) ({_STATE})", rest)
            found = self._state(kept[1], STATE_WORDS[kept[2]]) if kept else self._positive(rest)
            return None if found is None else [_denied(one) for one in found]
        return self._positive(clause)

    def _positive(self, clause: str) -> list[ConditionJson] | None:
        if _PRONOUN.search(clause):
            if not self.last:
                raise GoalError(f"{clause!r} does not say what {_PRONOUN.search(clause)[1]!r} is")  # type: ignore[index]
            clause = _PRONOUN.sub(lambda _: self.last, clause, count=1)
        for said, meant in ERRANDS:
            if match := said.fullmatch(clause):
                sentence = meant.format(n=match["n"] or "one" if "n" in said.groupindex else "")
                return [one for part in sentence.split(", ") for one in self._plain(part) or ()]
        return self._plain(clause)

    def _plain(self, clause: str) -> list[ConditionJson] | None:
        problem: GoalError | None = None
        for read in (self._of_you, self._declared, self._placed, self._done, self._elliptic):
            try:
                found = read(clause)
            except GoalError as error:
                problem = problem or error
                continue
            if found is not None:
                return found
        if problem is not None:
            raise problem
        return None

    # --- what is to be true

    def _of_you(self, clause: str) -> list[ConditionJson] | None:
        clause = re.sub(r"^(?:be|get) (?=sitting|lying|seated)", "you are ", clause)
        if match := re.fullmatch(
            r"(?:you |i )(?:are |am )?(sit|sitting|seated|lie|lying)(?: down)?(?: (?:on|in) (.+))?", clause
        ):
            if match[2]:
                return self._edges_of_you("ON", match[2])
            return [{"node": _YOU, "state": "LYING" if match[1].startswith("l") else "SITTING"}]
        if match := re.fullmatch(r"(?:sit|lie|have a seat|take a seat)(?: down)? (?:on|in|at|upon) (.+)", clause):
            return self._edges_of_you("ON", match[1])
        if clause in ("stand up", "get up", "stand", "you are standing"):
            return [{"not": {"node": _YOU, "state": state}} for state in ("SITTING", "LYING")]
        if match := re.fullmatch(r"you (?:hold|are holding|have) (.+)", clause):
            return self._edges_of_you("HOLDS", match[1])
        if match := re.fullmatch(r"(.+) (?:is|are) in (?:your|my) hands?", clause):
            return self._edges_of_you("HOLDS", match[1])
        if match := re.fullmatch(r"(?:you (?:wear|are wearing) (.+)|(.+) (?:is|are) on you)", clause):
            return [self._edge(noun, "ON", _YOU) for noun in self._nouns(match[1] or match[2])]
        if match := re.fullmatch(r"you are (in|inside|on) (.+)", clause):
            return self._edges_of_you("ON" if match[1] == "on" else "INSIDE", match[2])
        return None

    def _edges_of_you(self, relation: str, text: str) -> list[ConditionJson]:
        found: list[ConditionJson] = []
        for noun in self._nouns(text):
            self._one_only(noun)
            counted = {"count": noun.nodes.bit_count() if noun.number == EVERY else noun.number}
            edge: dict[str, Any] = {"from": _YOU, "relation": relation, "to": noun.selector(self.scene)}
            if relation == "HOLDS" and noun.number not in (1, NONE):
                edge |= counted
            found.append(edge if noun.number != NONE else {"not": edge})
        return found

    def _declared(self, clause: str) -> list[ConditionJson] | None:
        clause = re.sub(rf"^there {_BE} (.+?) (?=(?:{PREPOSITION}) )", r"\1 is ", clause)
        no = False
        if match := re.match(
            r"(.+?) (?:isn't|aren't|is not|are not|should not be|must not be|shouldn't be|is never) (.+)", clause
        ):
            clause, no = f"{match[1]} is {match[2]}", True
        if match := re.fullmatch(rf"(.+?) {_BE} ({_STATE})", clause):
            found = self._state(match[1], STATE_WORDS[match[2]])
            return [_denied(one) for one in found] if no else found
        for match in re.finditer(rf" {_BE} (?:(?:placed|lying|standing|put|kept|stored) )?({PREPOSITION}) ", clause):
            found = self._edges(clause[: match.start()], match[1], clause[match.end() :], literal=True)
            return [_denied(one) for one in found] if no else found
        return None

    def _elliptic(self, clause: str) -> list[ConditionJson] | None:
        """Read "the television off", "the curtain closed", "keep the fridge shut"."""
        match = re.fullmatch(rf"(?:(?:leave|keep|have|get|want|need|see|make) )?(.+?) (?:to be )?({_STATE})", clause)
        if match and match[1] not in ("turn", "switch", "put", "shut", "power"):
            return self._state(match[1], STATE_WORDS[match[2]])
        return None

    # --- what is to be done

    def _done(self, clause: str) -> list[ConditionJson] | None:
        problem: GoalError | None = None
        for key, pattern in _patterns():
            match = pattern.fullmatch(clause)
            if match is None or (key in DEEDS and key not in self.verbs):
                continue
            try:
                return self._result(key, *match.groups())
            except GoalError as error:
                problem = problem or error
        if problem is not None:
            raise problem
        return None

    def _result(self, key: str, thing: str = "", place: str = "") -> list[ConditionJson]:
        if key in STATES:
            return self._state(thing, key, done=True)
        if key == "HOLD":
            match = re.fullmatch(r"(.+?) (?:from|out of|off) (.+)", thing)
            return self._edges_of_you("HOLDS", match[1] if match and not self._is(thing) else thing)
        if key == "WEAR":
            nouns = self._nouns(thing)
            if not all(noun.nodes & self.scene.having["CLOTHES"] for noun in nouns):
                raise GoalError(f"{thing} cannot be worn")
            return [self._edge(noun, "ON", _YOU) for noun in nouns]
        if key == "GO":
            (noun, *_) = self._nouns(thing)
            relation = "INSIDE" if noun.nodes & self.scene.rooms else "CLOSE"
            return [{"from": _YOU, "relation": relation, "to": noun.selector(self.scene)}]
        if key in ("AWAY", "DISCARD"):
            return [self._edge(noun, *self._home(noun, key)) for noun in self._nouns(thing)]
        if key == "REMOVE":
            return [_denied(one) for one in self._edges(thing, "on", place)]
        if key == "FILL":
            return self._edges(place, "in", thing)
        action: dict[str, Any] = {"verb": key}
        if thing:
            (noun, *more) = self._nouns(thing)
            if more or noun.number == NONE:
                raise GoalError(f"{key.lower()} takes one thing")
            action["object"] = noun.selector(self.scene)
        return [{"done": action}]

    def _home(self, noun: Noun, key: str) -> tuple[str, dict[str, Any]]:
        scene = self.scene
        names = ["trashcan", "garbage_can"] if key == "DISCARD" else []
        if not names and any(name in ("toy_car", "teddy_bear", "building_blocks", "ball") for name in noun.classes):
            names = ["toy_box"]
        for properties, homes in PUT_AWAY_IN if not names else ():
            if any(noun.nodes & scene.having[name] for name in properties.split()):
                names = homes.split()
                break
        there = next((name for name in (*names, "kitchen_cabinet", "shelf") if name in scene.of_class), None)
        if there is None or (key == "DISCARD" and there not in names):
            raise GoalError(f"there is no place here to put {noun.text}")
        return ("ON" if there in ("bookshelf", "shelf") else "INSIDE"), {"class": there}

    def _placed(self, clause: str) -> list[ConditionJson] | None:
        match = PLACING.match(clause)
        if match is None:
            return None
        rest, problem = match[1], None
        splits = list(PLACE_SPLIT.finditer(rest))
        for split in reversed(splits):
            thing, place = rest[: split.start()], rest[split.end() :]
            thing = re.sub(r" (?:from|out of|off) .+$", "", thing) if not self._is(thing) else thing
            try:
                if place in ("me", "you"):
                    return self._edges_of_you("HOLDS", thing)
                return self._edges(thing, split[1], place)
            except GoalError as error:
                problem = problem or error
        if problem is not None and not clause.endswith((" on", " in")):
            raise problem
        return None

    # --- parts

    def _is(self, text: str) -> bool:
        try:
            self._nouns(text)
        except GoalError:
            return False
        return True

    def _nouns(self, text: str) -> list[Noun]:
        """Read one noun phrase, or several joined by "and"."""
        try:
            found = [read_noun(text, self.scene)]
        except GoalError:
            parts = [part for part in _LIST.split(text) if part]
            if len(parts) < 2:
                raise
            found = [read_noun(part, self.scene) for part in parts]
        self.last = text
        return found

    def _one_only(self, noun: Noun) -> None:
        if noun.definite and noun.number == 1 and len(noun.classes) > 1:
            names = [f"the {name.replace('_', ' ')}" for name in noun.classes]
            raise GoalError(f"{noun.text!r} may mean {', '.join(names[:-1])} or {names[-1]}: say which")

    def _state(self, text: str, state: str, *, done: bool = False) -> list[ConditionJson]:
        found: list[ConditionJson] = []
        scene = self.scene
        if text in ("you", "i"):
            return [{"node": _YOU, "state": state}]
        for noun in self._nouns(text):
            able = scene.having.get(_ABLE.get(state, ""), scene.everything)
            if len(noun.classes) > 1 and noun.nodes & able:
                noun = _only(noun, noun.nodes & able, scene)
            if noun.definite and len(noun.classes) > 1 and (left := noun.nodes & ~scene.states[STATES.index(state)]):
                noun = _only(noun, left, scene)
            self._one_only(noun)
            if done and not noun.nodes & able:
                raise GoalError(f"{noun.text} cannot be {state.lower().replace('_', ' ')}")
            condition: dict[str, Any] = {"node": noun.selector(scene), "state": state}
            found.append(_counted(condition, noun))
        return found

    def _edges(self, thing: str, preposition: str, place: str, *, literal: bool = False) -> list[ConditionJson]:
        target = read_noun(place, self.scene)
        self._one_only(target)
        found = []
        for noun in self._nouns(thing):
            self._one_only(noun)
            relation = "CLOSE" if preposition == "next to" else self._relation(preposition, target, literal)
            found.append(self._edge(noun, relation, target.selector(self.scene)))
        return found

    def _edge(self, noun: Noun, relation: str, target: Mapping[str, Any]) -> ConditionJson:
        return _counted({"from": noun.selector(self.scene), "relation": relation, "to": target}, noun)

    def _relation(self, preposition: str, place: Noun, literal: bool) -> str:
        if literal and not re.fullmatch(AT_WORDS, preposition):
            return "INSIDE" if re.fullmatch(IN_WORDS, preposition) else "ON"
        having, nodes = self.scene.having, place.nodes
        if nodes & self.scene.rooms:
            return "INSIDE"
        hollow = nodes & (having["CONTAINERS"] | having["RECIPIENT"] | having["CAN_OPEN"])
        flat = nodes & (having["SURFACES"] | having["SITTABLE"] | having["LIEABLE"])
        if re.fullmatch(IN_WORDS, preposition):
            return "ON" if flat and not hollow else "INSIDE"
        if re.fullmatch(AT_WORDS, preposition):
            return "INSIDE" if nodes & having["CAN_OPEN"] or (hollow and not flat) else "ON"
        return "ON"


_FORMS: Final = "has none of the forms that can be checked, such as 'turn on the lamp' or 'the lamp is on'"


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what may be asked for, each as a pattern, the longest first."""
    rows: list[tuple[str, str]] = [
        (key, said) for key, phrases in chain(CHANGES.items(), DEEDS.items()) for said in phrases
    ]
    named = {
        "HOLD": HOLD,
        "WEAR": WEAR,
        "AWAY": AWAY,
        "DISCARD": DISCARD,
        "GO": GO,
        "FILL": ("fill {0} with {1}",),
    }
    named["REMOVE"] = ("remove {0} from {1}", "clear {0} from {1}", "take {0} off {1}")
    rows += [(key, said) for key, phrases in named.items() for said in phrases]
    rows.sort(key=lambda row: (-len(row[1]), row[0]))
    return tuple((key, re.compile(re.sub(r"\\\{\d\\\}", "(.+)", re.escape(said)))) for key, said in rows)


def _only(noun: Noun, nodes: int, scene: Scene) -> Noun:
    return noun._replace(nodes=nodes, classes=tuple(dict.fromkeys(scene.classes[n] for n in bits(nodes))))


def _counted(condition: dict[str, Any], noun: Noun) -> ConditionJson:
    if noun.number == NONE:
        return {"not": condition}
    return condition if noun.number == 1 else {**condition, "count": "all" if noun.number == EVERY else noun.number}


def _denied(condition: ConditionJson) -> ConditionJson:
    """What holds if something was not done: of "the lights", none."""
    if "not" in condition:
        inner: ConditionJson = condition["not"]
        return inner
    return {"not": {key: value for key, value in condition.items() if key != "count" or value != "all"}}


def _corrected(word: str, scene: Scene) -> str:
    """Return the word that one which is no word here was meant to be."""
    known = _words(scene)
    if len(word) < 4 or word in known or not word.isalpha():
        return word
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.8)
    return near[0] if near else word


def _words(scene: Scene) -> frozenset[str]:
    said: Iterable[str] = (text for _, pattern in _patterns() for text in re.findall(r"[a-z]+", pattern.pattern))
    own = (word for name in scene.of_class for word in name.lower().split("_"))
    states = (word for text in STATE_WORDS for word in text.split())
    return frozenset({*said, *own, *states, "place", "bring", "carry", "table", "every", "please", "move", "store"})
