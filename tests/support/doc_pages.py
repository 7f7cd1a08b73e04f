"""The documentation as tests see it: its pages, the fenced blocks in them, and the command lines in those."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r"(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)
SPAN = re.compile(r"`(?P<code>[^`\n]+)`")
ASSIGNMENT = re.compile(r"^[A-Z_]+=\S*$")


class Block(NamedTuple):
    """One fenced block of a page."""

    place: str
    """Page and line."""
    language: str
    body: str
    reason: str | None
    """Why a Python block is not run: a comment above it says so. None if it is run."""


def doc_pages() -> dict[Path, str]:
    """Return every page that people read, by its path relative to the checkout, with its text."""
    named = [path for name in ("README.md", "CONTRIBUTING.md") if (path := ROOT / name).is_file()]
    return {
        path.relative_to(ROOT): path.read_text("utf-8") for path in (*named, *sorted((ROOT / "docs").rglob("*.md")))
    }


def blocks(language: str | None = None) -> Iterator[Block]:
    """Yield every fenced block in the pages, or those of one language."""
    for page, text in doc_pages().items():
        for found in FENCE.finditer(text):
            if language is None or found["language"] == language:
                line = text.count("\n", 0, found.start()) + 1
                yield Block(f"{page}:{line}", found["language"], found["body"], found["reason"])


def lines_of(block: Block) -> Iterator[list[str]]:
    """Yield each command of a shell block as words; comments, pipes and leading assignments are taken off."""
    for line in block.body.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars="|;&")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            words = list(lexer)
        except ValueError:  # an apostrophe in prose: not a command
            continue
        command: list[str] = []
        for word in [*words, ";"]:
            if word and set(word) <= set("|;&"):
                while command and ASSIGNMENT.match(command[0]):
                    command.pop(0)
                if command:
                    yield command
                command = []
            else:
                command.append(word)


def commands(program: str) -> list[tuple[str, list[str]]]:
    """Return every command of the shell blocks that starts with a program, with the place where it stands."""
    return [
        (block.place, words)
        for block in blocks()
        if block.language in {"", "sh", "bash", "console"}
        for words in lines_of(block)
        if words[0] == program or words[0].endswith(f"/{program}")
    ]


def spans(start: str) -> list[tuple[str, list[str]]]:
    """Return every inline code span that starts with a word, as words, with the page where it stands."""
    found = []
    for page, text in doc_pages().items():
        for span in SPAN.finditer(FENCE.sub("", text)):
            code = span["code"]
            while ASSIGNMENT.match(code.split(" ")[0]) and " " in code:
                code = code.split(" ", 1)[1]
            if code.startswith(start):
                found.append((str(page), code.split()))
    return found
