"""Exported memories are read by later versions: files of version 1, and skill folders, that 0.1 wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pathei.errors import MemoryStoreError
from pathei.memory import Draft, Filter, Source, open_memory
from pathei.memory.exchange.skill_files import read_skills

VERSION_1: list[dict[str, Any]] = [
    {"form": "pathei-memory", "version": 1, "embedder": "ngrams-3-5-1024"},
    {
        "item": {
            "id": "fact-1",
            "draft": {
                "kind": "fact",
                "text": "A cup is kept in a sink.",
                "world": "pathei/VirtualHome-v0",
                "key": "cup|kept|INSIDE|sink",
                "task": "wash up",
                "success": True,
                "data": {"object": "cup", "relation": "INSIDE", "place": "sink", "when": "kept"},
                "time": 5.0,
                "importance": 0.5,
                "confidence": 1.0,
                "source": {"trajectory": "t1", "step": 0},
            },
            "status": "active",
            "version": 1,
            "seen": 2,
            "helpful": 1,
            "harmful": 0,
            "last_seen": 6.0,
            "replaced_by": None,
        }
    },
    {"event": ["fact-1", 6.0, "reinforced", {"trajectory": "t2", "step": 0}]},
    {"lived": ["t1", ["fact-1"]]},
]
SKILL_0_1 = """---
name: bring-cup-0001
description: 'How to bring about: x INSIDE y.'
metadata:
  pathei: '{"text": "How to bring about: x INSIDE y.", "world": "pathei/VirtualHome-v0", "key": "k", "task": "t",
    "success": true, "time": 1.0, "importance": 0.5, "confidence": 1.0, "trajectory": "t1", "step": 3, "version": 1,
    "seen": 1, "helpful": 0, "harmful": 0, "data": {"steps": ["Grab x"]}}'
---

# Old
"""


def test_a_file_of_version_1_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in VERSION_1))
    with open_memory(tmp_path / "memory", embedder="ngrams", create=True) as memory:
        assert memory.import_jsonl(path) == 1
        item = memory.get("fact-1")
        assert (item.draft.env, item.draft.key, item.seen, item.helpful) == (
            "pathei/VirtualHome-v0",
            "cup|kept|INSIDE|sink",
            2,
            1,
        )
        assert [event.what for event in memory.history("fact-1")] == ["reinforced"]
        assert memory.stats()["trajectories"] == 1
        assert memory.query("Where is the cup?", 1, Filter(env="pathei/VirtualHome-v0"))[0].item.id == "fact-1"
        memory.export_jsonl(tmp_path / "new.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "new.jsonl").read_text().splitlines()]
    assert lines[0]["version"] == 2
    assert lines[1]["item"]["draft"]["env"] == "pathei/VirtualHome-v0"
    assert lines[3] == {"trajectory": ["t1", ["fact-1"]]}


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "later.jsonl"
    path.write_text(json.dumps({**VERSION_1[0], "version": 3}) + "\n")
    with (
        open_memory(tmp_path / "memory", embedder="ngrams", create=True) as memory,
        pytest.raises(MemoryStoreError, match=r"Line 1 of .* it has version 3 and this pathei reads up to 2"),
    ):
        memory.import_jsonl(path)


def test_a_skill_folder_of_0_1_is_read(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "SKILL.md").write_text(SKILL_0_1)
    (draft,) = read_skills(tmp_path)
    assert draft == Draft(
        "skill",
        "How to bring about: x INSIDE y.",
        "pathei/VirtualHome-v0",
        key="k",
        task="t",
        success=True,
        data={"steps": ["Grab x"]},
        time=1.0,
        source=Source("t1", 3),
    )
