"""Exports: read again by the programs that they are for, and refused where they would lose something."""

import dataclasses
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from pathei.errors import ExportError, UnknownNameError
from pathei.experience import Failure, Goal, Observation, Parent, Step, Task, Tokens, Trajectory
from pathei.export import FORMATS, export
from pathei.store import ExperienceStore

SECRET = "the lamp is under the sofa"


def episode(name: str, *, steps: int = 3, success: bool = True, parent: Parent | None = None) -> Trajectory:
    task = Task(f"task of {name}", "pathei/VirtualHome-v0", 7, Goal("light the lamp"))
    lived = tuple(
        Step(
            Observation(f"room {name} {t}", actions=("walk", f"grab {t}"), facts={"where": SECRET}),
            f"grab {t}",
            0.5,
            t == steps - 1,
            False,
            {"success": success} if t == steps - 1 else {},
            Tokens((1, 2), (3, t), (-0.5, -0.25)),
        )
        for t in range(steps)
    )
    return Trajectory(
        name, task, lived, Observation("the end", facts={"where": SECRET}), "mcts", parent, {"agent": "tree"}
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExperienceStore]:
    """Four trajectories, sealed and not: a root with a branch, an episode without steps, one that failed its goal."""
    with ExperienceStore.open(tmp_path / "s") as opened:
        opened.append(episode("root"), episode("a/branch", steps=2, parent=Parent("root", 2)))
        opened.seal()
        opened.append(
            episode("empty", steps=0), episode("lost", success=False), Failure(episode("x").task, "step", "no")
        )
        yield opened


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), colour).save(buffer, "PNG")
    return buffer.getvalue()


def with_pictures(store: ExperienceStore) -> list[bytes]:
    pictures = [picture(colour) for colour in ("red", "blue", "green")]
    names = [store.put_image(one) for one in pictures]
    plain = episode("seen", steps=2)
    steps = tuple(
        dataclasses.replace(one, observation=Observation(f"view {t}", images=(names[t],)))
        for t, one in enumerate(plain.steps)
    )
    store.append(dataclasses.replace(plain, steps=steps, final=Observation("end", images=(names[2], names[0]))))
    return pictures


def lines(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_datasets_reads_the_parquet_export_one_row_per_step(store: ExperienceStore, tmp_path: Path) -> None:
    import datasets  # type: ignore[import-untyped]

    report = export(store, "parquet", tmp_path / "out.parquet")
    assert (report.written.episodes, report.written.rows) == (4, 4 + 3 + 1 + 4)
    for streaming in (False, True):
        data = datasets.load_dataset(
            "parquet",
            data_files=str(report.path),
            split="train",
            streaming=streaming,
            cache_dir=str(tmp_path / "cache"),
        )
        rows = list(data)
        assert [row["episode_id"] for row in rows] == ["root"] * 4 + ["a/branch"] * 3 + ["empty"] + ["lost"] * 4
        assert [row["action"] for row in rows[:4]] == ["grab 0", "grab 1", "grab 2", None]
        assert rows[3]["observation"] == "the end"
        assert rows[4]["parent_trajectory"] == "root"
        assert rows[4]["parent_step"] == 2
        assert rows[0]["actions"] == ["walk", "grab 0"]
        assert orjson.loads(rows[0]["facts"]) == {"where": SECRET}
        assert (rows[0]["goal"], rows[0]["success"], rows[0]["prompt_ids"]) == ("light the lamp", True, [1, 2])


def test_parquet_can_fill_in_branches_and_leave_out_facts(store: ExperienceStore, tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    export(store, "parquet", tmp_path / "out.parquet", facts=False, expand=True)
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    branch = [row["observation"] for row in rows if row["episode_id"] == "a/branch"]
    assert branch == ["room root 0", "room root 1", "room a/branch 0", "room a/branch 1", "the end"]
    assert {row["facts"] for row in rows} == {None}


def test_parquet_embeds_images_that_datasets_decodes(store: ExperienceStore, tmp_path: Path) -> None:
    import datasets

    pictures = with_pictures(store)
    report = export(store, "parquet", tmp_path / "out.parquet")
    assert report.written.images == 3
    data = datasets.load_dataset(
        "parquet", data_files=str(report.path), split="train", cache_dir=str(tmp_path / "cache")
    ).cast_column("images", datasets.List(datasets.Image()))
    shown = [row["images"] for row in data if row["episode_id"] == "seen"]
    assert [len(one) for one in shown] == [1, 1, 2]
    assert shown[0][0].getpixel((0, 0)) == (255, 0, 0)
    assert shown[1][0].tobytes() == Image.open(io.BytesIO(pictures[1])).tobytes()


def test_chat_is_one_conversation_per_episode_with_branches_whole(store: ExperienceStore, tmp_path: Path) -> None:
    report = export(store, "chat", tmp_path / "out.jsonl", actions=True, system="You are at home.")
    rows = lines(report.path)
    assert report.written == (3, 3, 1, 0)
    assert [row["id"] for row in rows] == ["root", "a/branch", "lost"]
    messages = rows[1]["messages"]
    assert isinstance(messages, list)
    assert [one["role"] for one in messages] == ["system", *["user", "assistant"] * 4]
    assert messages[1]["content"] == "Goal: light the lamp\n\nroom root 0\n\nYou can:\nwalk\ngrab 0"
    assert messages[5]["content"] == "room a/branch 0\n\nYou can:\nwalk\ngrab 0"
    assert messages[-1] == {"role": "assistant", "content": "grab 1"}


def test_datasets_reads_chat_with_images_beside_it(store: ExperienceStore, tmp_path: Path) -> None:
    import datasets

    with_pictures(store)
    export(store, "chat", tmp_path / "chat.jsonl")
    data = datasets.load_dataset(
        "json", data_files=str(tmp_path / "chat.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [len(row["messages"]) for row in data] == [6, 8, 6, 4]
    first = data[3]["messages"][0]["content"]
    assert [part["type"] for part in first] == ["image", "text"]
    assert [(tmp_path / name).read_bytes() for name in data[3]["images"]] == [picture("red"), picture("blue")]
    assert data[0]["images"] == []


def test_prompt_completion_gives_every_step_once(store: ExperienceStore, tmp_path: Path) -> None:
    report = export(store, "prompt-completion", tmp_path / "out.jsonl")
    rows = lines(report.path)
    assert report.written == (3, 8, 1, 0)
    assert rows[0]["prompt"] == "Goal: light the lamp\n\nroom root 0\n\nAction:"
    assert rows[0]["completion"] == " grab 0"
    assert [(row["id"], row["t"]) for row in rows[3:5]] == [("a/branch", 2), ("a/branch", 3)]


def test_prompt_completion_repeats_the_history_asked_for(store: ExperienceStore, tmp_path: Path) -> None:
    rows = lines(export(store, "prompt-completion", tmp_path / "out.jsonl", history=1, actions=True).path)
    assert rows[3]["prompt"] == (
        "Goal: light the lamp\n\nroom root 1\n\nAction: grab 1\n\nroom a/branch 0\n\nYou can:\nwalk\ngrab 0\n\nAction:"
    )
    with pytest.raises(ExportError, match="0 or more"):
        export(store, "prompt-completion", tmp_path / "other.jsonl", history=-1)


def test_preferences_are_the_proved_returns_of_one_state(tmp_path: Path) -> None:
    def tried(name: str, actions: str, rewards: tuple[float, ...], success: bool, seed: int = 7) -> Trajectory:
        task = Task("lamp", "pathei/VirtualHome-v0", seed, Goal("light the lamp"))
        steps = tuple(
            Step(Observation(f"after {actions[:t]!r}"), action, rewards[t], t == len(actions) - 1, False, {})
            for t, action in enumerate(actions)
        )
        last = dataclasses.replace(steps[-1], info={"success": success})
        return Trajectory(name, task, (*steps[:-1], last), Observation("the end"), "mcts", None, {})

    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(
            tried("plan", "abc", (0, 0, 1), True),
            tried("long", "abdd", (0, 0, 0, 0.5), False),
            tried("vain", "acc", (0, 0, 0), False),
            tried("also", "ace", (0, 0, 1), True),  # so c is as good as b behind a, and no pair
            tried("other", "xbc", (9, 0, 0), False),  # no reward makes up for the goal
            tried("elsewhere", "yy", (0, 0), False, seed=8),  # another house
        )
        found = lines(export(store, "preference", tmp_path / "out.jsonl").path)
        often = lines(export(store, "preference", tmp_path / "often.jsonl", visits=2).path)
        with pytest.raises(ExportError, match="at least once"):
            export(store, "preference", tmp_path / "never.jsonl", visits=0)
    pairs: dict[object, set[tuple[str, str]]] = {row["t"]: set() for row in found}
    for row in found:
        pairs[row["t"]].add((str(row["chosen"]), str(row["rejected"])))
    assert pairs == {0: {(" a", " x")}, 2: {(" c", " d"), (" e", " c")}}
    assert found[0]["prompt"] == "Goal: light the lamp\n\nafter ''\n\nAction:"
    assert found[0]["returns"] == [1.0, 9.0]
    assert often == []


@pytest.mark.parametrize("format_", ["chat", "prompt-completion", "atif"])
def test_facts_never_leave_unasked(store: ExperienceStore, tmp_path: Path, format_: str) -> None:
    path = export(store, format_, tmp_path / "out").path
    files = [path] if path.is_file() else list(path.iterdir())
    assert not any(SECRET in file.read_text() for file in files)


def test_atif_documents_are_valid_and_mark_what_a_branch_shares(store: ExperienceStore, tmp_path: Path) -> None:
    import atif

    with_pictures(store)
    report = export(store, "atif", tmp_path / "out", facts=True)
    documents = {}
    for file in sorted(report.path.glob("*.json")):
        document = atif.Trajectory.model_validate_json(file.read_bytes())
        documents[document.trajectory_id] = document
    assert set(documents) == {"root", "a/branch", "empty", "lost", "seen"}
    branch = documents["a/branch"]
    assert [step.source for step in branch.steps] == ["user", *["agent"] * 4]
    assert [step.is_copied_context for step in branch.steps] == [None, True, True, None, None]
    assert branch.agent.name == "tree"
    assert branch.extra is not None
    assert branch.extra["parent"] == {"trajectory": "root", "step": 2}
    last = branch.steps[-1]
    assert last.observation is not None
    assert last.observation.results[0].content == "the end"
    assert last.metrics is not None
    assert last.metrics.completion_token_ids == [3, 1]
    assert last.extra == {"reward": 0.5, "terminated": True, "truncated": False, "info": {"success": True}}
    part = documents["seen"].steps[0].message[1]
    assert isinstance(part, atif.ContentPart)
    assert isinstance(part.source, atif.ImageSource)
    assert part.source.media_type == "image/png"
    assert (report.path / part.source.path).read_bytes() == picture("red")
    assert report.written.images == 3


def numeric(name: str, observations: list[str], actions: list[str]) -> Trajectory:
    steps = tuple(
        Step(Observation(seen), action, float(t), t == len(actions) - 1, info={"t": t})
        for t, (seen, action) in enumerate(zip(observations, actions, strict=False))
    )
    task = Task(f"task {name}", "CartPole-v1", 3, Goal("balance"))
    return Trajectory(name, task, steps, Observation(observations[-1]), "agent")


def test_minari_reads_numeric_episodes(tmp_path: Path) -> None:
    import minari  # type: ignore[import-untyped]
    from gymnasium.spaces import Box, Discrete

    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(
            numeric("a", ["[0, 1]", "[0.5, 1]", "[2, 3]"], ["0", "1"]),
            numeric("none", ["[9, 9]"], []),
            numeric("b", ["[5, 6]", "[7, 8]"], ["2"]),
        )
        report = export(store, "minari", tmp_path / "pole-v0")
    assert report.written == (2, 3, 1, 0)
    data = minari.MinariDataset(report.path / "data")
    assert data.spec.action_space == Discrete(3)
    assert data.spec.observation_space == Box(-np.inf, np.inf, (2,), np.float64)
    first, second = data.iterate_episodes()
    assert first.observations.tolist() == [[0, 1], [0.5, 1], [2, 3]]
    assert first.actions.tolist() == [0, 1]
    assert first.rewards.tolist() == [0, 1]
    assert first.terminations.tolist() == [False, True]
    assert [orjson.loads(info) for info in first.infos["info_json"]] == [{}, {"t": 0}, {"t": 1}]
    assert second.observations.tolist() == [[5, 6], [7, 8]]


def test_minari_keeps_scalar_and_continuous_actions(tmp_path: Path) -> None:
    import minari

    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(numeric("a", ["1", "2", "3"], ["[-0.5]", "[1]"]))
        path = export(store, "minari", tmp_path / "scalar-v0").path
    episode_ = minari.MinariDataset(path / "data")[0]
    assert episode_.observations.tolist() == [1, 2, 3]
    assert episode_.actions.tolist() == [[-0.5], [1]]


@pytest.mark.parametrize(
    ("observations", "actions"),
    [
        (["[0]", "[1]"], ["walk to the lamp"]),
        (["You are here: l'été, \u4f60", "[1]"], ["0"]),
        (["[[0], [1, 2]]", "[1]"], ["0"]),
        (["true", "false"], ["0"]),
        (["[null]", ""], ["0"]),
    ],
)
def test_minari_keeps_texts(tmp_path: Path, observations: list[str], actions: list[str]) -> None:
    import minari

    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(numeric("a", observations, actions))
        path = export(store, "minari", tmp_path / "out").path
    data = minari.MinariDataset(path / "data")
    found = data[0]
    for given, kept, space in (
        (observations, found.observations, data.observation_space),
        (actions, found.actions, data.action_space),
    ):
        assert [one if isinstance(one, str) else orjson.loads(orjson.dumps(one.tolist())) for one in kept] == [
            one if isinstance(kept[0], str) else orjson.loads(one) for one in given
        ]
        assert all(space.contains(one) for one in kept)


@pytest.mark.parametrize(
    ("observations", "fault"), [(["[0]", "[1, 2]"], "one shape"), (["a\0", "b"], "null character")]
)
def test_minari_refuses_what_it_cannot_hold(tmp_path: Path, observations: list[str], fault: str) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(numeric("a", observations, ["0"]))
        with pytest.raises(ExportError, match=fault):
            export(store, "minari", tmp_path / "out-v0")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["s"]


@pytest.mark.parametrize("name", ["home", "home-v0", "no id!", "été.v1", "-", "a b-v3"])
def test_minari_takes_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import minari

    monkeypatch.chdir(tmp_path)
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(numeric("a", ["here", "there"], ["go"]))
        path = export(store, "minari", name).path  # relative, as on the command line
    assert minari.MinariDataset(path / "data").spec.dataset_id.rpartition("-v")[2].isdecimal()


def test_minari_refuses_an_id_that_is_none_and_an_empty_selection(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        for options, fault in (({"dataset_id": "no id!"}, "not a Minari dataset id"), ({}, "no episode")):
            with pytest.raises(ExportError, match=fault):
                export(store, "minari", tmp_path / "fine-v0", **options)


@pytest.mark.parametrize("format_", ["prompt-completion", "minari"])
def test_an_export_that_would_drop_images_is_refused(store: ExperienceStore, tmp_path: Path, format_: str) -> None:
    with_pictures(store)
    with pytest.raises(ExportError, match="would drop the images"):
        export(store, format_, tmp_path / "out-v0")
    assert not (tmp_path / "out-v0").exists()


def test_an_image_of_no_known_kind_is_refused(store: ExperienceStore, tmp_path: Path) -> None:
    name = store.put_image(b"not a picture")
    store.append(dataclasses.replace(episode("odd"), final=Observation("end", images=(name,))))
    for format_ in ("parquet", "atif"):
        with pytest.raises(ExportError, match="neither PNG"):
            export(store, format_, tmp_path / "out")


# results: of one collector; pddl: of environments that can be made (tests/envs/virtualhome/pddl)
@pytest.mark.parametrize("format_", sorted(set(FORMATS) - {"minari", "pddl", "results"}))
def test_filters_hold_for_every_format(store: ExperienceStore, tmp_path: Path, format_: str) -> None:
    def count(name: str, **filters: object) -> int:
        return export(store, format_, tmp_path / name, **filters).written.episodes  # type: ignore[arg-type]

    assert count("won", success=True) == 2
    assert count("roots", success=True, roots=True) == 1
    assert count("none", collector="explore") == 0
    assert count("lost", success=False) == 1


def test_an_unknown_format_or_option_suggests_the_near_name(store: ExperienceStore, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'parquet'"):
        export(store, "parket", tmp_path / "out")
    with pytest.raises(UnknownNameError, match="did you mean 'actions'"):
        export(store, "chat", tmp_path / "out", action=True)


def test_an_export_replaces_nothing_unless_told_to(store: ExperienceStore, tmp_path: Path) -> None:
    for format_ in ("chat", "atif"):
        path = tmp_path / format_
        export(store, format_, path)
        with pytest.raises(ExportError, match="already"):
            export(store, format_, path)
        export(store, format_, path, overwrite=True, success=False)
    assert [row["id"] for row in lines(tmp_path / "chat")] == ["lost"]
    assert [file.name for file in (tmp_path / "atif").iterdir()] == ["lost.json"]
    with pytest.raises(ExportError, match="Cannot write"):
        export(store, "chat", tmp_path / "chat" / "below")


def test_importing_the_exports_imports_no_format() -> None:
    heavy = ("minari", "datasets", "atif", "pyarrow", "h5py", "numpy")
    script = f"import sys, pathei.export; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
