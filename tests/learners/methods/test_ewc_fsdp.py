"""Two processes with FSDP2's shards against one process: weights and values of EWC, L2-SP and the LoRA penalty."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from pathei.learners.methods.ewc import EWC
from pathei.learners.methods.ewc_lora import EwcLora
from pathei.learners.methods.l2sp import l2sp
from pathei.learners.methods.parameters import anchor_of, is_sharded
from pathei.tests.support.ewc_models import VOCABULARY, gpt2, made_up_fisher, move

STEPS = 4
CASES = ("ewc", "merged", "l2sp", "lora", "lora-factored")


def built(case: str) -> tuple[Any, Any]:
    """Return a model that has moved already, and the method that holds it; the same in every process."""
    model: Any = gpt2()
    fisher: dict[str, Any] = dict(made_up_fisher(model))
    anchor = anchor_of(model)
    if case == "ewc":
        method: Any = EWC({name: one.bfloat16() for name, one in fisher.items()}, anchor, 3.0)
    elif case == "merged":
        method = EWC(fisher, anchor, 3.0, mode="merged")
        method.add_task(made_up_fisher(model, 5), {name: one + 0.01 for name, one in anchor.items()})
    elif case == "l2sp":
        method = l2sp(anchor, 3.0)
    else:
        if case == "lora-factored":
            fisher = {name: (one.abs()[:, 0], one.abs()[0]) for name, one in fisher.items() if one.ndim == 2}
        model = get_peft_model(model, LoraConfig(r=3, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True))
        method = EwcLora(fisher, 3.0)
    move(model, by=0.05)
    return model, method


def trained(model: nn.Module, method: Any) -> list[float]:
    """Train on the same batch in every process, so that the averaged gradient is that of one process."""
    optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=0.05)
    ids = torch.randint(0, VOCABULARY, (2, 10), generator=torch.Generator().manual_seed(3))
    values = []
    for step in range(STEPS):
        model(input_ids=ids, labels=ids).loss.backward()
        values.append(method.add_gradient(model, step))
        optimizer.step()
        optimizer.zero_grad()
    return values


def one_of_two(rank: int, folder: str) -> None:
    """Train every case in shards, and write what came out."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    mesh, found = init_device_mesh("cpu", (2,)), {}
    for case in CASES:
        model, method = built(case)
        blocks = model.get_base_model().transformer.h if case.startswith("lora") else model.transformer.h
        for block in blocks:
            fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh)
        assert all(is_sharded(one) for one in model.parameters())
        values = trained(model, method)
        found[case] = values, {name: one.full_tensor().detach() for name, one in model.named_parameters()}
    if rank == 0:
        torch.save(found, f"{folder}/found.pt")
    distributed.destroy_process_group()


@pytest.mark.integration
def test_two_processes_are_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(one_of_two, args=(str(tmp_path),), nprocs=2, join=True)
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    for case in CASES:
        model, method = built(case)
        values = trained(model, method)
        assert min(values) > 0
        assert found[case][0] == pytest.approx(values, rel=1e-5), case
        for name, one in model.named_parameters():
            assert torch.allclose(found[case][1][name], one, rtol=1e-5, atol=1e-6), (case, name)
