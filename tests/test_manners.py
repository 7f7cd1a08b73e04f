"""The manners of the code that no linter checks here: sizes, names, docstrings, prints, mocks, and words.

Only files that git tracks are read, so that untracked notes never fail a test. Annotations are left to
`mypy --strict` and imports to `tests/test_packaging.py`.
"""

import ast
import io
import re
import statistics
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

FILE_LINES = 500
MEDIAN_LINES = 200
FUNCTION_LINES = 60
FILES_PER_FOLDER = 12
MAY_PRINT = ("cli", "tests", "benchmarks", "examples")
NOT_PACKAGE = ("tests", "benchmarks", "examples", "docs", "setup.py")
# The patterns are written so that they do not find themselves here.
# /home/agent is the home inside the terminal's sandbox, the same on every machine.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|(?:home|Users)/(?!agent\b)\w+)/|/tmp/(?:bash|clone)")
LEFT_BEHIND = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|To be fille[d])\b")
# Words of a private dialect; docs/glossary.md has the field's own.
DIALECT = re.compile(
    r"\b(?:is dear|be had|is had|anew|so many|whoever|told|telling|tells|mend(?:s|ed)?|lived|lives through"
    r"|what came of|in no words|beside|brought to light|wish(?:es)?|deeds?|faults|Left out:)\b|\bLeft out:",
)
QUOTED = frozenset(
    {
        ("docs/guide/learning/corpora.md", "beside"),  # what a story says
        ("agents/lm/prompts.py", "told"),  # what a model reads; results depend on it
        ("docs/guide/migrating.md", "wish"),  # old names
        ("docs/guide/migrating.md", "wishes"),
        ("envs/adapters/scienceworld.py", "lived"),  # the name of an experiment
        ("envs/terminal/tasks/chores_data.py", "beside"),  # what a task asks; its text follows from the seed
        ("envs/terminal/tasks/chores_data.py", "mend"),  # the name of a chore, and so of stored tasks
        ("memory/exchange/jsonl.py", "lived"),  # a table of schema 1
        ("memory/experience_memory.py", "lived"),
        ("memory/storage/database.py", "lived"),
        ("memory/storage/schema.py", "lived"),
        ("memory/upkeep.py", "lived"),
    }
)
"""Where a word stands for another reason than the dialect."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the checkout."""

    path: Path
    """Relative to the checkout."""
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())

    @property
    def in_package(self) -> bool:
        """Whether the file is installed."""
        return self.path.parts[0] not in NOT_PACKAGE

    def at(self, node: ast.AST, what: str) -> str:
        """Describe a fault in this file in one line."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


@pytest.fixture(scope="module")
def sources(checkout: Path, tracked_files: list[Path]) -> list[Source]:
    """Every tracked Python file, parsed."""
    texts = {path: (checkout / path).read_text("utf-8") for path in tracked_files if path.suffix == ".py"}
    return [Source(path, text, ast.parse(text, str(path))) for path, text in texts.items()]


def complain(faults: list[str]) -> None:
    """Fail with every fault at once."""
    assert not faults, "\n" + "\n".join(faults)


def public_definitions(body: list[ast.stmt]) -> Iterator[Definition]:
    """Yield the public functions and classes of a module or class body, and those inside its public classes."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


def is_repeated(node: Definition) -> bool:
    """Whether a definition only repeats another one that carries the docstring: an overload or a property's setter."""
    names = {getattr(decorator, "id", getattr(decorator, "attr", "")) for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter", "deleter"})


def swallows(handler: ast.ExceptHandler) -> bool:
    """Whether an except clause drops whatever went wrong."""
    broad = isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    idle = all(isinstance(node, ast.Pass | ast.Continue | ast.Break | ast.Expr) for node in handler.body)
    calls = any(isinstance(node, ast.Call) for statement in handler.body for node in ast.walk(statement))
    return handler.type is None or (broad and idle and not calls)


def makes_mutable(value: ast.expr | None) -> bool:
    """Whether an expression builds a list, a dict or a set."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in {"list", "dict", "set", "defaultdict", "deque"}
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def assigned_names(node: ast.stmt) -> list[str]:
    """Return the plain names that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def test_files_are_small(sources: list[Source]) -> None:
    complain([f"{source.path}: {source.lines} lines" for source in sources if source.lines > FILE_LINES])
    assert statistics.median(source.lines for source in sources if source.in_package) <= MEDIAN_LINES


def prose_of(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that people read: all of a page, and comments and strings of Python, with their numbers."""
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if tokenize.tok_name[token.type] in ("STRING", "COMMENT", "FSTRING_MIDDLE"):
            prefix = token.string.split('"')[0].lower()
            # Names inside the braces of an f-string are code.
            string = re.sub(r"\{[^{}]*\}", "", token.string) if "f" in prefix else token.string
            yield from enumerate(string.splitlines(), token.start[0])


def test_folders_are_small(tracked_files: list[Path]) -> None:
    folders = Counter(path.parent for path in tracked_files if path.suffix == ".py" and path.name != "__init__.py")
    complain([f"{folder}: {count} files" for folder, count in folders.items() if count > FILES_PER_FOLDER])


def test_a_public_class_name_stands_for_one_thing(sources: list[Source]) -> None:
    places = defaultdict(list)
    for source in sources:
        if source.in_package:
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(str(source.path))
    complain([f"{name}: {', '.join(files)}" for name, files in places.items() if len(files) > 1])


def test_prose_is_plain(checkout: Path, tracked_files: list[Path]) -> None:
    faults = []
    for path in tracked_files:
        if path.suffix in (".py", ".md") and path.parts[0] != "tests":
            for number, line in prose_of(path, (checkout / path).read_text("utf-8")):
                words = [word for word in DIALECT.findall(line) if (str(path), word) not in QUOTED]
                faults += [f"{path}:{number}: {word}" for word in words]
    complain(faults)


def test_functions_are_small(sources: list[Source]) -> None:
    complain(
        [
            source.at(node, f"{node.name} has {length} lines")
            for source in sources
            for node in ast.walk(source.tree)
            if isinstance(node, Function) and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
        ]
    )


def test_every_file_says_what_it_is(sources: list[Source]) -> None:
    complain([str(source.path) for source in sources if not ast.get_docstring(source.tree)])


def test_everything_public_is_documented(sources: list[Source]) -> None:
    complain(
        [
            source.at(node, node.name)
            for source in sources
            if source.path.parts[0] != "tests"
            for node in public_definitions(source.tree.body)
            if not ast.get_docstring(node) and not is_repeated(node)
        ]
    )


def test_only_a_package_lists_its_names(sources: list[Source]) -> None:
    """A module's public names are those without an underscore; `__all__` says it where one passes on another's."""
    faults = []
    for source in sources:
        imported = {
            alias.name for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        for node in source.tree.body if source.in_package and source.path.name != "__init__.py" else ():
            named = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" and not named & imported:
                faults.append(source.at(node, "a second list of the names that the file defines"))
    complain(faults)


def test_nothing_swallows_every_exception(sources: list[Source]) -> None:
    complain(
        [
            source.at(node, "an except clause that drops every exception")
            for source in sources
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ExceptHandler) and swallows(node)
        ]
    )


def test_only_the_command_line_prints(sources: list[Source]) -> None:
    complain(
        [
            source.at(node, "print")
            for source in sources
            if source.path.parts[0] not in MAY_PRINT
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
    )


def test_no_module_keeps_state_that_changes(sources: list[Source]) -> None:
    package = [source for source in sources if source.in_package]
    rebound = [
        source.at(node, f"global {', '.join(node.names)}")
        for source in package
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Global)
    ]
    variables = [
        source.at(node, f"{name} is a mutable module variable (a constant has an upper-case name)")
        for source in package
        for node in source.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and makes_mutable(node.value)
        for name in assigned_names(node)
        if not name.strip("_").isupper() and not (name.startswith("__") and name.endswith("__"))
    ]
    complain(rebound + variables)


def test_tests_use_real_parts(sources: list[Source]) -> None:
    mocks = re.compile(r"unittest[.]mock|import mock\b|\bmocker\b|monkeypatch[.](?:setattr|setitem|delattr)")
    complain(
        [
            f"{source.path}:{number}: {line.strip()}"
            for source in sources
            if source.path.parts[0] == "tests" and source.path.name != Path(__file__).name
            for number, line in enumerate(source.text.splitlines(), 1)
            if mocks.search(line)
        ]
    )


@pytest.mark.parametrize("pattern", [MACHINE_PATH, LEFT_BEHIND], ids=["machine paths", "words left behind"])
def test_no_file_holds(pattern: re.Pattern[str], checkout: Path, tracked_files: list[Path]) -> None:
    faults = []
    for path in tracked_files:
        data = (checkout / path).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), 1):
            if found := pattern.search(line):
                faults.append(f"{path}:{number}: {found.group()}")
    complain(faults)
