"""Result files: what was done is done again, and a file that says something else is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.cli import main
from pathei.collectors.tasks import write_tasks
from pathei.collectors.verify import verify_results
from pathei.envs.registry import get_env
from pathei.errors import ExportError, VerificationError
from pathei.export import export
from pathei.export.results import list_hash, read_results
from pathei.store import ExperienceStore
from pathei.tests.support.doc_pages import ROOT

TASKS = ["--tasks", "4", "--seed", "5", "--workers", "0"]
Change = Callable[[dict[str, Any], list[dict[str, Any]]], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with demonstrations and searches, and the result file of each."""
    made = tmp_path_factory.mktemp("results")
    store = str(made / "store")
    assert main(["collect", store, "scripted", *TASKS, "--steps", "20"]) == 0
    assert main(["collect", store, "mcts", *TASKS, "--steps", "6", "--simulations", "40"]) == 0
    for name in ("scripted", "mcts"):
        assert main(["store", "export", store, str(made / name), "--format", "results", "--collector", name]) == 0
    return made


def test_a_collection_without_a_limit_is_verified_too(tmp_path: Path) -> None:
    store, file = str(tmp_path / "store"), str(tmp_path / "file.jsonl")
    assert main(["collect", store, "scripted", *TASKS]) == 0
    assert main(["store", "export", store, file, "--format", "results"]) == 0
    assert main(["verify", file]) == 0


def rewritten(source: Path, to: Path, change: Change) -> Path:
    """Forge a file: change it, and make its last line fit."""
    head, *rows, _ = map(orjson.loads, source.read_bytes().splitlines())
    change(head, rows)
    body = b"".join(orjson.dumps(one) + b"\n" for one in [head, *rows])
    foot = {"episodes": len(rows), "sha256": hashlib.sha256(body).hexdigest()}
    to.write_bytes(body + orjson.dumps(foot) + b"\n")
    return to


def test_what_was_done_is_done_again_and_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verify_results(folder / "scripted", workers=0)
    tasks = get_env("virtualhome").generate_tasks(4, 5)
    assert (found.solved, found.tasks, found.success, found.list_sha256) == (4, 4, 1.0, list_hash(reversed(tasks)))
    assert found.spent.steps == sum(len(one.actions) for one in found.file.episodes) > 4
    assert main(["verify", str(folder / "mcts"), "--json"]) == 0  # with workers
    told = orjson.loads(capsys.readouterr().out)
    searched = verify_results(folder / "mcts", workers=0)
    assert told["spent"]["search"] == searched.spent.search > 0
    assert told["solved"] == searched.solved
    assert main(["verify", str(folder / "mcts"), "--workers", "0"]) == 0
    assert f"{searched.solved} of 4 tasks" in capsys.readouterr().out


def test_a_task_without_an_episode_is_not_solved(folder: Path, tmp_path: Path) -> None:
    found = verify_results(rewritten(folder / "scripted", tmp_path / "f", lambda _, rows: rows.pop()), workers=0)
    assert (found.solved, found.tasks, found.success) == (3, 4, 0.75)


FORGED: dict[str, tuple[Change, str]] = {
    "a success that was none": (
        lambda _, rows: rows[0].update(actions=rows[0]["actions"][:-1], success=True),
        "says that task .* ends with success True, and done again it ends with (False|None)",
    ),
    "other actions": (
        lambda _, rows: rows[0].update(actions=rows[0]["actions"][1:]),
        "ends with success True, and done again",
    ),
    "actions after the end": (
        lambda _, rows: rows[0].update(actions=rows[0]["actions"] + ["[Walk] <bed> (1)"]),
        "is over after",
    ),
    "another end": (lambda _, rows: rows[1].update(end="0" * 64), "ends with another observation"),
    "a task of its own": (lambda _, rows: rows[0].update(task="0" * 64), "Line 2 .* not in the list of 4"),
    "a second attempt": (lambda _, rows: rows.append(rows[0]), "has two episodes"),
    "an easier list": (lambda head, _: head["tasks"].update(seed=6), "not in the list of 4"),
    "a longer episode than the budget": (lambda head, _: head.update(steps=2), "and its budget is 2"),
    "a module of its own": (lambda head, _: head["tasks"].update(env="evil:Env-v0"), "has no name here"),
    "a file of its own": (lambda head, _: head["tasks"].update(tasks="/etc/passwd"), "give it with --tasks"),
    "a list without end": (lambda head, _: head["tasks"].update(tasks="9" * 30), "is the most that is generated"),
    "a count that is none": (lambda _, rows: rows[2].update(tokens=-1), "Line 4 .* see tokens"),
    "actions that are no texts": (lambda _, rows: rows[2].update(actions=[1]), "Line 4 .* see actions"),
    "a field too many": (lambda head, _: head.update(more=1), "Line 1 .* see more"),
    "another version": (lambda head, _: head.update(pathei_results=2), "no result file of version 1"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_or_over_its_budget_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    change, why = FORGED[name]
    with pytest.raises(VerificationError, match=why):
        verify_results(rewritten(folder / "scripted", tmp_path / "f", change), workers=0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_that_was_cut_or_changed_anywhere_is_refused(folder: Path, data: st.DataObject) -> None:
    content = (folder / "scripted").read_bytes()
    at = data.draw(st.integers(0, len(content) - 2))
    flipped = content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]
    changed = folder / "changed"
    changed.write_bytes(data.draw(st.sampled_from([content[:at], flipped])))
    with pytest.raises(VerificationError):
        read_results(changed)


def test_the_verifier_may_give_the_list_and_the_limit_and_what_was_learned_from(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = get_env("virtualhome").generate_tasks(5, 5)
    write_tasks(tmp_path / "list", tasks)
    assert verify_results(folder / "scripted", tasks=tmp_path / "list", workers=0).tasks == 5
    assert main(["verify", str(folder / "scripted"), "--steps", "2"]) == 2
    assert "and its budget is 2" in capsys.readouterr().err
    assert main(["verify", str(folder / "scripted"), "--learned-from", str(folder / "store")]) == 2
    assert "was not held out" in capsys.readouterr().err
    assert main(["collect", str(tmp_path / "other"), "scripted", "--tasks", "2", "--seed", "9", "--workers", "0"]) == 0
    found = verify_results(folder / "scripted", learned_from=[tmp_path / "other"], workers=0)
    assert (found.learned.episodes, found.solved) == (2, 4)
    assert found.learned.steps > 2


def test_a_store_that_does_not_say_which_tasks_or_whose_episodes_is_refused(folder: Path, tmp_path: Path) -> None:
    with ExperienceStore.open(folder / "store", mode="read") as store:
        with pytest.raises(ExportError, match=r"of mcts, scripted: choose one"):
            export(store, "results", tmp_path / "f")
        [first, *_] = store.trajectories(collector="scripted")
    with ExperienceStore.open(tmp_path / "s") as store:
        with pytest.raises(ExportError, match="these are of nobody"):
            export(store, "results", tmp_path / "f")
        store.append(first)
        with pytest.raises(ExportError, match="does not say which tasks"):
            export(store, "results", tmp_path / "f")


def test_merged_parts_say_which_tasks_they_are_of(folder: Path, tmp_path: Path) -> None:
    for part in ("0/2", "1/2"):
        args = ["collect", str(tmp_path / "home"), "scripted", *TASKS, "--steps", "20", "--shard", part]
        assert main(args) == 0
    assert main(["store", "merge", str(tmp_path / "all"), str(tmp_path / "home")]) == 0
    assert main(["store", "export", str(tmp_path / "all"), str(tmp_path / "f"), "--format", "results"]) == 0
    assert (tmp_path / "f").read_bytes() == (folder / "scripted").read_bytes()


def test_the_result_files_of_the_leaderboard_are_whole_and_about_its_lists() -> None:
    page = (ROOT / "docs" / "leaderboard.md").read_text("utf-8")
    files = sorted((ROOT / "benchmarks" / "results" / "leaderboard").glob("*.jsonl"))
    assert len(files) == 12
    for path in files:
        found = read_results(path)
        assert (found.tasks["tasks"], found.tasks["seed"]) == ("100", 73_400_217)
        assert f"`{path.name}`" in page
    assert list_hash(get_env("virtualhome").generate_tasks(100, 73_400_217)) in page
