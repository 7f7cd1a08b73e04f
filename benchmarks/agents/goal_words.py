"""How well goals in words become conditions, and what an agent that has only words reaches.

    python benchmarks/agents/goal_words.py household [--demonstrations 120] [--tasks 24] [--sentences 80] [--markdown]
    python benchmarks/agents/goal_words.py robothow [--markdown]

`household`: demonstrations of seen activities in training houses fill a memory. In test houses, sentences of seen and
unseen activities are read by the grammar (`Verbalizer.read_goal`), by the most similar remembered goal, and by both
(`GoalReader`); exact means that the conditions equal the task's, things compared by class and in any order. Then
`SkillAgent` plays with each reader, and as a reference with the judge's own conditions; without any reading it has
nothing to pursue and explores.

`robothow`: each title and description that people wrote for RobotHow's programs, where the Embodied Agent Interface has
a goal, is read with the goals of all other activities as remembered ones (`pathei data get robothow`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from pathei.agents.skills.agent import SkillAgent
from pathei.agents.skills.goals import GoalReader
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts.conditions import ConditionJson, by_class
from pathei.envs.registry import get_verbalizer
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.houses.scenes import load_scene
from pathei.envs.virtualhome.tasks.generate import generate_split
from pathei.envs.virtualhome.tasks.robothow import RobotHow
from pathei.experience import Task, Trajectory
from pathei.memory.builders.registry import make_builders
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.empty import EmptyMemory
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft
from pathei.memory.protocol import Memory

ENV = "pathei/VirtualHome-v0"
HOME = get_verbalizer(ENV)
OPPOSITE = {"OPEN": "CLOSED", "CLOSED": "OPEN", "ON": "OFF", "OFF": "ON"}
Read = Callable[[str], Sequence[ConditionJson]]


def meaning(conditions: Sequence[ConditionJson], kinds: Mapping[int, str]) -> Counter[str]:
    """Return conditions in one form: by class, none open as all closed, the same one twice as a count of two."""
    found: Counter[str] = Counter()
    for one in conditions:
        plain: dict[str, Any] = dict(by_class(one, kinds) or one)
        inner = plain.get("not")
        if isinstance(inner, Mapping) and inner.get("state") in OPPOSITE and "count" not in inner:
            plain = {**inner, "state": OPPOSITE[inner["state"]], "count": "all"}
        times = plain.pop("count", 1)
        if times == "all":
            plain["count"] = "all"
        found[repr(sorted(plain.items()))] += 1 if times == "all" else int(times)
    return found


class GivenConditions(GoalReader):
    """Knows what is meant by one goal."""

    def __init__(self, read: Read) -> None:
        """Read with a function."""
        self._read = read

    def read(self, text: str, kinds: Sequence[str] = ()) -> tuple[ConditionJson, ...]:  # type: ignore[override]
        """Return what the function says."""
        return tuple(self._read(text))


@contextmanager
def demonstrated(count: int) -> Iterator[ExperienceMemory]:
    """Fill a memory with demonstrations of seen activities in training houses."""
    tasks = generate_split(count, 11, activities="seen", scenes="train")
    records = [one for one in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(one, Trajectory)]
    with (
        tempfile.TemporaryDirectory() as folder,
        ExperienceMemory.open(
            Path(folder) / "memory", embedder=make_embedder("ngrams"), builders=make_builders()
        ) as memory,
    ):
        memory.add_all(records)
        yield memory


def readers(memory: Memory) -> dict[str, Read]:
    """Return the ways to read a goal."""
    both, remembered = GoalReader(HOME, memory), GoalReader(HOME, memory)

    def by_memory(text: str) -> Sequence[ConditionJson]:
        found = remembered.remembered(text)
        return () if found is None else found.conditions

    return {
        "grammar": HOME.read_goal,
        "most similar remembered goal": by_memory,
        "both": both.read,
        "nothing": lambda _: (),
    }


def exact(read: Read, tasks: Sequence[Task]) -> str:
    """Return the share of tasks whose conditions a reader gives exactly."""
    right = 0
    for task in tasks:
        scene = load_scene(str(task.options["scene"]), rules_named("clean"))
        kinds = dict(zip(scene.ids, scene.classes, strict=True))
        right += meaning(read(task.goal.text), kinds) == meaning(task.goal.conditions, kinds)
    return f"{right} of {len(tasks)}"


def reached(read: Read | None, memory: Memory, tasks: Sequence[Task]) -> str:
    """Return how many tasks the memory agent reaches; without a reader it is given their conditions."""

    def agent_for(task: Task) -> SkillAgent:
        agent = SkillAgent(memory, env=task.env)
        conditions = task.goal.conditions
        agent._reader = GivenConditions(read or (lambda _: conditions))
        return agent

    played = Rollout(AgentPolicy(agent_for), max_steps=60).collect(tasks)
    return f"{sum(isinstance(one, Trajectory) and bool(one.success) for one in played)} of {len(tasks)}"


def household(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the rows of the household."""
    told = {
        kind: generate_split(arguments.sentences, 12, activities=kind, scenes="test") for kind in ("seen", "unseen")
    }
    played = {kind: tasks[: arguments.tasks] for kind, tasks in told.items()}
    yield ["the agent reads by", "seen: exact", "unseen: exact", "seen: reached", "unseen: reached"]
    with demonstrated(arguments.demonstrations) as memory:
        for name, read in readers(memory).items():
            right = ["", ""] if name == "nothing" else [exact(read, tasks) for tasks in told.values()]
            yield [name, *right, *(reached(read, memory, tasks) for tasks in played.values())]
        yield ["the judge's conditions, given", "", "", *(reached(None, memory, tasks) for tasks in played.values())]


def robothow(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the rows of RobotHow: descriptions of each activity, with the goals of all others as remembered ones."""
    del arguments
    data = RobotHow()
    words = {one.name: f"{one.activity}: {one.description}" for one in data}
    activity = {one.name: one.activity for one in data}
    graphs = {one.name: one.graphs()[0] for one in data}
    goals = {task.id.rpartition("/")[2]: task.goal.conditions for task in data.tasks("eai") if task.goal.conditions}
    right: Counter[str] = Counter()
    any_right: Counter[str] = Counter()
    kinds = {name: {node["id"]: node["class_name"] for node in graphs[name]["nodes"]} for name in goals}
    for held in sorted({activity[name] for name in goals}):
        with tempfile.TemporaryDirectory() as folder:
            others = [name for name in goals if activity[name] != held]
            drafts = [_draft(words[name], goals[name], kinds[name]) for name in others]
            with ExperienceMemory.open(Path(folder) / "m", embedder=make_embedder("ngrams")) as memory:
                memory.add_drafts(drafts)
                for name in (name for name in goals if activity[name] == held):
                    wanted = meaning(goals[name], kinds[name])
                    for how, read in readers(memory).items():
                        said = meaning(read(words[name]), kinds[name])
                        right[how] += said == wanted
                        any_right[how] += bool(said & wanted)
    yield ["read by", "exact", "at least one condition right"]
    for how in list(readers(EmptyMemory()))[:3]:
        yield [how, f"{right[how]} of {len(goals)}", f"{any_right[how]} of {len(goals)}"]


def _draft(text: str, conditions: Sequence[ConditionJson], kinds: Mapping[int, str]) -> Draft:
    wanted = [dict(found) for one in conditions if (found := by_class(one, kinds)) is not None]
    return Draft("episode", f"Goal: {text}. It succeeded.", ENV, data={"wanted": wanted}, task=text)


def main() -> None:
    """Measure one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("household", "robothow"))
    parser.add_argument("--demonstrations", type=int, default=120)
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--sentences", type=int, default=80)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table only")
    arguments = parser.parse_args()
    rows = (household if arguments.part == "household" else robothow)(arguments)
    console = Console(stderr=True, quiet=arguments.markdown)
    head = next(rows)
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for row in rows:
        console.print(row[0])
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
