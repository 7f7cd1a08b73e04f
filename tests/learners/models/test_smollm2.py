"""SmolLM2 from PyPI: converted once, then a model like any other; so is the GGUF file that it came as."""

import zipfile
from pathlib import Path

import pytest

from pathei import data
from pathei.cli import main
from pathei.errors import DataError
from pathei.learners.examples import write_examples
from pathei.learners.training.batches import has_chat
from pathei.tests.support.tiny_language import tiny_examples

PARAMETERS = 134_515_008


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel, in the user's cache; without PyPI the tests of this file are skipped."""
    pytest.importorskip("gguf")
    try:
        return data.fetch("smollm2")
    except DataError as error:
        pytest.skip(f"smollm2 cannot be fetched: {error}")


@pytest.mark.integration
def test_smollm2_is_a_model_like_any_other(wheel: Path, tmp_path: Path) -> None:
    import torch

    from pathei.learners.evaluation.generation import generate
    from pathei.learners.evaluation.perplexity import measure_language
    from pathei.learners.models.load import load_model

    assert main(["data", "get", "smollm2"]) == 0
    model, tokenizer = load_model("smollm2")
    assert sum(value.numel() for value in model.parameters()) == PARAMETERS
    assert next(model.parameters()).dtype == torch.float32
    assert has_chat(tokenizer)
    assert "Paris" in generate(model, tokenizer, ["What is the capital of France?"], max_new_tokens=20)[0]
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name] for name in ("assert", "attribute-access", "break", "class"))
    assert 2.0 < measure_language(model, tokenizer, [text], length=512).nats_per_token < 3.0
    del model
    examples, run = tmp_path / "train.jsonl", tmp_path / "run"
    write_examples(examples, tiny_examples(4))
    learn = ["learn", str(examples), "--out", str(run), "--model", "smollm2", "--method", "lora"]
    assert main([*learn, "--training.steps", "2", "--training.batch-size", "2"]) == 0
    assert main(["eval", str(run), "--splits", "train", "--limit", "1", "--no-execute"]) == 0


@pytest.mark.integration
def test_a_gguf_file_can_be_trained_and_saved(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".gguf"))
        file = Path(packed.extract(name, tmp_path))
    write_examples(tmp_path / "train.jsonl", tiny_examples(4))
    learn = ["learn", str(tmp_path / "train.jsonl"), "--out", str(tmp_path / "run"), "--model", str(file)]
    assert main([*learn, "--training.steps", "1", "--training.batch-size", "2"]) == 0
    assert (tmp_path / "run" / "model" / "model.safetensors").stat().st_size > 2 * PARAMETERS


def test_before_it_is_fetched_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(data.ROOT_VARIABLE, str(tmp_path))
    write_examples(tmp_path / "train.jsonl", tiny_examples(4))
    assert main(["learn", str(tmp_path / "train.jsonl"), "--out", str(tmp_path / "run"), "--model", "smollm2"]) == 2
    assert "pathei data get smollm2" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
