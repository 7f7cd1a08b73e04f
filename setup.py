"""Lists the packages from the folders, so that a new folder needs no line in pyproject.toml; all else is there.

The repository root is the package `pathei`; a folder below it is a sub-package if it and every folder above it have an
`__init__.py`. With `PATHEI_COMPILE=1` in the environment, mypyc compiles the modules of `COMPILED` (it needs a C
compiler); without it nothing is compiled, and everything works the same.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

COMPILED = {
    "envs/virtualhome/engine": (
        "effects", "navigation", "places", "preconditions", "rules", "rules_clean", "rules_original", "scene", "world",
    ),
    "envs/virtualhome/goals": ("check", "landmarks", "relevance"),
    "envs/virtualhome/language": ("listing", "observation", "script"),
    "collectors/search": ("frontier", "mcts", "tree"),
}  # fmt: skip
"""What takes the time of a household's steps and of a search."""
COMPILE = os.environ.get("PATHEI_COMPILE") == "1"
NOT_PACKAGE = ("tests", "benchmarks", "examples", "docs", "build", "dist", "runs")


def find_packages(folder: Path, name: str) -> Iterator[str]:
    """Yield the name of a package and those of the packages inside it."""
    yield name
    for path in sorted(folder.iterdir()):
        is_left_out = name == "pathei" and path.name in NOT_PACKAGE
        if (path / "__init__.py").is_file() and not path.name.startswith(".") and not is_left_out:
            yield from find_packages(path, f"{name}.{path.name}")


class BuildPackage(build_py):
    """Builds the package without this script, which stands in the same folder."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return the modules of a package as `(package, module, file)`."""
        found = super().find_package_modules(package, package_dir)
        return [module for module in found if module[:2] != ("pathei", "setup")]


def compiled() -> list[Extension]:
    """Return the modules of `COMPILED` as extensions; none where only the metadata is asked for."""
    if not COMPILE or {"egg_info", "dist_info", "sdist"} & set(sys.argv):
        return []
    from mypyc.build import mypycify

    # mypyc takes a module's name from its path, and the checkout need not be called `pathei`. What it writes goes
    # elsewhere: through the link it would lie in the checkout.
    folder = Path(tempfile.mkdtemp(prefix="pathei-mypyc-"))
    link = folder / "pathei"
    link.symlink_to(Path(__file__).resolve().parent, target_is_directory=True)
    files = [str(link / package / f"{name}.py") for package, names in COMPILED.items() for name in names]
    options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent"]
    extensions: list[Extension] = mypycify([*options, *files], group_name="pathei", target_dir=str(folder / "c"))
    return extensions


setup(
    cmdclass={"build_py": BuildPackage},
    packages=list(find_packages(Path(__file__).parent, "pathei")),
    ext_modules=compiled(),
    setup_requires=["mypy[mypyc]>=2.4"] if COMPILE else [],
)
