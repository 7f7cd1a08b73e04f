"""Questions about what actions do: each answer is checked by doing the actions in a fresh environment."""

import dataclasses
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents import ScriptedAgent
from pathei.api import generate_tasks
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.policy import play
from pathei.envs import contract
from pathei.envs.facts import Change, FactGraph
from pathei.envs.registry import get_demonstration
from pathei.experience import Trajectory
from pathei.learners.corpora.branches.playing import ActionOutcome, net_changes
from pathei.learners.corpora.branches.questions import NO_CHANGE, REFUSED
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import BRANCH_KINDS, CorpusConfig
from pathei.learners.evaluation.metrics import metrics_of
from pathei.learners.examples import Example
from pathei.tests.support.attic import Attic, attic_tasks, solve

CONFIG = CorpusConfig(kinds=BRANCH_KINDS, per_episode=4, branches=5)
SAID = re.compile(r"(?:You hold the (?P<held>\w+)|(?P<who>You|The \w+) (?:are|is) in the (?P<place>\w+))\.")


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    """Solutions of tasks in a small environment whose state can be read."""
    envs = Envs()
    found = [play(envs.get(task), task, ScriptedAgent(solve(task)), max_steps=20) for task in attic_tasks(60)]
    envs.close()
    return [one for one in found if isinstance(one, Trajectory)]


@pytest.fixture(scope="module")
def examples(played: list[Trajectory]) -> list[Example]:
    """What is asked about them."""
    return build_corpora(played, CONFIG)


def of_kind(examples: list[Example], *kinds: str) -> list[Example]:
    """The examples of these kinds."""
    return [one for one in examples if one.kind in kinds]


def at(trajectory: Trajectory, step: int) -> Attic:
    """A fresh environment, where an episode was after some steps."""
    env = contract.make(trajectory.task)
    contract.reset(env, trajectory.task)
    for one in trajectory.steps[:step]:
        env.step(one.action)
    inner = env.unwrapped
    assert isinstance(inner, Attic)
    return inner


def test_every_kind_is_made(examples: list[Example]) -> None:
    kinds = Counter(one.kind for one in examples)
    assert set(kinds) == set(BRANCH_KINDS), kinds
    assert min(kinds.values()) >= 5
    assert all("exact" in metrics_of(one) for one in examples)


def test_the_same_episodes_give_the_same_questions(played: list[Trajectory], examples: list[Example]) -> None:
    assert build_corpora(reversed(played), CONFIG) == examples


def test_what_changes_is_what_the_environment_does(played: list[Trajectory], examples: list[Example]) -> None:
    by_id = {one.id: one for one in played}
    answers = Counter[str]()
    for one in of_kind(examples, "next-state", "next-states"):
        env = at(by_id[str(one.source["trajectory"])], int(one.source["step"]))
        before = env.graph.copy()
        for action in one.source["question"]["actions"]:
            env.step(action)
        answer = one.completion.strip()
        answers["nothing" if answer in (NO_CHANGE, REFUSED) else "something"] += 1
        if answer in (NO_CHANGE, REFUSED):
            assert before.facts() == env.graph.facts()
            continue
        told = list(SAID.finditer(answer))
        assert " ".join(match[0] for match in told) == answer, "nothing else is said"
        begun = env.graph.facts() - before.facts()
        assert {_fact(match, env.graph) for match in told} == begun
    assert answers["something"] > 5


def _fact(match: re.Match[str], graph: FactGraph) -> tuple[int, str, int]:
    ids = {kind: node for node, kind in graph.kinds.items()}
    you = graph.characters[0]
    if match["held"]:
        return you, "HOLDS", ids[match["held"]]
    who = you if match["who"] == "You" else ids[match["who"].removeprefix("The ")]
    return who, "INSIDE", ids[match["place"]]


def test_a_question_says_whether_the_rest_of_the_episode_still_works(
    played: list[Trajectory], examples: list[Example]
) -> None:
    by_id, answers = {one.id: one for one in played}, set[str]()
    for one in of_kind(examples, "counterfactual"):
        trajectory, step = by_id[str(one.source["trajectory"])], int(one.source["step"])
        env = at(trajectory, step)
        done = (
            one.prompt.partition("Instead: ")[2]
            .partition(" Then as planned")[0]
            .rstrip(".")
            .lower()
            .replace("the ", "")
        )
        *_, info = env.step(done)
        for later in trajectory.steps[step + 1 :]:
            if info["success"] or info.get("error"):
                break
            *_, info = env.step(later.action)
        assert one.completion.startswith(" Yes" if info["success"] else " No"), (one, info)
        answers.add(one.completion[:4])
    assert answers == {" Yes", " No:"}


def test_the_better_action_is_the_one_that_reached_the_goal(played: list[Trajectory], examples: list[Example]) -> None:
    by_id = {one.id: one for one in played}
    for one in of_kind(examples, "contrast"):
        taken = by_id[str(one.source["trajectory"])].steps[int(one.source["step"])].action
        best = one.completion.partition(".")[0].strip().lower()
        assert best == taken
        assert one.completion.count(".") >= 2, "and a reason"


def test_episodes_that_cannot_be_played_again_are_left_out(played: list[Trajectory]) -> None:
    def changed(one: Trajectory) -> Trajectory:
        step = dataclasses.replace(
            one.steps[0], observation=dataclasses.replace(one.steps[0].observation, actions=("x",))
        )
        return dataclasses.replace(one, steps=(step, *one.steps[1:]))

    assert build_corpora(map(changed, played), CONFIG) == []


@given(st.lists(st.sets(st.integers(0, 5)), min_size=2, max_size=6))
def test_changes_that_undo_each_other_are_no_change(moments: list[set[int]]) -> None:
    path = [
        ActionOutcome(
            "", False,
            tuple(Change(fact in after, fact, "ON") for fact in sorted(before ^ after)),
            0.0, frozenset(), False,
        )
        for before, after in pairwise(moments)
    ]  # fmt: skip
    found = {(one.begins, one.entity) for one in net_changes(path)}
    first, last = moments[0], moments[-1]
    assert found == {(True, fact) for fact in last - first} | {(False, fact) for fact in first - last}


WORLDS = ("VirtualHome", "MiniGrid", "TextWorld", "Terminal")
"""Environments with facts in which episodes are played again, from snapshots or from their reset."""


@pytest.mark.integration
@pytest.mark.parametrize("world", WORLDS)
def test_other_worlds_give_them_too(world: str) -> None:
    for package in {"MiniGrid": ["minigrid"], "TextWorld": ["textworld"]}.get(world, []):
        pytest.importorskip(package)
    envs = Envs()
    tasks = generate_tasks(f"pathei/{world}-v0", n=10, seed=0)  # many of TextWorld's belong to no part
    found = [play(envs.get(task), task, ScriptedAgent(get_demonstration(task)), max_steps=30) for task in tasks]
    envs.close()
    made = build_corpora(
        [one for one in found if isinstance(one, Trajectory)], CorpusConfig(kinds=BRANCH_KINDS, max_words=160)
    )
    assert {"next-state", "counterfactual"} <= {one.kind for one in made}
