"""The tasks of the 2 x 2 in `four_arms.py`: whether facts of the house are needed, and how the goal is worded.

In a generated house things are where they usually are: an agent that knows what is usual needs no facts. So half of the
things that can be carried, in houses for testing, are put elsewhere: on or in any piece of furniture (`own_house`).

Whether facts are needed is tried out, without a language model. The agent of the arms is given the plan of a
demonstration by heart, and says where to look by the notes that it is shown (`ByHeart`). Facts are needed where it
does not reach the goal by what is usual in the training houses, and does by where things are in this one; they are
not needed where it reaches the goal by what is usual. Tasks that it reaches neither way are left out. A budget is 1.3
times the demonstration's steps. Not here: playing the arms.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from pathei import make_env
from pathei.agents.lm.backends import Choice, ModelReply, ModelRequest, RatedChoices, Usage
from pathei.agents.lm.saycan import SayCan, SayCanConfig
from pathei.collectors.rollout.policy import AgentPolicy
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import FactGraph
from pathei.envs.registry import get_verbalizer
from pathei.envs.verbalizer import TEST_EVERY
from pathei.envs.virtualhome.engine.rules_clean import clean
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.houses.generate import FIRST_THING, generate_house
from pathei.envs.virtualhome.tasks.generate import ACTIVITIES, unseen_activities
from pathei.experience import Task, Trajectory, task_from_json
from pathei.learners.evaluation.plan_execution import PlanExecutor
from pathei.memory.builders.signatures import words
from pathei.memory.empty import MemoryWithout
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Filter, Hit
from pathei.memory.protocol import Memory
from pathei.stable_random import StableRandom

ENV: Final = "pathei/VirtualHome-v0"
HOME: Final = get_verbalizer(ENV)
SETTINGS: Final = SayCanConfig(sentences=24, ends=False)
BUDGET: Final = 1.3
MOVED: Final = 0.2
"""The share of things that were moved after the visit."""
FIRST_HOUSE: Final = 13 * TEST_EVERY
_TRIED: Final = 6
"""How many activities are tried in a house."""


class CellTask(NamedTuple):
    """A task of the 2 x 2."""

    task: Task
    needs: bool
    """Whether facts of the house are needed."""
    other: bool
    """Whether the goal is in the wording that was left out."""
    steps: int
    """The budget."""

    @property
    def group(self) -> str:
        """The cell."""
        return f"facts {'needed' if self.needs else 'not needed'}, {'other words' if self.other else 'known words'}"


def worded(task: Task, said: Sequence[str], *, other: bool = False) -> Task:
    """Return a task whose goal is worded as in the experience, or in the wording that was left out of it, the last."""
    text = said[-1] if other else task.goal.text if task.goal.text != said[-1] or len(said) < 2 else said[0]
    return dataclasses.replace(task, goal=dataclasses.replace(task.goal, text=text))


def own_house(seed: int) -> dict[str, Any]:
    """Return the graph of a generated house whose people keep half of what can be carried in places of their own."""
    graph, rng = generate_house(seed), random.Random(seed)
    nodes = {node["id"]: node for node in graph["nodes"]}
    rooms = {id_ for id_, node in nodes.items() if node["category"] == "Rooms"}
    inside = {edge["from_id"]: edge["to_id"] for edge in graph["edges"] if edge["to_id"] in rooms}
    holds = {edge["to_id"] for edge in graph["edges"] if edge["relation_type"] in ("ON", "INSIDE")}
    furniture = [(id_, relation) for id_, node in nodes.items() if (relation := _holds(node)) and id_ in inside]
    for id_, node in nodes.items():
        if "GRABBABLE" not in node["properties"] or id_ < FIRST_THING or id_ in holds or rng.random() < 0.5:
            continue
        holder, relation = rng.choice(furniture)
        graph["edges"] = [edge for edge in graph["edges"] if id_ not in (edge["from_id"], edge["to_id"])]
        for source, how, target in (
            (id_, "INSIDE", inside[holder]),
            (id_, relation, holder),
            (id_, "CLOSE", holder),
            (holder, "CLOSE", id_),
        ):
            graph["edges"].append({"from_id": source, "relation_type": how, "to_id": target})
    return graph


def _holds(node: dict[str, Any]) -> str:
    """Return how things are put on or in a piece of furniture; empty where none belong."""
    properties = set(node["properties"])
    if node["id"] >= FIRST_THING or node["class_name"] == "floor" or {"HAS_SWITCH", "SITTABLE"} & properties:
        return ""
    return "INSIDE" if {"CONTAINERS", "CAN_OPEN"} <= properties else "ON" if "SURFACES" in properties else ""


class ByHeart:
    """A back end that knows one plan by heart, and reads where to look off the notes that it is shown."""

    name: Final = "by heart"
    context: Final = None

    def __init__(self, plan: Sequence[str]) -> None:
        """Know a plan's sentences."""
        self._plan = plan

    def generate(self, asks: Sequence[ModelRequest], /) -> list[ModelReply]:
        """Draft the plan, say its next possible sentence, or name the first place in the notes that may be named."""
        return [ModelReply(self._answer(ask), None, (0.0,), Usage(1, 1)) for ask in asks]

    def _answer(self, ask: ModelRequest) -> str:
        asked = ask.conversation.messages[-1].text
        if re.search(r"Where (?:is|are) the", asked):
            noted = re.findall(r"\b(?:in|on) (?:the|an?) ([\w ]+)(?=[,.])", asked)
            return next((place for one in noted if (place := f"{one}.") in ask.among), ask.among[0])
        rest = list(self._plan)
        for sentence in _sentences(ask.conversation.begun):
            if sentence in rest:
                rest.remove(sentence)
        if not ask.among:
            return f" {' '.join(rest)}"
        return next((one for one in rest if one in ask.among), ask.among[0])

    def rate(self, choices: Sequence[Choice], /) -> list[RatedChoices]:
        """Refuse: an agent of the arms never asks this."""
        raise NotImplementedError("A back end that knows a plan by heart rates nothing.")

    def count(self, conversation: object, /) -> int:
        """Return 0: it has no context to fill."""
        return 0


def _sentences(text: str) -> list[str]:
    return [f"{one.strip()}." for one in text.split(".") if one.strip()]


def visit(task: Task, scene: str, seed: int, moved: float = MOVED) -> Iterator[Draft]:
    """Yield where things are in a task's house, as facts of a scene; a share was elsewhere during the visit."""
    env = make_env(ENV)
    facts = env.reset(seed=task.seed, options=dict(task.options))[1]["facts"]
    env.close()
    graph, rng = FactGraph.of(facts), random.Random(seed)
    assert graph is not None
    found = []
    for thing in graph.kinds:
        room, relation, holder = graph.location(thing)
        if thing in graph.rooms or thing in graph.characters or relation == "HELD" or room is None:
            continue
        found.append((thing, *((relation, holder) if holder is not None else ("ROOM", room)), room))
    holders = [(relation, holder, room) for _, relation, holder, room in found if relation != "ROOM"]
    for thing, relation, holder, room in found:
        if relation != "ROOM" and rng.random() < moved:
            relation, holder, room = rng.choice(holders)  # it was there during the visit
        kind, place = graph.kinds[thing], graph.kinds[holder]
        text = f"In {scene}, {words(kind)} {thing} is {'on' if relation == 'ON' else 'in'} {words(place)} {holder}."
        data = {"object": kind, "id": thing, "relation": relation, "place": place, "holds": "scene", "scene": scene}
        data |= {} if relation == "ROOM" else {"room": graph.kinds[room]}
        yield Draft("fact", text, ENV, key=f"{scene}|{kind} {thing}", data=data)


class _AskedOnce(MemoryWithout):
    """A memory that is asked but once for what holds in any scene, which is not added to."""

    def __init__(self, whole: Memory) -> None:
        super().__init__(whole, ())
        self._answers: dict[tuple[str, int, Filter | None], Sequence[Hit]] = {}

    def query(self, text: str, k: int = 8, where: Filter | None = None) -> Sequence[Hit]:
        """Answer as the memory does."""
        if where is not None and "scene" in dict(where.data):
            return super().query(text, k, where)
        asked = (text, k, where)
        if asked not in self._answers:
            self._answers[asked] = super().query(text, k, where)
        return self._answers[asked]


class Needs:
    """Finds out whether a task needs facts of its house."""

    def __init__(self, memory: ExperienceMemory) -> None:
        """Prepare; the memory has what is usual, and is left as it was."""
        self._memory, self._shown, self._executor = memory, _AskedOnce(memory), PlanExecutor()

    def needed(self, task: Task, script: Sequence[str], steps: int) -> bool | None:
        """Return whether facts are needed to reach a goal in some steps; None where they do not help either.

        Args:
            task: The task.
            script: A demonstration.
            steps: The budget.
        """
        plan = _sentences(HOME.say_plan(self._executor.trim(task, script) or ()))
        if self._reaches(task, plan, steps):
            return False
        ids = self._memory.add_drafts(list(visit(task, HOME.scene(task), 0, moved=0.0)))
        reached = self._reaches(task, plan, steps)
        self._memory.forget(ids)
        return True if reached else None

    def _reaches(self, task: Task, plan: Sequence[str], steps: int) -> bool:
        scene = HOME.scene(task)
        agent = SayCan(ByHeart(plan), SETTINGS, verbalizer=HOME, recollection=self._shown, env=ENV, scene=scene)
        [one] = Rollout(AgentPolicy(lambda _: agent), max_steps=steps).collect([task])
        assert isinstance(one, Trajectory), one
        return bool(one.success)


def cells(count: int, memory: ExperienceMemory, out: Path, first: int = FIRST_HOUSE) -> list[CellTask]:
    """Return the tasks of the 2 x 2, each in both wordings, turn by turn: `count` of either need.

    Args:
        count: How many.
        memory: What is usual.
        out: The folder in which the tasks that were found are kept (`cells.jsonl`), and their houses.
        first: The seed of the first house that is tried, a multiple of `TEST_EVERY`.
    """
    kept = out / "cells.jsonl"
    known = [orjson.loads(line) for line in kept.read_bytes().splitlines()] if kept.exists() else []
    with kept.open("ab") as file:
        for one in _found(count, memory, out / "houses", first, tuple(known)):
            known.append(one)
            file.write(orjson.dumps(one) + b"\n")
            file.flush()
    by = {needs: [one for one in known if one["needs"] == needs][:count] for needs in (False, True)}
    return [
        CellTask(worded(task_from_json(one["task"]), one["said"], other=other), one["needs"], other, one["steps"])
        for pair in zip(by[False], by[True], strict=True)
        for one in pair
        for other in (False, True)
    ]


def _found(
    count: int, memory: ExperienceMemory, houses: Path, first: int, known: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield tasks of seen activities in houses for testing, `count` of either need with those that are known.

    At most one in twelve, and two, are of one activity. Houses are tried from the first on, or from that of the last
    known task.
    """
    houses.mkdir(exist_ok=True)
    unseen, needs, left = unseen_activities(), Needs(memory), {False: count, True: count}
    times, ids = Counter[tuple[str, bool]](), {one["task"]["id"] for one in known}
    for one in known:
        left[one["needs"]] -= 1
        times[one["task"]["id"].split("-", 2)[2], one["needs"]] += 1
    house = max((one["task"]["seed"] for one in known), default=first)
    while max(left.values()) > 0:
        path = houses / f"{house}.json"
        path.write_bytes(orjson.dumps(own_house(house)))
        world = World(Scene.from_file(str(path)), clean())
        for name in StableRandom.seeded(house).shuffled([name for name in ACTIVITIES if name not in unseen])[:_TRIED]:
            grounded = ACTIVITIES[name].ground(world, np.random.default_rng(house))
            if grounded is None or len(grounded.texts) < 2 or f"own-{house}-{name}" in ids:
                continue
            task = Task(f"own-{house}-{name}", ENV, house, grounded.goal, {"scene": str(path)})
            steps = int(BUDGET * len(grounded.script))
            needed = needs.needed(task, grounded.script, steps)
            if needed is not None and left[needed] > 0 and times[name, needed] < max(2, count // 12):
                left[needed] -= 1
                times[name, needed] += 1
                yield {"task": dataclasses.asdict(task), "said": grounded.texts, "needs": needed, "steps": steps}
        house += TEST_EVERY
