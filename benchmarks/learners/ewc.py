"""What the penalties of Elastic Weight Consolidation cost, compared with rivals: time, memory, share of a step.

    python benchmarks/learners/ewc.py                    # one thread; about three minutes
    python benchmarks/learners/ewc.py --parts 1 --markdown
    python benchmarks/learners/ewc.py --size smollm2 --parts 1 --repeats 5 --ways ewc
    python benchmarks/learners/ewc.py --precision bf16
    python benchmarks/learners/ewc.py --device cuda --size 124m --batch 16 --length 1024 --precision bf16

Part 1 trains a GPT-2 from configuration, or SmolLM2-135M, on random tokens with AdamW and clipping, and adds a penalty
between the gradient and the optimizer. The share is the penalty's time over that of the same step without it, medians
of steps that alternate in one process. The rival is the penalty written into the loss, whose graph autograd builds and
goes through.

Part 2 takes one LoRA module (4096 x 4096, rank 8): the merged update against the Fisher information of the whole
weight, as E2WM writes it, in closed form, and with factored Fisher information.

Every way is measured in processes of its own. Time is processor time on a processor (the least of all repeats in part
2), and the clock's on a GPU, which is waited for. Extra memory is the greatest that one call needs beyond what is there
before it: the peak of the resident set, with every larger block mapped by itself, or the peak of torch's allocator.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _table import show  # type: ignore[import-not-found]

from pathei.learners.methods.ewc import EWC
from pathei.learners.methods.ewc_lora import EwcLora
from pathei.learners.methods.l2sp import l2sp
from pathei.learners.methods.parameters import anchor_of

SIZES = {
    "tiny": (4, 192, 6, 4096),
    "10m": (6, 320, 5, 8192),
    "27m": (8, 384, 6, 32768),
    "124m": (12, 768, 12, 50304),
    "355m": (24, 1024, 16, 50304),
}
"""Layers, width, heads and vocabulary of GPT-2: `tiny` is the built-in model's shape; 124m and 355m are the published
shapes with a padded vocabulary."""
SMOLLM2 = "smollm2"
"""SmolLM2-135M (`pathei data get smollm2`), with its own weights."""
STEP_WAYS = ("autograd", "ewc", "ewc bf16", "l2sp")
LORA_WAYS = ("autograd", "closed form", "closed form bf16", "factored")
Penalty = Callable[[], float]


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", choices=[*SIZES, SMOLLM2], default="10m")
    parser.add_argument("--batch", type=int, default=8, help="sequences per step")
    parser.add_argument("--length", type=int, default=128, help="tokens per sequence")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of matrix products (autocast)")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parts", default="12")
    parser.add_argument("--ways", nargs="+", choices=STEP_WAYS, default=STEP_WAYS, help="of part 1")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--one", nargs=2, metavar=("PART", "WAY"), help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    return parser


# --- what is measured


def model_of(args: argparse.Namespace) -> Any:
    """Return the model of part 1, in float32."""
    import torch
    from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    if args.size == SMOLLM2:
        from pathei.learners.models.smollm2 import smollm2

        return AutoModelForCausalLM.from_pretrained(smollm2(), dtype=torch.float32).train().to(args.device)
    layers, width, heads, words = SIZES[args.size]
    config = GPT2Config(
        n_layer=layers,
        n_embd=width,
        n_head=heads,
        vocab_size=words,
        n_positions=args.length,
        bos_token_id=0,
        eos_token_id=0,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    return GPT2LMHeadModel(config).to(args.device)


def penalty_on(model: Any, way: str) -> Penalty:
    """Return what adds a penalty's gradient to the model's, one of `STEP_WAYS`."""
    import torch

    anchor = anchor_of(model)
    fisher = {name: torch.rand_like(one) for name, one in anchor.items()}
    with torch.no_grad():
        for one in model.parameters():
            one.add_(torch.randn_like(one), alpha=1e-3)
    if way == "autograd":
        names = dict(model.named_parameters())

        def in_the_loss() -> float:
            total = sum((fisher[name] * (names[name] - anchor[name]) ** 2).sum() for name in fisher)
            loss: Any = 1e-3 * total
            loss.backward()
            return float(loss)

        return in_the_loss
    if way == "ewc bf16":
        fisher, anchor = ({name: one.bfloat16() for name, one in values.items()} for values in (fisher, anchor))
    method = l2sp(anchor, 1e-3) if way == "l2sp" else EWC(fisher, anchor, 1e-3)
    return lambda: method.add_gradient(model, 0)


def lora_penalty(device: str, way: str, size: int = 4096, rank: int = 8) -> tuple[Any, Penalty]:
    """Return a model with one adapted module, and what adds the penalty's gradient, one of `LORA_WAYS`."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    base = torch.nn.Sequential(torch.nn.Linear(size, size, bias=False, device=device))
    config = LoraConfig(r=rank, lora_alpha=32, target_modules=["0"], init_lora_weights=False)
    model: Any = get_peft_model(base, config)
    fisher: Any = torch.rand(size, size, device=device)
    if way == "autograd":
        layer: Any = model.base_model.model[0]
        a, b, scale = layer.lora_A["default"].weight, layer.lora_B["default"].weight, layer.scaling["default"]

        def as_e2wm() -> float:
            loss = 1e-3 * (fisher * (scale * (b @ a)) ** 2).sum()
            loss.backward()
            return float(loss)

        return model, as_e2wm
    if way == "closed form bf16":
        fisher = fisher.bfloat16()
    if way == "factored":
        fisher = (fisher.sum(1) / size**0.5, fisher.sum(0) / size**0.5)
    method = EwcLora({"0.weight": fisher}, 1e-3)
    return model, lambda: method.add_gradient(model, 0)


# --- how it is measured


def now(device: str) -> float:
    """Return seconds: of this process on a processor, of the clock on a GPU, which is waited for."""
    if device == "cpu":
        return time.process_time()
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def peak_of(device: str, call: Penalty) -> float:
    """Return how many MiB a call needs beyond what is there; the second call, so that what it keeps is there."""
    import torch

    call()
    if device != "cpu":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    before = resident("VmRSS")
    call()
    return (resident("VmHWM") - before) / 2**10


def resident(what: str) -> int:
    """Return a figure of this process in KiB, from Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))


def step_times(args: argparse.Namespace, way: str) -> dict[str, float]:
    """Train some steps, and return medians in ms: a step without the penalty, and the penalty."""
    import torch

    model = model_of(args)
    call = penalty_on(model, way)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, fused=True)
    ids = torch.randint(0, model.config.vocab_size, (args.batch, args.length), device=args.device)
    plain, extra = [], []
    for _ in range(args.repeats + 2):
        times = [now(args.device)]
        with torch.autocast(args.device, torch.bfloat16, enabled=args.precision == "bf16"):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        times.append(now(args.device))
        call()
        times.append(now(args.device))
        optimizer.step()
        optimizer.zero_grad()
        times.append(now(args.device))
        plain.append(times[1] - times[0] + times[3] - times[2])
        extra.append(times[2] - times[1])
    return {"step": 1e3 * statistics.median(plain[2:]), "penalty": 1e3 * statistics.median(extra[2:])}


def measure(args: argparse.Namespace) -> dict[str, float]:
    """Measure one way in this process."""
    import torch

    part, way = args.one
    torch.set_num_threads(args.threads)
    if part == "1" and not args.memory:
        return step_times(args, way)
    if part == "1":
        model = model_of(args)
        call = penalty_on(model, way)
    else:
        model, call = lora_penalty(args.device, way)
    for one in model.parameters():
        one.grad = torch.zeros_like(one) if one.requires_grad else None
    if args.memory:
        return {"extra": peak_of(args.device, call)}
    times = []
    for _ in range(args.repeats * (30 if way == "factored" else 1) + 2):
        begun = now(args.device)
        call()
        times.append(now(args.device) - begun)
    return {"penalty": 1e3 * min(times)}


def measured(part: str, way: str) -> dict[str, float]:
    """Measure time and memory of one way, each in a new process."""
    found: dict[str, float] = {}
    for more in ([], ["--memory"]):
        # Small blocks come from a heap that never shrinks; what is mapped by itself comes and goes with its tensor.
        plain = {name: value for name, value in os.environ.items() if name != "MALLOC_MMAP_THRESHOLD_"}
        env = plain | ({"MALLOC_MMAP_THRESHOLD_": "65536"} if more else {})
        command = [sys.executable, __file__, *sys.argv[1:], "--one", part, way, *more]
        out = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True, timeout=900)
        found |= json.loads(out.stdout.splitlines()[-1])
    return found


# --- tables


def show_steps(args: argparse.Namespace) -> None:
    """Measure part 1, and print it."""
    tokens = args.batch * args.length
    model = "SmolLM2-135M" if args.size == SMOLLM2 else f"GPT-2 {args.size}"
    title = f"A step of {model}, {tokens} tokens, {args.precision}, on {name_of(args.device)}"
    columns, rows = ["penalty", "ms", "share of a step", "tokens/s", "extra MiB", "step without, ms"], list[list[str]]()
    for way in args.ways:
        found = measured("1", way)
        step, extra = found["step"], found["penalty"]
        figures = [f"{extra:.2f}", f"{extra / step:.2%}", f"{1e3 * tokens / (step + extra):,.0f}"]
        rows.append([way, *figures, f"{found['extra']:.1f}", f"{step:.1f}"])
    show(title, columns, rows, markdown=args.markdown)


def show_lora(args: argparse.Namespace) -> None:
    """Measure part 2, and print it."""
    title = f"The penalty of one LoRA module, 4096 x 4096, rank 8, on {name_of(args.device)}"
    columns, rows = ["way", "ms", "times faster", "extra MiB", "of autograd's"], list[list[str]]()
    rival: dict[str, float] = {}
    for way in LORA_WAYS:
        found = measured("2", way)
        rival = rival or found
        times = [f"{found['penalty']:.3f}", f"{rival['penalty'] / found['penalty']:,.1f}"]
        rows.append([way, *times, f"{found['extra']:.1f}", f"{found['extra'] / rival['extra']:.1%}"])
    show(title, columns, rows, markdown=args.markdown)


def name_of(device: str) -> str:
    """Return the card's name, or what a processor is called here."""
    import torch

    return "a processor" if device == "cpu" else torch.cuda.get_device_name(device)


def main() -> None:
    """Measure everything, or one way for the process that asks."""
    args = options().parse_args()
    if args.one:
        print(json.dumps(measure(args)))
        return
    if "1" in args.parts:
        show_steps(args)
    if "2" in args.parts:
        show_lora(args)


if __name__ == "__main__":
    main()
