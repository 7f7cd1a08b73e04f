"""What Fisher information costs compared with a plain forward and backward pass over the same tokens, and its rivals.

    python benchmarks/learners/fisher.py [--size 10m] [--length 128] [--sequences 16] [--repeats 3] [--markdown]
    python benchmarks/learners/fisher.py --size smollm2 --ways loop "hooks 1"
    python benchmarks/learners/fisher.py --device cuda --size 124m --length 1024 --dtype bf16

Every way runs in a process of its own, on a GPT-2 with random weights, or on SmolLM2-135M with its own. There the plain
pass and the way take turns, and the median ratio is shown. "cost" is per sequence once it is going, relative to plain
passes in batches of 1 or of 8, the faster: processor time of one thread on a CPU, wall time on a GPU. "same batch" is
relative to plain passes in the way's own batches: what is added to a forward and a backward pass. "start" is what comes
before (hashing the model, verifying hooks), in sequences of the plain pass. "memory" is the peak beyond model, sums and
data. "trace" and "cosine" compare with the exact squares of the text's labels. Rivals: vmap of torch.func, and the
square of a batch-mean gradient (avalanche's EWC). Nothing is written to disk. Bars: loop and hooks cost at most 1.2 on
a CPU, and hooks need at most 1.1 times the memory of the loop, both at batch 1.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import torch
from _table import show  # type: ignore[import-not-found]
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from pathei.learners.fisher.estimate import estimate
from pathei.learners.models.smollm2 import smollm2

SIZES: Final = {  # layers, width, heads, vocabulary; tiny is the built-in model's shape
    "1m": (2, 128, 4, 2000),
    "tiny": (4, 192, 6, 4096),
    "10m": (6, 320, 5, 8192),
    "27m": (8, 384, 6, 32768),
    "124m": (12, 768, 12, 50257),
    "355m": (24, 1024, 16, 50257),
    "774m": (36, 1280, 20, 50257),
}
SMOLLM2: Final = "smollm2"
"""SmolLM2-135M (`pathei data get smollm2`)."""
PEAKS: Final = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "RTX 4090": 165.0}
"""Dense bf16 TFLOP/s of tensor cores, from the makers' data sheets."""
WAYS: Final = {
    "plain": "plain pass",
    "loop": "loop, batch 1",
    "hooks 1": "hooks, batch 1",
    "hooks 4": "hooks, batch 4",
    "sampled 8": "sampled, batch 8",
    "vmap 1": "vmap(grad), batch 1",
    "mean 8": "square of batch mean, 8",
}


class Way(NamedTuple):
    """One timed run of a way."""

    start: float
    """Seconds until the first batch was done, that batch not counted."""
    each: float
    """Seconds per sequence from then on."""
    found: dict[str, Tensor]
    """What it says F is; empty for the plain pass."""


def model_of(size: str, length: int) -> Any:
    """Return a model of a size, for texts of a length, in float32."""
    if size == SMOLLM2:
        return AutoModelForCausalLM.from_pretrained(smollm2(), dtype=torch.float32)
    layers, width, heads, vocabulary = SIZES[size]
    config = GPT2Config(
        n_layer=layers,
        n_embd=width,
        n_head=heads,
        vocab_size=vocabulary,
        n_positions=length,
        bos_token_id=0,
        eos_token_id=0,
    )
    return GPT2LMHeadModel(config)


class Bench:
    """A model, its data, and a clock."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(0)
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
        self.model = model_of(options.size, options.length).to(options.device, dtype).eval()
        vocabulary = self.model.config.vocab_size
        self.cuda = options.device.startswith("cuda")
        self.device = options.device
        self.parameters = sum(value.numel() for value in self.model.parameters())
        self.texts = [torch.randint(0, vocabulary, (options.length + 1,)) for _ in range(options.sequences)]

    def now(self) -> float:
        """Return the time by the clock that counts."""
        if self.cuda:
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()

    def memory(self) -> int:
        """Return the most memory that was in use so far, in bytes."""
        if self.cuda:
            return torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def timed(self, size: int, run: Callable[[Callable[[], None]], dict[str, Tensor]]) -> Way:
        """Time a way that calls what it is given after every batch of `size`."""
        begin, marks = self.now(), list[float]()
        found = run(lambda: marks.append(self.now()))
        each = (marks[-1] - marks[0]) / (len(self.texts) - size)
        return Way(max(0.0, marks[0] - begin - size * each), each, found)

    def batches(self, size: int) -> list[Tensor]:
        """Return the sequences in batches, on the device."""
        return [part.to(self.device) for part in torch.split(torch.stack(self.texts), size)]

    def plain(self, size: int) -> Way:
        """Go forward and backward, and drop the gradients."""

        def run(tick: Callable[[], None]) -> dict[str, Tensor]:
            for ids in self.batches(size):
                self.nats(self.model, ids).backward()  # type: ignore[no-untyped-call]
                self.model.zero_grad(set_to_none=True)
                tick()
            return {}

        return self.timed(size, run)

    @staticmethod
    def nats(model: nn.Module, ids: Tensor) -> Tensor:
        """Return the mean loss of a token."""
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
        return cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())

    def ours(self, backend: Any, size: int) -> Way:
        """Use one of our back ends."""
        return self.timed(
            size,
            lambda tick: dict(
                estimate(
                    self.model, self.texts, backend=backend, batch=size, progress=lambda done, total: tick()
                ).tensors
            ),
        )

    def vmap(self, size: int) -> Way:
        """Use torch.func."""
        own = {name: value.detach() for name, value in self.model.named_parameters()}

        def nats(parameters: dict[str, Tensor], ids: Tensor) -> Tensor:
            given = {"input_ids": ids[None, :-1], "use_cache": False}
            logits = torch.func.functional_call(self.model, parameters, (), given).logits[0]
            return cross_entropy(logits.float(), ids[1:], reduction="sum")

        each = torch.func.vmap(torch.func.grad(nats), (None, 0))

        def run(tick: Callable[[], None]) -> dict[str, Tensor]:
            total = {name: torch.zeros_like(value, dtype=torch.float32) for name, value in own.items()}
            for ids in self.batches(size):
                for name, value in each(own, ids).items():
                    total[name] += value.float().square().sum(0)
                tick()
            tokens = sum(len(ids) - 1 for ids in self.texts)
            return {name: value / tokens for name, value in total.items()}

        return self.timed(size, run)

    def mean(self, size: int) -> Way:
        """Square the gradient of a batch's mean loss, put on our scale for sequences, as much published code does."""
        own = dict(self.model.named_parameters())

        def run(tick: Callable[[], None]) -> dict[str, Tensor]:
            total = {name: torch.zeros_like(value, dtype=torch.float32) for name, value in own.items()}
            for ids in self.batches(size):
                self.nats(self.model, ids).backward()  # type: ignore[no-untyped-call]
                for name, value in own.items():
                    total[name] += value.grad.float().square()
                    value.grad = None
                tick()
            scale = (len(self.texts[0]) - 1) * size / len(self.texts)
            return {name: value * scale for name, value in total.items()}

        return self.timed(size, run)

    def way(self, name: str) -> Way:
        """Run a way by its name."""
        kind, _, size = name.partition(" ")
        if kind == "plain":
            return self.plain(8)
        if kind in ("vmap", "mean"):
            return self.vmap(int(size)) if kind == "vmap" else self.mean(int(size))
        return self.ours(kind, int(size or 1))


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Measure one way; called in a process of its own."""
    torch.set_num_threads(1)
    bench = Bench(options)
    held = 0 if name == "plain" else 4 * bench.parameters
    bench.model(input_ids=bench.texts[0][None, :2].to(options.device))  # what torch itself takes on its first call
    if bench.cuda:
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if bench.cuda else bench.memory()
    found = bench.way(name).found
    memory = bench.memory() - before - held
    costs, same, starts, plains = [], [], [], []
    size = int(name.rpartition(" ")[2]) if name[-1].isdigit() else 8 if name == "plain" else 1
    for _ in range(options.repeats):
        by_size = {batch: bench.plain(batch).each for batch in sorted({1, 8, size})}
        plain = min(by_size.values())
        way = bench.way(name)
        plains.append(plain)
        costs.append(way.each / plain)
        same.append(way.each / by_size[size])
        starts.append(way.start / plain)
    plain = statistics.median(plains)
    figures = {"cost": statistics.median(costs), "start": statistics.median(starts), "memory": memory, "plain": plain}
    figures |= {"same": statistics.median(same), "parameters": bench.parameters}
    if found:
        exact = estimate(bench.model, bench.texts, backend="hooks").tensors
        a, b = (torch.cat([some[key].flatten().double().cpu() for key in exact]) for some in (found, exact))
        figures |= {"trace": float(a.sum() / b.sum()), "cosine": float(a @ b / (a.norm() * b.norm()))}
    return figures


def main() -> None:
    """Measure every way in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=[*SIZES, SMOLLM2], default="10m")
    parser.add_argument("--length", type=int, default=128, help="predicted tokens per sequence")
    parser.add_argument("--sequences", type=int, default=16, help="a multiple of 8, at least 16")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--peak-tflops", type=float, help="of the device, for the share of peak")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sequences % 8 or options.sequences < 16:
        parser.error("--sequences must be a multiple of 8, and at least 16")
    if options.only:
        print(json.dumps(measure(options.only, options)))
        return
    card = torch.cuda.get_device_name() if options.device.startswith("cuda") else "CPU, one thread"
    peak = options.peak_tflops or next((value for name, value in PEAKS.items() if name in card), None)
    model = "SmolLM2-135M" if options.size == SMOLLM2 else f"GPT-2 {options.size}"
    title = f"{card}: {model}, {options.dtype}, {options.sequences} sequences of {options.length} tokens"
    columns = ["way", "cost", "same batch", "start", "MiB", "tokens/s", "trace", "cosine"]
    columns += ["share of peak"] if peak else []
    rows: list[list[str]] = []
    for name in options.ways:
        command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
        printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        found = json.loads(printed.splitlines()[-1])
        rate = options.length / (found["plain"] * found["cost"])
        costs = [f"{found['cost']:.2f}", f"{found['same']:.2f}", f"{found['start']:.1f}"]
        spent = [*costs, f"{found['memory'] / 2**20:.0f}", f"{rate:,.0f}"]
        quality = [f"{found[key]:.4f}" if key in found else "" for key in ("trace", "cosine")]
        share = [f"{6 * found['parameters'] * rate / peak / 1e12:.1%}"] if peak else []
        rows.append([WAYS[name], *spent, *quality, *share])
    show(title, columns, rows, markdown=options.markdown)


if __name__ == "__main__":
    main()
