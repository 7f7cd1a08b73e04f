"""The tables of figures are those of the result files, and every result file is complete and shown somewhere."""

import importlib.util
import re
from types import ModuleType

import pytest

from pathei.tests.support.doc_pages import ROOT, doc_pages

FIELDS = {"title", "command", "date", "machine", "commit", "versions", "transcribed", "columns", "align", "rows"}


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """The script that writes the tables."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_match_the_result_files(tables: ModuleType) -> None:
    stale = [str(page) for page, text in doc_pages().items() if tables.filled(text) != text]
    assert not stale, f"Run `python docs/tools/tables.py`: {', '.join(stale)}"


def test_every_result_file_is_complete_and_shown(tables: ModuleType) -> None:
    shown = {found["name"] for text in doc_pages().values() for found in tables.BLOCK.finditer(text)}
    files = {str(path.relative_to(tables.RESULTS).with_suffix("")) for path in tables.RESULTS.rglob("*.json")}
    assert shown == files
    for name in files:
        result = tables.read_result(name)
        assert result.keys() == FIELDS, name
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", result["date"]), name
        assert {len(row) for row in result["rows"]} == {len(result["columns"])} == {len(result["align"])}, name


def test_the_figures_of_a_page_cannot_be_typed(tables: ModuleType) -> None:
    text = tables.block("loop/held_out", False)
    assert tables.filled(text.replace("88 %", "99 %")) == text
