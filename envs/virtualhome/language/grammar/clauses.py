"""Single clauses of requests and goals as conditions: "the lamp is on", "put two plates on the table", "make it dark".

Of a verb that leaves nothing behind to check ("watch television") doing it is the condition. Not here: noun phrases
(`nouns`), and joined, polite and negated clauses (`sentences`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from .....errors import GoalError
from ....facts.conditions import EVERY, ConditionJson
from ...engine.preconditions import ConditionKind
from ...engine.rules import Rules
from ...engine.scene import bits
from ...engine.vocabulary import CHARACTER_CLASS, STATES
from ..phrases import (
    HEATERS,
    LIGHT,
    NEAR_WORDS,
    NOT_AT,
    PLACE_SPLIT,
    PLACING,
    PREPOSITION,
    STATE_WORDS,
    UNCHECKED,
)
from .forms import STATE, clearer, denied, patterns
from .nouns import ADJECTIVE, NONE, QUANTIFIED, QUANTITY, Moment, Noun, read_noun
from .places import around, hollow, home_of, relation_to
from .referents import Referents

_YOU: Final = {"class": CHARACTER_CLASS}
_ABLE: Final = MappingProxyType(
    {"ON": "HAS_SWITCH", "OFF": "HAS_SWITCH", "OPEN": "CAN_OPEN", "CLOSED": "CAN_OPEN", "PLUGGED_IN": "HAS_PLUG"}
    | {"PLUGGED_OUT": "HAS_PLUG"}
)
_BE: Final = (
    r"(?<! that )(?<! which )"
    r"(?:is|are|be|should be|must be|has to be|have to be|needs to be|need to be|to be|stays?|remains?|belongs?)"
)
_NOT_BE: Final = (
    r"(?:isn't|aren't|is not|are not|should not be|must not be|shouldn't be|mustn't be|should never be|is never)"
)
_HAVE: Final = r"(?:leave|keep|have|get|want|need|see|make)"
_POSED: Final = r"(?:placed|lying|standing|sitting|seated|put|kept|stored|left|needed|wanted|required)"
_WHERE: Final = r"(?:in|inside|on|at|of)"
_VACANT: Final = r"empty|clear|free|unoccupied|vacant"
_FULL: Final = re.compile(r"\b((?:a |the )?(?:glass|cup|mug|bottle|bowl|pot)) of (\w+)")
"""What something to drink is in."""
_SHUT: Final = re.compile(r"(?:the |a |an )?(closed|open) ")
_SEATED: Final = MappingProxyType({"SIT": ("SITTABLE", "SITTING"), "LIE": ("LIEABLE", "LYING")})
_RUNNING: Final = ("WATCH", "TYPE")
"""What is done to a thing that is on, if it can be."""
_AT: Final = re.compile(r" (in|on) ((?:the |my |your |a )?[a-z ]+)$")
_APART: Final = re.compile(r"(turn|switch|shut|power) (.+?) (on|off) ((?:in|at|on) .+)")
_IDLE: Final = frozenset({"nothing", "anything", "something", "everything"})
"""What "do" takes, and names nothing to check."""
_LIT: Final = MappingProxyType({"dark": ("OFF", EVERY), "bright": ("ON", EVERY), "lit": ("ON", 1), "light": ("ON", 1)})


class ClauseReader:
    """Reads the clauses of one text."""

    def __init__(self, moment: Moment, rules: Rules | None) -> None:
        """Read about a household.

        Args:
            moment: The household.
            rules: Whose verbs may be asked for, where they leave nothing behind; all that are known if None.
        """
        self.moment, self.scene, self._rules = moment, moment.scene, rules
        self.who = Referents(moment)
        """What the text speaks of."""

    def read(self, clause: str) -> list[ConditionJson] | None:
        """Return the conditions of a plain clause; None where it has no form that is known.

        Raises:
            GoalError: it has, and names what is not there or cannot be so; half a sentence.
        """
        clause = _APART.sub(r"\1 \3 \2 \4", clause)  # "switch the light on in the hall"
        if (match := _FULL.search(clause)) and self.who.knows(match[1]) and self.who.knows(match[2]):
            (content, *_) = self.who.nouns(match[2])
            if content.nodes & (self.scene.having["DRINKABLE"] | self.scene.having["POURABLE"]):
                found = self.read(f"{clause[: match.start()]}{match[1]}{clause[match.end() :]}")
                (vessel,) = self.who.nouns(match[1])
                return None if found is None else [*self._edge(content, "INSIDE", vessel.selector(self.scene)), *found]
        problem: GoalError | None = None
        for read in (
            self._of_you,
            self._of_light,
            self._adjectival,
            self._declared,
            self._placed,
            self._done,
            self._elliptic,
        ):
            try:
                found = read(clause)
            except GoalError as error:
                problem = clearer(problem, error)
                continue
            if found is not None:
                self.who.said_by(read.__name__)
                return found
        if problem is not None:
            raise problem
        return None

    # --- what is to be true

    def _of_you(self, clause: str) -> list[ConditionJson] | None:
        clause = re.sub(r"^(?:be |get |)(?=sitting|lying|seated)", "you are ", clause)
        if match := re.fullmatch(
            r"(?:you |i )(?:are |am )?(sit|sitting|seated|lie|lying)(?: down)?(?: (?:on|in) (.+))?", clause
        ):
            how = "LIE" if match[1].startswith("l") else "SIT"
            there = self._seated(how, match[2]) if match[2] else []
            return [*there, {"node": _YOU, "state": _SEATED[how][1]}]
        if match := re.fullmatch(r"(sit|lie|have a seat|take a seat)(?: down)? (?:on|in|at|upon) (.+)", clause):
            return self._of_you(f"you {match[1] if match[1] == 'lie' else 'sit'} on {match[2]}")
        if clause in ("stand up", "get up", "stand", "you are standing"):
            return [{"not": {"node": _YOU, "state": state}} for state in ("SITTING", "LYING")]
        if match := re.fullmatch(r"you (?:hold|are holding|have) (.+)", clause):
            return self._edges_of_you("HOLDS", match[1])
        if match := re.fullmatch(r"(.+) (?:is|are) in (?:your|my) hands?", clause):
            return self._edges_of_you("HOLDS", match[1])
        if match := re.fullmatch(r"(?:you (?:wear|are wearing) (.+)|(.+) (?:is|are) on you)", clause):
            return [one for noun in self.who.nouns(match[1] or match[2]) for one in self._edge(noun, "ON", _YOU)]
        if (match := re.fullmatch(r"you are in (.+)", clause)) and (how := self._posture(match[1], "in")):
            return self._of_you(f"you {how} on {match[1]}")
        if match := re.fullmatch(rf"you are (in|inside|on|{NEAR_WORDS}) (.+)", clause):
            return self._edges_of_you({"on": "ON", "in": "INSIDE", "inside": "INSIDE"}.get(match[1], "CLOSE"), match[2])
        return None

    def _posture(self, place: str, preposition: str) -> str:
        """Return how one is in or on a place, "sit" or "lie"; empty where one does neither."""
        having, there = self.scene.having, self.who.one(place).nodes
        if not self.moment.seen or there & self.scene.rooms:
            return ""
        if there & having["LIEABLE"] and (preposition == "in" or not there & having["SITTABLE"]):
            return "lie"
        return "sit" if there & having["SITTABLE"] else ""

    def _seated(self, how: str, text: str) -> list[ConditionJson]:
        """Return that you are on a seat, or on what one lies on."""
        for noun in self.who.nouns(text):
            if self.moment.seen and not noun.nodes & self.scene.having[_SEATED[how][0]]:
                raise GoalError(f"nobody can {how.lower()} on {noun.text}")
        return self._edges_of_you("ON", text)

    def _edges_of_you(self, relation: str, text: str) -> list[ConditionJson]:
        return self._you(relation, self.who.nouns(text))

    def _you(self, relation: str, nouns: Sequence[Noun]) -> list[ConditionJson]:
        found: list[ConditionJson] = []
        for noun in nouns:
            self.who.one_only(noun)
            edge: dict[str, Any] = {"from": _YOU, "relation": relation, "to": noun.selector(self.scene)}
            if relation == "HOLDS" and noun.number != NONE:
                self.who.require_movable(noun)
            if relation == "HOLDS":  # the one who has is one, what it has is many
                several = noun.nodes.bit_count() if noun.number == EVERY else noun.number
                found += noun._replace(number=several).counted(edge)
            else:
                found.append({"not": edge} if noun.number == NONE else edge)
        return found

    def _of_light(self, clause: str) -> list[ConditionJson] | None:
        """Read "make the kitchen dark", "brighten the hall": of all that gives light in a room."""
        match = re.fullmatch(rf"(?:{_HAVE} (.+?)|(.+?) {_BE}) (?:completely |all )?(dark|bright|lit|light)", clause)
        room, how = (match[1] or match[2], match[3]) if match else ("", "")
        for word, verbs in LIGHT.items():
            if match := re.fullmatch(rf"(?:{verbs}) (.+)", clause):
                room, how = match[1], word
        if (
            not room
            or not self.who.knows(room)
            or not any(noun.nodes & self.scene.rooms for noun in self.who.nouns(room))
        ):
            return None
        state, number = _LIT[how]
        light = read_noun(f"lighting in {room}", self.moment)._replace(number=number)
        return light.counted({"node": light.selector(self.scene), "state": state})

    def _adjectival(self, clause: str) -> list[ConditionJson] | None:
        """Read "no open doors", "no dirty plates in the sink": what is so, or where what is so now is."""
        match = re.fullmatch(rf"(?:there {_BE} )?({QUANTITY}) ({ADJECTIVE}) (.+)", clause)
        if match is None:
            return None
        many, how, thing = match.groups()
        split = PLACE_SPLIT.search(thing)
        bare = read_noun(thing[: split.start()] if split else thing, self.moment)
        if split and bare.nodes & self.scene.having["GRABBABLE"]:
            return self._edges(f"{many} {how} {thing[: split.start()]}", split[1], thing[split.end() :], literal=True)
        return self._state(f"{many} {thing}", STATE_WORDS[how])

    def _declared(self, clause: str) -> list[ConditionJson] | None:
        clause = re.sub(rf"^there {_BE} (.+?) (?=(?:{PREPOSITION}) )", r"\1 is ", clause)
        no = False
        if match := re.match(rf"(.+?) {_NOT_BE} (.+)", clause):
            clause, no = f"{match[1]} is {match[2]}", True
        found: list[ConditionJson] | None = None
        if clause.startswith("you is "):
            found = self._of_you(clause.replace("is", "are", 1))
        elif match := re.fullmatch(rf"(.+?) {_BE} {STATE}( {_WHERE} .+)?", clause):
            found = self._state(f"{match[1]}{match[3] or ''}", STATE_WORDS[match[2]])
        elif match := re.fullmatch(rf"(.+?) {_BE} (sitting|seated|lying)(?: down)?", clause):
            found = self._state(match[1], "LYING" if match[2] == "lying" else "SITTING")
        elif match := re.fullmatch(rf"(.+?) {_BE} (?:{_POSED} )?(?:{NOT_AT}) (.+)", clause):
            found = self._apart(match[1], match[2])
        elif match := re.fullmatch(rf"(.+?) {_BE} ({_VACANT})", clause):
            found = self._cleared(match[1], match[2])
        elif match := re.search(rf" {_BE} (?:{_POSED} )?({PREPOSITION}) ", clause):
            found = self._edges(clause[: match.start()], match[1], clause[match.end() :], literal=True)
        return [denied(one) for one in found] if found and no else found

    def _elliptic(self, clause: str) -> list[ConditionJson] | None:
        """Read "the television off", "keep the fridge shut", "nobody on the couch", "no lamp on in the hall"."""
        if match := re.fullmatch(rf"(?:{_HAVE} )?(.+) ({_VACANT})", clause):
            return self._cleared(match[1], match[2])
        clause = re.sub(rf"^there {_BE} ", "", clause)
        match = re.fullmatch(rf"(?:{_HAVE} )?(.+?) (?:to be )?{STATE}( {_WHERE} .+)?", clause)
        if match and match[1] not in ("turn", "switch", "put", "shut", "power"):
            return self._state(f"{match[1]}{match[3] or ''}", STATE_WORDS[match[2]])
        if QUANTIFIED.match(clause) and (match := re.fullmatch(rf"(.+?) (?:{NOT_AT}) (.+)", clause)):
            return self._apart(match[1], match[2])
        match = None if self.who.form == "_done" else re.search(rf" (?:{_POSED} )?({PREPOSITION}) ", clause)
        if match:  # "put a cup on the table and a plate in the sink", but not "wash the cup and the plate in the sink"
            return self._edges(clause[: match.start()], match[1], clause[match.end() :], literal=True)
        return None

    def _apart(self, thing: str, place: str) -> list[ConditionJson]:
        """Return that something is nowhere on or in a place; "the plates": none of them."""
        target = self.who.one(place)
        if target.number == NONE:
            raise GoalError(f"{place!r} is no place that something can be away from")
        found: list[ConditionJson] = []
        for noun in self.who.nouns(thing):
            self.who.one_only(noun)
            if noun.number not in (1, EVERY) or noun.most is not None:
                raise GoalError(f"{noun.text} away from {place} cannot be checked: name the things, or say 'every'")
            found.append({"not": self._plain_edge(noun, around(target, self.scene), target)})
        return found

    def _cleared(self, text: str, how: str) -> list[ConditionJson]:
        """Return that nothing which can be carried is on or in some furniture, and nobody where that is meant."""
        found: list[ConditionJson] = []
        having = self.scene.having
        for noun in self.who.nouns(text):
            self.who.one_only(noun)
            if noun.nodes & self.scene.rooms:
                raise GoalError(f"{noun.text} is a room, and never {how}: say what is to be {how}")
            if noun.most is not None or not (noun.definite or noun.number == EVERY or noun.nodes.bit_count() == 1):
                raise GoalError(f"which is meant by {noun.text!r}? say 'the' or 'every'")
            inside = hollow(noun, self.scene)
            seat = noun.nodes & (having["SITTABLE"] | having["LIEABLE"])
            if not (inside | seat | noun.nodes & having["SURFACES"]) or (
                how == "clear" and noun.nodes & having["GRABBABLE"]
            ):
                raise GoalError(f"nothing is kept on or in {noun.text}")
            things = Noun("everything", having["GRABBABLE"], (), things=True)
            relation = "INSIDE" if inside and how == "empty" else around(noun, self.scene)
            found.append({"not": self._plain_edge(things, relation, noun)})
            if seat and how != "clear":
                found.append({"not": {"from": _YOU, "relation": "ON", "to": noun.selector(self.scene)}})
        return found

    # --- what is to be done

    def _done(self, clause: str) -> list[ConditionJson] | None:
        head, _, rest = clause.partition(" ")
        if (head == "do" and rest in _IDLE) or rest == "nothing":
            raise GoalError(f"{clause!r} asks for nothing that can be checked")
        problem: GoalError | None = None
        for key, pattern in patterns():
            match = pattern.fullmatch(clause)
            if match is None or (key in UNCHECKED and self._rules and key not in self._rules.table):
                continue
            try:
                return self._result(key, *match.groups())
            except GoalError as error:
                problem = clearer(problem, error)
        if problem is not None:
            raise problem
        return None

    def _result(self, key: str, thing: str = "", place: str = "") -> list[ConditionJson]:
        if key in STATES:
            return self._state(thing, key, done=True)
        if key == "HOLD":
            return self._taken(thing)
        if key == "WEAR":
            nouns = self.who.nouns(thing)
            if not all(noun.nodes & self.scene.having["CLOTHES"] for noun in nouns):
                raise GoalError(f"{thing} cannot be worn")
            return [one for noun in nouns for one in self._edge(noun, "ON", _YOU)]
        if key == "GO":
            (noun, *_) = self.who.nouns(thing)
            relation = "INSIDE" if noun.nodes & self.scene.rooms else "CLOSE"
            return [{"from": _YOU, "relation": relation, "to": noun.selector(self.scene)}]
        if key in ("AWAY", "DISCARD"):
            for noun in self.who.nouns(thing):
                self.who.require_movable(noun)
            return [one for noun in self.who.nouns(thing) for one in self._edge(noun, *home_of(noun, key, self.scene))]
        if key == "DEPART":
            (noun, *_) = self.who.nouns(thing)
            if not noun.nodes & (self.scene.rooms | self.scene.having["SITTABLE"] | self.scene.having["LIEABLE"]):
                raise GoalError(f"{thing} is nothing to get out of or off")
            return self._apart("everybody", thing)
        if key == "REMOVE":
            return self._apart(thing, place)
        if key in ("clear", "empty"):
            return self._cleared(thing, key)
        if key == "DIM":
            if any(noun.nodes & self.scene.having["HAS_SWITCH"] for noun in self.who.nouns(thing)):
                raise GoalError(f"{thing} can be on or off and nothing between: say which")
            raise GoalError(f"{thing} cannot be dimmed")
        if key == "RUN":
            return self._run(thing, place)
        if key in HEATERS:
            heater = next((name for name in HEATERS[key] if name in self.scene.of_class), "")
            if not heater:
                raise GoalError(f"there is nothing here to heat {thing} with")
            return self._run(thing, f"the {heater}")
        if key in ("FILL", "SET"):
            found = self._edges(place, "in" if key == "FILL" else "in/on", thing)
            self.who.name(thing)
            return found
        return self._deed(key, thing)

    def _run(self, thing: str, place: str) -> list[ConditionJson]:
        """Return that something is in or on a machine which runs; without one to switch on, that it is washed there."""
        machine = self.who.one(place)
        if machine.nodes & self.scene.having["HAS_SWITCH"]:
            return [*self._edges(thing, "in/on", place), *self._state(place, "ON", done=True)]
        raise GoalError(f"{machine.text} is no machine that does this")

    def _deed(self, verb: str, thing: str) -> list[ConditionJson]:
        """Return that something was done which leaves nothing behind, with what runs for it switched on."""
        if not thing:
            return [{"done": {"verb": verb}}]
        if (split := _AT.search(thing)) and not self.who.knows(thing):  # "read a book on the couch"
            how = self._posture(split[2], split[1])
            there = self._of_you(f"you {how} on {split[2]}" if how else f"you are {split[1]} {split[2]}") or []
            return [*there, *self._deed(verb, thing[: split.start()])]
        (noun, *more) = self.who.nouns(thing)
        if more or noun.most is not None:
            raise GoalError(f"{verb.lower()} takes one thing")
        if self.moment.seen:
            fit = noun.nodes & self._fitting(verb)
            if not fit:
                raise GoalError(f"nobody can {UNCHECKED[verb][0].format(noun.text)}")
            noun = noun.only(fit, self.scene)
        selector, runs = noun.selector(self.scene), noun.nodes & self.scene.having["HAS_SWITCH"]
        on = [{"node": selector, "state": "ON"}] if runs and verb in _RUNNING and self.moment.seen else []
        return [*on, {"done": {"verb": verb, "object": selector}}]

    def _fitting(self, verb: str) -> int:
        """Return the bitset of what something can be done to, whatever its state."""
        scene, found = self.scene, self.scene.everything
        for asked in self._rules.table[verb].first if self._rules else ():
            found &= asked.among(scene) if isinstance(asked, ConditionKind) else scene.everything
        food = scene.having["EATABLE"]
        return found if verb != "EAT" else found & (food | self._with_something(food))

    def _with_something(self, things: int) -> int:
        """Return the bitset of what has some of the things in or on it."""
        return sum(1 << n for n in bits(self.scene.having["RECIPIENT"]) if self.moment.within(1 << n) & things)

    def _placed(self, clause: str) -> list[ConditionJson] | None:
        match = PLACING.match(clause)
        if match is None:
            return None
        rest, problem = match[1], None
        splits = list(PLACE_SPLIT.finditer(rest))
        for split in reversed(splits):
            thing, place = rest[: split.start()], rest[split.end() :]
            try:
                thing, source = self._without_source(thing)
                if place in ("me", "you"):
                    return self._edges_of_you("HOLDS", thing)
                found = self._edges(thing, split[1], place, source=source)
                for noun in self.who.nouns(thing):
                    self.who.require_movable(noun)
                return found
            except GoalError as error:
                problem = clearer(problem, error)
        if problem is not None and not clause.endswith((" on", " in")):
            raise problem
        return None

    def _without_source(self, thing: str) -> tuple[str, Noun | None]:
        """Split "the milk from the fridge" into what is carried and where it is now."""
        match = re.fullmatch(r"(.+?) (?:from|out of|off) (.+)", thing)
        if match is None or self.who.knows(thing):
            return thing, None
        return match[1], self.who.one(match[2])

    # --- parts

    def _state(self, text: str, state: str, *, done: bool = False) -> list[ConditionJson]:
        found: list[ConditionJson] = []
        scene = self.scene
        if text in ("you", "i"):
            return [{"node": _YOU, "state": state}]
        for noun in self.who.nouns(text):
            able = scene.having.get(_ABLE.get(state, ""), scene.everything)
            if len(noun.classes) > 1 and noun.nodes & able:
                noun = noun.only(noun.nodes & able, scene)
            if noun.definite and len(noun.classes) > 1 and (left := noun.nodes & ~scene.states[STATES.index(state)]):
                noun = noun.only(left, scene)
            self.who.one_only(noun)
            if done and state == "CLEAN" and not noun.nodes & ~scene.rooms:
                raise GoalError(f"{noun.text} is a room: say what in it is to be clean")
            noun = self.who.unmet(noun, self.moment.states[STATES.index(state)])
            if done and not noun.nodes & able:
                raise GoalError(f"{noun.text} cannot be {state.lower().replace('_', ' ')}")
            condition: dict[str, Any] = {"node": noun.selector(scene), "state": state}
            found += noun.counted(condition)
        return found

    def _edges(
        self, thing: str, preposition: str, place: str, *, literal: bool = False, source: Noun | None = None
    ) -> list[ConditionJson]:
        if re.fullmatch(r"(?:your |my |the )?hands?", place):
            return self._edges_of_you("HOLDS", thing)
        target = self.who.one(place)
        found = (
            self._state(place, STATE_WORDS[match[1]]) if (match := _SHUT.match(place)) and not self.moment.seen else []
        )
        for noun in self.who.nouns(thing):
            noun = noun if source is None else self.who.there(noun, source)
            self.who.one_only(noun)
            noun = noun if literal else self.who.unmet(noun, self.moment.within(target.nodes))
            relation = relation_to(target, preposition, self.scene, literal=literal)
            places = self._each(target)
            noun = noun if len(places) == 1 else noun._replace(same="")
            for one in places:
                found += self._edge(noun, relation, one.selector(self.scene))
        self.who.name(thing, place)
        return found

    def _each(self, place: Noun) -> list[Noun]:
        """Return the places that a noun means, one by one where something is to be in or on every one of them."""
        if place.number != EVERY or not self.moment.seen:
            return [place]
        return [place.only(1 << n, self.scene) for n in bits(place.nodes)]

    def _edge(self, noun: Noun, relation: str, target: Mapping[str, Any]) -> list[ConditionJson]:
        return noun.counted({"from": noun.selector(self.scene), "relation": relation, "to": target})

    def _plain_edge(self, noun: Noun, relation: str, target: Noun) -> ConditionJson:
        return {"from": noun.selector(self.scene), "relation": relation, "to": target.selector(self.scene)}

    def _taken(self, thing: str) -> list[ConditionJson]:
        """Return what "take the milk out of the fridge" asks for: to hold it; of many, or in a room, to have it out."""
        thing, place = self._without_source(thing)
        if place is None:
            return self._edges_of_you("HOLDS", thing)
        nouns = [self.who.there(noun, place) for noun in self.who.nouns(thing)]
        if place.nodes & self.scene.rooms or any(noun.number == EVERY for noun in nouns):
            return self._apart(thing, place.text)
        return self._you("HOLDS", nouns)
