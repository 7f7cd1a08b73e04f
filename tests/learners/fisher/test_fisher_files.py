"""Fisher information on disk: bounds of its rounding, refusals, interruption, several processes, and the hash."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import orjson
import pytest
import torch
from hypothesis import given, settings
from safetensors.torch import load_file, save_file

from pathei.errors import FisherError
from pathei.learners.fisher.config import FisherConfig
from pathei.learners.fisher.estimate import estimate
from pathei.learners.fisher.file import fisher_to_file
from pathei.learners.fisher.record import FactoredFisher, FisherDiagonal, FisherMeta
from pathei.learners.fisher.storage import BLOCK, decode_sqrt8, encode_sqrt8
from pathei.learners.models.identity import model_hash
from pathei.tests.support.fisher_models import gpt2, llama, texts

META = FisherMeta("0" * 64, "data", "loop", 1, 1)


def spread_values(count: int, seed: int, decades: float) -> torch.Tensor:
    """Return positive numbers over many orders of magnitude, some of them 0."""
    generator = torch.Generator().manual_seed(seed)
    values = 10 ** (-decades * torch.rand(count, generator=generator))
    return torch.where(torch.rand(count, generator=generator) < 0.1, 0.0, values)


@given(st.integers(1, 3 * BLOCK + 7), st.integers(0, 1000), st.floats(0, 30))
@settings(max_examples=60)
def test_eight_bits_of_the_root_are_off_by_half_a_step_at_most(count: int, seed: int, decades: float) -> None:
    values = spread_values(count, seed, decades)
    codes, scales = encode_sqrt8(values)
    back = decode_sqrt8(codes, scales, torch.float32)
    assert codes.dtype == torch.uint8
    assert len(scales) == -(-count // BLOCK)
    steps = scales.repeat_interleave(BLOCK)[:count]
    assert bool(((back.sqrt() - values.sqrt()).abs() <= steps * 0.5001).all())
    assert bool((back[values == 0] == 0).all())


@given(st.integers(1, 600), st.integers(0, 1000), st.floats(0, 30))
@settings(max_examples=30)
def test_bfloat16_keeps_every_entry_within_a_256th(count: int, seed: int, decades: float) -> None:
    values = spread_values(count, seed, decades)
    back = values.to(torch.bfloat16).float()
    assert bool(((back - values).abs() <= values * 2.0**-8).all())
    assert bool(((back == 0) == (values == 0)).all())


@pytest.mark.parametrize(("storage", "least"), [("bf16", 0.9999), ("sqrt8", 0.999)])
def test_a_file_gives_back_what_was_saved(storage: str, least: float, tmp_path: Path) -> None:
    model = gpt2()
    fisher = estimate(model, texts([9, 14, 5]))
    fisher.save(tmp_path / "f.safetensors", storage)
    back = FisherDiagonal.load(tmp_path / "f.safetensors", model)
    assert back.meta == fisher.meta
    assert back.tensors.keys() == fisher.tensors.keys()
    for name, value in fisher.tensors.items():
        assert back.tensors[name].shape == value.shape
        assert float(torch.cosine_similarity(back.tensors[name].float().flatten(), value.flatten(), dim=0)) > least
    assert [path.name for path in tmp_path.iterdir()] == ["f.safetensors"]


def test_eight_bits_take_half_the_room(tmp_path: Path) -> None:
    fisher = FisherDiagonal({"w": torch.rand(300, 1000)}, META)
    for storage in ("bf16", "sqrt8"):
        fisher.save(tmp_path / storage, storage)
    assert (tmp_path / "sqrt8").stat().st_size < 0.52 * (tmp_path / "bf16").stat().st_size


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=30)
def test_the_factored_form_keeps_row_and_column_sums_and_is_exact_for_rank_one(
    rows: int, columns: int, seed: int
) -> None:
    values = spread_values(rows * columns, seed, 6).view(rows, columns)
    dense = FisherDiagonal({"w": values}, META).factored().dense().tensors["w"]
    torch.testing.assert_close(dense.sum(0), values.sum(0))
    torch.testing.assert_close(dense.sum(1), values.sum(1))
    outer = torch.outer(spread_values(rows, seed, 3), spread_values(columns, seed + 1, 3))
    torch.testing.assert_close(FisherDiagonal({"w": outer}, META).factored().dense().tensors["w"], outer)


def test_the_factored_form_is_saved_and_loaded(tmp_path: Path) -> None:
    model = gpt2()
    factored = estimate(model, texts([9, 14])).factored()
    factored.save(tmp_path / "f")
    back = FactoredFisher.load(tmp_path / "f", model)
    assert back.meta == factored.meta
    assert all(torch.equal(back.factors[name].u, pair.u) for name, pair in factored.factors.items())
    assert all(torch.equal(back.tensors[name], value) for name, value in factored.tensors.items())
    assert set(back.factors) | set(back.tensors) == {name for name, _ in model.named_parameters()}
    with pytest.raises(FisherError, match="factored"):
        FisherDiagonal.load(tmp_path / "f")


def test_what_does_not_belong_to_the_model_is_refused_by_name(tmp_path: Path) -> None:
    model, path = gpt2(), tmp_path / "f"
    fisher = estimate(model, texts([9]))
    fisher.save(path)
    with pytest.raises(FisherError, match="does not have"):
        FisherDiagonal.load(path, llama())
    with pytest.raises(FisherError, match="estimated at the weights"):
        FisherDiagonal.load(path, gpt2(seed=1))
    with pytest.raises(FisherError, match="estimated at the weights"):
        FisherDiagonal.load(path, gpt2().to(torch.bfloat16))
    shapes = {**fisher.tensors, "transformer.wpe.weight": torch.ones(3, 16)}
    FisherDiagonal(shapes, fisher.meta).save(path)
    with pytest.raises(FisherError, match=r"wpe\.weight' has shape \(3, 16\)"):
        FisherDiagonal.load(path, model)
    FisherDiagonal(fisher.tensors, replace(fisher.meta, convention="sum of batches")).save(path)
    with pytest.raises(FisherError, match="convention 'sum of batches'"):
        FisherDiagonal.load(path)
    save_file(dict(load_file(path)), path)
    with pytest.raises(FisherError, match="does not say what its numbers mean"):
        FisherDiagonal.load(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FisherError, match="no whole safetensors file"):
        FisherDiagonal.load(path)
    with pytest.raises(FisherError, match="no file"):
        FisherDiagonal.load(tmp_path / "none")


def test_estimating_into_a_file_says_how_and_is_done_once(tmp_path: Path) -> None:
    model, sequences, out = gpt2(), texts([9, 14, 5]), tmp_path / "fisher.safetensors"
    seen: list[tuple[int, int]] = []
    config = FisherConfig(backend="hooks", storage="sqrt8", every=1)
    first = fisher_to_file(model, sequences, out, config, progress=lambda *done: seen.append(done))
    assert seen == [(3, 3)]
    told = orjson.loads((tmp_path / "fisher.json").read_bytes())
    assert told["config"] == {
        "backend": "hooks", "labels": "data", "batch": 4, "seed": 0, "every": 1, "storage": "sqrt8", "factored": False
    }  # fmt: skip
    assert (told["tokens"], told["sequences"], told["model"]) == (25, 3, model_hash(model))
    assert {"pathei", "torch"} <= told["versions"].keys()
    assert {path.name for path in tmp_path.iterdir()} == {"fisher.safetensors", "fisher.json"}
    again = fisher_to_file(model, sequences, out, config)
    assert all(torch.equal(again.tensors[name], value) for name, value in first.tensors.items())
    with pytest.raises(FisherError, match="samples differs"):
        fisher_to_file(model, sequences[1:], out, config)
    factored = fisher_to_file(model, sequences, tmp_path / "factored", FisherConfig(factored=True))
    assert isinstance(factored, FactoredFisher)


@pytest.mark.parametrize("backend", ["loop", "hooks"])
def test_an_interrupted_estimate_goes_on_bit_for_bit(backend: str, tmp_path: Path) -> None:
    model, sequences = gpt2(), texts([9, 14, 5, 20] * 3)

    class Interrupted(RuntimeError):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 7:
            raise Interrupted

    whole, part = estimate(model, sequences, backend=backend), tmp_path / "part"
    with pytest.raises(Interrupted):
        estimate(model, sequences, backend=backend, checkpoint=part, every=3, progress=stop)
    seen: list[int] = []
    resumed = estimate(
        model, sequences, backend=backend, checkpoint=part, every=3, progress=lambda done, total: seen.append(done)
    )
    assert seen[0] > 4
    assert all(torch.equal(resumed.tensors[name], value) for name, value in whole.tensors.items())
    with pytest.raises(FisherError, match="labels differ"):
        estimate(model, sequences, backend=backend, checkpoint=part, labels="sample")
    with pytest.raises(FisherError, match="parameters differ"):
        estimate(model, sequences, backend=backend, checkpoint=part, parameters=["transformer.wpe.weight"])


@pytest.mark.integration
@pytest.mark.parametrize("backend", ["loop", "hooks"])
def test_kill_9_loses_nothing(backend: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pathei.tests.support.fisher_models", str(tmp_path), backend]
    for enough in (4, 12):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= enough:
                break
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / "whole.safetensors").exists()
    last = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.split()
    assert int(last[0]) > 12
    found = FisherDiagonal.load(tmp_path / "whole.safetensors", gpt2())
    fresh = estimate(gpt2(), texts([9, 14, 5, 20] * 6), backend=backend)
    assert all(torch.equal(found.tensors[n], value.to(torch.bfloat16)) for n, value in fresh.tensors.items())


@pytest.mark.integration
def test_two_processes_equal_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pathei.tests.support.fisher_models", str(tmp_path)]
    both = [subprocess.Popen([*command, str(rank), "2"], stderr=subprocess.PIPE) for rank in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    alone = estimate(gpt2(), texts([9, 14, 5, 20, 7]), backend="hooks", batch=2, labels="sample", seed=4)
    # A key's bias has no gradient but for rounding, which the order of adding decides: hence an absolute bound too.
    for rank in range(2):
        found = FisherDiagonal.load(tmp_path / f"{rank}.safetensors", gpt2(), dtype=torch.float32)
        assert found.meta == alone.meta
        for name, value in alone.tensors.items():
            torch.testing.assert_close(found.tensors[name], value, rtol=2**-8, atol=1e-9 * float(value.max()))


def test_the_hash_knows_names_shapes_types_and_values() -> None:
    model = gpt2()
    hashes = {model_hash(model), model_hash(gpt2(seed=1)), model_hash(gpt2().to(torch.bfloat16)), model_hash(llama())}
    turned = gpt2()
    matrix = turned.get_parameter("transformer.h.0.attn.c_proj.weight")
    matrix.data = matrix.data.t().contiguous().t()
    assert len(hashes) == 4
    assert model_hash(turned) == model_hash(model) == model_hash(gpt2())
