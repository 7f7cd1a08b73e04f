"""A hook of mkdocs that adds the generated pages: the command line and one page for each package.

mkdocstrings reads docstrings from `build/reference/pathei`, a folder of links to the package's files. The checkout may
have any name, and it holds tests and environments that are not part of the package, so it is not read itself.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
LINKS = ROOT / "build" / "reference" / "pathei"
NOT_PACKAGE = ("tests", "benchmarks", "examples", "docs", "build")
FOLDER = "reference/python"


def packages() -> list[tuple[str, Path]]:
    """Return every package with its folder, parents first: `("pathei.envs", ROOT / "envs")`."""
    found = [("pathei", ROOT)]
    for top in sorted(path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in NOT_PACKAGE):
        folders = sorted({file.parent for file in top.rglob("__init__.py")})
        found.extend((".".join(("pathei", *folder.relative_to(ROOT).parts)), folder) for folder in folders)
    return found


def modules(name: str, folder: Path) -> Iterator[str]:
    """Yield the public modules of one package."""
    for path in sorted(folder.glob("*.py")):
        if not path.stem.startswith("_"):
            yield f"{name}.{path.stem}"


def exported(folder: Path) -> list[tuple[str, str]]:
    """Return what a package exports, each with the module that it is imported from (empty if it is defined here)."""
    tree = ast.parse((folder / "__init__.py").read_text("utf-8"))
    base = ["pathei", *folder.relative_to(ROOT).parts]
    origin = {}
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = [*base[: len(base) - node.level + 1], *([node.module] if node.module else [])]
            origin.update({alias.asname or alias.name: f"{'.'.join(parts)}.{alias.name}" for alias in node.names})
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            names = [str(item.value) for item in getattr(node.value, "elts", []) if isinstance(item, ast.Constant)]
    return [(name, origin.get(name, "")) for name in names]


def package_page(name: str, folder: Path) -> str:
    """Return the page of one package: its docstring, what it exports, and every module."""
    lines = [
        f"# {name}",
        "",
        f"::: {name}",
        "    options:",
        "      members: false",
        "      show_root_heading: false",
        "",
    ]
    public = [(item, origin) for item, origin in exported(folder) if item not in {"__version__"}]
    if public:
        lines += ["Exported names: " + ", ".join(f"`{item}`" for item, _ in public) + ".", ""]
    for module in modules(name, folder):
        lines += [f"::: {module}", ""]
    return "\n".join(lines)


def make_links() -> None:
    """Make the folder of links that mkdocstrings reads."""
    LINKS.mkdir(parents=True, exist_ok=True)
    wanted = {path.name: path for path in ROOT.glob("*.py")}
    wanted |= {
        path.parent.name: path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in NOT_PACKAGE
    }
    for old in LINKS.iterdir():
        old.unlink()
    for name, path in wanted.items():
        (LINKS / name).symlink_to(path)


def generated_pages() -> dict[str, str]:
    """Return the path of every generated page of the Python reference, with the name of its package."""
    return {f"{FOLDER}/{name}.md": name for name, _ in packages()}


def navigation() -> list[dict[str, Any]]:
    """Return the entries of the generated pages: one for each package, those of a folder in a section of its own."""
    entries: dict[str, list[Any]] = {}
    for path, name in generated_pages().items():
        top, _, rest = name.removeprefix("pathei.").partition(".")
        entries.setdefault(top, []).append({rest: path} if rest else path)
    return [{top: pages[0] if len(pages) == 1 else pages} for top, pages in entries.items()]


def on_startup(command: str, dirty: bool) -> None:
    """Make the links before mkdocstrings looks for the package: it would search sys.path where they are missing."""
    make_links()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the packages into the navigation, where it says `reference/python/`."""

    def fill(entry: Any) -> Any:
        if isinstance(entry, list):
            return [fill(inner) for inner in entry]
        if isinstance(entry, dict):
            return {key: fill(value) for key, value in entry.items()}
        return navigation() if entry == f"{FOLDER}/" else entry

    config.nav = fill(config.nav)
    return config


def command_page() -> str:
    """Return the page of the command line. Its module stands next to this one, where Python finds no package."""
    spec = importlib.util.spec_from_file_location("command_reference", Path(__file__).with_name("command_reference.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.page())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for name, folder in packages():
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=package_page(name, folder)))
    files.append(File.generated(config, "reference/cli.md", content=command_page()))
    return files
