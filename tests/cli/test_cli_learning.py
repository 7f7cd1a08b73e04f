"""Learning into weights from the command line: a store, questions, a tiny model, and what came of it."""

import json
from pathlib import Path

import pytest

from pathei.cli import main
from pathei.learners.examples import Example, write_examples
from pathei.tests.support.tiny_language import OLD, save_tiny, tiny_examples


@pytest.mark.integration
def test_a_store_becomes_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, out = str(tmp_path / "store"), tmp_path / "corpora"
    assert main(["collect", store, "scripted", "--tasks", "40", "--workers", "0"]) == 0
    assert (
        main(
            [
                "collect",
                store,
                "carry",
                "--tasks",
                "12",
                "--workers",
                "0",
                "--characters",
                "2",
                "--steps",
                "50",
            ]
        )
        == 0
    )
    assert main(["corpora", store, str(out), "--corpus.kinds", "plan", "recognition", "tracking"]) == 0
    assert "recognition" in capsys.readouterr().out
    report = json.loads((out / "corpora.json").read_bytes())
    assert report["config"]["kinds"] == ["plan", "recognition", "tracking"]
    lines = (out / "train.jsonl").read_bytes().splitlines()
    assert {json.loads(line)["kind"] for line in lines} == {"plan", "recognition", "tracking"}


@pytest.mark.integration
def test_a_model_learns_and_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, data, texts = save_tiny(tmp_path / "model"), tmp_path / "train.jsonl", tmp_path / "old.txt"
    write_examples(data, tiny_examples())
    texts.write_text("\n\n".join(OLD))
    fisher, run = tmp_path / "fisher.safetensors", tmp_path / "run"
    common = ["--model", str(model), "--texts", str(texts)]
    assert main(["fisher", str(fisher), *common, "--sequences", "4", "--length", "16"]) == 0
    learn = ["learn", str(data), "--out", str(run), *common, "--method", "ewc+replay", "--fisher", str(fisher)]
    learn += ["--training.steps", "3", "--training.batch", "4", "--knobs.sequence-length", "16"]
    assert main(learn) == 0
    assert "3 steps" in capsys.readouterr().out
    assert main(learn) == 0
    assert "done already" in capsys.readouterr().out
    assert main([*learn, "--training.seed", "5"]) == 2
    assert "training.seed = 0, and now it is 5" in capsys.readouterr().err
    ask = ["eval", str(run), "--splits", "train", "--limit", "4", "--no-execute", "--texts", str(texts)]
    assert main([*ask, "--picture", str(tmp_path / "picture.png")]) == 0
    assert "forgetting" in capsys.readouterr().out
    assert (tmp_path / "picture.png").stat().st_size > 1000
    assert main(["eval", str(model), *ask[1:]]) == 0  # the untuned base, asked what the run beside it holds out
    header = next(line for line in capsys.readouterr().out.splitlines() if "baseline" in line)
    assert {"model", "run"} <= set(header.split())
    assert main(["eval", str(model)]) == 2
    assert "no run with held-out examples of its own" in capsys.readouterr().err


@pytest.mark.integration
def test_lm_eval_is_asked_the_same_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lm_eval")
    model, data = str(save_tiny(tmp_path / "model")), tmp_path / "questions.jsonl"
    write_examples(data, [Example(f"{n}", "location", "Where?", " here", (" here", " there")) for n in range(4)])
    ask = ["eval", model, "--data", str(data), "--splits", "train", "--lm-eval", str(tmp_path / "tasks")]
    assert main(ask) == 0
    shown = capsys.readouterr().out
    assert "pathei_location_train" in shown
    assert "acc_norm" in shown
    assert (tmp_path / "tasks" / "pathei_location_train.yaml").is_file()


@pytest.mark.integration
def test_an_adapter_is_trained_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, data = save_tiny(tmp_path / "model"), tmp_path / "train.jsonl"
    write_examples(data, tiny_examples())
    learn = [
        "learn",
        str(data),
        "--model",
        str(model),
        "--training.steps",
        "2",
        "--training.batch",
        "2",
        "--lora.rank",
        "2",
    ]
    assert main([*learn, "--out", str(tmp_path / "a"), "--method", "lora"]) == 0
    assert main([*learn, "--out", str(tmp_path / "b"), "--adapter"]) == 0
    assert (tmp_path / "a" / "adapter").is_dir()
    assert (tmp_path / "b" / "adapter").is_dir()


def test_what_is_asked_for_wrongly_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fisher", str(tmp_path / "f.bin")]) == 2
    assert "a .safetensors file" in capsys.readouterr().err
    assert main(["eval"]) == 2
    assert "at least one run" in capsys.readouterr().err
    assert main(["learn", str(tmp_path), "--out", str(tmp_path / "r"), "--method", "ewk"]) == 2
    assert "did you mean 'ewc'" in capsys.readouterr().err


def test_a_wrong_option_leaves_nothing_that_the_right_one_trips_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data, texts = str(save_tiny(tmp_path / "model")), tmp_path / "train.jsonl", tmp_path / "old.txt"
    write_examples(data, tiny_examples())
    texts.write_text("\n\n".join(OLD))
    out = tmp_path / "run"
    learn = ["learn", str(data), "--out", str(out), "--training.steps", "1", "--training.batch-size", "2"]
    learn += ["--reference.sequence-length", "16"]
    for wrong in (
        ["--model", str(tmp_path / "none")],
        ["--model", model, "--init-from", str(tmp_path / "none")],
        ["--model", model, "--method", "ewc", "--texts", str(tmp_path / "none.txt")],
        ["--model", model, "--method", "ewc", "--fisher", str(tmp_path / "none.safetensors")],
        ["--model", model, "--method", "lora", "--lora.targets", "elbow"],
        ["--model", model, "--training.max-length", "2"],
    ):
        assert main([*learn, *wrong]) == 2, wrong
        assert len(capsys.readouterr().err.splitlines()) == 1, wrong
        assert not out.exists(), wrong
    assert main(["learn", str(tmp_path / "none"), *learn[2:], "--model", model]) == 2
    assert not out.exists()
    assert main([*learn, "--model", model, "--method", "ewc", "--texts", str(texts)]) == 0
    ask = ["eval", str(out), "--splits", "train", "--limit", "2", "--no-execute", "--texts", str(texts)]
    capsys.readouterr()
    assert main([*ask, "--device", "cuda:77"]) == 2
    assert main(ask) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ["--model", "./none"],
        ["--method", "ewk"],
        ["--against", "ewk"],
        ["--embedder", "none"],
        ["--env", "none"],
        ["--held-out-texts", "none.txt"],
    ],
)
def test_a_loop_is_checked_before_it_begins(wrong: list[str], tmp_path: Path) -> None:
    model = str(save_tiny(tmp_path / "model"))
    loop = ["loop", str(tmp_path / "loop"), "--tasks", "2", "--explored", "0", "--held-out", "1"]
    (tmp_path / "old.txt").write_text("\n\n".join(OLD))
    assert main([*loop, "--model", model, "--texts", str(tmp_path / "old.txt"), *wrong]) == 2
    assert not (tmp_path / "loop").exists()
