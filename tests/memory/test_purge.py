"""What is purged is in no file; files are their owner's; several processes share a memory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pathei.errors import MemoryStoreError
from pathei.memory import Draft, ExperienceMemory, Filter
from pathei.memory.embedders.registry import make_embedder

SECRET = "Xyzzyplugh"


def opened(path: Path, mode: str = "write") -> ExperienceMemory:
    return ExperienceMemory.open(path, embedder=make_embedder("ngrams-3-5-64"), mode=mode)  # type: ignore[arg-type]


def holders(folder: Path, word: str) -> list[str]:
    """Return the files that contain a word."""
    return [path.name for path in folder.iterdir() if word.lower().encode() in path.read_bytes().lower()]


def test_what_is_purged_is_in_no_file(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        first, kept = memory.add_drafts(
            [Draft("fact", f"The word is {SECRET}.", "", key="word"), Draft("fact", "Cups are in the kitchen.", "")]
        )
        memory.compact()
        (second,) = memory.add_drafts([Draft("fact", f"The word is {SECRET} now. {SECRET} " * 60, "", key="word")])
        memory.update(second, text=f"Changed from {SECRET}", data={"said": SECRET})
        memory.update(kept, text=f"Cups, {SECRET}, are in the kitchen.")
        memory.update(kept, text="Cups are in the kitchen.")
        memory.forget([second])
        assert holders(tmp_path, SECRET)
        done = memory.purge([second])
        assert (done.items, done.events, done.is_clean) == (2, 0, True)
        done = memory.purge(containing=SECRET.upper())
        assert (done.items, done.events, done.is_clean) == (0, 1, True)
        assert holders(tmp_path, SECRET) == []
        assert memory.problems() == []
        for id_ in (first, second):
            with pytest.raises(MemoryStoreError, match="There is no item"):
                memory.get(id_)
        assert [hit.item.id for hit in memory.query("cups")] == [kept]
        assert memory.query(SECRET, where=Filter(kinds=("fact",)))[0].item.id == kept
        memory.export_jsonl(tmp_path / "all.jsonl")
        assert memory.stats()["items"] == 1
        memory.add_drafts(
            [Draft("fact", f"Alice {n}", "", user=user) for n, user in enumerate(("alice", "bob", "alice"))]
        )
        assert memory.purge(where=Filter(user="alice")).items == 2
        assert {item.draft.user for item in memory.items()} == {"", "bob"}
        with pytest.raises(MemoryStoreError, match="There is no item"):
            memory.purge(["fact-0"])
        assert memory.add_drafts([Draft("fact", "Plates are in the kitchen.", "")]) == [
            memory.query("plates")[0].item.id
        ]
        assert memory.problems() == []


@pytest.mark.parametrize("field", ["text", "env", "key", "task", "user", "agent", "session", "data"])
def test_a_text_is_erased_wherever_it_stands(field: str, tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        kept = Draft("fact", "Cups are in the kitchen.", "")
        values: dict[str, Any] = {"text": f"It is {SECRET}.", "data": {"who": [f'a "{SECRET}"\n']}}
        held = replace(kept, **{field: values.get(field, SECRET)})
        memory.add_drafts([kept, held])
        memory.compact()
        assert memory.purge(containing=SECRET.lower()).items == 1
        assert holders(tmp_path, SECRET) == []
        assert [item.draft.text for item in memory.items()] == [kept.text]


def test_files_are_their_owners(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with opened(tmp_path / "m") as memory:
            memory.add_drafts([Draft("fact", "Cups are in the kitchen.", "")])
            memory.compact()
            memory.export_jsonl(tmp_path / "all.jsonl")
            files = [*(tmp_path / "m").iterdir(), tmp_path / "all.jsonl"]
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
            assert {path.name for path in files} >= {"memory.sqlite", "memory.sqlite-wal", "index.json", "writer.lock"}
    finally:
        os.umask(old)


SHARING = """
import sys
from pathei.memory import Draft, ExperienceMemory, make_embedder
with ExperienceMemory.open(sys.argv[1], embedder=make_embedder("ngrams-3-5-64"), mode="share") as memory:
    for i in range(40):
        memory.add_drafts([Draft("fact", f"process {sys.argv[2]} entry {i}", "", key=f"{sys.argv[2]}-{i}")])
        assert memory.query(f"process {sys.argv[2]} entry {i}")
"""


def test_processes_share_a_memory_and_write_in_turn(tmp_path: Path) -> None:
    with opened(tmp_path, "share") as memory:
        command = [sys.executable, "-c", SHARING, str(tmp_path)]
        running = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE, text=True) for number in range(3)]
        for number in range(20):
            memory.add_drafts([Draft("fact", f"own entry {number}", "", key=f"own-{number}")])
        assert [(one.communicate()[1], one.returncode) for one in running] == [("", 0)] * 3
        assert memory.stats()["items"] == 140
        with opened(tmp_path, "share") as other:
            (id_,) = other.add_drafts([Draft("fact", "said in another process", "")])
        assert memory.query("said in another process")[0].item.id == id_
        with opened(tmp_path):
            pass
        assert memory.problems() == []
