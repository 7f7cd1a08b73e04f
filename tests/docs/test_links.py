"""Every relative link of the documentation leads to a file, and every anchor to a heading in it."""

import importlib.util
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from pathei.tests.support.doc_pages import ROOT, doc_pages

LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<text>.+?)\s*$", re.MULTILINE)
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def slug(heading: str) -> str:
    """Return the anchor of a heading, as mkdocs makes it."""
    words = re.sub(r"[^\w\s-]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower()
    return re.sub(r"[-\s]+", "-", words)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page."""
    outside = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {slug(found["text"]) for found in HEADING.finditer(outside)}


def generated() -> set[str]:
    """Return the pages that exist in the built site only."""
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {f"docs/{page}" for page in (*module.generated_pages(), "reference/cli.md")}


def test_every_relative_link_and_anchor_resolves() -> None:
    pages, made = doc_pages(), generated()
    wrong = []
    for page, text in pages.items():
        for found in LINK.finditer(CODE.sub("", text)):
            target, _, anchor = unquote(found["target"]).partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            path = Path(os.path.normpath(page.parent / target)) if target else page
            if str(path) in made:
                continue
            if not (ROOT / path).exists():
                wrong.append(f"{page}: {found['target']} does not exist")
            elif anchor and path.suffix == ".md" and anchor not in anchors((ROOT / path).read_text("utf-8")):
                wrong.append(f"{page}: {found['target']} has no such heading")
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_path_of_the_checkout_that_is_named_exists() -> None:
    path = re.compile(
        r"`(?:pytest )?((?:benchmarks|tests|examples|docs|agents|cli|collectors|envs|export|learners|loop|memory|store"
        r"|views)/[\w./-]*\w\.(?:py|md|toml|json))`"
    )
    wrong = [
        f"{page}: {found[1]}"
        for page, text in doc_pages().items()
        if page.name not in {"migrating.md"}
        for found in path.finditer(text)
        if not (ROOT / found[1]).exists()
    ]
    assert not wrong, "\n" + "\n".join(wrong)
