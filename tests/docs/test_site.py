"""The documentation's site builds without a warning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pathei.tests.support.doc_pages import ROOT


@pytest.mark.integration
def test_the_site_builds_strictly(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    for page in ("index.html", "glossary.html", "reference/cli.html", "reference/python/pathei.envs.html"):
        assert (tmp_path / "site" / page).stat().st_size > 2000, page
