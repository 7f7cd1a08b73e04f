"""Every Python block of the documentation is run, or, where a comment above it says why not, compiled and resolved."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from pathei.tests.support.doc_pages import Block, blocks

PYTHON = list(blocks("python"))


@pytest.mark.parametrize("block", PYTHON, ids=[block.place for block in PYTHON])
def test_every_import_resolves(block: Block) -> None:
    for node in ast.walk(ast.parse(block.body)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and str(node.module).split(".")[0] == "pathei":
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "pathei":
                    importlib.import_module(alias.name)


RUN = [block for block in PYTHON if block.reason is None]


@pytest.mark.parametrize("block", RUN, ids=[block.place for block in RUN])
def test_the_block_runs(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.py").write_text(block.body, "utf-8")
    done = subprocess.run([sys.executable, "-P", "block.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
