"""A memory's notes in training: conversations begin with what an agent is shown, word for word."""

from __future__ import annotations

import re
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pathei.agents.lm.backends import ModelReply, ModelRequest, Usage
from pathei.agents.lm.saycan import SayCan
from pathei.agents.lm.shown import ShownMemory
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import FactGraph
from pathei.envs.verbalizer import answer_place, ask_for_plan
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer
from pathei.experience import Task, Trajectory
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.training.pairs import paired
from pathei.loop.notes import place_questions, shown_plans
from pathei.memory import open_memory
from pathei.memory.builders.registry import make_builders
from pathei.memory.experience_memory import ExperienceMemory

HOME = HomeVerbalizer()
ENV = "pathei/VirtualHome-v0"


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    """Return demonstrations."""
    tasks = generate_tasks(16, 5, split="train")
    return [one for one in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(one, Trajectory)]


@pytest.fixture(scope="module")
def memory(played: list[Trajectory], tmp_path_factory: pytest.TempPathFactory) -> ExperienceMemory:
    """Return a memory of them."""
    path: Path = tmp_path_factory.mktemp("notes") / "memory"
    made = open_memory(path, embedder="ngrams", builders=make_builders(("episodes", "facts")), create=True)
    made.add_all(played)
    return made


class Attentive:
    """A model that notes what it is asked, wants to walk to one thing, and else takes the first option."""

    name = "attentive"
    context = None

    def __init__(self, noun: str) -> None:
        self.asked: list[str] = []
        self._wanted = f"Walk to the {noun}."

    def generate(self, asks: list[ModelRequest]) -> list[ModelReply]:
        """Answer."""
        self.asked += [turn.text for ask in asks for turn in ask.conversation.messages]
        return [ModelReply(self._answer(one.among), None, (), Usage(1, 1)) for one in asks]

    def _answer(self, among: tuple[str, ...]) -> str:
        return self._wanted if self._wanted in among or not among else among[0]

    def count(self, conversation: object) -> int:
        """Count nothing."""
        return 0


def _given(agent: SayCan, task: Task) -> SayCan:
    return agent


def test_a_plan_stands_behind_the_plans_that_an_agent_would_be_shown(
    played: list[Trajectory], memory: ExperienceMemory
) -> None:
    config = CorpusConfig(("plan-bare",), held_out_per_kind=0, held_out=0.0)
    plans = build_corpora(played, config)
    found = paired(plans, np.random.default_rng(0), shown=shown_plans(memory, ENV), share=1.0)
    for one, whole in zip(plans, found, strict=True):
        shown = ShownMemory(memory, ENV).plans(one.prompt.removeprefix("Goal: ").partition("\n")[0], 3, HOME)
        others = [(ask_for_plan(s.goal), s.plan) for s in shown if ask_for_plan(s.goal) != one.prompt][-2:]
        assert len(others) == 2
        assert [turn.text for turn in whole.turns] == [
            *(text for pair in others for text in pair),
            one.prompt,
            one.completion.strip(),
        ]
    without = paired(plans, np.random.default_rng(0), shown=shown_plans(memory, ENV), share=0.0)
    assert all(len(one.turns) == 4 for one in without)


def test_places_are_asked_for_as_the_agent_asks_and_answered_by_where_things_are(
    played: list[Trajectory], memory: ExperienceMemory
) -> None:
    found = place_questions(played, memory, np.random.default_rng(0), count=100)
    graphs = [FactGraph.of(one.steps[0].observation.facts) for one in played]
    true = {
        f"{answer_place(graph.kinds[thing], HOME)} {HOME.noun(graph.kinds[place])}."
        for graph in graphs
        if graph is not None
        for thing in graph.kinds
        for place in graph.location(thing)[::2]
        if isinstance(place, int)
    }
    turns = [turn for one in found for turn in one.turns]
    assert {turn.text for turn in turns if turn.role == "assistant"} <= true
    asked = [turn.text for turn in turns if turn.role == "user"]
    noted = [text for text in asked if text.startswith("What is known:\n- ")]
    assert 0.2 < len(noted) / len(asked) < 0.8
    assert 0.2 < sum("- Here the " in text for text in noted) / len(noted) < 0.8
    assert all(len({turn.text[:5] for turn in one.turns if turn.role == "user"}) == 1 for one in found)
    for episode, text in product(played, noted):
        model = Attentive(re.split(r"Where (?:is|are) the ", text)[1].rstrip("?"))
        agent = SayCan(model, verbalizer=HOME, recollection=memory, env=ENV, scene=HOME.scene(episode.task))
        list(Rollout(AgentPolicy(partial(_given, agent)), max_steps=2).collect([episode.task]))
        if text in model.asked:
            return
    raise AssertionError("the agent asks none of these questions")
