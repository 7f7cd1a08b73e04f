"""When two texts say the same, so that a memory keeps one of them.

Only differences that carry no meaning are ignored: spacing, the capital of a first word that is no name, "a" and "an",
a full stop at the end. Similarity of vectors does not decide: "The door code is 4711" and "4712", or "allergic" and
"not allergic", are as similar as paraphrases for every embedder (`benchmarks/memory/sameness.py` measures it), and a
text that is merged into another is lost from search. Not here: texts with a key, which supersede each other by their
subject.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

_ARTICLES: Final = ("a", "an", "the")
_BINDING: Final = ("few", "little", "lot", "bit", "while")
_OPENERS: Final = frozenset(
    "a an the this that these those my your his her its our their he she it we you they i there here in on at to from"
    " with without when if after before no not all some every each nobody somebody".split()
)
"""Words that are never names, so that their capital at the beginning means nothing: "China" may not be "china"."""
_END: Final = re.compile(r"(?<=[^\W\d_])[.!]$")


def canonical(text: str) -> str:
    """Return a text without the differences that carry no meaning; texts say the same if these are equal."""
    words = unicodedata.normalize("NFC", text).split()
    if words and words[0].istitle() and words[0].lower() in _OPENERS:
        words[0] = words[0].lower()
    return _END.sub("", " ".join("a" if word == "an" else word for word in words))


def said(text: str) -> int:
    """Return 63 bits by which texts that may say the same are found: equal for all whose `canonical` is equal.

    Memories store it, so it stays as it was when articles were left out as well.
    """
    digest = hashlib.blake2b(_coarse(text).encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def _coarse(text: str) -> str:
    """Return a text without articles, and with a small letter at the beginning."""
    words = ["a" if word == "an" else word for word in unicodedata.normalize("NFC", text).split()]
    if words and words[0].istitle():
        words[0] = words[0].lower()
    following = [*words[1:], ""]
    kept = [
        word
        for word, after in zip(words, following, strict=False)
        if word not in _ARTICLES or not after or after.lower() in _BINDING
    ]
    return _END.sub("", " ".join(kept))
