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
from ...engine.vocabulary import CHARACTER_CLASS, STATES
from ..phrases import (
    AT_WORDS,
    DEEDS,
    IN_WORDS,
    LIGHT,
    NOT_AT,
    PLACE_SPLIT,
    PLACING,
    PREPOSITION,
    PUT_AWAY_IN,
    STATE_WORDS,
)
from .forms import STATE, denied, patterns
from .nouns import ADJECTIVE, NONE, QUANTIFIED, QUANTITY, Moment, Noun, merged, read_noun

_YOU: Final = {"class": CHARACTER_CLASS}
_CARRIED: Final = ("water", "child")
"""What is carried without being `GRABBABLE`."""
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
_POSED: Final = r"(?:placed|lying|standing|sitting|seated|put|kept|stored|left)"
_WHERE: Final = r"(?:in|inside|on|at|of)"
_VACANT: Final = r"empty|clear|free|unoccupied|vacant"
_FULL: Final = re.compile(r"\b((?:a |the )?(?:glass|cup|mug|bottle|bowl|pot)) of (\w+)")
"""What something to drink is in."""
_SHUT: Final = re.compile(r"(?:the |a |an )?(closed|open) ")
_SEATED: Final = MappingProxyType({"SIT": ("SITTABLE", "SITTING"), "LIE": ("LIEABLE", "LYING")})
_IDLE: Final = frozenset({"nothing", "anything", "something", "everything"})
"""What "do" takes, and names nothing to check."""
_SMALL: Final = frozenset("the a an in on of for it to is and or at by with no".split())
_LIST: Final = re.compile(r"\s*(?:,\s*and\s+|,\s*|\s+and\s+)")
_LIT: Final = MappingProxyType({"dark": ("OFF", EVERY), "bright": ("ON", EVERY), "lit": ("ON", 1), "light": ("ON", 1)})


class ClauseReader:
    """Reads the clauses of one text."""

    def __init__(self, moment: Moment, verbs: frozenset[str]) -> None:
        """Read about a household.

        Args:
            moment: The household.
            verbs: Whose doing may be asked for, where they leave nothing behind.
        """
        self.moment, self.scene, self.verbs = moment, moment.scene, verbs
        self.named: tuple[str, ...] = ()
        """What was named, for "it": the last clause's thing, its place, then what clauses before it named."""
        self._meant: dict[str, int] = {}
        """The nodes that "the lamp" was found to mean: the same all through a text."""

    def read(self, clause: str) -> list[ConditionJson] | None:
        """Return the conditions of a plain clause; None where it has no form that is known.

        Raises:
            GoalError: it has, and names what is not there or cannot be so; half a sentence.
        """
        if (match := _FULL.search(clause)) and self._is(match[1]) and self._is(match[2]):
            (content, *_) = self._nouns(match[2])
            if content.nodes & (self.scene.having["DRINKABLE"] | self.scene.having["POURABLE"]):
                found = self.read(f"{clause[: match.start()]}{match[1]}{clause[match.end() :]}")
                vessel = read_noun(match[1], self.moment)
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
                problem = problem or error
                continue
            if found is not None:
                return found
        if problem is not None:
            raise problem
        return None

    def mention(self, text: str) -> None:
        """Keep the first thing that a text names, for "it" in what follows."""
        words = re.findall(r"[a-z']+", text)
        for start in range(len(words)):
            for end in range(min(len(words), start + 3), start, -1):
                name = " ".join(words[start:end])
                if words[start] not in _SMALL and self._is(name):
                    self._name(f"the {name}")
                    return

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
            return [one for noun in self._nouns(match[1] or match[2]) for one in self._edge(noun, "ON", _YOU)]
        if match := re.fullmatch(r"you are (in|inside|on) (.+)", clause):
            return self._edges_of_you("ON" if match[1] == "on" else "INSIDE", match[2])
        return None

    def _seated(self, how: str, text: str) -> list[ConditionJson]:
        """Return that you are on a seat, or on what one lies on."""
        for noun in self._nouns(text):
            if self.moment.seen and not noun.nodes & self.scene.having[_SEATED[how][0]]:
                raise GoalError(f"nobody can {how.lower()} on {noun.text}")
        return self._edges_of_you("ON", text)

    def _edges_of_you(self, relation: str, text: str) -> list[ConditionJson]:
        return self._you(relation, self._nouns(text))

    def _you(self, relation: str, nouns: Sequence[Noun]) -> list[ConditionJson]:
        found: list[ConditionJson] = []
        for noun in nouns:
            self._one_only(noun)
            edge: dict[str, Any] = {"from": _YOU, "relation": relation, "to": noun.selector(self.scene)}
            if relation == "HOLDS" and noun.number != NONE:
                self._require_movable(noun)
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
        if not room or not self._is(room) or not any(noun.nodes & self.scene.rooms for noun in self._nouns(room)):
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
        if match := re.search(rf" (?:{_POSED} )?({PREPOSITION}) ", clause):
            return self._edges(clause[: match.start()], match[1], clause[match.end() :], literal=True)
        return None

    def _apart(self, thing: str, place: str) -> list[ConditionJson]:
        """Return that something is nowhere on or in a place; "the plates": none of them."""
        target = read_noun(place, self.moment)
        self._one_only(target)
        if target.number == NONE:
            raise GoalError(f"{place!r} is no place that something can be away from")
        found: list[ConditionJson] = []
        for noun in self._nouns(thing):
            self._one_only(noun)
            if noun.number not in (1, EVERY) or noun.most is not None:
                raise GoalError(f"{noun.text} away from {place} cannot be checked: name the things, or say 'every'")
            found.append({"not": self._plain_edge(noun, self._around(target), target)})
        return found

    def _around(self, place: Noun) -> str:
        """Return the relations by which something is on or in a place, as conditions write them."""
        having = self.scene.having
        if place.nodes & self.scene.rooms:
            return "INSIDE"
        flat = place.nodes & (having["SURFACES"] | having["SITTABLE"] | having["LIEABLE"])
        hollow = place.nodes & (having["CONTAINERS"] | having["RECIPIENT"] | having["CAN_OPEN"])
        return "ON" if flat and not hollow else "INSIDE" if hollow and not flat else "ON|INSIDE"

    def _cleared(self, text: str, how: str) -> list[ConditionJson]:
        """Return that nothing which can be carried is on or in some furniture, and nobody where that is meant."""
        found: list[ConditionJson] = []
        having = self.scene.having
        for noun in self._nouns(text):
            self._one_only(noun)
            if noun.nodes & self.scene.rooms:
                raise GoalError(f"{noun.text} is a room, and never {how}: say what is to be {how}")
            if noun.most is not None or not (noun.definite or noun.number == EVERY or noun.nodes.bit_count() == 1):
                raise GoalError(f"which is meant by {noun.text!r}? say 'the' or 'every'")
            hollow = noun.nodes & (having["CONTAINERS"] | having["RECIPIENT"] | having["CAN_OPEN"])
            seat = noun.nodes & (having["SITTABLE"] | having["LIEABLE"])
            if not (hollow | seat | noun.nodes & having["SURFACES"]) or (
                how == "clear" and noun.nodes & having["GRABBABLE"]
            ):
                raise GoalError(f"nothing is kept on or in {noun.text}")
            things = Noun("everything", having["GRABBABLE"], (), things=True)
            relation = "INSIDE" if hollow and how == "empty" else self._around(noun)
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
            return self._taken(thing)
        if key == "WEAR":
            nouns = self._nouns(thing)
            if not all(noun.nodes & self.scene.having["CLOTHES"] for noun in nouns):
                raise GoalError(f"{thing} cannot be worn")
            return [one for noun in nouns for one in self._edge(noun, "ON", _YOU)]
        if key == "GO":
            (noun, *_) = self._nouns(thing)
            relation = "INSIDE" if noun.nodes & self.scene.rooms else "CLOSE"
            return [{"from": _YOU, "relation": relation, "to": noun.selector(self.scene)}]
        if key in ("AWAY", "DISCARD"):
            return [one for noun in self._nouns(thing) for one in self._edge(noun, *self._home(noun, key))]
        if key == "DEPART":
            (noun, *_) = self._nouns(thing)
            if not noun.nodes & (self.scene.rooms | self.scene.having["SITTABLE"] | self.scene.having["LIEABLE"]):
                raise GoalError(f"{thing} is nothing to get out of or off")
            return self._apart("everybody", thing)
        if key == "REMOVE":
            return self._apart(thing, place)
        if key in ("clear", "empty"):
            return self._cleared(thing, key)
        if key == "DIM":
            if any(noun.nodes & self.scene.having["HAS_SWITCH"] for noun in self._nouns(thing)):
                raise GoalError(f"{thing} can be on or off and nothing between: say which")
            raise GoalError(f"{thing} cannot be dimmed")
        if key in ("FILL", "SET"):
            return self._edges(place, "in" if key == "FILL" else "in/on", thing)
        action: dict[str, Any] = {"verb": key}
        if thing:
            (noun, *more) = self._nouns(thing)
            if more or noun.most is not None:
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
            try:
                thing, source = self._without_source(thing)
                if place in ("me", "you"):
                    return self._edges_of_you("HOLDS", thing)
                found = self._edges(thing, split[1], place, source=source)
                for noun in self._nouns(thing):
                    self._require_movable(noun)
                return found
            except GoalError as error:
                problem = problem or error
        if problem is not None and not clause.endswith((" on", " in")):
            raise problem
        return None

    def _without_source(self, thing: str) -> tuple[str, Noun | None]:
        """Split "the milk from the fridge" into what is carried and where it is now."""
        match = re.fullmatch(r"(.+?) (?:from|out of|off) (.+)", thing)
        if match is None or self._is(thing):
            return thing, None
        return match[1], read_noun(match[2], self.moment)

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
            noun = read_noun(text, self.moment)
            known = self._meant.get(text, 0) & noun.nodes
            found = [noun.only(known, self.scene) if known and known != noun.nodes else noun]
        except GoalError:
            parts = [part for part in _LIST.split(text) if part]
            if len(parts) < 2:
                raise
            found = [read_noun(part, self.moment) for part in parts]
            if not self.moment.seen:
                found = merged(found)
        self._name(text)
        return found

    def _name(self, thing: str, place: str = "") -> None:
        """Keep what was named."""
        self.named = tuple(dict.fromkeys(one for one in (thing, place, *self.named) if one))

    def _unmet(self, noun: Noun, met: int) -> Noun:
        """Return what "the lamp" means where some lamps are as is asked for: one of those that are not."""
        if not (self.moment.seen and noun.definite and noun.number == 1 and noun.most is None):
            return noun
        left = self._meant.setdefault(noun.text, noun.nodes & ~met) & noun.nodes
        return noun.only(left, self.scene) if left and left != noun.nodes else noun

    def _one_only(self, noun: Noun) -> None:
        if self.moment.seen and noun.definite and noun.number == 1 and len(noun.classes) > 1:
            names = [f"the {name.replace('_', ' ')}" for name in noun.classes]
            raise GoalError(f"{noun.text!r} may mean {', '.join(names[:-1])} or {names[-1]}: say which")

    def _require_movable(self, noun: Noun) -> None:
        """Refuse to carry what nobody can carry, where all of a scene is known."""
        scene = self.scene
        if self.moment.seen and not noun.nodes & (scene.having["GRABBABLE"] | scene.union(_CARRIED)):
            raise GoalError(f"{noun.text} cannot be carried")

    def _state(self, text: str, state: str, *, done: bool = False) -> list[ConditionJson]:
        found: list[ConditionJson] = []
        scene = self.scene
        if text in ("you", "i"):
            return [{"node": _YOU, "state": state}]
        for noun in self._nouns(text):
            able = scene.having.get(_ABLE.get(state, ""), scene.everything)
            if len(noun.classes) > 1 and noun.nodes & able:
                noun = noun.only(noun.nodes & able, scene)
            if noun.definite and len(noun.classes) > 1 and (left := noun.nodes & ~scene.states[STATES.index(state)]):
                noun = noun.only(left, scene)
            self._one_only(noun)
            if done and state == "CLEAN" and not noun.nodes & ~scene.rooms:
                raise GoalError(f"{noun.text} is a room: say what in it is to be clean")
            noun = self._unmet(noun, self.moment.states[STATES.index(state)])
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
        target = read_noun(place, self.moment)
        self._one_only(target)
        found = (
            self._state(place, STATE_WORDS[match[1]]) if (match := _SHUT.match(place)) and not self.moment.seen else []
        )
        for noun in self._nouns(thing):
            noun = noun if source is None else self._from_there(noun, source)
            self._one_only(noun)
            noun = noun if literal else self._unmet(noun, self.moment.within(target.nodes))
            relation = "CLOSE" if preposition == "next to" else self._relation(preposition, target, literal)
            found += self._edge(noun, relation, target.selector(self.scene))
        self._name(thing, place)
        return found

    def _edge(self, noun: Noun, relation: str, target: Mapping[str, Any]) -> list[ConditionJson]:
        return noun.counted({"from": noun.selector(self.scene), "relation": relation, "to": target})

    def _plain_edge(self, noun: Noun, relation: str, target: Noun) -> ConditionJson:
        return {"from": noun.selector(self.scene), "relation": relation, "to": target.selector(self.scene)}

    def _taken(self, thing: str) -> list[ConditionJson]:
        """Return what "take the milk out of the fridge" asks for: to hold it; of many, or in a room, to have it out."""
        thing, place = self._without_source(thing)
        if place is None:
            return self._edges_of_you("HOLDS", thing)
        nouns = [self._from_there(noun, place) for noun in self._nouns(thing)]
        if place.nodes & self.scene.rooms or any(noun.number == EVERY for noun in nouns):
            return self._apart(thing, place.text)
        return self._you("HOLDS", nouns)

    def _from_there(self, noun: Noun, place: Noun) -> Noun:
        """Return those of some things that are in or on a place now, where all of a scene is known."""
        if not self.moment.seen:
            return noun
        there = noun.nodes & self.moment.within(place.nodes)
        if not there:
            where = "in" if place.nodes & self.scene.rooms else "in or on"
            raise GoalError(f"there is no {' or '.join(noun.classes).replace('_', ' ')} {where} {place.text}")
        self._meant[noun.text] = there
        return noun.only(there, self.scene)

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
