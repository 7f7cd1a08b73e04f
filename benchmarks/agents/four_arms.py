"""One language-model agent in four arms, in words only: base or tuned, with and without a memory in its prompt.

    python benchmarks/agents/four_arms.py prepare OUT [--demonstrations 2400] [--notes 0.5]
    pathei learn OUT/pairs.jsonl --out OUT/tuned --model smollm2 --method ewc --training.keep 44 88 132 ...
    python benchmarks/agents/four_arms.py activities OUT [--tasks 20]
    python benchmarks/agents/four_arms.py cells OUT [--tasks 100]
    python benchmarks/agents/four_arms.py retention OUT --arms base tuned [--texts 16]
    python benchmarks/agents/four_arms.py report OUT [--of cells|retention] [--table differences]

`prepare` plays demonstrations of seen activities in training houses, never with the last wording of an activity, and
writes their plans two by two for `pathei learn` (`training.pairs`), reference text, and the memory. Half of the plans
stand behind plans that the memory shows, and places are asked for, half of them behind its facts (`loop.notes`);
`--notes 0` leaves all of that out. In OUT/shuffled.jsonl each question has the answer of another one: a control.

`activities` plays goals of seen and of unseen activities in test houses, at most 60 steps each. The arm `tuned@44` has
the model as it was after 44 steps (`pathei learn --training.keep 44`).

`cells` plays goals of seen activities in a 2 x 2: whether facts of the house are needed (`cell_tasks`), and whether the
goal is worded as in the experience or in the wording that was left out. The memory also has the facts of a visit to
the house, after which one thing in five was moved; `another house's memory` has those of another one. Every episode is
a line of OUT/played.jsonl, and what is there is not played again.

`retention` measures what a model still knows (`learners/retention`), part by part in OUT/retention-ARM.jsonl.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from pathei.agents.lm.local_model import LocalModel
from pathei.agents.lm.saycan import SayCan
from pathei.agents.skills.agent import SkillAgent
from pathei.benchmarks.agents.cell_tasks import ENV, FIRST_HOUSE, HOME, SETTINGS, cells, visit, worded
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.virtualhome.tasks.generate import generate_split, wordings
from pathei.experience import Json, Task, Trajectory
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.intervals import wilson
from pathei.learners.evaluation.paired import mcnemar
from pathei.learners.examples import Example, write_examples
from pathei.learners.models.load import load_model
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.retention.measure import CHAT, PLAIN, TEXTS, measure_retention
from pathei.learners.training.pairs import paired
from pathei.loop.notes import place_questions, shown_plans
from pathei.memory import open_memory
from pathei.memory.builders.registry import make_builders
from pathei.memory.empty import EmptyMemory
from pathei.memory.protocol import Memory

ARMS: Final = ("base", "base + memory", "tuned", "tuned + memory")
CONTROLS: Final = ("tuned + another house's memory",)
PLANNER: Final = "planner without a model, with the memory"
STEPS: Final = 60
PLACES: Final = 76
"""Conversations that ask for places: a quarter of those with plans."""
SUMMARY: Final = "summary"
"""The last line of what a model still knows."""


# --- experience


def prepare(out: Path, demonstrations: int, notes: float) -> None:
    """Write plans, of which a share has notes of the memory, reference text and the memory."""
    out.mkdir(parents=True, exist_ok=True)
    tasks = [
        worded(task, wordings(task)) for task in generate_split(demonstrations, 11, activities="seen", scenes="train")
    ]
    played = [one for one in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(one, Trajectory)]
    config = CorpusConfig(("plan-bare",), per_kind=10_000, held_out_per_kind=0, max_words=60, held_out=0.0, seed=0)
    plans, rng = build_corpora(played, config), np.random.default_rng(0)
    texts = list(stdlib_text().train)
    random.Random(0).shuffle(texts)
    (out / "reference.jsonl").write_bytes(b"".join(orjson.dumps(text) + b"\n" for text in texts[:300]))
    with open_memory(out / "memory", embedder="ngrams", builders=make_builders(), create=True) as memory:
        memory.add_all(played)
        shown = shown_plans(memory, ENV) if notes else None
        pairs = paired(plans, rng, shown=shown, share=notes)
        if notes:
            pairs += place_questions(played, memory, rng, count=PLACES, share=notes)
    write_examples(out / "pairs.jsonl", pairs)
    write_examples(out / "shuffled.jsonl", shuffled(pairs, random.Random(0)))


def shuffled(pairs: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """Yield the conversations with the answers of all of them in another order, no answer where it was."""
    answers = [turn.text for pair in pairs for turn in pair.turns if turn.role == "assistant"]
    order = rng.sample(range(len(answers)), len(answers))
    moved = dict(zip(order, [*order[1:], order[0]], strict=True))
    number = 0
    for pair in pairs:
        turns = []
        for turn in pair.turns:
            turns.append(turn if turn.role != "assistant" else turn._replace(text=answers[moved[number]]))
            number += turn.role == "assistant"
        yield dataclasses.replace(pair, turns=tuple(turns))


# --- playing


class Player:
    """Plays tasks with the arms, and notes every episode."""

    def __init__(self, out: Path, dtype: str) -> None:
        """Open what `prepare` and `pathei learn` made; the models' weights are of this type."""
        self._out, self._dtype, self._models = out, dtype, dict[str, LocalModel]()
        self._log = out / "played.jsonl"
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self.known = {(one["part"], one["arm"], one["task"], one["goal"]) for one in map(json.loads, lines)}

    def play(self, part: str, arm: str, task: Task, steps: int, memory: Memory | None, group: str) -> None:
        """Play a task with an arm, unless it was played."""
        key = (part, arm, task.id, task.goal.text)
        if key in self.known:
            return
        agent: Any
        if arm == PLANNER:
            agent = SkillAgent(memory or EmptyMemory(), env=ENV)
        else:
            shown = memory if "memory" in arm else None
            agent = SayCan(
                self._model(arm.split(maxsplit=1)[0]),
                SETTINGS,
                verbalizer=HOME,
                recollection=shown,
                env=ENV,
                scene=HOME.scene(task),
            )
        begun = time.process_time()
        [one] = Rollout(AgentPolicy(lambda _: agent), max_steps=steps).collect([task])
        seconds = time.process_time() - begun
        assert isinstance(one, Trajectory), one
        usage = [step.info.get("agent", {}).get("usage", {}) for step in one.steps]
        tokens = sum(int(use.get("prompt_tokens", 0)) + int(use.get("completion_tokens", 0)) for use in usage)
        row = {
            "part": part, "arm": arm, "group": group, "task": task.id, "goal": task.goal.text,
            "success": bool(one.success), "steps": len(one.steps), "budget": steps,
            "tokens": tokens, "seconds": round(seconds, 2), "actions": [step.action for step in one.steps],
        }  # fmt: skip
        with self._log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(
            part,
            arm,
            group,
            task.goal.text,
            "reached" if one.success else "not reached",
            f"{seconds:.0f} s",
            flush=True,
        )

    def _model(self, which: str) -> LocalModel:
        if which not in self._models:
            self._models[which] = LocalModel.load(weights(self._out, which), dtype=self._dtype, device="cpu")
        return self._models[which]


def weights(out: Path, which: str) -> str:
    """Return where a model is: `base`, `tuned`, or `tuned@44`, as it was after 44 steps."""
    run, _, step = which.partition("@")
    return "smollm2" if run == "base" else str(out / run / (f"step-{step}" if step else "model"))


def play_activities(out: Path, count: int, arms: Sequence[str], dtype: str) -> None:
    """Play goals of seen and of unseen activities in test houses, turn by turn."""
    groups = {kind: generate_split(count, 12, activities=kind, scenes="test") for kind in ("seen", "unseen")}
    player = Player(out, dtype)
    with open_memory(out / "memory", mode="read") as memory:
        for place in range(count):
            for kind, tasks in groups.items():
                for arm in arms:
                    player.play("activities", arm, tasks[place], STEPS, memory, kind)


def play_cells(out: Path, count: int, arms: Sequence[str], dtype: str, first: int, groups: Sequence[str]) -> None:
    """Play cells of the 2 x 2, turn by turn, each house with the facts of a visit to it; all cells if none is named."""
    player = Player(out, dtype)
    with open_memory(out / "memory") as memory:
        tasks = cells(count, memory, out, first)
        houses = list(dict.fromkeys(HOME.scene(one.task) for one in tasks))
        by_house = {HOME.scene(one.task): one.task for one in reversed(tasks)}
        for one in [one for one in tasks if not groups or one.group in groups]:
            scene = HOME.scene(one.task)
            other = by_house[houses[(houses.index(scene) + 1) % len(houses)]]
            for arm in arms:
                if ("cells", arm, one.task.id, one.task.goal.text) in player.known:
                    continue
                source = other if "another" in arm else one.task
                ids = memory.add_drafts(list(visit(source, scene, one.task.seed))) if "memory" in arm else []
                player.play("cells", arm, one.task, one.steps, memory, one.group)
                memory.forget(ids)


def measure_kept(out: Path, arms: Sequence[str], texts: int) -> None:
    """Measure prose, code, dialogue and knowledge of the arms' models."""
    for arm in arms:
        path = out / f"retention-{arm}.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        known = {one["part"]: one["found"] for one in map(json.loads, lines)}
        found = measure_retention(*load_model(weights(out, arm)), texts=texts, part=partial(_part, path, known))
        summary = {"part": SUMMARY, "found": found.summary()}
        with path.open("a") as file:
            file.write(json.dumps(summary) + "\n")


def _part(
    path: Path, known: dict[str, dict[str, Json]], name: str, measure: Callable[[], dict[str, Json]]
) -> dict[str, Json]:
    """Return a part that is known, or measure it and write it down."""
    if name not in known:
        begun = time.process_time()
        known[name] = measure()
        with path.open("a") as file:
            file.write(json.dumps({"part": name, "found": known[name]}) + "\n")
        print(path.stem, name, f"{time.process_time() - begun:.0f} s", flush=True)
    return known[name]


# --- reporting


def report_kept(out: Path, arms: Sequence[str]) -> None:
    """Print what the arms' models still know: bits per byte (less is better), and questions answered rightly."""
    rows = [["model", *(f"{kind}, bits per byte" for kind in TEXTS), PLAIN, CHAT]]
    rows.append(["---", *["---:"] * (len(rows[0]) - 1)])
    for arm in arms:
        *_, last = map(json.loads, (out / f"retention-{arm}.jsonl").read_text().splitlines())
        bits, known = last["found"]["bits_per_byte"], last["found"]["knowledge"]
        right = [_share(round(known[form]["value"] * known[form]["n"]), known[form]["n"]) for form in (PLAIN, CHAT)]
        rows.append([arm, *(f"{bits[kind]:.3f}" for kind in TEXTS), *right])
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))


def report(out: Path, of: str, which: str, arms: Sequence[str]) -> None:
    """Print a table of what was played so far by some agents, of the tasks that each of them has played.

    Cells are not pooled: they may be of different size, and a task is in two of them.
    """
    rows = [json.loads(line) for line in (out / "played.jsonl").read_text().splitlines()]
    mine = [row for row in rows if row["part"] == of and row["arm"] in arms]
    by: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in mine:
        by[row["arm"]].add((row["task"], row["goal"]))
    common = set[tuple[str, str]].intersection(*by.values()) if by else set()
    mine = [row for arm in arms for row in mine if row["arm"] == arm and (row["task"], row["goal"]) in common]
    groups = sorted({row["group"] for row in mine})
    table = (shares if which == "shares" else differences)(mine, groups, pooled=of == "activities")
    print("\n".join(f"| {' | '.join(row)} |" for row in table))


def shares(rows: Sequence[dict[str, Any]], groups: Sequence[str], *, pooled: bool = True) -> Iterator[list[str]]:
    """Yield a table of how many goals each agent reached, with what it took."""
    whole = ["all"] if pooled else []
    head = ["agent", *groups, *whole, "steps to a goal", "tokens per episode", "processor seconds per episode"]
    yield from (head, ["---"] * len(head))
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm]
        won = [[row["success"] for row in own if group in (row["group"], "all")] for group in (*groups, *whole)]
        yield [
            arm,
            *(_share(sum(one), len(one)) if one else "" for one in won),
            _mean([row["steps"] for row in own if row["success"]]),
            _mean([row["tokens"] for row in own]),
            _mean([row["seconds"] for row in own]),
        ]


def differences(rows: Sequence[dict[str, Any]], groups: Sequence[str], *, pooled: bool = True) -> Iterator[list[str]]:
    """Yield a table of what each of two agents reached and the other one did not, on the same tasks."""
    head = ["on the same tasks", "group", "only the first", "only the second", "difference", "p (McNemar, exact)"]
    yield from (head, ["---"] * len(head))
    by: dict[tuple[str, str], dict[tuple[str, str], bool]] = defaultdict(dict)
    for row in rows:
        by[row["arm"], row["group"]][row["task"], row["goal"]] = row["success"]
    for row in rows:
        by[row["arm"], "all"][row["task"], row["goal"]] = row["success"]
    for second, first in combinations(dict.fromkeys(row["arm"] for row in rows), 2):
        for group in [*groups, "all"] if pooled and len(groups) > 1 else groups:
            one, other = by[first, group], by[second, group]
            both = [key for key in one if key in other]
            if both:
                found = mcnemar([one[key] for key in both], [other[key] for key in both])
                margin = f"{found.difference:+.0%} [{100 * found.low:+.0f}, {100 * found.high:+.0f}]"
                names = f"{first}, and {second}"
                yield [names, group, str(found.first), str(found.second), margin, f"{found.p:.3f}"]


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.1f}" if values else ""


def _share(won: int, of: int) -> str:
    one = wilson(won, of)
    return f"{won} of {of}: {one.value:.0%} [{100 * one.low:.0f}, {100 * one.high:.0f}]"


def main() -> None:
    """Do one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("prepare", "activities", "cells", "retention", "report"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--demonstrations", type=int, default=2400)
    parser.add_argument("--notes", type=float, default=0.5, help="the share of plans and questions with notes")
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--first-house", type=int, default=FIRST_HOUSE, help="the first house of `cells`, by its seed")
    parser.add_argument("--groups", nargs="*", default=(), help="only these cells, by their names in the table")
    parser.add_argument("--dtype", default="float32", help="of the weights that play: float32 or bfloat16")
    parser.add_argument("--texts", type=int, default=16, help="reference texts of each kind, for `retention`")
    parser.add_argument(
        "--of", choices=("activities", "cells", "retention"), default="activities", help="what is reported"
    )
    parser.add_argument("--table", choices=("shares", "differences"), default="shares", help="which table of it")
    parser.add_argument("--arms", nargs="*", default=[*ARMS, *CONTROLS, PLANNER])
    arguments = parser.parse_args()
    if arguments.part == "prepare":
        prepare(arguments.out, arguments.demonstrations, arguments.notes)
    elif arguments.part == "retention":
        measure_kept(arguments.out, arguments.arms, arguments.texts)
    elif arguments.part == "report" and arguments.of == "retention":
        report_kept(arguments.out, arguments.arms)
    elif arguments.part == "report":
        report(arguments.out, arguments.of, arguments.table, arguments.arms)
    elif arguments.part == "activities":
        play_activities(arguments.out, arguments.tasks, arguments.arms, arguments.dtype)
    else:
        play_cells(
            arguments.out, arguments.tasks, arguments.arms, arguments.dtype, arguments.first_house, arguments.groups
        )


if __name__ == "__main__":
    main()
