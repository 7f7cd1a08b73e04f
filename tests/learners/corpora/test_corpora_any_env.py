"""Corpora of an environment that offers a graph of facts and nothing else: no verbalizer, no script lines."""

from collections import Counter

import numpy as np
import pytest

from pathei.agents import RandomAgent, ScriptedAgent
from pathei.agents.carrying import RandomCarryAgent
from pathei.agents.checks import check_agent
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.policy import play
from pathei.envs.checks import check_env, check_model, check_snapshot
from pathei.envs.contract import make
from pathei.envs.facts import EpisodeFacts
from pathei.envs.model import model_of
from pathei.envs.verbalizer import plain
from pathei.experience import Trajectory, task_from_json
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.plan_execution import execute_plan
from pathei.learners.examples import Example
from pathei.tests.support.attic import attic_tasks, solve

CONFIG = CorpusConfig(per_kind=40, held_out_per_kind=20)


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    """Solutions of tasks, and things carried about."""
    envs = Envs()
    records = [play(envs.get(task), task, ScriptedAgent(solve(task)), max_steps=20) for task in attic_tasks(60)]
    records += [play(envs.get(t), t, RandomCarryAgent(), max_steps=15, seed=n) for n, t in enumerate(attic_tasks(40))]
    envs.close()
    assert all(isinstance(record, Trajectory) for record in records), records
    return [record for record in records if isinstance(record, Trajectory)]


@pytest.fixture(scope="module")
def examples(played: list[Trajectory]) -> list[Example]:
    """What is made of them."""
    return build_corpora(played, CONFIG)


def test_how_far_it_is_grows_to_all_of_it(played: list[Trajectory]) -> None:
    shown: list[tuple[int, int]] = []
    build_corpora(played[:12], CONFIG, progress=lambda done, total: shown.append((done, total)))
    assert shown == sorted(shown)
    [total] = {of for _, of in shown}
    assert 0 < total <= 12 * len(CONFIG.kinds)
    assert shown[0][0] == 1
    assert shown[-1] == (total, total)


def test_the_environment_keeps_every_contract() -> None:
    """Else nothing below says anything."""
    task = attic_tasks(1)[0]
    check_env(make(task))
    check_snapshot(make(task), rng=np.random.default_rng(0))
    env = make(task)
    _, info = env.reset(seed=1)
    check_model(model_of(env, info), rng=np.random.default_rng(0))
    check_agent(RandomCarryAgent())


def test_commands_are_read_by_the_graph(played: list[Trajectory]) -> None:
    """Every step of every episode has a verb and the things that it names."""
    for trajectory in played[:10]:
        facts = EpisodeFacts.of(trajectory, plain())
        assert facts is not None
        assert facts.complete
        for step in facts.events:
            assert step.action is not None
            assert step.action.verb == step.text.split()[0].upper()
            assert all(name in step.text for name in step.action.names)


def test_examples_of_most_kinds_are_made(examples: list[Example]) -> None:
    """Counting, plans, places, activities: all but what needs several people."""
    kinds = Counter(example.kind for example in examples)
    assert {"plan", "plan-bare", "recognition", "relevance", "counting", "location"} <= set(kinds), kinds
    assert not any("did this" in example.prompt for example in examples)
    assert all(example.source["activity"] for example in examples)


def test_plans_reach_their_goals(examples: list[Example]) -> None:
    """Carried out from their words, through the plain verbalizer."""
    plans = [example for example in examples if example.kind == "plan"]
    for example in plans[:10]:
        outcome = execute_plan(task_from_json(example.source["task"]), example.completion)
        assert outcome.success, (example, outcome)
        assert outcome.refused is None


def test_bare_plans_have_no_detour(examples: list[Example]) -> None:
    """The two steps that every solution begins with are trimmed where the goal does not need them."""
    bare = [example for example in examples if example.kind == "plan-bare"]
    assert bare
    assert not any(example.completion.startswith(" Go to cellar. Go to hall. Go to attic.") for example in bare)


def test_locations_are_those_of_the_facts(examples: list[Example], played: list[Trajectory]) -> None:
    """An independent look at the graph at the moment that is asked about."""
    by_id = {trajectory.id: trajectory for trajectory in played}
    asked = [example for example in examples if example.kind == "location" and "room" in example.source["question"]]
    assert asked
    for example in asked:
        facts = EpisodeFacts.of(by_id[example.source["trajectory"]], plain())
        assert facts is not None
        graph = facts.at(example.source["step"])
        room = graph.room(example.source["question"]["thing"])
        assert room is not None
        assert example.completion == f" {graph.kinds[room]}"


def test_a_random_agent_makes_no_plans(played: list[Trajectory]) -> None:
    """What did not reach its goal is no plan."""
    envs = Envs()
    task = attic_tasks(3)[2]
    record = play(envs.get(task), task, RandomAgent(np.random.default_rng(0)), max_steps=1)
    assert isinstance(record, Trajectory)
    assert not [one for one in build_corpora([record], CONFIG) if one.kind.startswith("plan")]
    envs.close()
