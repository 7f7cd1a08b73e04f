"""What a language-model agent costs, and what a model's prior does to a search.

    python benchmarks/agents/lm_agent.py speed    # actions per second: one by one, prefix shared, episodes in lockstep
    python benchmarks/agents/lm_agent.py speed --device cuda --size 1b --dtype bfloat16 --widths 1 8 32
    python benchmarks/agents/lm_agent.py prior    # simulations to a plan: uniform, the tiny model, the heuristic

The rivals run in the same process on the same tasks; the first round of each is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from pathei.agents.lm.agent import LmAgent, LmConfig
from pathei.agents.lm.backends import Choice, ModelRequest
from pathei.agents.lm.likelihood import one_by_one
from pathei.agents.lm.local_model import LocalModel
from pathei.agents.lm.prior import LmPrior
from pathei.collectors.search.collector import text_prior
from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.envs import contract
from pathei.envs.model import EnvModel
from pathei.envs.registry import get_env
from pathei.learners.models.base import tiny_base


def random_model(given: argparse.Namespace) -> LocalModel:
    """Return a model of random weights: GPT-2 of about 10 million, or a Llama of about a billion."""
    tokenizer = AutoTokenizer.from_pretrained(given.tokenizer or tiny_base())
    common = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.eos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, given.dtype))
    with torch.device(given.device):
        if given.size == "10m":
            model: Any = GPT2LMHeadModel(GPT2Config(n_positions=1024, n_embd=320, n_layer=7, n_head=5, **common))
        else:
            size: dict[str, Any] = {
                "hidden_size": 2048,
                "intermediate_size": 5632,
                "num_hidden_layers": 22,
                "num_attention_heads": 32,
            }
            model = LlamaForCausalLM(LlamaConfig(num_key_value_heads=4, max_position_embeddings=4096, **size, **common))
    torch.set_default_dtype(torch.float32)
    return LocalModel(model, tokenizer, batch=max(given.widths))


def seconds_of_choices(backend: LocalModel, requests: Sequence[Choice], width: int) -> float:
    """Rate requests, `width` together, and return how long it took."""
    begin = time.perf_counter()
    for first in range(0, len(requests), width):
        backend.rate(requests[first : first + width])
    return time.perf_counter() - begin


def speed(given: argparse.Namespace) -> None:
    """Measure choosing among a household's actions: naive, shared, and several episodes at once."""
    count, widths = given.count, given.widths
    tasks = get_env("virtualhome").generate_tasks(count, 1)
    backend = random_model(given)
    requests, lengths = [], []
    for task in tasks:
        env = contract.make(task)
        seen = contract.observe(*contract.reset(env, task)).seen()
        turn = LmAgent(backend, LmConfig(history=0)).turn(seen, task.goal)
        request = next(turn)
        assert isinstance(request, Choice)
        requests.append(request)
        lengths.append(backend.count(request.conversation))
        env.close()
    parameters = sum(one.numel() for one in backend._model.parameters())
    options = statistics.mean(len(one.options) for one in requests)
    where = torch.cuda.get_device_name() if given.device == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{parameters / 1e6:.1f} M parameters, {given.dtype}, {where}; {count} states of a household,")
    print(f"prompts of {statistics.mean(lengths):.0f} tokens and {options:.0f} actions on average")
    for width in widths:
        backend.rate(requests[:width])  # also the check of the first rating
    shared = {width: seconds_of_choices(backend, requests, width) for width in widths}
    few = requests[: max(1, count // 4)]
    rated = backend.rate(few)
    begin = time.perf_counter()
    with torch.inference_mode():
        one_by_one(
            backend._model,
            [one.prompt_ids or () for one in rated],
            [list(one.option_ids or ()) for one in rated],
        )
    naive = (time.perf_counter() - begin) / len(few)
    print(f"one by one      {1 / naive:8.2f} actions chosen/s    1.0 x")
    for width, took in shared.items():
        print(f"shared, batch {width} {count / took:8.2f} actions chosen/s {naive * count / took:6.1f} x")
    asks = [
        ModelRequest(one.conversation, max_tokens=16, temperature=1.0, seed=place) for place, one in enumerate(requests)
    ]
    alone = 0.0
    for width in widths:
        begin = time.perf_counter()
        for first in range(0, count, width):
            backend.generate(asks[first : first + width])
        took = time.perf_counter() - begin
        alone = alone or took
        print(f"written, batch {width} {count / took:7.2f} answers/s {alone / took:12.1f} x (16 tokens)")


def prior(count: int, simulations: int) -> None:
    """Search plans for household goals with three priors, and count the simulations until the goal is reached."""
    config = SearchConfig(
        simulations=simulations, depth=30, selection="puct", exploration=0.5, stop_on_success=True, **TREE_ALONE
    )
    backend = LocalModel.load(tiny_base())
    rows: dict[str, list[tuple[bool, int, float]]] = {}
    for task in get_env("virtualhome").generate_tasks(count, 2):
        for name in ("uniform", "embedded base", "heuristic"):
            env = contract.make(task)
            seen, info = contract.reset(env, task)
            begin = time.perf_counter()
            if name == "heuristic":
                model = env.unwrapped.model()  # type: ignore[attr-defined]  # the household's own
                weights = model.prior
            else:
                model = EnvModel(env, info, observation=seen)
                guide = LmPrior(backend, cut=True)
                weights = text_prior(guide, model, task.goal) if name == "embedded base" else None
            result = Search(model, config, np.random.default_rng(0), prior=weights).run()
            took = time.perf_counter() - begin
            rows.setdefault(name, []).append((bool(result.success), result.simulations, took))
            env.close()
    print(f"{count} household goals, at most {simulations} simulations")
    for name, found in rows.items():
        solved = sum(one[0] for one in found)
        median = statistics.median(one[1] for one in found)
        print(
            f"{name:14} reached {solved:3} of {count}, median {median:6.0f} simulations, "
            f"{statistics.mean(one[2] for one in found):6.2f} s each"
        )


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("speed", "prior"))
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--device", default="cpu", help="of speed")
    parser.add_argument("--size", choices=("10m", "1b"), default="10m", help="of speed")
    parser.add_argument("--dtype", default="float32", help="of speed")
    parser.add_argument("--widths", type=int, nargs="+", default=[1, 8], help="of speed: episodes together")
    parser.add_argument("--tokenizer", default="", help="of speed: a folder; the embedded base's if left out")
    given = parser.parse_args()
    if given.what == "speed":
        speed(given)
    else:
        prior(given.count, given.simulations)


if __name__ == "__main__":
    main()
