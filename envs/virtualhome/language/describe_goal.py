"""Goals in plain words: `"the floor lamp is on and a cup is on the table"`.

Without a scene an id has no class and is given as a number. The character is "you"; where a scene has several, they
keep their numbers. The words are made for reading, and are not read back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from ...facts.conditions import (
    EVERY,
    ActionPattern,
    ActionsCondition,
    Condition,
    ConditionJson,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
)
from ..engine.scene import Scene
from ..engine.vocabulary import CHARACTER_CLASS, HANDS, RELATIONS
from ..goals.conditions import parse_conditions, relations_of
from .phrases import PHRASES

_STATE_WORDS: Final[Mapping[str, str]] = {"PLUGGED_IN": "plugged in", "PLUGGED_OUT": "unplugged"}
_BE: Final[Mapping[str, str]] = {"ON": "on", "INSIDE": "in", "BETWEEN": "in the wall of", "CLOSE": "close to"}
_DO: Final[Mapping[str, tuple[str, str]]] = {"FACING": ("faces", "face"), "SITTING": ("sits on", "sit on")}
_HANDS: Final[Mapping[tuple[int, ...], str]] = {
    (HANDS[0],): " in the right hand",
    (HANDS[1],): " in the left hand",
}
_PHRASES: Final[Mapping[str, str]] = {verb.upper(): phrases[0] for verb, phrases in PHRASES.items()}


_MASSES: Final = (
    "water",
    "milk",
    "food",
    "coffee",
    "juice",
    "soap",
    "shampoo",
    "detergent",
    "paste",
    "paper",
    "butter",
)


class _Cast:
    """Who is who in a scene: the class of each id, and which are the only ones of their class."""

    __slots__ = ("classes", "counts", "you")

    def __init__(self, classes: Mapping[int, str] | None) -> None:
        self.classes = classes or {}
        self.counts = None if classes is None else Counter(classes.values())
        one = self.counts is not None and self.counts[CHARACTER_CLASS] == 1
        self.you = next((i for i, name in self.classes.items() if name == CHARACTER_CLASS), None) if one else None


def describe(conditions: Sequence[ConditionJson], scene: Scene | Mapping[int, str] | None = None) -> str:
    """Return a goal in words, in one clause without a full stop; empty for no conditions.

    Args:
        conditions: In the form of `pathei.envs.facts.conditions`.
        scene: The scene, or the class of each id. Where given, ids are replaced by their class, and what is the only
            one of its kind is "the" one.

    Raises:
        GoalError: some conditions are malformed.
    """
    cast = _Cast(dict(zip(scene.ids, scene.classes, strict=True)) if isinstance(scene, Scene) else scene)
    clauses = [_clause(weighted.condition, cast) for weighted in parse_conditions(conditions)]
    return join(list(dict.fromkeys(clauses)))


def join(parts: Sequence[str], last: str = " and ") -> str:
    """Return parts as an enumeration: `"a, b and c"`."""
    return last.join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def plural(noun: str) -> str:
    """Return the plural of an English noun by the usual rules: `"box"` to `"boxes"`, `"knife"` to `"knives"`.

    A noun that takes no number is returned as it is.
    """
    if noun.endswith(("shelf", "knife")):
        return noun[: noun.rindex("f")] + "ves"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith((*_MASSES, "glasses", "clothes", "pants", "shoes", "scissors", "drawers")) or "food" in noun:
        return noun
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _clause(condition: Condition, cast: _Cast, no: bool = False) -> str:
    if isinstance(condition, NodeCondition):
        return _node(condition, cast, no)
    if isinstance(condition, EdgeCondition):
        return _edge(condition, cast, no)
    if isinstance(condition, NotCondition):
        if isinstance(condition.inner, NotCondition):
            return _clause(condition.inner.inner, cast, no)
        return _clause(condition.inner, cast, not no)
    return _actions(condition, cast, no)


def _node(condition: NodeCondition, cast: _Cast, no: bool) -> str:
    who, many, no = _subject(condition.node, condition.count, cast, "the", no)
    state = _STATE_WORDS.get(condition.state, condition.state.lower())
    return f"{who} {'are' if many else 'is'} {'not ' if no else ''}{state}"


def _edge(condition: EdgeCondition, cast: _Cast, no: bool) -> str:
    holds = set(relations_of(condition)) <= set(HANDS)
    thing = _thing(condition.target, cast, "a" if holds else "the")
    if thing == "you" and _is_you(condition.source, cast):
        thing = "yourself"
    count = condition.count
    if count > 1 and (holds or _is_you(condition.source, cast)):  # the one who has is one, what it has is many
        thing, count = f"{count} {plural(_noun(condition.target, cast))}", 1
    who, many, no = _subject(condition.source, count, cast, "a", no)
    if holds:
        one, more, after = "holds", "hold", _HANDS.get(relations_of(condition), "")
    else:
        names = [RELATIONS[r] for r in relations_of(condition)]
        one, more = _DO.get(names[0], ("", ""))
        after = ""
        if not one:
            places = join([_BE[name] for name in names if name in _BE], " or ")
            return f"{who} {'are' if many else 'is'} {'not ' if no else ''}{places} {thing}"
    verb = f"{'do' if many else 'does'} not {more}" if no else more if many else one
    return f"{who} {verb} {thing}{after}"


def _actions(condition: ActionsCondition, cast: _Cast, no: bool) -> str:
    done = ", then ".join(_action(pattern, cast) for pattern in condition.patterns)
    return f"you {'do not ' if no else ''}{done}"


def _action(pattern: ActionPattern, cast: _Cast) -> str:
    what = _thing(pattern.object, cast, "a") if pattern.object else "something"
    where = _thing(pattern.destination, cast, "a") if pattern.destination else "something"
    phrases = (_PHRASES.get(verb, verb.lower() + (" {0}" if pattern.object else "")) for verb in pattern.verbs)
    return join([phrase.format(what, where) for phrase in phrases], " or ")


def _is_you(selector: NodeSelector, cast: _Cast) -> bool:
    if selector.ids and not selector.classes and not selector.properties:
        return cast.you is not None and set(selector.ids) == {cast.you}
    return selector == NodeSelector(classes=(CHARACTER_CLASS,))


def _subject(selector: NodeSelector, count: int, cast: _Cast, article: str, no: bool) -> tuple[str, bool, bool]:
    """Return the words for what a clause is about, whether they take a plural verb, and whether it needs a "not"."""
    if _is_you(selector, cast):
        return "you", True, no
    noun = _noun(selector, cast)
    if count == EVERY:
        return f"{'not every' if no else 'every'} {noun}", False, False
    if count > 1:
        return f"{'fewer than ' if no else ''}{count} {plural(noun)}", True, False
    if no and (selector.classes or selector.properties):
        return f"no {noun}", False, False
    return _thing(selector, cast, article), False, no


def _thing(selector: NodeSelector, cast: _Cast, article: str) -> str:
    if _is_you(selector, cast):
        return "you"
    if selector.ids and not selector.classes and not selector.properties:
        return join([_by_id(number, cast) for number in selector.ids], " or ")
    noun = _noun(selector, cast)
    if cast.counts is not None:
        article = "the" if len(selector.classes) == 1 and cast.counts[selector.classes[0]] == 1 else "a"
    if article == "a" and plural(noun) == noun:
        return noun
    return f"{'an' if article == 'a' and noun[0] in 'aeiou' else article} {noun}"


def _by_id(number: int, cast: _Cast) -> str:
    name = cast.classes.get(number)
    if name is None or cast.counts is None:
        return f"number {number}"
    return f"the {_words(name)}" if cast.counts[name] == 1 else f"the {_words(name)} ({number})"


def _noun(selector: NodeSelector, cast: _Cast) -> str:
    properties = (f"{_words(name.lower())} thing" for name in selector.properties)
    ids = (_by_id(number, cast).removeprefix("the ") for number in selector.ids)
    return join([*map(_words, selector.classes), *properties, *ids], " or ")


def _words(name: str) -> str:
    return name.replace("_", " ")
