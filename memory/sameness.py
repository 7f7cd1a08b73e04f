"""When two texts say the same, so that a memory keeps one of them.

Only differences that carry no meaning are ignored: spacing, the capital of the first word, articles, a full stop at the
end. Similarity of vectors does not decide: "The door code is 4711" and "4712", or "allergic" and "not allergic", are as
similar as paraphrases for every embedder (`benchmarks/memory/sameness.py` measures it), and a text that is merged into
another is lost from search. Not here: texts with a key, which supersede each other by their subject.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

_ARTICLES: Final = ("a", "an", "the")
_BINDING: Final = ("few", "little", "lot", "bit", "while")
"""After these words' absence or presence an article is part of the meaning: "a few" is more than "few"."""
_END: Final = re.compile(r"(?<=[^\W\d_])[.!]$")


def canonical(text: str) -> str:
    """Return a text without the differences that carry no meaning."""
    words = unicodedata.normalize("NFC", text).split()
    if words and words[0].istitle():
        words[0] = words[0].lower()
    following = [*words[1:], ""]
    kept = [
        word
        for word, after in zip(words, following, strict=False)
        if word not in _ARTICLES or not after or after.lower() in _BINDING
    ]
    return _END.sub("", " ".join(kept))


def said(text: str) -> int:
    """Return 63 bits of the hash of what a text says: equal for texts that say the same."""
    digest = hashlib.blake2b(canonical(text).encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
