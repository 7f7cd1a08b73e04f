"""A folder of HTML as a collection: Python's documentation as Debian packs it, or any other.

Every page is parsed once with lxml. Links to other pages of the folder are kept, the rest is text. Questions are made
from headings that stand on one page alone, and, in what Sphinx wrote, from the defaults of documented functions.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ...errors import DataError
from ...extras import needed_by
from .collection import NOWHERE, DocsCollection, DocsPage, DocsQuestion, TextBlock, TextRun, normalise

_HEADINGS: Final = frozenset("h1 h2 h3 h4 h5 h6".split())
_BLOCKS: Final = frozenset(
    """p li dt dd pre tr div section article main body table ul ol dl blockquote figure header footer form fieldset br
    hr""".split()
)
_SKIPPED: Final = frozenset("script style nav head noscript template svg iframe".split())
_SKIPPED_CLASSES: Final = frozenset(("headerlink", "sphinxsidebar", "related", "footer", "mobile-nav", "menu-wrapper"))
_CODE: Final = frozenset("code tt kbd samp".split())
_WELCOME: Final = ("index.html", "contents.html", "README.html")


def folder_collection(folder: Path) -> DocsCollection:
    """Read every `*.html` and `*.htm` of a folder and its subfolders.

    Raises:
        DataError: there are none, or one cannot be read.
        MissingDependencyError: lxml is not installed.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".html", ".htm") and path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    if not names:
        raise DataError(
            f"There is no HTML in {folder}: name a folder with *.html files, for python3-doc its html folder."
        )
    home = next((name for name in _WELCOME if name in names), names[0])
    names.sort(key=lambda name: name != home)
    number = {name: place for place, name in enumerate(names)}
    parsed = [_parse(folder / name) for name in names]
    pages = [_page(name, root, number) for name, root in zip(names, parsed, strict=True)]
    questions = [*_section_questions(pages), *_default_questions(pages, parsed)]
    return DocsCollection(pages, str(folder), questions)


def _parse(path: Path) -> Any:
    with needed_by("Reading HTML"):
        from lxml import etree, html  # type: ignore[import-untyped]
    try:
        return html.document_fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))
    except (OSError, etree.LxmlError) as error:
        raise DataError(f"{path} cannot be read as HTML ({error}): fix it or take it out of the folder.") from error


def _page(name: str, root: Any, number: Mapping[str, int]) -> DocsPage:
    main = next(iter(root.xpath("//*[@role='main'] | //main | //article")), None)
    if main is None:
        main = next(iter(root.xpath("//body")), root)
    writer = _Writer(posixpath.dirname(name), number)
    writer.read(main)
    first = next((block.text for block in writer.blocks if block.kind == "heading"), "")
    title = first or " ".join((root.findtext(".//title") or "").split()) or name
    blocks = writer.blocks if first else [TextBlock("heading", (TextRun(title),)), *writer.blocks]
    return DocsPage(name, title, tuple(blocks))


class _Writer:
    """Reads a tree of elements into blocks."""

    def __init__(self, folder: str, number: Mapping[str, int]) -> None:
        self.blocks: list[TextBlock] = []
        self._folder = folder
        self._number = number
        self._runs: list[TextRun] = []

    def read(self, node: Any, kind: str = "text", target: int = NOWHERE, code: bool = False) -> None:
        """Read an element and what is in it; `kind` is the block's that it belongs to."""
        tag = node.tag
        skipped = not isinstance(tag, str) or tag in _SKIPPED or _SKIPPED_CLASSES & set(node.get("class", "").split())
        if skipped:
            return
        block = tag in _BLOCKS or tag in _HEADINGS
        if block:
            self._end(kind)
            kind = "heading" if tag in _HEADINGS else {"pre": "code", "li": "item", "dt": "item"}.get(tag, "text")
        if tag == "a":
            target = self._target(node.get("href") or "")
        code = code or tag in _CODE
        self._say(node.text, target, code)
        for child in node:
            self.read(child, kind, target, code)
            self._say(child.tail, target, code)
        if block:
            self._end(kind)

    def _say(self, text: str | None, target: int, code: bool) -> None:
        if text:
            self._runs.append(TextRun(text, target, code))

    def _end(self, kind: str) -> None:
        runs = _joined(self._runs, keep_lines=kind == "code")
        self._runs = []
        if runs:
            self.blocks.append(TextBlock(kind, runs))  # type: ignore[arg-type]  # one of the four, from the table above

    def _target(self, href: str) -> int:
        parts = urlsplit(href)
        if parts.scheme or parts.netloc or not parts.path:
            return NOWHERE
        return self._number.get(posixpath.normpath(posixpath.join(self._folder, unquote(parts.path))), NOWHERE)


def _joined(runs: list[TextRun], *, keep_lines: bool) -> tuple[TextRun, ...]:
    """Join neighbouring runs of a kind, with single blanks but where lines matter."""
    joined: list[TextRun] = []
    for text, target, code in runs:
        plain = text if keep_lines else _single_blanks(text)
        if joined and joined[-1][1:] == (target, code):
            plain = joined.pop().text + plain
        joined.append(TextRun(plain, target, code))
    kept = [
        TextRun(" ".join(run.text.split()), run.target, run.code) if run.target != NOWHERE else run for run in joined
    ]
    kept = [run for run in kept if run.text]
    return tuple(kept) if any(run.text.strip() for run in kept) else ()


def _single_blanks(text: str) -> str:
    words = " ".join(text.split())
    return f"{' ' * text[0].isspace()}{words}{' ' * (text[-1].isspace() and bool(words))}"


def _section_questions(pages: list[DocsPage]) -> Iterator[DocsQuestion]:
    """Ask for the page of a section whose heading is nowhere else."""
    headings = [{block.text.strip() for block in page.blocks[1:] if block.kind == "heading"} for page in pages]
    count = Counter(heading for found in headings for heading in found)
    titles = Counter(normalise(page.title) for page in pages)
    for page, found in zip(pages, headings, strict=True):
        answer = normalise(page.title)
        for heading in sorted(found):
            if count[heading] == 1 and titles[answer] == 1 and len(heading) > 8 and answer not in normalise(heading):
                yield DocsQuestion(f'What is the title of the page with the section "{heading}"?', (answer,), page.path)


def _default_questions(pages: list[DocsPage], roots: list[Any]) -> Iterator[DocsQuestion]:
    """Ask for the defaults of the functions that Sphinx's pages document under one name."""
    found: dict[tuple[str, str], DocsQuestion | None] = {}
    for page, root in zip(pages, roots, strict=True):
        for signature in root.xpath("//dt[contains(@class, 'sig') and @id]"):
            for parameter in signature.xpath(".//em[contains(@class, 'sig-param')]"):
                name = "".join(parameter.xpath(".//span[@class='n'][1]//text()")[:1])
                default = "".join(parameter.xpath(".//span[@class='default_value']//text()"))
                if name and normalise(default) and len(default) < 24:
                    key = (signature.get("id"), name)
                    text = f"What is the default value of the parameter {name} of {key[0]}?"
                    # A function that is documented twice may have two answers.
                    found[key] = None if key in found else DocsQuestion(text, (normalise(default),), page.path)
    return (question for question in found.values() if question is not None)
