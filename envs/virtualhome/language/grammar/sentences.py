"""Requests and goals in English, read into conditions: "put two plates on the table and don't turn on the TV".

One grammar reads what is to be done and what is to be true, and all that `describe_goal` writes. Clauses are joined by
"and", "then" or commas; "it" and "that plate" mean the thing named before (`referents`). Of a verb that leaves nothing
behind to check ("watch television") doing it is the condition. What is not understood is refused with the reason. Not
here: noun phrases (`nouns`), single clauses (`clauses`), what has to be so before (`order`), "or" between clauses, and
time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

from .....errors import GoalError, nearest
from .....experience import Goal
from ....facts.conditions import ConditionJson
from ....facts.sentences import require_one_end
from ...engine.rules import Rules
from ...engine.scene import Scene
from ..phrases import ERRANDS, STATE_WORDS
from .clauses import ClauseReader
from .forms import STATE, UNKNOWN, base_form, clearer, denied, patterns, verbs
from .nouns import Moment, beginning
from .order import in_order, opposite, put_in_order, settled, shut_while_running
from .referents import Named
from .sequence import in_sequence

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

_NOT_YOURS: Final = frozenset("hold have wear lie sit are keep".split())
"""Verbs that say what is so of "you": "you hold a cup"."""
_HAVING: Final = re.compile(
    r"(?:(?:can|could|may|might) i (?:please )?(?:have|get)|i(?:'d| would) (?:like|love)(?: to have)?|i (?:want|need)"
    r"(?: to have)?) (?!to |you )(.+)"
)
_WITH: Final = re.compile(r"(.+?) with (.+) (in|inside|on) (?:it|them)")
_USE: Final = re.compile(r"use (.+) to (.+)")
_POLITE: Final = re.compile(
    r"^(?:(?:please|kindly|now|then|first|next|finally|also|just|ok|okay|hey|so|and|hi|hello)[ ,]+"
    r"|(?:could|can|would|will) you (?:please |kindly |mind )?|i(?:'d| would) like (?:you )?(?:to (?=\w+ (?!be\b))|)"
    r"|i (?:want|need) (?:you )?(?:to (?=\w+ (?!be\b))|)|you (?:should|must|have to|need to) |let's |let us "
    r"|(?:make sure|ensure|see to it|check|be sure|see|mind)(?: that)? |(?:remember|don't forget|do not forget) to "
    r"|(?:go (?:and )?(?=(?:get|fetch|open|close|turn|switch|put|take|wash|clean|grab)\b))|your task is to |try to "
    r"|help me (?:to )?|it is time to |time to |go ahead and (?:please )?|be so kind (?:and|as to) |feel free to "
    r"|(?:would|do) you mind (?=\w+ing\b)|would it be possible to |how about (?=\w+ing\b)|start by (?=\w+ing\b)"
    r"|why don't you |i(?:'d| would) appreciate you |i(?:'d| would) love (?:for )?(?:you )?to |after that[ ,]+"
    r"|you (?=(?:{verbs})\b))".replace("{verbs}", "|".join(sorted(verbs() - _NOT_YOURS)))
)
_TAIL: Final = re.compile(
    r"[ ,]+(?:please|for me|thanks|thank you|right now|now|again|too|as well|first|if you can|ok|anywhere|everywhere"
    r"|at all)$"
)
_NEVER: Final = re.compile(
    r"^(?:don't|do not|dont|never|you must not|avoid(?= \w+ing\b)|stop(?= \w+ing\b)|i (?:don't|do not) (?:want|like)"
    r"|not (?:every|all)(?= )) "
)
_STATES_SOMETHING: Final = re.compile(r"\b(?:is|are|be|isn't|aren't|should|must)\b")
_SITS: Final = re.compile(r"\b(?:sits|lies|sleeps|stands|sleeping) (?:down )?(?=(?:on|in) )")
_QUESTION: Final = re.compile(
    r"(?:is|are|isn't|aren't|was|does|did|has|do (?!you mind)(?:you|i|we)|where|what|which|who|whose|why(?! don't you)"
    r"|when(?!.*,)|how(?! about))\b"
)
_THESE: Final = r"(?:these|this|the following)(?: things)?"
_PLAINER: Final = (
    (re.compile(r",? using "), " using "),
    (re.compile(rf"\b(?:whatever is on|all|everything|each|every one) of {_THESE}: "), "every "),
    (re.compile(rf"(?:\w+ that )?nothing of {_THESE} is on: "), "switch off every "),
    (
        re.compile(r"^lie (?:down )?(on|in) (.+) and (?:go to |fall )?a?sleep(?: a little| for a while)?$"),
        r"sleep \1 \2",
    ),
)
"""Ways of saying that are others in plainer words."""
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
    reader = _Reader(beginning(scene), rules)
    found = reader.whole(said)
    if found is None:
        head, _, rest = said.partition(" ")
        again = f"{_corrected(head, scene)} {rest}"  # a verb only: another name may be of another thing
        found = _Reader(beginning(scene), rules).whole(again) if again != said else None
    if found is None:
        raise GoalError(f"The goal cannot be read: {'; '.join(reader.problems(said))}.")
    if not found:
        raise GoalError("The goal asks for nothing that can be checked: say what is to be done, or to be true.")
    if in_order(said):
        require_one_end(found, opposite, _SAID.__getitem__)
    return put_in_order(found, said, beginning(scene), rules)


def _plain_text(text: str) -> str:
    said = " ".join(text.strip().strip("\"'").rstrip(".!?").lower().replace("\u2019", "'").split())
    said = re.sub(r"^(turn|switch|shut|power) of (?=\w)", r"\1 off ", re.sub(r"\s+([,;])", r"\1", said))
    said = re.sub(r"\b(\w+) or more\b", r"at least \1", re.sub(r"\b(\w+) or (?:fewer|less)\b", r"at most \1", said))
    for pattern, plainer in _PLAINER:
        said = pattern.sub(plainer, said)
    said = re.sub(r"\bexcept(?: for)? (?=(?:one|two|three|four|five|[0-9]+)\b)", "but ", said)
    if not said:
        raise GoalError("The goal is empty: say what is to be done, as in 'turn on the lamp'.")
    return in_sequence(said)


def read_parts(text: str, moment: Moment, *, whole: bool = False) -> list[ConditionJson]:
    """Return the conditions that the clauses of a text state, as far as they can be read: what they are for is skipped.

    Args:
        text: "dinner is near: put a plate on the table".
        moment: The household.
        whole: Whether nothing but a reason before a colon may be skipped: then it is empty where a clause cannot be
            read.

    Raises:
        GoalError: the text is empty.
    """
    said = _plain_text(text)
    reader = _Reader(moment, None)
    head, colon, tail = said.partition(": ")
    found = reader.whole(said)
    if found is None and colon:
        found = reader.whole(tail, head)
    if found is None and not whole:
        found = reader.readable(tail, head) if colon else []
        found = found or reader.readable(said)
    return shut_while_running(settled(found or [], said, moment.scene), moment.scene)


class _Reader:
    """Reads the clauses of one text."""

    def __init__(self, moment: Moment, rules: Rules | None) -> None:
        self.clauses = ClauseReader(moment, rules)
        self.trouble: dict[str, GoalError] = {}

    def whole(self, said: str, about: str = "") -> list[ConditionJson] | None:
        """Read every clause, or nothing; what they are about may be said before."""
        parts = _JOINT.split(said)
        self.clauses.who.named = Named()
        self.clauses.who.mention(about)
        return self._from(parts, 0, self.clauses.who.named) if len(parts) < 60 else None

    def _from(self, parts: Sequence[str], place: int, before: Named) -> list[ConditionJson] | None:
        """Read the clauses from a place on, each as short as can be: "put the cup and the plate away" is one."""
        if place >= len(parts):
            return []
        for end in range(place + 1, len(parts) + 1, 2):
            clause = "".join(parts[place:end]).strip(" ,;.")
            self.clauses.who.named = before
            found = self._clause(clause) if clause else []
            if found is None:
                continue
            rest = self._from(parts, end + 1, self.clauses.who.named)
            if rest is not None:
                then = self.clauses.moment.seen and place > 0 and "then" in parts[place - 1]
                return [*({**one, "then": True} if then else one for one in found), *rest]
        return None

    def readable(self, said: str, about: str = "") -> list[ConditionJson]:
        """Read the clauses that can be read, and leave the others out; what they are about may be said before."""
        parts, place = _PREFACE.split(said), 0
        found: list[ConditionJson] = []
        self.clauses.who.named = Named()
        self.clauses.who.mention(about)
        while place < len(parts):
            for end in range(place + 1, min(len(parts), place + _LONGEST) + 1, 2):
                read = self._clause("".join(parts[place:end]).strip(" ,;.:"))
                if read is not None:
                    found += read
                    place = end + 1
                    break
            else:
                self.clauses.who.mention(parts[place])
                place += 2
        return found

    def problems(self, said: str) -> list[str]:
        """Say what is wrong, once for each clause that cannot be read: it goes on to where another may begin."""
        parts, place = _JOINT.split(said), 0
        found: list[str] = []
        self.clauses.who.named = Named()
        while place < len(parts):
            tried = ["".join(parts[place:end]).strip(" ,;.") for end in range(place + 1, len(parts) + 1, 2)]
            good = next((size for size, clause in enumerate(tried, 1) if self._clause(clause) is not None), 0)
            if not good:
                size = next((n for n, part in enumerate(parts[place + 2 :: 2], 1) if _may_begin(part)), len(tried))
                why = self._reason(tried[:size])
                if tried[0] and not (found and " does not say what " in why):  # "it" is of a clause that was not read
                    found.append(why)
                good = size
            place += 2 * good
        return list(dict.fromkeys(found)) or [f"{said!r} {_FORMS}"]

    def _reason(self, tried: Sequence[str]) -> str:
        """Say why a clause cannot be read, by what was wrong with it or with a part of it."""
        clause, reason = tried[-1], None
        for one in reversed(tried):
            reason = clearer(reason, self.trouble[one]) if one in self.trouble else reason
        plain = clause
        while (shorter := _POLITE.sub("", plain, count=1)) != plain:
            plain = shorter
        head = plain.partition(" ")[0]
        is_verb = head not in verbs() and not _STATES_SOMETHING.search(plain) and not self.clauses.who.knows(head)
        if is_verb and (reason is None or f"no {head} " in str(reason)):
            return f"what {head!r} asks for in {clause!r} is not known"
        unknown = UNKNOWN.match(str(reason))
        words = unknown[1].split() if unknown else []
        for cut in range(len(words) - 1, 0, -1):
            if words[cut] != "of" and self.clauses.who.knows(" ".join(words[:cut])):
                return f"what {' '.join(words[cut:])!r} says in {clause!r} is not known"
        return f"{clause!r} {_FORMS}" if reason is None else str(reason)

    def _clause(self, clause: str) -> list[ConditionJson] | None:
        try:
            found = self._polite(clause)
        except GoalError as error:
            found, self.trouble[clause] = None, clearer(self.trouble.get(clause), error)
        words = _UNSAYABLE & set(clause.split()) if found is None else set()
        if words and not (words == {"or"} and " or " not in str(self.trouble.get(clause, " or "))):
            word = sorted(words)[0]
            why = "stands between two requests only" if word in ("before", "after") else "no condition can say"
            self.trouble[clause] = GoalError(f"{clause!r} has {word!r}, which {why}")
        return found

    def _polite(self, clause: str) -> list[ConditionJson] | None:
        if (_UNSAYABLE - {"or"}) & set(clause.split()):
            return None
        while (shorter := _TAIL.sub("", clause)) != clause:
            clause = shorter
        try:
            found, problem = self._negated(clause), None
        except GoalError as error:
            found, problem = None, error
        if found is not None:
            return found
        for plainer in _plainer(clause):
            problem = None  # it was the polite words that could not be read
            try:
                found = self._polite(plainer)
            except GoalError as error:
                problem = error
            if found is not None:
                return found
        if problem is not None:
            raise problem
        return None

    def _negated(self, clause: str) -> list[ConditionJson] | None:
        clause = _SITS.sub("is ", clause).replace(" off of ", " off ")
        match = _NEVER.match(clause)
        if match is None:
            return self._positive(clause)
        if _EXACT.search(clause):
            raise GoalError(f"{clause!r} denies an exact number, which no condition can say")
        rest = clause[match.end() :]
        if match[0] in ("not every ", "not all "):
            return [{"not": one} for one in self._positive(f"{match[0][4:]}{rest}") or ()] or None
        head, _, after = rest.partition(" ")
        rest = f"{base_form(head) or head} {after}"
        kept = re.fullmatch(rf"(?:leave|let|have|keep) (.+?) {STATE}", rest)
        found = self._positive(f"{kept[1]} is {kept[2]}" if kept else rest)
        return None if found is None else [denied(one) for one in found]

    def _with_pronoun(self, clause: str, match: re.Match[str]) -> list[ConditionJson] | None:
        """Read a clause with what "it" means: the thing named last, or else its place ("put it in and close it")."""
        who = self.clauses.who
        meant, before = who.it(), who.named
        if match.re is _PART or _OF_PLACES.match(clause):  # "put the milk in the fridge and close it"
            meant = (*meant[1:2], *meant[:1], *meant[2:])
        problem: GoalError | None = None
        for name in meant:
            who.named = before
            try:
                found = self._positive(f"{clause[: match.start()]}{name}{clause[match.end() :]}")
            except GoalError as error:
                problem = clearer(problem, error)
                continue
            if found is not None:
                return found
        if problem is not None:
            raise problem
        if meant:
            return None
        raise GoalError(f"{clause!r} does not say what {match[1]!r} is")

    def _positive(self, clause: str) -> list[ConditionJson] | None:
        if match := _WITH.fullmatch(clause):  # "start the dishwasher with the bowl in it"
            found = self._positive(match[1])
            more = self._positive(f"{match[2]} is {match[3]} it") if found else None
            return [*more, *found] if found and more else None
        if match := _PART.match(clause) or _PRONOUN.search(clause):
            return self._with_pronoun(clause, match)
        if match := _USE.fullmatch(clause):
            return self._positive(f"{match[2]} using {match[1]}")
        for said, meant in ERRANDS:
            if match := said.fullmatch(clause):
                sentence = meant.format(**{key: value or "one" for key, value in match.groupdict().items()})
                return [one for part in sentence.split(", ") for one in self.clauses.read(part) or ()]
        return self.clauses.read(clause)


_FORMS: Final = "has none of the forms that can be checked, such as 'turn on the lamp' or 'the lamp is on'"


def _plainer(clause: str) -> Iterator[str]:
    """Yield a clause without what is polite at its beginning: what is left is asked for as one asks a friend."""
    shorter = _POLITE.sub("", clause, count=1)
    if shorter != clause:
        yield shorter
    if match := _HAVING.fullmatch(clause):
        yield f"get me {match[1]}"
    head, _, rest = clause.partition(" ")
    if verb := base_form(head):
        yield f"{verb} {rest}".strip()


def _may_begin(part: str) -> bool:
    """Whether a part of a sentence may begin a clause: with a verb, or by saying what is so."""
    plain = _POLITE.sub("", part.strip(), count=1)
    return plain.partition(" ")[0] in verbs() or bool(_STATES_SOMETHING.search(plain))


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
