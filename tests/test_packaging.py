"""The package as it is laid out, as it is imported, and as it is installed from its wheel away from the checkout.

The wheel is built from a copy of the sources, because setuptools keeps its `build/` folder: a file that was deleted
would stay in the next wheel, and the checkout would be littered.
"""

import ast
import graphlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pathei

HEAVY = frozenset(
    {
        "torch", "transformers", "peft", "trl", "accelerate", "safetensors", "tokenizers", "tensorboard", "lm_eval",
        "rouge_score", "faiss", "mcp", "datasets", "minari", "miniwob", "selenium", "websocket", "lxml", "rapidfuzz",
        "snowballstemmer", "minigrid", "textworld", "scienceworld", "playwright", "habitat_sim", "minedojo", "ray",
        "verifiers",
    }
)  # fmt: skip
"""Packages that only the module that needs them may import, and only when it is used."""
OPTIONAL = HEAVY | {
    "atif",
    "h5py",
    "matplotlib",
    "openai",
    "pandas",
    "PIL",
    "psutil",
    "pytest",
    "hypothesis",
    "starlette",
    "uvicorn",
    "websockets",
}
"""Packages that a core install does not bring: every module must import without them."""
CORE = {"gymnasium", "numpy", "orjson", "platformdirs", "pyarrow", "rich", "tyro"}

TYPING_GUARDS = {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
NOT_PACKAGE = ("tests", "benchmarks", "examples", "docs", "setup.py")
FOLDERS = {
    "store": set[str](),
    "export": {"envs", "store"},
    "envs": {"store"},
    "agents": {"envs", "memory", "store"},
    "memory": {"envs", "store"},
    "collectors": {"envs", "agents", "export", "memory", "store"},
    "learners": {"envs", "store"},
    "interop": {"collectors", "envs", "export", "store"},
    "integrations": {"agents", "collectors", "export", "interop"},
    "loop": {"agents", "collectors", "envs", "learners", "memory", "store"},
    "views": {"agents", "collectors", "envs", "learners", "loop", "memory", "store"},
}
"""Which other folders each folder may import. All of them may import the modules at the root, which import none."""


def layer(module: str) -> str:
    """Return the folder that a module belongs to, `"cli"`, `"names"` for the public names, or else `"root"`."""
    parts = module.split(".")
    if len(parts) == 1 or parts[1] == "api":
        return "names"
    return "cli" if parts[1] in {"cli", "__main__"} else parts[1] if parts[1] in FOLDERS else "root"


def allowed(importer: str, imported: str) -> bool:
    """Whether a module of one layer may import a module of another."""
    if importer == "cli" or importer == imported:
        return True
    if imported == "cli":
        return False
    if importer == "names":
        return True
    # Nothing inside needs the public names; importing them would pull everything in.
    return imported == "root" or imported in FOLDERS.get(importer, set())


@dataclass(frozen=True, slots=True)
class Import:
    """One import of our own modules, wherever it stands in the file: at the top, in a function, for typing only."""

    importer: str
    imported: str
    relative: bool
    typing_only: bool
    place: str


def module_of(path: Path) -> str:
    """Return the module name of a file of the package: `envs/contract.py` is `pathei.envs.contract`."""
    parts = path.with_suffix("").parts
    return ".".join(("pathei", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def named(node: ast.Import | ast.ImportFrom, package: list[str], modules: set[str]) -> Iterator[str]:
    """Yield the full name of every module that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = package[: len(package) - node.level + 1] if node.level else []
    origin = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        inside = f"{origin}.{alias.name}"
        yield inside if inside in modules else origin


def typing_nodes(tree: ast.Module) -> set[ast.AST]:
    """Return every node that stands under `if TYPE_CHECKING:` and so never runs."""
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) in TYPING_GUARDS]
    return {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}


def imports_in(path: Path, text: str, modules: set[str]) -> Iterator[Import]:
    """Yield every import of our own modules in one file."""
    importer = module_of(path)
    package = importer.split(".") if path.name == "__init__.py" else importer.split(".")[:-1]
    tree = ast.parse(text)
    for_typing = typing_nodes(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            relative = isinstance(node, ast.ImportFrom) and node.level > 0
            for name in named(node, package, modules):
                if name.split(".")[0] == "pathei":
                    yield Import(importer, name, relative, node in for_typing, f"{path}:{node.lineno}")


@pytest.fixture(scope="module")
def package_files(source_files: list[Path]) -> list[Path]:
    """The files of the checkout that belong into the wheel: the root's modules and all that the folders hold."""
    return [
        path
        for path in source_files
        if (path.parts[0] not in NOT_PACKAGE and path.suffix == ".py")
        or (path.parts[0] in FOLDERS and path.suffix != ".md")
        or path.name == "py.typed"
    ]


@pytest.fixture(scope="module")
def imports(checkout: Path, package_files: list[Path]) -> list[Import]:
    """Every import of our own modules in the package."""
    files = [path for path in package_files if path.suffix == ".py"]
    modules = {module_of(path) for path in files}
    return [found for path in files for found in imports_in(path, (checkout / path).read_text("utf-8"), modules)]


@pytest.fixture(scope="module")
def project(checkout: Path) -> dict[str, Any]:
    """What `pyproject.toml` says."""
    return tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))


def test_imports_run_one_way(imports: list[Import]) -> None:
    against = [
        f"{found.place}: {found.importer} imports {found.imported}"
        for found in imports
        if not allowed(layer(found.importer), layer(found.imported))
    ]
    assert not against


def test_the_arrows_are_those_of_the_design() -> None:
    assert allowed("collectors", "agents")
    assert allowed("learners", "root")
    refused = [("envs", "agents"), ("root", "envs"), ("memory", "learners"), ("learners", "memory"), ("names", "cli")]
    assert not any(allowed(importer, imported) for importer, imported in refused)


def test_only_the_list_of_environments_knows_the_household(checkout: Path, package_files: list[Path]) -> None:
    """What others need of an environment, it offers through its `EnvSpec`: nothing else imports or names its parts."""
    found = []
    for path in package_files:
        if path.suffix != ".py" or "virtualhome" in path.parts or path == Path("envs/registry.py"):
            continue
        tree = ast.parse((checkout / path).read_text("utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = ""
            if isinstance(node, ast.ImportFrom | ast.Import):
                text = ast.unparse(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                text = node.value
            if "envs.virtualhome" in text or "VirtualHome-v0" in text or text.startswith("from .virtualhome"):
                found.append(f"{path}:{node.lineno}: {text}")
    assert not found, "\n".join(found)


def test_no_import_closes_a_circle(imports: list[Import]) -> None:
    # Two records of one folder may name each other in their types; an import that runs, if only in a function, counts.
    graph: dict[str, set[str]] = {}
    for found in imports:
        if found.importer != found.imported and not found.typing_only:
            graph.setdefault(found.importer, set()).add(found.imported)
    graphlib.TopologicalSorter(graph).prepare()


def test_inside_the_package_imports_are_relative(imports: list[Import]) -> None:
    assert [found.place for found in imports if not found.relative] == []


def test_no_root_module_shadows_the_standard_library(package_files: list[Path]) -> None:
    names = {path.parts[0].removesuffix(".py") for path in package_files} - {"__init__", "__main__"}
    assert names & sys.stdlib_module_names == set()


def test_the_public_names_are_few_and_exist() -> None:
    names: list[str] = list(getattr(pathei, "__all__", []))
    assert 0 < len(names) <= 25
    assert [name for name in names if not hasattr(pathei, name)] == []


def test_the_core_install_is_light(project: dict[str, Any]) -> None:
    assert {re.split(r"[^\w-]", line)[0] for line in project["project"]["dependencies"]} == CORE


def test_every_requirement_is_pinned(checkout: Path, project: dict[str, Any]) -> None:
    lines = [
        line for line in (checkout / "constraints.txt").read_text("utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+]+", line)] == []
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    extras = [line for extra in project["project"]["optional-dependencies"].values() for line in extra]
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"], *extras]
    names = {re.split(r"[^\w-]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names - pinned - {"pathei"} == set()
    assert "torch==2.13.0" in lines


def test_the_package_states_its_version_once(project: dict[str, Any]) -> None:
    assert pathei.__version__ == project["project"]["version"]


def imported_by(*command: str | Path) -> set[str]:
    """Run a command of Python's and return the top-level packages that it imported."""
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    told = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert done.returncode == 0, "\n".join(told)
    found = re.findall(r"^import time:[^|]*\|[^|]*\|\s*([\w.]+)\s*$", done.stderr, re.MULTILINE)
    return {name.split(".")[0] for name in found}


def test_importing_pathei_imports_nothing_heavy() -> None:
    found = imported_by(sys.executable, "-P", "-c", "import pathei")
    assert "pathei" in found
    assert found & (HEAVY | {"pyarrow", "pandas", "tyro", "rich"}) == set()


def test_asking_for_help_imports_nothing_heavy() -> None:
    script = Path(sysconfig.get_path("scripts")) / "pathei"
    found = imported_by(script, "--help")
    assert "pathei" in found
    assert found & (HEAVY | {"pandas"}) == set()


def test_the_readme_example_runs(checkout: Path, tmp_path: Path) -> None:
    readme = (checkout / "README.md").read_text("utf-8")
    examples = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-P", "-W", "error", "-c", "\n".join(examples)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert examples
    assert done.returncode == 0, done.stderr[-2000:]


def test_there_is_one_console_script() -> None:
    scripts = importlib.metadata.distribution("pathei").entry_points.select(group="console_scripts")
    assert [(script.name, script.value) for script in scripts] == [("pathei", "pathei.cli:main")]


IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
for name in json.loads(sys.argv[1]):
    sys.modules[name] = None  # importing it now raises ImportError, as if it were not installed
import pathei
def fail(name):
    raise ImportError(f"{name} does not import")
names = [found.name for found in pkgutil.walk_packages(pathei.__path__, "pathei.", onerror=fail)]
files = [importlib.import_module(name).__file__ for name in ["pathei", *names]]
print(json.dumps(files))
"""


@pytest.fixture(scope="module")
def wheel(checkout: Path, source_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, which is built from a copy of the sources and lies beside it."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in source_files:
        (folder / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(checkout / path, folder / "copy" / path)
    command: list[str | Path] = [
        sys.executable,
        "-P",
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        folder,
        folder / "copy",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A fresh environment with the wheel in it, which sees our dependencies but not our editable install."""
    folder = wheel.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "-qq",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    subprocess.run(pip, check=True)
    # A folder named in a .pth file is importable, but the .pth files inside it (the editable install's) are not run.
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.mark.integration
@pytest.mark.xdist_group("wheel")
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path, package_files: list[Path]) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"pathei", f"pathei-{pathei.__version__}.dist-info"}
    ours = {name for name in names if name.startswith("pathei/")}
    assert ours == {f"pathei/{path.as_posix()}" for path in package_files}
    assert "pathei/py.typed" in ours
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.integration
@pytest.mark.xdist_group("wheel")
def test_both_distributions_can_be_published(wheel: Path, package_files: list[Path]) -> None:
    (source,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {one.name.partition("/")[2] for one in archive.getmembers() if one.isfile()}
    assert names >= {path.as_posix() for path in package_files} | {"README.md", "LICENSE", "CHANGELOG.md", "setup.py"}
    left_out = ("tests", "benchmarks", "docs", "examples", "runs", ".venv")
    assert not [name for name in names if name.startswith(left_out)]
    check = [sys.executable, "-m", "twine", "check", "--strict", str(source), str(wheel)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


@pytest.mark.integration
@pytest.mark.xdist_group("wheel")
def test_every_module_of_the_wheel_imports_without_extras(installed: Path, package_files: list[Path]) -> None:
    command: list[str | Path] = [
        installed / "bin" / "python",
        "-I",
        "-c",
        IMPORT_EVERYTHING,
        json.dumps(sorted(OPTIONAL)),
    ]
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    files = [Path(name) for name in json.loads(done.stdout)]
    assert [path for path in files if not path.is_relative_to(installed)] == []
    assert len(files) == sum(path.suffix == ".py" for path in package_files)


@pytest.mark.integration
@pytest.mark.xdist_group("wheel")
def test_the_installed_command_answers(installed: Path) -> None:
    done = subprocess.run([installed / "bin" / "pathei", "--help"], cwd=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "pathei" in done.stdout


def test_parallel_runs_say_what_the_marker_leaves_out(checkout: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        "1",
        "tests/interop/test_openenv.py",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert re.search(r"^\d+ tests left out by -m 'not integration and not gpu'; ", done.stdout, re.MULTILINE)
