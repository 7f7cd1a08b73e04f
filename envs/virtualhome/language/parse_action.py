"""Plain English to actions: "put the cup on the table", "open fridge 305", "turn the lamp on".

Reading goes by the phrases of the rules and the names of what a character perceives (`grammar.nouns`). There are no
pronouns; where a sentence could mean several things, or nothing, the answer is an explanation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..engine.rules import EngineAction, Rule, Rules
from ..engine.scene import bits
from .grammar.nouns import find_one, present
from .phrases import Phrase, compile_phrases, without_article

if TYPE_CHECKING:
    from ..engine.world import World


class Misunderstood(NamedTuple):
    """Why a sentence is not an action, in words for its writer."""

    why: str


def phrases(rules: Rules) -> tuple[Phrase, ...]:
    """Return every phrase of a set of rules, the longest first: "put back {0} on {1}" before "put back {0}"."""
    said = (
        (key, text) for key, rule in rules.table.items() for text in dict.fromkeys((*rule.phrases, _plain_phrase(rule)))
    )
    return compile_phrases(tuple(said))


def _plain_phrase(rule: Rule) -> str:
    """How a verb is said where nothing better is known: `"touch {0}"`, `"tie {0} to {1}"`."""
    return rule.verb.lower() + ("", " {0}", " {0} to {1}")[rule.arity]


def say(action: EngineAction, w: World) -> str:
    """Return an action in English, by its rule's first phrase: `"put cup (12) on table (7)"`."""
    rule = w.rules.table[action.verb]
    text = rule.phrases[0] if rule.phrases else _plain_phrase(rule)
    return text.format(*(w.scene.labels[n] if n >= 0 else "" for n in action[1:]))


def understand(
    sentence: str, w: World, character: int, among: int, known: tuple[Phrase, ...]
) -> EngineAction | Misunderstood:
    """Read a sentence as an action of a character.

    Args:
        sentence: What was said, in any case, with or without articles and a full stop.
        w: The world as it is now.
        character: Index of the character that acts.
        among: Bitset of the nodes that may be meant (`observation.nameable`).
        known: `phrases(w.rules)`.

    Returns:
        The one action that is meant; of several possible readings the one that is admissible now. Otherwise why not.
    """
    text = " ".join(sentence.lower().strip().rstrip(".!").split())
    here = present(w)
    readings: list[EngineAction] = []
    unknown: list[str] = []
    for phrase in known:
        match = phrase.pattern.match(text)
        if match is None:
            continue
        spots = [list(bits(find_one(name, here, among))) for name in match.groups()]
        if all(spots):
            readings += _ground(phrase.verb, spots)
        else:
            unknown += [name for name, nodes in zip(match.groups(), spots, strict=True) if not nodes]
    if not readings:
        return Misunderstood(_explain(text, unknown, w))
    possible = [action for action in readings if w.refusal(action, character) is None]
    if len(possible) == 1 or (possible and len({a[1:] for a in possible}) == 1):
        return possible[0]
    if len(readings) == 1 or not possible:
        refusal = w.refusal(readings[0], character)
        if len(readings) == 1 or len({w.refusal(action, character) for action in readings}) == 1:
            return readings[0]
        return Misunderstood(f"{refusal}; you could also mean {_options(readings[1:], w)}")
    return Misunderstood(f"which do you mean: {_options(possible, w)}?")


def _ground(verb: str, spots: list[list[int]]) -> Iterator[EngineAction]:
    if not spots:
        yield EngineAction(verb)
    elif len(spots) == 1:
        yield from (EngineAction(verb, n) for n in spots[0])
    else:
        yield from (EngineAction(verb, n, m) for n in spots[0] for m in spots[1])


def _options(actions: list[EngineAction], w: World) -> str:
    shown = [say(action, w) for action in actions[:6]]
    return ", ".join(shown) + (f" or {len(actions) - 6} others" if len(actions) > 6 else "")


def _explain(text: str, unknown: list[str], w: World) -> str:
    if unknown:
        return f"you see no {_cut(without_article(min(unknown, key=len)))} here"
    verb = text.split(" ", maxsplit=1)[0] if text else ""
    verbs = sorted({phrase.split(" ")[0] for rule in w.rules.table.values() for phrase in rule.phrases})
    if verb in verbs:
        return f"{_cut(text)!r} is not a full sentence: say for example {_example(verb, w)!r}"
    return f"{_cut(text)!r} is not understood; a sentence begins with one of: {', '.join(verbs)}"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


def _example(verb: str, w: World) -> str:
    phrase = next(p for rule in w.rules.table.values() for p in rule.phrases if p.split(" ")[0] == verb)
    return phrase.format("the cup", "the table")
