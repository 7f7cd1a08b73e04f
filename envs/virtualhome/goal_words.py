"""Goals in plain words: `"the floor lamp is on and a cup is on the table"`.

Without a scene an id has no class and is told as a number. The character is "you"; where several characters are meant
apart from each other, by id and with a scene, they keep their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .goal_conditions import (
    EVERY,
    Condition,
    ConditionJson,
    Deed,
    DeedsCondition,
    EdgeCondition,
    NodeCondition,
    NotCondition,
    Selector,
    parse_conditions,
)
from .phrases import PHRASES
from .scene import Scene
from .vocabulary import CHARACTER_CLASS, HANDS, RELATIONS

_STATE_WORDS: Final[Mapping[str, str]] = {"PLUGGED_IN": "plugged in", "PLUGGED_OUT": "unplugged"}
_BE: Final[Mapping[str, str]] = {"ON": "on", "INSIDE": "in", "BETWEEN": "in the wall of", "CLOSE": "close to"}
_DO: Final[Mapping[str, tuple[str, str]]] = {"FACING": ("faces", "face"), "SITTING": ("sits on", "sit on")}
_HANDS: Final[Mapping[tuple[int, ...], str]] = {
    (HANDS[0],): " in the right hand",
    (HANDS[1],): " in the left hand",
}
_PHRASES: Final[Mapping[str, str]] = {verb.upper(): phrases[0] for verb, phrases in PHRASES.items()}


def describe(conditions: Sequence[ConditionJson], scene: Scene | None = None) -> str:
    """Return a goal in words, in one clause without a full stop; empty for no conditions.

    Args:
        conditions: In the form of `goal_conditions`.
        scene: Where given, ids are told by their class, and what is the only one of its kind is "the" one.

    Raises:
        GoalError: some conditions are malformed.
    """
    clauses = [_clause(weighted.condition, scene) for weighted in parse_conditions(conditions)]
    return join(list(dict.fromkeys(clauses)))


def join(parts: Sequence[str], last: str = " and ") -> str:
    """Return parts as an enumeration: `"a, b and c"`."""
    return last.join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def plural(noun: str) -> str:
    """Return the plural of an English noun by the usual rules: `"box"` to `"boxes"`, `"knife"` to `"knives"`."""
    if noun.endswith(("shelf", "knife")):
        return noun[: noun.rindex("f")] + "ves"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("glasses", "clothes", "pants", "shoes", "food", "water", "scissors", "drawers")):
        return noun
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _clause(condition: Condition, scene: Scene | None, no: bool = False) -> str:
    if isinstance(condition, NodeCondition):
        return _node(condition, scene, no)
    if isinstance(condition, EdgeCondition):
        return _edge(condition, scene, no)
    if isinstance(condition, NotCondition):
        if isinstance(condition.inner, NotCondition):
            return _clause(condition.inner.inner, scene, no)
        return _clause(condition.inner, scene, not no)
    return _deeds(condition, scene, no)


def _node(condition: NodeCondition, scene: Scene | None, no: bool) -> str:
    who, many = _subject(condition.node, condition.count, scene, "the")
    state = _STATE_WORDS.get(condition.state, condition.state.lower())
    return f"{who} {'are' if many else 'is'} {'not ' if no else ''}{state}"


def _edge(condition: EdgeCondition, scene: Scene | None, no: bool) -> str:
    holds = set(condition.relations) <= set(HANDS)
    count, many_things = condition.count, ""
    if count > 1 and (holds or _is_you(condition.source, scene)):
        many_things, count = f"{count} ", 1  # the character is one; what it has is many
    who, many = _subject(condition.source, count, scene, "a")
    thing = _thing(condition.target, scene, "a" if holds else "the")
    if many_things:
        thing = many_things + plural(_noun(condition.target, scene))
    if holds:
        where = _HANDS.get(condition.relations, "")
        negated = "do not hold" if many else "does not hold"
        return f"{who} {negated if no else 'hold' if many else 'holds'} {thing}{where}"
    names = [RELATIONS[r] for r in condition.relations]
    words = _DO.get(names[0])
    if words:
        verb = f"{'do' if many else 'does'} not {words[1]}" if no else words[1] if many else words[0]
        return f"{who} {verb} {thing}"
    return f"{who} {'are' if many else 'is'} {'not ' if no else ''}{join([_BE[n] for n in names if n in _BE], ' or ')} {thing}"


def _deeds(condition: DeedsCondition, scene: Scene | None, no: bool) -> str:
    done = ", then ".join(_deed(deed, scene) for deed in condition.deeds)
    return f"you {'do not ' if no else ''}{done}"


def _deed(deed: Deed, scene: Scene | None) -> str:
    what = _thing(deed.object, scene, "a") if deed.object else "something"
    where = _thing(deed.destination, scene, "a") if deed.destination else "something"
    phrases = (_PHRASES.get(verb, verb.lower() + (" {0}" if deed.object else "")) for verb in deed.verbs)
    return join([phrase.format(what, where) for phrase in phrases], " or ")


def _is_you(selector: Selector, scene: Scene | None) -> bool:
    if selector.ids and scene is not None and len(scene.characters) == 1 and not selector.classes:
        return selector.ids == (scene.ids[scene.characters[0]],)
    return selector.classes == (CHARACTER_CLASS,) and not selector.ids and not selector.properties


def _subject(selector: Selector, count: int, scene: Scene | None, article: str) -> tuple[str, bool]:
    """Return the words for what a clause is about, and whether they take a plural verb."""
    if _is_you(selector, scene):
        return "you", True
    if count == EVERY:
        return f"every {_noun(selector, scene)}", False
    if count > 1:
        return f"{count} {plural(_noun(selector, scene))}", True
    return _thing(selector, scene, article), False


def _thing(selector: Selector, scene: Scene | None, article: str) -> str:
    if _is_you(selector, scene):
        return "you"
    if selector.ids and not selector.classes and not selector.properties:
        return join([_by_id(number, scene) for number in selector.ids], " or ")
    noun = _noun(selector, scene)
    if scene is not None:
        article = "the" if len(selector.classes) == 1 and scene.union(selector.classes).bit_count() == 1 else "a"
    if article == "a" and noun[0] in "aeiou":
        article = "an"
    return f"{article} {noun}"


def _by_id(number: int, scene: Scene | None) -> str:
    if scene is None or number not in scene.index:
        return f"number {number}"
    name = scene.classes[scene.index[number]]
    alone = scene.of_class[name].bit_count() == 1
    return f"the {_words(name)}" if alone else f"the {_words(name)} ({number})"


def _noun(selector: Selector, scene: Scene | None) -> str:
    properties = (f"{_words(name.lower())} thing" for name in selector.properties)
    ids = (_by_id(number, scene).removeprefix("the ") for number in selector.ids)
    return join([*map(_words, selector.classes), *properties, *ids], " or ")


def _words(name: str) -> str:
    return name.replace("_", " ")


Describe = Callable[[Sequence[ConditionJson], Scene | None], str]
