"""The embedded collection: Python's standard library as linked pages, written from its own source files.

The files are read by their syntax tree and never imported. There is a page for the library, for each module of a fixed
list, and for each of their public classes and functions. It differs between versions of Python, which its digest shows;
the same Python makes the same pages on every machine.
"""

from __future__ import annotations

import ast
import inspect
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import DataError
from .collection import NOWHERE, DocsCollection, DocsPage, DocsQuestion, TextBlock, TextRun, normalise

MODULES: Final = tuple(
    """argparse ast asyncio.queues base64 bdb bisect calendar cmd codecs collections colorsys concurrent.futures.thread
    configparser contextlib copy csv dataclasses datetime decimal difflib dis doctest email.message email.utils enum
    filecmp fileinput fnmatch fractions ftplib functools getopt getpass gettext glob graphlib gzip hashlib heapq hmac
    html.parser http.client http.cookies http.server imaplib inspect io ipaddress json json.decoder json.encoder keyword
    linecache locale logging logging.handlers lzma mailbox mimetypes multiprocessing.pool numbers operator optparse os
    pathlib pdb pickle pkgutil platform plistlib poplib posixpath pprint profile pstats queue random reprlib runpy sched
    secrets selectors shelve shlex shutil smtplib socket socketserver ssl stat statistics string stringprep subprocess
    tarfile tempfile textwrap threading timeit token tokenize trace traceback types typing unittest.case unittest.mock
    urllib.error urllib.parse urllib.request urllib.robotparser uuid venv warnings wave weakref webbrowser
    xml.dom.minidom xml.etree.ElementTree xmlrpc.client zipapp zipfile zoneinfo""".split()
)
"""The modules that have pages, where this Python has them as source."""

_HOME: Final = "index.html"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef


class _Thing(NamedTuple):
    """A public class or function of a module."""

    module: str
    node: ast.ClassDef | _Definition

    @property
    def name(self) -> str:
        return f"{self.module}.{self.node.name}"

    @property
    def methods(self) -> list[_Definition]:
        return [node for node in self.node.body if isinstance(node, _Definition) and not node.name.startswith("_")]


@lru_cache(maxsize=1)
def stdlib_collection() -> DocsCollection:
    """Return the pages and questions of this Python's standard library; made once, in about two seconds.

    Raises:
        DataError: the library's source files are not there.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    trees = {name: tree for name in MODULES if (tree := _parse(root, name)) is not None}
    if not trees:
        raise DataError(f"Python's standard library has no source files in {root}: name a folder of HTML instead.")
    things = [_Thing(name, node) for name, tree in trees.items() for node in _public(tree)]
    paths = [_HOME, *map(_path, trees), *(_path(thing.name) for thing in things)]
    number = {path: place for place, path in enumerate(paths)}
    pages = [_home(trees, number)]
    pages += [
        _module(name, tree, [one for one in things if one.module == name], number) for name, tree in trees.items()
    ]
    pages += [_class(one, things, number) if _is_class(one) else _function(one, number) for one in things]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return DocsCollection(pages, f"stdlib of Python {version}", tuple(_questions(things)))


def _parse(root: Path, name: str) -> ast.Module | None:
    path = root.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_bytes(), str(file)) if file.is_file() else None


def _public(tree: ast.Module) -> Iterator[ast.ClassDef | _Definition]:
    """Yield what a module offers, each name once, as it is first defined."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and _names_all(node)]
    listed = _strings(assigned[0].value) if assigned else None
    seen = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | _Definition) and node.name not in seen:
            seen.add(node.name)
            if node.name in listed if listed else not node.name.startswith("_"):
                yield node


def _names_all(node: ast.Assign) -> bool:
    return any(isinstance(to, ast.Name) and to.id == "__all__" for to in node.targets)


def _strings(value: ast.expr) -> set[str]:
    if not isinstance(value, ast.List | ast.Tuple):
        return set()
    return {one.value for one in value.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def _home(trees: dict[str, ast.Module], number: dict[str, int]) -> DocsPage:
    blocks = [
        TextBlock("heading", (TextRun("The Python standard library"),)),
        TextBlock("text", (TextRun("Its modules:"),)),
    ]
    blocks += [
        TextBlock("item", (TextRun(name, number[_path(name)]), TextRun(f": {_summary(tree)}")))
        for name, tree in trees.items()
    ]
    return DocsPage(_HOME, "The Python standard library", tuple(blocks))


def _module(name: str, tree: ast.Module, things: Sequence[_Thing], number: dict[str, int]) -> DocsPage:
    title = f"module {name}"
    blocks = [TextBlock("heading", (TextRun(title),)), _up("A module of ", "The Python standard library", 0)]
    for heading, kinds in (("Classes", [*filter(_is_class, things)]), ("Functions", [*filter(_is_function, things)])):
        if kinds:
            blocks.append(TextBlock("heading", (TextRun(heading),)))
            blocks += [
                TextBlock("item", (TextRun(one.name, number[_path(one.name)]), TextRun(f": {_summary(one.node)}")))
                for one in kinds
            ]
    return DocsPage(_path(name), title, (*blocks, *_described(tree)))


def _class(thing: _Thing, things: Sequence[_Thing], number: dict[str, int]) -> DocsPage:
    title = f"class {thing.name}"
    blocks = [
        TextBlock("heading", (TextRun(title),)),
        _up("Defined in the module ", thing.module, number[_path(thing.module)]),
    ]
    for base in _bases(thing):
        target = number.get(_path(base), number.get(_path(f"{thing.module}.{base}"), NOWHERE))
        blocks.append(TextBlock("text", (TextRun("Derives from "), TextRun(base, target, code=True))))
    if thing.methods:
        blocks.append(TextBlock("heading", (TextRun("Methods"),)))
        blocks += [
            TextBlock(
                "item", (TextRun(f"{one.name}({ast.unparse(one.args)})", code=True), TextRun(f": {_summary(one)}"))
            )
            for one in thing.methods
        ]
    return DocsPage(_path(thing.name), title, (*blocks, *_described(thing.node)))


def _function(thing: _Thing, number: dict[str, int]) -> DocsPage:
    title = f"function {thing.name}"
    blocks = [
        TextBlock("heading", (TextRun(title),)),
        _up("Defined in the module ", thing.module, number[_path(thing.module)]),
    ]
    parameters = _parameters(thing)
    if parameters:
        blocks.append(TextBlock("heading", (TextRun("Parameters"),)))
    for name, default in parameters:
        runs = (
            (TextRun(", by default "), TextRun(default, code=True)) if default is not None else (TextRun(", required"),)
        )
        blocks.append(TextBlock("item", (TextRun(name, code=True), *runs)))
    return DocsPage(_path(thing.name), title, (*blocks, *_described(thing.node)))


def _up(words: str, name: str, target: int) -> TextBlock:
    return TextBlock("text", (TextRun(words), TextRun(name, target)))


def _described(node: ast.Module | ast.ClassDef | _Definition) -> Iterator[TextBlock]:
    doc = inspect.cleandoc(ast.get_docstring(node, clean=False) or "")
    if doc:
        yield TextBlock("heading", (TextRun("Description"),))
    for paragraph in doc.split("\n\n"):
        if paragraph.strip():
            yield TextBlock("text", (TextRun(" ".join(paragraph.split())),))


def _summary(node: ast.Module | ast.ClassDef | _Definition) -> str:
    doc = (ast.get_docstring(node) or "").strip()
    return " ".join(doc.partition("\n\n")[0].split())[:200] or "not described"


def _parameters(thing: _Thing) -> list[tuple[str, str | None]]:
    """Return the parameters of a function with their defaults as source."""
    assert isinstance(thing.node, _Definition)
    args = thing.node.args
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(args.defaults)), *args.defaults, *args.kw_defaults]
    named = zip([*plain, *args.kwonlyargs], defaults, strict=True)
    return [(arg.arg, None if default is None else ast.unparse(default)) for arg, default in named]


def _bases(thing: _Thing) -> list[str]:
    return [ast.unparse(base) for base in thing.node.bases] if isinstance(thing.node, ast.ClassDef) else []


def _questions(things: Sequence[_Thing]) -> Iterator[DocsQuestion]:
    """Yield what the pages answer; a question's answer never stands in the question."""
    owners: dict[str, set[str]] = {}
    for thing in things:
        owners.setdefault(thing.node.name, set()).add(thing.module)
    for thing in things:
        name, page = thing.node.name, _path(thing.name)
        kind = "class" if _is_class(thing) else "function"
        if len(owners[name]) == 1 and len(name) > 5 and thing.module.lower() not in name.lower():
            yield DocsQuestion(f"Which module defines the {kind} {name}?", (thing.module.lower(),), page)
        if _is_function(thing):
            for parameter, default in _parameters(thing):
                if default is not None and normalise(default) and len(default) < 24:
                    text = f"What is the default value of the parameter {parameter} of the function {thing.name}?"
                    yield DocsQuestion(text, (normalise(default),), page)
        elif len(_bases(thing)) == 1 and _bases(thing)[0] != "object":
            base = _bases(thing)[0]
            answers = dict.fromkeys((normalise(base), normalise(base.rpartition(".")[2])))
            yield DocsQuestion(f"From which class does {thing.name} derive?", tuple(answers), page)
        if len(thing.methods) > 1 and _is_class(thing) and _distinct(thing.methods):
            yield DocsQuestion(
                f"How many methods does the page of {thing.name} list?", (str(len(thing.methods)),), page
            )


def _distinct(methods: Sequence[_Definition]) -> bool:
    return len({method.name for method in methods}) == len(methods)


def _is_class(thing: _Thing) -> bool:
    return isinstance(thing.node, ast.ClassDef)


def _is_function(thing: _Thing) -> bool:
    return not _is_class(thing)


def _path(name: str) -> str:
    return f"{name}.html"
