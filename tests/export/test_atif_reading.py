"""ATIF documents come in: pathei's own as they were, others' by the fields of the format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathei.cli import main
from pathei.errors import ExportError
from pathei.experience import Goal, Observation, Parent, Step, Task, Tokens, Trajectory
from pathei.export import export, import_atif
from pathei.store import ExperienceStore

PNG = b"\x89PNG\r\n\x1a\npicture"
TASK = Task("light", "pathei/VirtualHome-v0", 7, Goal("light the lamp", ({"kind": "state"},)), {"scene": "house:7"})
THEIRS: dict[str, Any] = {
    "schema_version": "ATIF-v1.4",
    "session_id": "run-1",
    "agent": {"name": "coder", "version": "2.0"},
    "steps": [
        {"step_id": 1, "source": "system", "message": "You are careful."},
        {"step_id": 2, "source": "user", "message": "Count the files."},
        {
            "step_id": 3,
            "source": "agent",
            "message": "I list them.",
            "reasoning_content": "ls will do",
            "tool_calls": [{"tool_call_id": "1", "function_name": "bash", "arguments": {"command": "ls"}}],
            "observation": {"results": [{"source_call_id": "1", "content": "a b"}]},
            "metrics": {"prompt_tokens": 20, "completion_tokens": 5},
        },
        {"step_id": 4, "source": "user", "message": "And now?"},
        {"step_id": 5, "source": "agent", "message": "There are two."},
    ],
}


def test_what_pathei_exported_comes_back_as_it_was(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        seen = Observation("a room", (store.put_image(PNG),), ("walk",), {"on": []})
        step = Step(seen, "walk", 0.5, False, False, {"progress": 0.5}, Tokens((1, 2), (3,), (-0.5,)))
        last = replace(step, observation=replace(seen, text="Goal: x"), terminated=True, info={"success": True})
        root = Trajectory("light/mcts-0", TASK, (step, last), seen, "mcts", provenance={"agent": "tree", "seed": 0})
        branch = replace(root, id="light/mcts-0/b", steps=(last,), parent=Parent(root.id, 1))
        twig = replace(root, id="a", steps=(last, step), parent=Parent(branch.id, 2))
        empty = replace(root, id="empty", steps=(), provenance={"success": True})
        store.append(root, branch, twig, empty)
        export(store, "atif", tmp_path / "out", facts=True)
        export(store, "atif", tmp_path / "plain")
    for _ in range(2):  # the second time everything is there
        assert main(["store", "import", str(tmp_path / "new"), str(tmp_path / "out")]) == 0
    with ExperienceStore.open(tmp_path / "new", mode="read") as store:
        assert {one.id: one for one in store.trajectories()} == {one.id: one for one in (root, branch, twig, empty)}
        store.verify()
    with ExperienceStore.open(tmp_path / "alone") as store:
        assert import_atif(store, tmp_path / "plain" / "light%2Fmcts-0%2Fb.json").added == 1
        [whole] = store.trajectories()
        assert (whole.parent, [one.action for one in whole.steps]) == (None, ["walk", "walk"])
        assert whole.final.facts is None


def test_a_document_of_another_program_becomes_an_episode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    atif = pytest.importorskip("atif")
    content = orjson.dumps(THEIRS)
    assert atif.Trajectory.model_validate_json(content).agent.name == "coder"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.json").write_bytes(content)
    (tmp_path / "in" / "two.json").write_bytes(b"{}")
    away = {**THEIRS, "session_id": "run-2"}
    part = {"type": "image", "source": {"media_type": "image/png", "path": "../../secret.png"}}
    away["steps"] = [{"step_id": 1, "source": "user", "message": [{"type": "text", "text": "look"}, part]}]
    (tmp_path / "in" / "three.json").write_bytes(orjson.dumps(away))
    (tmp_path / "secret.png").write_bytes(PNG)
    assert main(["store", "import", str(tmp_path / "s"), str(tmp_path / "in")]) == 1
    said = capsys.readouterr().out
    assert "two.json: it is no ATIF document of version 1" in said
    assert "three.json: its image '../../secret.png' is not in the folder" in said
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        [one] = store.trajectories()
    assert (one.id, one.task.goal.text, one.collector, one.success) == ("run-1", "Count the files.", "atif", None)
    assert [step.action for step in one.steps] == ['bash {"command":"ls"}', "There are two."]
    assert [step.observation.text for step in one.steps] == ["You are careful.\n\nCount the files.", "a b\n\nAnd now?"]
    usage = {"prompt_tokens": 20, "completion_tokens": 5}
    assert one.steps[0].info["agent"] == {"thought": "ls will do", "said": "I list them.", "usage": usage}
    with ExperienceStore.open(tmp_path / "s") as opened, pytest.raises(ExportError, match="no ATIF document"):
        import_atif(opened, tmp_path / "nothing")


def test_parents_that_do_not_fit_leave_whole_episodes(tmp_path: Path) -> None:
    step = Step(Observation("a room"), "walk", 0.0)
    root = Trajectory("root", TASK, (step, step), Observation("end"), "mcts")
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(root, replace(root, id="branch", steps=(step,), parent=Parent("root", 2)))
        export(store, "atif", tmp_path / "out")
    for name, parent in (("root", {"trajectory": "branch", "step": 9}), ("branch", {"trajectory": "root", "step": 3})):
        file = tmp_path / "out" / f"{name}.json"
        document = orjson.loads(file.read_bytes())
        document["extra"]["parent"] = parent  # each is the other's, and the steps are too many
        file.write_bytes(orjson.dumps(document))
    with ExperienceStore.open(tmp_path / "new") as store:
        assert import_atif(store, tmp_path / "out").added == 2
        assert {one.id: (one.parent, len(one.steps)) for one in store.trajectories()} == {
            "root": (None, 2),
            "branch": (None, 3),
        }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_document_with_any_part_missing_or_of_another_kind_never_breaks_an_import(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    document: Any = orjson.loads(orjson.dumps(THEIRS))
    part = document
    while isinstance(part, dict | list) and part:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else list(range(len(part)))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            part[key] = data.draw(st.sampled_from([None, 3, "x", [], [7], {}, {"y": 1}, True]))
            break
        part = part[key]
    folder = tmp_path_factory.mktemp("atif")
    (folder / "one.json").write_bytes(orjson.dumps(document))
    with ExperienceStore.open(folder / "s") as store:
        report = import_atif(store, folder / "one.json")
        assert report.added + len(report.left) == 1
        assert len(list(store.trajectories())) == report.added
