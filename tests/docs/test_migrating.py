"""The migration tables name modules and classes that exist."""

import ast
import re

from pathei.tests.support.doc_pages import ROOT

PAGE = (ROOT / "docs" / "guide" / "migrating.md").read_text("utf-8")
MOVED = re.findall(r"^\| `[\w.]+` \| `([\w.]+)` \|$", PAGE.partition("## Renamed classes")[0], re.MULTILINE)
RENAMED = re.findall(r"^\| `([\w.]+)` \| `\w+` \| `(\w+)` \|$", PAGE, re.MULTILINE)


def names_of(module: str) -> set[str]:
    """Return the classes and functions of a module, without importing it; nothing if there is no such module."""
    path = ROOT.joinpath(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    tree = ast.parse(file.read_text("utf-8") if file.is_file() else "")
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_every_new_module_exists() -> None:
    assert len(MOVED) > 100
    places = [ROOT.joinpath(*module.split(".")) for module in MOVED]
    assert not [str(path) for path in places if not path.with_suffix(".py").is_file() and not path.is_dir()]


def test_every_new_class_exists() -> None:
    assert len(RENAMED) > 100
    assert not [f"{module}.{name}" for module, name in RENAMED if name not in names_of(module)]
