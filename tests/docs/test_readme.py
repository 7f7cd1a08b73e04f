"""The commands of the README and of the walk-through run in their order, from an empty folder, as a newcomer runs them.

Only sizes are changed (`SMALLER`): how much is trained, asked and played. `pip install -e` becomes an installation
without network into a folder of its own.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pathei.tests.support.doc_pages import Block, blocks, lines_of

SMALLER = {
    ("collect", "agent"): "--tasks 3",
    ("collect", "explore", "--env"): "--tasks 4",
    ("learn",): "--training.steps 2 --training.batch-size 2 --reference.fisher-sequences 8 --texts old.txt",
    ("eval", "--data"): "--limit 1 --texts old.txt",
    ("eval",): "--limit 1 --splits seen --texts old.txt",
    ("loop",): "--learn memory --rounds 1 --tasks 6 --held-out 3 --steps 12 --workers 0",
}
"""Options that make a command smaller, by words that all stand in it; the last of an option counts."""


ENV = "it goes into "
"""How the reason begins why a Python block is not run that is the content of a file."""


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page that hold commands of `pathei`, or a file."""
    pages = [block for block in blocks() if block.place.startswith(page)]
    commands = [block for block in pages if block.language in {"", "sh"}]
    kept = [block for block in commands if any(words[0] == "pathei" for words in lines_of(block))]
    return [block for block in pages if block in kept or (block.reason or "").startswith(ENV)]


def smaller(words: list[str]) -> list[str]:
    """Return a command with its smaller sizes."""
    for key, options in SMALLER.items():
        if words[1] == key[0] and set(key) <= set(words):
            return [*words, *shlex.split(options)]
    return words


@pytest.mark.integration
@pytest.mark.parametrize("page", ["README.md", "docs/guide/envs/add.md"])
def test_the_commands_run_in_their_order_from_an_empty_folder(page: str, tmp_path: Path) -> None:
    site, folder = tmp_path / "site", tmp_path / "empty"
    folder.mkdir()
    (folder / "old.txt").write_text("The lamp stands on the table, and nobody has moved it.\n" * 400)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(site)]
    parts: list[list[str] | Block] = []
    for block in blocks_of(page):
        parts += [block] if block.reason else lines_of(block)
    assert len(parts) > 20
    for words in parts:
        if isinstance(words, Block):
            (folder / str(words.reason).removeprefix(ENV)).write_text(words.body, "utf-8")
            continue
        if words[0] == "pip":
            assert words[:3] == ["pip", "install", "-e"]
            command = ["pip", "install", "-qq", *offline, f"./{words[3]}"]
        else:
            assert words[0] == "pathei"
            command = ["pathei.cli", *smaller(words)[1:]]
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stdout[-1500:]} {done.stderr[-1500:]}"
        assert done.stdout.strip() or words[0] == "pip", f"{shlex.join(words)} prints nothing"
