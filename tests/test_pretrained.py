"""What a model may be named by: a run, an adapter, a folder, a GGUF file, an id on the hub; or it is called none."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pathei.agents import AgentMaker
from pathei.agents.lm.backends import Choice, Conversation, Message, ModelRequest
from pathei.agents.lm.local_model import LocalModel
from pathei.cli import main
from pathei.errors import ModelError
from pathei.pretrained import find_model


def folder(path: Path, **files: Any) -> Path:
    """Make a folder with these JSON files."""
    path.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (path / f"{name}.json").write_text(json.dumps(value))
    return path


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Folders that look like models, without weights."""
    folder(tmp_path / "base", config={"model_type": "gpt2"})
    folder(tmp_path / "run", config={"method": "ewc", "training": {}})
    folder(tmp_path / "run" / "model", config={"architectures": ["GPT2LMHeadModel"]})
    folder(tmp_path / "begun", config={"method": "ewc", "training": {}})
    folder(tmp_path / "adapter", adapter_config={"base_model_name_or_path": str(tmp_path / "base")})
    folder(tmp_path / "beside", adapter_config={"base_model_name_or_path": "../base"})
    folder(tmp_path / "lost", adapter_config={"base_model_name_or_path": str(tmp_path / "gone")})
    folder(tmp_path / "only-adapter" / "adapter", adapter_config={"base_model_name_or_path": "../../base"})
    (folder(tmp_path / "quantised") / "small.gguf").write_bytes(b"GGUF")
    for name in ("a.gguf", "b.gguf"):
        (folder(tmp_path / "several") / name).write_bytes(b"GGUF")
    folder(tmp_path / "notes", facts={"x": 1})
    (tmp_path / "base" / "model.safetensors").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def test_every_kind_of_model_is_found(places: Path) -> None:
    at = str(places)
    assert find_model(places / "base") == (f"{at}/base", "", "")
    assert find_model(f"{at}/run") == (f"{at}/run/model", "", "")
    assert find_model(f"{at}/run/model/") == (f"{at}/run/model", "", "")
    assert find_model(f"{at}/adapter") == (f"{at}/base", "", f"{at}/adapter")
    assert Path(find_model(f"{at}/beside").source).resolve() == (places / "base").resolve()
    assert find_model(f"{at}/only-adapter").adapter == f"{at}/only-adapter/adapter"
    assert (
        find_model(f"{at}/quantised/small.gguf")
        == find_model(f"{at}/quantised")
        == (f"{at}/quantised", "small.gguf", "")
    )
    assert find_model("gpt2") == ("gpt2", "", "")
    assert find_model("Qwen/Qwen3-0.6B") == ("Qwen/Qwen3-0.6B", "", "")
    assert find_model("Qwen/Qwen3-0.6B-GGUF/q8.gguf") == ("Qwen/Qwen3-0.6B-GGUF", "q8.gguf", "")
    assert find_model("tiny") == find_model("embedded") == ("tiny", "", "")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "nothing is there"),
        ("gone/model", "nothing is there"),
        ("notes", "no model in the folder"),
        ("notes.txt", "is no model: name a run"),
        ("base/model.safetensors", "name its folder"),
        ("begun", "finish it with `pathei learn`"),
        ("lost", "belongs on a model that is not there"),
        ("several", "2 GGUF files"),
    ],
)
def test_a_path_without_a_model_is_called_so_everywhere(
    name: str, says: str, places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"{places}/{name}"
    for kind in ("lm", "saycan"):
        with pytest.raises(ModelError, match=says):
            AgentMaker(f"{kind}:{path}")
    commands = (
        ["run", "--agent", f"saycan:{path}"],
        ["collect", f"{places}/store", "mcts", "--prior", f"lm:{path}", "--tasks", "1", "--workers", "0"],
    )
    for command in commands:
        assert main(command) == 2 or "--prior" in command
    assert says in capsys.readouterr().err
    with pytest.raises(ModelError, match=says):
        LocalModel.load(path)


def test_a_name_that_is_nowhere_blames_neither_a_tokenizer_nor_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="There is no model 'runs/home': there is no such folder here") as caught:
        LocalModel.load("runs/home")
    assert "sentencepiece" not in str(caught.value)


def test_a_run_an_adapter_and_a_folder_answer_alike(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from pathei.learners import LearnConfig, LoraConfig, TrainingConfig, finetune, load_model, write_examples
    from pathei.tests.support.tiny_language import save_tiny, tiny_examples

    write_examples(tmp_path / "examples.jsonl", tiny_examples())
    training = TrainingConfig(steps=3, batch_size=4, learning_rate=0.05, lora=LoraConfig(rank=2))
    base, run = str(save_tiny(tmp_path / "base")), tmp_path / "run"
    finetune(LearnConfig(run, tmp_path / "examples.jsonl", base, training=training))
    asked = [Choice(Conversation((Message("user", "Where?"),)), ("here", "over there"))]
    [expected] = LocalModel.load(run / "model").rate(asked)
    for name in (run, run / "adapter", f"{run}/"):
        [found] = LocalModel.load(name).rate(asked)
        assert found.scores() == pytest.approx(expected.scores(), abs=1e-4)
        assert found.scores() != pytest.approx(LocalModel.load(base).rate(asked)[0].scores(), abs=1e-4)
    model, tokenizer = load_model(run / "adapter")
    assert not hasattr(model, "peft_config")
    assert tokenizer.pad_token_id is not None
    again = LearnConfig(tmp_path / "again", tmp_path / "examples.jsonl", str(run), training=TrainingConfig(steps=1))
    assert finetune(again).steps == 1
    shutil.rmtree(run / "model")
    (tmp_path / "base" / "tokenizer.json").unlink()
    (tmp_path / "base" / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match="has a model and no tokenizer"):
        LocalModel.load(base)


def test_a_gguf_file_answers(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    gguf = pytest.importorskip("gguf")
    import numpy as np

    words = [*(chr(code) for code in range(33, 97)), "AB"]
    writer, rng = gguf.GGUFWriter(tmp_path / "small.gguf", "llama"), np.random.default_rng(0)
    writer.add_context_length(64)
    writer.add_embedding_length(16)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(8)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([1] * len(words))
    writer.add_token_merges(["A B"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    shapes = {"token_embd": (len(words), 16), "output": (len(words), 16), "output_norm": (16,)}
    shapes |= {f"blk.0.{name}": (16, 16) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {f"blk.0.{name}": (16,) for name in ("attn_norm", "ffn_norm")}
    shapes |= {"blk.0.ffn_gate": (32, 16), "blk.0.ffn_up": (32, 16), "blk.0.ffn_down": (16, 32)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    for name in (tmp_path / "small.gguf", tmp_path):
        [reply] = LocalModel.load(name).generate([ModelRequest(Conversation((Message("user", "AB"),)), 4)])
        assert 1 <= reply.usage.completion_tokens <= 4
