"""Keys and key combinations, as the protocol's keyboard events want them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

MODIFIERS: Final[Mapping[str, int]] = MappingProxyType({"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8})
"""The modifiers and their bits."""

_NAMED: Final[Mapping[str, tuple[str, int, str]]] = MappingProxyType(
    {
        "Enter": ("Enter", 13, "\r"),
        "Tab": ("Tab", 9, ""),
        "Escape": ("Escape", 27, ""),
        "Backspace": ("Backspace", 8, ""),
        "Delete": ("Delete", 46, ""),
        "Insert": ("Insert", 45, ""),
        "Space": ("Space", 32, " "),
        "ArrowLeft": ("ArrowLeft", 37, ""),
        "ArrowUp": ("ArrowUp", 38, ""),
        "ArrowRight": ("ArrowRight", 39, ""),
        "ArrowDown": ("ArrowDown", 40, ""),
        "Home": ("Home", 36, ""),
        "End": ("End", 35, ""),
        "PageUp": ("PageUp", 33, ""),
        "PageDown": ("PageDown", 34, ""),
        **{f"F{number}": (f"F{number}", 111 + number, "") for number in range(1, 13)},
    }
)
"""By name: its code, its Windows key code, and the text that it types."""

_EDITING: Final[Mapping[str, str]] = MappingProxyType(
    {"a": "selectAll", "c": "copy", "v": "paste", "x": "cut", "z": "undo"}
)
_CODES: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        **{letter: (f"Key{letter.upper()}", ord(letter.upper())) for letter in "abcdefghijklmnopqrstuvwxyz"},
        **{digit: (f"Digit{digit}", ord(digit)) for digit in "0123456789"},
        " ": ("Space", 32),
        **dict.fromkeys(".>", ("Period", 190)),
        **dict.fromkeys(",<", ("Comma", 188)),
        **dict.fromkeys("-_", ("Minus", 189)),
        **dict.fromkeys("/?", ("Slash", 191)),
    }
)


class Key(NamedTuple):
    """One key with the modifiers held."""

    key: str
    """The name or the character, as the page's `event.key` has it."""
    code: str
    """The place on the keyboard, as `event.code` has it; empty for characters without one."""
    number: int
    """The Windows virtual key code; 0 for characters without one."""
    text: str
    """What it types."""
    modifiers: int = 0
    """The sum of the bits of `MODIFIERS`."""

    def down(self) -> dict[str, Any]:
        """Return the parameters of the event of pressing it."""
        event = {**self._both(), "type": "keyDown" if self.text else "rawKeyDown", "text": self.text}
        if self.modifiers in (MODIFIERS["Control"], MODIFIERS["Meta"]) and self.key.lower() in _EDITING:
            event["commands"] = [_EDITING[self.key.lower()]]
        return event

    def up(self) -> dict[str, Any]:
        """Return the parameters of the event of releasing it."""
        return {**self._both(), "type": "keyUp"}

    def _both(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "code": self.code,
            "windowsVirtualKeyCode": self.number,
            "modifiers": self.modifiers,
        }


def key_named(combination: str) -> Key | None:
    """Return the key of `"Enter"`, `"a"` or `"Control+Shift+a"`; None if there is no such key."""
    *held, name = combination.split("+") if not combination.endswith("+") else [*combination[:-1].split("+")[:-1], "+"]
    if any(modifier not in MODIFIERS for modifier in held) or len(set(held)) < len(held):
        return None
    modifiers = sum(MODIFIERS[modifier] for modifier in held)
    if name in _NAMED:
        code, number, text = _NAMED[name]
        key = " " if name == "Space" else name
        return Key(key, code, number, "" if modifiers & ~MODIFIERS["Shift"] else text, modifiers)
    if len(name) != 1 or not name.isprintable():
        return None
    typing = not modifiers & ~MODIFIERS["Shift"]
    return _character(name, modifiers)._replace(text=name if typing else "")


def typed(text: str) -> list[Key]:
    """Return the keys that type a text; a line break is Enter. An empty text is one Backspace, to clear a selection."""
    if not text:
        return [_special("Backspace")]
    return [_special("Enter") if c == "\n" else _special("Tab") if c == "\t" else _character(c, 0) for c in text]


def key_names() -> tuple[str, ...]:
    """Return the names of the keys that are not characters."""
    return tuple(_NAMED)


def _special(name: str) -> Key:
    code, number, text = _NAMED[name]
    return Key(name, code, number, text)


def _character(character: str, modifiers: int) -> Key:
    code, number = _CODES.get(character.lower(), ("", 0))
    shift = MODIFIERS["Shift"] if character.isalpha() and character.isupper() else 0
    return Key(character, code, number, character, modifiers | shift)
