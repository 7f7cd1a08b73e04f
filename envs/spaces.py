"""A gymnasium space of Unicode strings, for observations and actions that are sentences.

gymnasium's own `Text` holds strings over a fixed, enumerated character set; by default not even a space is in it. Here
every string that can be written as UTF-8 is allowed, up to a length. Not here: masks for sampling, and
flattening to numbers (text stays text in a flattened observation): both need an enumerated character set. Shared memory
too: `AsyncVectorEnv` reads it once and then relies on arrays that change in place, so make it with
`shared_memory=False`; it says so itself otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Space, Tuple
from gymnasium.spaces.utils import flatten, flatten_space, is_space_dtype_shape_equiv, unflatten
from gymnasium.vector.utils import batch_differing_spaces
from gymnasium.wrappers.utils import create_zero_array

from ..errors import ConfigError

_SCRIPTS = (
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789.,;:!?()[]<>'\"/-_+*=#@%&",
    "àâäåæçéèêëîïñôöøœßùûüþðłżš",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "абвгдежзийклмнопрстуфхцчшщыьэюя",
    "אבגדהוזחטיכלמנסעפצקרשת",
    "अआइईउऊएकखगघचछजटडतथदनपबमयरलवशसह",
    "的一是不了人我在有他这中大来上国",
    "あいうえおかきくけこさしすせそ",
    "\n\t\u00a0\u200d\u0301🙂🚪🪑",
)
"""What `sample` draws from: mostly printable, several scripts, and a little of what breaks careless code (line breaks,
a combining accent, characters outside the basic plane)."""

_SAMPLE_LENGTH = 64
"""Samples are no longer than this unless `min_length` asks for it, so that a sample stays cheap and readable."""


class UnicodeText(Space[str]):
    """The strings of `min_length` to `max_length` characters that can be encoded as UTF-8.

    Lengths count code points, as `len` does. Lone surrogates are the only characters refused: a store could not write
    them. Equal lengths make equal spaces.
    """

    def __init__(self, max_length: int, *, min_length: int = 0, seed: int | np.random.Generator | None = None) -> None:
        """Create the space.

        Args:
            max_length: The greatest length, in code points; inclusive, at least 1.
            min_length: The least length; inclusive.
            seed: The seed for sampling, or the generator to draw from.

        Raises:
            ConfigError: the lengths do not satisfy `0 <= min_length <= max_length` and `max_length >= 1`.
        """
        if not (0 <= min_length <= max_length and max_length >= 1):
            raise ConfigError(
                f"UnicodeText needs 0 <= min_length <= max_length and max_length >= 1, "
                f"but min_length is {min_length} and max_length is {max_length}."
            )
        self.min_length = int(min_length)
        self.max_length = int(max_length)
        super().__init__(shape=None, dtype=str, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: text has no fixed-size numeric form."""
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:
        """Draw words from several scripts, parted by spaces; consumes `self.np_random`.

        Args:
            mask: Must be None; there is no enumerated character set to mask.
            probability: Must be None, for the same reason.

        Raises:
            ConfigError: a mask was given.
        """
        if mask is not None or probability is not None:
            raise ConfigError("UnicodeText cannot be sampled with a mask: it has no list of characters; pass None.")
        rng = self.np_random
        longest = min(self.max_length, max(self.min_length, _SAMPLE_LENGTH))
        length = int(rng.integers(self.min_length, longest + 1))
        text = ""
        while len(text) < length:
            script = _SCRIPTS[int(rng.integers(len(_SCRIPTS)))]
            letters = rng.integers(len(script), size=int(rng.integers(1, 9)))
            text += "".join(script[index] for index in letters) + " "
        return text[:length]

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string of a permitted length without lone surrogates."""
        return isinstance(x, str) and self.min_length <= len(x) <= self.max_length and (x.isascii() or _encodable(x))

    def to_jsonable(self, sample_n: Iterable[str]) -> list[str]:
        """Return the samples as a list of strings: they are JSON as they stand."""
        return [str(sample) for sample in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        """Return the samples that `to_jsonable` made into JSON."""
        return [str(sample) for sample in sample_n]

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length}, min_length={self.min_length})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UnicodeText)
            and self.min_length == other.min_length
            and self.max_length == other.max_length
        )

    __hash__ = None  # type: ignore[assignment]  # as gymnasium's spaces: equal by value, and mutable (the generator)


class TextWithImages(UnicodeText):
    """What an environment observes whose episodes may have pictures: a text, or a dict of a `text` and an `image`.

    The `image` is a tuple of arrays, uint8 of shape `[height, width, 3]`. Samples are texts.
    """

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a text of a permitted length, or such a text with pictures."""
        if not isinstance(x, Mapping):
            return super().contains(x)
        pictures = x.get("image")
        return (
            set(x) == {"text", "image"}
            and super().contains(x["text"])
            and isinstance(pictures, tuple)
            and all(isinstance(one, np.ndarray) and one.dtype == np.uint8 and one.ndim == 3 for one in pictures)
        )

    def __repr__(self) -> str:
        return f"TextWithImages({self.max_length}, min_length={self.min_length})"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# What gymnasium's wrappers and vector environments ask of a space: functions of theirs, registered for its class.


def _flatten_space(space: UnicodeText) -> UnicodeText:
    return space


def _flatten(space: UnicodeText, x: str) -> str:
    return x


def _unflatten(space: UnicodeText, x: str) -> str:
    return x


def _equivalent(space_1: UnicodeText, space_2: Space[Any]) -> bool:
    return space_1 == space_2


def _zero(space: UnicodeText) -> str:
    return " " * space.min_length


def _batch_differing(spaces: Sequence[UnicodeText]) -> Space[Any]:
    return Tuple([UnicodeText(space.max_length, min_length=space.min_length) for space in spaces])


_GENERICS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (flatten_space, _flatten_space),
    (flatten, _flatten),
    (unflatten, _unflatten),
    (is_space_dtype_shape_equiv, _equivalent),
    (create_zero_array, _zero),
    (batch_differing_spaces, _batch_differing),
)
for _generic, _implementation in _GENERICS:
    _generic.register(UnicodeText, _implementation)
