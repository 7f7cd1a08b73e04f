r"""Keys by name: what `keys ...` types on a terminal.

    keys 'ls -l' Enter          the text, then the key
    keys ls -l Enter            the same: words that name no key are typed with the blanks between them
    keys Escape :wq Enter       keys and text in any order
    keys "Enter"                the five letters: what is quoted is always text
    keys Down*5 C-c             a key five times; Control with C

Quotes are those of a shell: in single quotes everything is text; in double quotes a backslash stands before `"` and
`\`. Quoted and unquoted text do not stand side by side. Names are tmux's (`send-keys`), with some others for the same
keys; see `NAMES`. `C-x`, `Ctrl-x`, `Ctrl+x` and `^x` are Control with a key, `M-x` and `Alt-x` are Alt. A key may stand
in angle brackets: `<Enter>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_CODES: Final = {
    "Enter Return": "\r",
    "Tab": "\t",
    "BTab S-Tab Shift-Tab": "\x1b[Z",
    "Escape Esc": "\x1b",
    "Space": " ",
    "BSpace Backspace": "\x7f",
    "Up": "\x1b[A",
    "Down": "\x1b[B",
    "Right": "\x1b[C",
    "Left": "\x1b[D",
    "Home": "\x1b[1~",
    "IC Insert": "\x1b[2~",
    "DC Delete": "\x1b[3~",
    "End": "\x1b[4~",
    "PPage PageUp PgUp": "\x1b[5~",
    "NPage PageDown PgDn": "\x1b[6~",
    **{f"F{number}": f"\x1b[[{'ABCDE'[number - 1]}" for number in range(1, 6)},
    **{f"F{number}": f"\x1b[{code}~" for number, code in zip(range(6, 13), (17, 18, 19, 20, 21, 23, 24), strict=True)},
}
NAMES: Final[Mapping[str, str]] = MappingProxyType({n: code for names, code in _CODES.items() for n in names.split()})
"""What a Linux terminal (`TERM=linux`) sends for each key, by the key's names."""
MOST_TIMES: Final = 200
"""The largest number that may follow a star."""
_CONTROL: Final = re.compile(r"(?:C-|Ctrl[-+]|\^)(.|Space)", re.IGNORECASE)
_ALT: Final = re.compile(r"(?:M-|Alt[-+])(.+)", re.IGNORECASE)
_TIMES: Final = re.compile(r"(.+?)\*(\d{1,3})")
_WORD: Final = re.compile(r"""\s*('[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"]+)""", re.DOTALL)
_ENDS: Final = ("\r", "\n", "\x03", "\x04", "\x1a", "\x1b")
_LOWER: Final = MappingProxyType({name.lower(): name for name in NAMES})


def read_keys(text: str) -> tuple[bytes, ...] | str:
    """Return what keys send, divided after those that may begin or end a program; or, as a str, what is wrong."""
    parts, part, before, place = list[bytes](), "", "", 0
    text = text.rstrip()
    while place < len(text):
        found = _WORD.match(text, place)
        if found is None:
            return f"a quote is not closed in {text[place:].strip()[:60]!r}"
        word, gap, place = found[1], text[place : found.start(1)], found.end()
        kind = "quoted" if word[0] in "'\"" else "word"
        pressed = None if kind == "quoted" else _key(word)
        if pressed is not None and pressed.startswith("?"):
            return pressed[1:]
        if pressed is None and before and before != kind:
            return "quoted and unquoted text stand side by side: put all of the text in one pair of quotes"
        together = pressed is None and before == kind == "word"
        part += (gap if together else "") + (_unquoted(word) if pressed is None else pressed)
        before = kind if pressed is None else ""
        if pressed is not None and pressed[-1] in _ENDS:
            parts.append(part.encode("utf-8", "replace"))
            part = ""
    if part:
        parts.append(part.encode("utf-8", "replace"))
    return tuple(parts) or "there is no key to press"


def _key(word: str) -> str | None:
    """Return what a key sends; None for a text; a sentence after `?` where it is neither."""
    if word[0] == "<" and word[-1] == ">" and len(word) > 2:
        inner = _key(word[1:-1])
        return inner if inner is not None else f"?{word} names no key: {_known()}"
    if times := _TIMES.fullmatch(word):
        once = _key(times[1])
        if once is None or once.startswith("?"):
            return once
        many = int(times[2])
        return once * many if 0 < many <= MOST_TIMES else f"?a key is pressed 1 to {MOST_TIMES} times, not {many}"
    if word in NAMES:
        return NAMES[word]
    if control := _CONTROL.fullmatch(word):
        letter = " " if control[1].lower() == "space" else control[1].upper()
        if letter in " @ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_":
            return chr(ord(letter) & 0x1F) if letter != " " else "\0"
        return f"?{word} is no key of a terminal: Control goes with a letter"
    if alt := _ALT.fullmatch(word):
        with_alt = NAMES.get(alt[1], alt[1] if len(alt[1]) == 1 else "")
        return f"\x1b{with_alt}" if with_alt else f"?{word} names no key: {_known()}"
    if word.lower() in _LOWER:
        return (
            f"?{word!r} is neither quoted nor a key: write {_LOWER[word.lower()]} for the key, or '\"{word}\"' for text"
        )
    return None


def _unquoted(word: str) -> str:
    if word[0] == "'":
        text = word[1:-1]
    elif word[0] == '"':
        text = re.sub(r'\\(["\\])', r"\1", word[1:-1])
    else:
        text = word
    return text.replace("\r\n", "\r").replace("\n", "\r")


def _known() -> str:
    return f"{', '.join(names.split()[0] for names in _CODES)}, C-c"


def say_keys(*parts: str) -> str:
    """Return the action that types these texts and presses these keys: a name of `NAMES` or `C-x` is a key."""
    return " ".join(["keys", *(part if _key(part) is not None else quote(part) for part in parts)])


def quote(text: str) -> str:
    """Return a text in quotes, as `read_keys` reads it."""
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
