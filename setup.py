"""Lists the packages from the folders, so that a new folder needs no line in pyproject.toml; all else is there.

The repository root is the package `pathei`; a folder below it is a sub-package if it and every folder above it have an
`__init__.py`.
"""

from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

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


setup(cmdclass={"build_py": BuildPackage}, packages=list(find_packages(Path(__file__).parent, "pathei")))
