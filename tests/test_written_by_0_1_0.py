"""Stores, memories, runs, Fisher files and loops that pathei 0.1.0 wrote are opened, read and gone on with.

The files and the script that made them lie in `data/written_by_0_1_0`. Paths in them are relative, so each test works
inside a copy. Commands are given in the old spelling, as in a script of that time.
"""

import shutil
import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from pathei import ExperienceStore
from pathei.cli import main
from pathei.experience import Goal, Observation, Parent, Step, Task, Tokens, Trajectory

ARCHIVE = Path(__file__).parent / "data" / "written_by_0_1_0" / "written.tar.xz"
TRAINING = (
    "--training.batch 2 --training.steps 4 --training.save-every 2 --training.max-length 128 --corpus.per-kind 5 "
    "--corpus.kinds plan-bare location"
)
EWC = "--model tiny --method ewc --texts old.txt --fisher fisher.safetensors"
LOOP = (
    "loop --world virtualhome --rounds 1 --tasks 3 --explored 2 --proposed 4 --held-out 1 --steps 12 --simulations 20 "
    "--workers 0 "
    "--model tiny --texts old.txt --held-out-texts old.txt --training.steps 2 --training.batch 2 "
    "--training.max-length 128 --knobs.fisher-sequences 8 --knobs.sequence-length 16 --no-report"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of 0.1.0, unpacked once; tests copy what they change."""
    folder = tmp_path_factory.mktemp("written")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def inside(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, as the current directory."""
    folder = tmp_path / "copy"
    shutil.copytree(written, folder)
    monkeypatch.chdir(folder)
    return folder


def read(path: Path) -> Any:
    """Return the JSON of a file."""
    return orjson.loads(path.read_bytes())


def test_a_store_is_read(written: Path) -> None:
    with ExperienceStore.open(written / "store", mode="read") as store:
        store.verify()
        info = store.info()
        assert (info.counts.trajectories, info.counts.branches, info.counts.failures) == (14, 1, 1)
        assert (info.shards, info.images, len(info.sessions)) == (1, 1, 3)
        assert info.sessions[1].config == {"command": "fixture", "world": "lamp"}
        branch = store.get("branch")
        assert branch.parent == Parent("root", 1)
        whole = store.expand(branch)
        assert [step.action for step in whole.steps] == ["wait", "wait"]
        press = store.get("root").steps[1]
        assert press.tokens == Tokens((1, 2, 3), (4,), (-0.5,))
        assert press.observation.facts == {"lamp": "off"}
        assert store.image(press.observation.images[0]).endswith(b"not a real picture")
        assert [(one.stage, one.error) for one in store.failures()] == [("step", "RuntimeError: the bulb broke")]
        assert len(list(store.trajectories(collector="scripted", success=True))) == 10


def test_a_store_is_written_to(inside: Path) -> None:
    task = Task("new", "pathei/Lamp-v0", 0, Goal("wait"))
    seen = Observation("It is dark.")
    with ExperienceStore.open(inside / "store") as store:
        assert task in store.remaining([task, store.get("root").task])
        store.append(Trajectory("new", task, (Step(seen, "wait", 0.0),), seen, "agent"))
        store.seal()
        assert len(list(store.trajectories())) == len(store) == 15
        store.verify()


def test_corpora_of_a_store_are_the_same(inside: Path) -> None:
    assert main(["corpora", "store", "again", "--corpus.per-kind", "3", "--corpus.held-out", "0"]) == 0
    for split in ("train", "seen", "unseen"):
        assert (inside / "again" / f"{split}.jsonl").read_bytes() == (inside / f"corpora/{split}.jsonl").read_bytes()


def test_a_memory_is_read_and_grows(inside: Path) -> None:
    pytest.importorskip("faiss")
    from pathei.memory.opening import open_memory

    with open_memory("store", mode="read") as memory:
        before = len(list(memory.items()))
        assert memory.query("grab the keys", 3)
    assert main("collect store --collector scripted --tasks 12 --steps 60 --workers 0".split()) == 0
    assert main(["memory", "build", "store"]) == 0
    assert main(["memory", "check", "store"]) == 0
    with open_memory("store", mode="read") as memory:
        assert len(list(memory.items())) > before


@pytest.mark.parametrize("form", ["fisher", "factored"])
def test_fisher_information_is_known(form: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    command = f"fisher {form}.safetensors --model tiny --texts old.txt --sequences 8 --length 16"
    before = (inside / f"{form}.safetensors").read_bytes()
    assert main([*command.split(), *(["--fisher.factored"] if form == "factored" else [])]) == 0
    assert "8 sequences, 120 tokens" in capsys.readouterr().out
    assert (inside / f"{form}.safetensors").read_bytes() == before


def test_a_finished_run_is_known(inside: Path) -> None:
    pytest.importorskip("torch")
    model = (inside / "run/model/model.safetensors").read_bytes()
    assert main(f"learn store --out run {EWC} {TRAINING}".split()) == 0
    assert (inside / "run/model/model.safetensors").read_bytes() == model


def test_a_stopped_run_goes_on(inside: Path) -> None:
    pytest.importorskip("torch")
    assert main(f"learn store --out stopped {EWC} {TRAINING}".split()) == 0
    lines = [orjson.loads(line) for line in (inside / "stopped/metrics.jsonl").read_bytes().splitlines()]
    whole = [orjson.loads(line) for line in (inside / "run/metrics.jsonl").read_bytes().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert [line["loss"] for line in lines] == pytest.approx([line["loss"] for line in whole], rel=1e-3)


def test_another_configuration_is_still_refused(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert main(f"learn store --out run --model tiny --method l2sp {TRAINING}".split()) == 2
    assert "ewc" in capsys.readouterr().err


def test_a_finished_loop_opens_and_its_model_and_memory_are_measured_in_the_arms_of_today(inside: Path) -> None:
    pytest.importorskip("torch")
    before = read(inside / "loop/loop.json")
    model = (inside / "loop/seed-0/round-1/ewc/model/model.safetensors").read_bytes()
    assert main([*f"{LOOP} --against".split(), "", "loop"]) == 0
    after = read(inside / "loop/loop.json")
    assert (inside / "loop/seed-0/round-1/ewc/model/model.safetensors").read_bytes() == model
    agents = [row["agent"] for row in after["table"]]
    assert {"base", "tuned", "tuned + memory"} <= set(agents)
    assert len(agents) >= len(before["table"])


def test_a_stopped_loop_goes_on(inside: Path) -> None:
    pytest.importorskip("torch")
    before = read(inside / "loop/loop.json")
    shutil.rmtree(inside / "loop/seed-0/held-out")
    shutil.rmtree(inside / "loop/seed-0/round-1/ewc/model")
    assert main([*f"{LOOP} --against".split(), "", "loop"]) == 0
    after = read(inside / "loop/loop.json")
    assert len(after["table"]) >= len(before["table"])
