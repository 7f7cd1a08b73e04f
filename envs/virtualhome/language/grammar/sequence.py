"""Words of order between two requests, put as "first this, then that": before, after, once, "but first", afterwards.

Only whole requests are put in order. "Before dinner" names a time, which no condition can say, and stays as it is. Not
here: what "then" means (`order`).
"""

from __future__ import annotations

import re
from typing import Final

from .forms import base_form, verbs

_NEXT: Final = re.compile(
    r"(?:\s*[,;.]\s*(?:and |but )?|\s+and\s+)(?:after that|after this|afterwards|afterward|subsequently|later|next"
    r"|finally|lastly)[ ,]+(?=(\w+))"
)
"""What joins a request to the one before it, followed by the first word of it."""
_FIRST: Final = re.compile(r"(.+?)[, ]+(?:and|but)[, ]+first[, ]+(.+)")
_BEFORE: Final = (re.compile(r"before (.+?), (?:please )?(.+)"), re.compile(r"(.+?),? before (.+)"))
_AFTER: Final = (
    re.compile(r"(?:after|once) (.+?), (?:please )?(?:then )?(.+)"),
    re.compile(r"(.+?),? (?:after|once) (?!that\b|this\b)(.+)"),
)
_STATED: Final = re.compile(r".+ (?:is|are) .+")
_SUBJECT: Final = re.compile(r"(?:you|i|we) (?:are |go on to |start )?")


def in_sequence(said: str) -> str:
    """Return a text in which the requests stand in the order in which they are asked for, joined by "then".

    Args:
        said: In lower case, without a full stop.
    """
    said = _NEXT.sub(lambda at: ", then " if at[1] in verbs() else at[0], said)
    if found := _FIRST.fullmatch(said):
        return f"{found[2]}, then {found[1]}"
    for place, pattern in enumerate(_BEFORE):
        if found := pattern.fullmatch(said):
            named, other = (found[1], found[2]) if place == 0 else (found[2], found[1])
            later = _request(named)
            return said if later is None else f"{other}, then {later}"
    for place, pattern in enumerate(_AFTER):
        if found := pattern.fullmatch(said):
            named, other = (found[1], found[2]) if place == 0 else (found[2], found[1])
            earlier = _request(named)
            return said if earlier is None else f"{earlier}, then {other}"
    return said


def _request(clause: str) -> str | None:
    """Return what follows "before" or "after" as a request: "going to bed" is "go to bed"; None where it is none."""
    plain = _SUBJECT.sub("", clause, count=1)
    done = plain.removeprefix("have ")
    head, space, rest = done.partition(" ")
    verb = base_form(head) or (head if head in verbs() else None) or (_present(head) if done != plain else None)
    if verb is not None:
        return f"{verb}{space}{rest}"
    return clause if _STATED.fullmatch(clause) else None


def _present(word: str) -> str | None:
    """Return the verb of which a word is the regular participle: "closed" is of "close"; None if it is of none."""
    forms = (word.removesuffix("d"), word.removesuffix("ed"), word[:-3]) if word.endswith("ed") else ()
    return next((form for form in forms if form in verbs()), None)
