"""Goals in plain words: `"the floor lamp is on and a cup is on the table"`.

Without a scene an id has no class and is given as a number. The character is "you"; where a scene has several, they
keep their numbers. "That plate" is the plate named before, and "then" says what comes about after all before it. The
grammar reads the words back.
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
from .lexicon import PLURALS
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

    __slots__ = ("classes", "counts", "named", "you")

    def __init__(self, classes: Mapping[int, str] | None) -> None:
        self.classes = classes or {}
        self.counts = None if classes is None else Counter(classes.values())
        one = self.counts is not None and self.counts[CHARACTER_CLASS] == 1
        self.you = next((i for i, name in self.classes.items() if name == CHARACTER_CLASS), None) if one else None
        self.named: dict[str, str] = {}
        """The nouns by the names under which one thing is meant again."""


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
    clauses = [(_clause(weighted.condition, cast), weighted.then) for weighted in parse_conditions(conditions)]
    said = ""
    for place, (clause, then) in enumerate(dict.fromkeys(clauses)):
        joint = " and " if place == len(dict.fromkeys(clauses)) - 1 else ", "
        said += clause if not place else f"{joint}then {clause}" if then else f"{joint}{clause}"
    return said


def join(parts: Sequence[str], last: str = " and ") -> str:
    """Return parts as an enumeration: `"a, b and c"`."""
    return last.join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _is_plural(noun: str) -> bool:
    """Return whether a class in words is a plural; of several classes the last decides, as the verb follows it."""
    return noun.rpartition(" or ")[2].partition(" (")[0].replace(" ", "_") in PLURALS


def plural(noun: str) -> str:
    """Return the plural of an English noun by the usual rules: `"box"` to `"boxes"`, `"knife"` to `"knives"`.

    A noun that takes no number is returned as it is.
    """
    if noun.endswith(("shelf", "knife")):
        return noun[: noun.rindex("f")] + "ves"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(_MASSES) or "food" in noun or _is_plural(noun):
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
        thing, count = _several(condition.target, count, cast), 1
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
    many = _is_plural(noun)
    if count == EVERY:
        return f"{'not ' if no else ''}{'all' if many else 'every'} {noun}", many, False
    if count > 1:
        return f"{'fewer than ' if no else ''}{_several(selector, count, cast)}", True, False
    if no and not selector.same and (selector.classes or selector.properties):
        return f"no {noun}", many, False
    return _thing(selector, cast, article), many, no


def _several(selector: NodeSelector, count: int, cast: _Cast) -> str:
    again = _again(selector, cast)
    return f"those {count} {plural(again)}" if again else f"{count} {plural(_noun(selector, cast))}"


def _again(selector: NodeSelector, cast: _Cast) -> str:
    """Return the noun by which a thing was named before, under the same name; empty where it is named now."""
    known = cast.named.get(selector.same, "")
    if selector.same and not known:
        cast.named[selector.same] = _noun(selector, cast)
    return known


def _thing(selector: NodeSelector, cast: _Cast, article: str) -> str:
    if _is_you(selector, cast):
        return "you"
    if again := _again(selector, cast):
        return f"{'those' if _is_plural(again) else 'that'} {again}"
    if selector.ids and not selector.classes and not selector.properties:
        first, *more = (_by_id(number, cast) for number in selector.ids)
        return join([first, *(one.removeprefix("the ") for one in more)], " or ")
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
