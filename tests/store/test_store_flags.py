"""Flags on episodes: set, taken away, chosen by, merged, and whole after a torn line."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from pathei.cli import main
from pathei.errors import ConfigError
from pathei.export import export
from pathei.store import EpisodeFlags, ExperienceStore, flagged, merge
from pathei.tests.support.plain_episode import plain_episode


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three episodes, of which one is good and one is bad."""
    with ExperienceStore.open(tmp_path / "s") as opened:
        opened.append(*(replace(plain_episode(name, ["wait"]), id=name) for name in ("a", "b", "c")))
        # While another process writes to the store, too.
        flags = EpisodeFlags(tmp_path / "s")
        flags.add({"a": ["good", "look again"], "b": ["bad"]})
        flags.set("a", "look again", False)
    return tmp_path / "s"


def ids(path: Path, *flags: str) -> list[str]:
    """Return the ids of the episodes that some flags choose."""
    with ExperienceStore.open(path, mode="read") as store:
        return [one.id for one in flagged(path, store.trajectories(), flags)]


def test_episodes_are_chosen_by_flags(store: Path) -> None:
    assert EpisodeFlags(store).read() == {"a": ("good",), "b": ("bad",)}
    assert ids(store) == ["a", "b", "c"]
    assert ids(store, "good") == ["a"]
    assert ids(store, "not:bad") == ["a", "c"]
    assert ids(store, "good", "not:good") == []
    for wrong in ("", "not:", "a\nb", "x" * 41, "not:not:a"):
        with pytest.raises(ConfigError, match="is no flag"):
            ids(store, wrong)


def test_a_torn_line_is_passed_over_and_what_comes_later_is_whole(store: Path) -> None:
    path = store / "flags.jsonl"
    path.write_bytes(path.read_bytes() + b'["c","go')
    assert EpisodeFlags(store).read() == {"a": ("good",), "b": ("bad",)}
    EpisodeFlags(store).set("c", "late")
    assert EpisodeFlags(store).read()["c"] == ("late",)


def test_many_set_flags_at_once(store: Path) -> None:
    threads = [threading.Thread(target=EpisodeFlags(store).set, args=("c", f"f{n}")) for n in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(EpisodeFlags(store).read()["c"]) == 20


def test_exports_memories_and_corpora_take_flags(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExperienceStore.open(store, mode="read") as opened:
        assert export(opened, "chat", tmp_path / "x.jsonl", flags=["good"]).written.episodes == 1
        assert opened.check() == ()
    out = tmp_path / "y.jsonl"
    assert main(["store", "export", str(store), str(out), "--format", "chat", "--flags", "not:bad"]) == 0
    assert [orjson.loads(line)["id"] for line in out.read_bytes().splitlines()] == ["a", "c"]
    memory = tmp_path / "m"
    arguments = ["memory", "build", str(store), str(memory), "--builders", "episodes", "--embedder", "ngrams"]
    assert main([*arguments, "--flags", "good"]) == 0
    assert "1 episodes of the store were new" in capsys.readouterr().out
    none = ["corpora", str(store), str(tmp_path / "corpora"), "--corpus.flags", "seldom"]
    assert main(none) == 2
    assert "(0 episodes)" in capsys.readouterr().err


def test_merging_brings_the_flags_along(store: Path, tmp_path: Path) -> None:
    merge(tmp_path / "all", [store])
    merge(tmp_path / "all", [store])
    assert EpisodeFlags(tmp_path / "all").read() == {"a": ("good",), "b": ("bad",)}
