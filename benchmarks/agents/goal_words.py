"""How well goals in words become conditions, and what an agent that has only words reaches.

    python benchmarks/agents/goal_words.py household [--demonstrations 120] [--tasks 24] [--sentences 160] [--seed 21]
    python benchmarks/agents/goal_words.py robothow [--markdown]

`household`: demonstrations of seen activities in training houses fill a memory. In test houses, sentences of seen and
unseen activities are read by the grammar (`Verbalizer.read_goal`), by the most similar remembered goal, and by both
(`GoalReader`); exact means that the conditions equal the task's, things compared by class and in any order. Then
`SkillAgent` plays with each reader, and as a reference with the judge's own conditions; without any reading it has
nothing to pursue and explores.

`robothow`: titles with the descriptions that people wrote for RobotHow's programs, where the Embodied Agent Interface
has a goal (`pathei data get robothow`). "Known": every second description is asked for and the others are remembered,
most of them of the same activity; all were read once before they were halved, and the reader's errors were studied on
the remembered half only. "Unseen": all goals
of other activities are remembered. "House seen": the classes of the house's things are given. "Limit": the same goal is
remembered of the activity; or the words name all of a goal's things, and goals of other activities have conditions of
all its forms.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

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
_CLASS: Final = re.compile(r"(?<='class': ')\w+(?=')")
Read = Callable[..., Sequence[ConditionJson]]


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
        return tuple(self._read(text, kinds))


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

    def by_memory(text: str, kinds: Sequence[str] = ()) -> Sequence[ConditionJson]:
        found = remembered.remembered(text, kinds)
        return () if found is None else found.conditions

    return {
        "grammar": HOME.read_goal,
        "most similar remembered goal": by_memory,
        "both": both.read,
        "nothing": lambda *_: (),
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
        agent._reader = GivenConditions(read or (lambda *_: conditions))
        return agent

    played = Rollout(AgentPolicy(agent_for), max_steps=60).collect(tasks)
    return f"{sum(isinstance(one, Trajectory) and bool(one.success) for one in played)} of {len(tasks)}"


def household(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the rows of the household."""
    described = {
        kind: generate_split(arguments.sentences, arguments.seed, activities=kind, scenes="test")
        for kind in ("seen", "unseen")
    }
    played = {kind: tasks[: arguments.tasks] for kind, tasks in described.items()}
    yield ["the agent reads by", "seen: exact", "unseen: exact", "seen: reached", "unseen: reached"]
    with demonstrated(arguments.demonstrations) as memory:
        for name, read in readers(memory).items():
            right = ["", ""] if name == "nothing" else [exact(read, tasks) for tasks in described.values()]
            yield [name, *right, *(reached(read, memory, tasks) for tasks in played.values())]
        yield ["the judge's conditions, given", "", "", *(reached(None, memory, tasks) for tasks in played.values())]


USUAL = "the activity's most frequent remembered goal"


class Description(NamedTuple):
    """What a person wrote about a program, and its goal."""

    name: str
    activity: str
    words: str
    conditions: Sequence[ConditionJson]
    kinds: Mapping[int, str]
    """The classes of the things in its house, by id."""
    wanted: Counter[str]


def robothow(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the rows of RobotHow: every second description, the others remembered, or those of other activities."""
    del arguments
    described = sorted(_told(RobotHow()))
    half, asked = described[0::2], described[1::2]
    right = _read_each(half, asked, "known")
    for held in sorted({one.activity for one in asked}):
        others = [one for one in described if one.activity != held]
        right += _read_each(others, [one for one in asked if one.activity == held], "unseen")
    right["limit", "known", ""] = sum(any(_same(one, other) for other in half) for one in asked)
    right["limit", "unseen", ""] = sum(_could_be_lent(one, described) for one in asked)
    yield ["read by", *(f"{kind}: {how}" for kind in ("known", "unseen") for how in ("exact", "exact, house seen"))]
    for how in (*list(readers(EmptyMemory()))[:3], USUAL, "limit"):
        keys = [(how, kind, seen) for kind in ("known", "unseen") for seen in ("", "seen")]
        reads = how in readers(EmptyMemory())
        yield [how, *(f"{right[key]} of {len(asked)}" if reads or key in right else "" for key in keys)]


def _told(data: RobotHow) -> Iterator[Description]:
    goals = {task.id.rpartition("/")[2]: task.goal.conditions for task in data.tasks("eai") if task.goal.conditions}
    for one in data:
        if one.name in goals:
            kinds = {node["id"]: node["class_name"] for node in one.initial_graph()["nodes"]}
            words = f"{one.activity}: {one.description}"
            yield Description(one.name, one.activity, words, goals[one.name], kinds, meaning(goals[one.name], kinds))


def _read_each(
    remembered: Sequence[Description], asked: Sequence[Description], kind: str
) -> Counter[tuple[str, str, str]]:
    """Count what is read exactly, by reader, kind of question, and whether the house was seen."""
    right: Counter[tuple[str, str, str]] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        ExperienceMemory.open(Path(folder) / "m", embedder=make_embedder("ngrams")) as memory,
    ):
        memory.add_drafts([_draft(one.words, one.conditions, one.kinds) for one in remembered])
        for one in asked:
            for how, read in list(readers(memory).items())[:3]:
                for seen in ("", "seen"):
                    said = read(one.words, sorted({*one.kinds.values()}) if seen else ())
                    right[how, kind, seen] += meaning(said, one.kinds) == one.wanted
            alike = [other for other in remembered if other.activity == one.activity]
            times = [sum(_same(other, more) for more in alike) for other in alike]
            if alike:
                right[USUAL, kind, ""] += _same(one, alike[times.index(max(times))])
    return right


def _same(one: Description, other: Description) -> bool:
    return one.activity == other.activity and one.wanted == other.wanted


def _could_be_lent(one: Description, described: Sequence[Description]) -> bool:
    """Whether the words name all of a goal's things, and goals of other activities have conditions of all its forms."""
    forms = {_form(part) for other in described if other.activity != one.activity for part in other.wanted}
    things = {name for part in one.wanted for name in _CLASS.findall(part)} - {"character"}
    words, here = re.findall("[a-z]+", one.words.lower()), sorted({*one.kinds.values()})
    phrases = {" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words))}
    return things <= {HOME.kind(phrase, here) for phrase in phrases} and forms.issuperset(map(_form, one.wanted))


def _form(condition: str) -> str:
    return _CLASS.sub("#", condition.replace("'character'", "you"))


def _draft(text: str, conditions: Sequence[ConditionJson], kinds: Mapping[int, str]) -> Draft:
    wanted = [dict(found) for one in conditions if (found := by_class(one, kinds)) is not None]
    return Draft("episode", f"Goal: {text}. It succeeded.", ENV, data={"wanted": wanted}, task=text)


def main() -> None:
    """Measure one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("household", "robothow"))
    parser.add_argument("--demonstrations", type=int, default=120)
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--sentences", type=int, default=160)
    parser.add_argument("--seed", type=int, default=21, help="of the sentences; those of 12 were looked at")
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
