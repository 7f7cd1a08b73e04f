"""What goals in words mean: the answers judge episodes, in the place of the judge's own conditions."""

import dataclasses

import orjson

from pathei import make_env
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.virtualhome.tasks.generate import generate_split
from pathei.experience import Goal, Trajectory
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import KINDS, CorpusConfig

CONFIG = CorpusConfig(kinds=("goal-conditions",), held_out=0.0)


def test_an_answer_judges_an_episode_as_the_goal_itself_does() -> None:
    tasks = [*generate_split(24, 4), *generate_split(6, 4, activities="unseen", scenes="test")]
    played = [one for one in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(one, Trajectory)]
    examples = build_corpora(played, CONFIG)
    assert {one.split for one in examples} == {"train", "unseen"}
    assert len(examples) > 15
    by_id = {one.id: one for one in played}
    for example in examples:
        one = by_id[str(example.source["trajectory"])]
        goal = {"text": one.task.goal.text, "conditions": orjson.loads(example.completion)}
        assert '"id"' not in example.completion  # nothing that holds in this house alone
        env = make_env(one.task.env)
        env.reset(seed=one.task.seed, options={**one.task.options, "goal": goal})
        ends = [env.step(step.action)[2] for step in one.steps]
        env.close()
        assert ends == [*[False] * (len(ends) - 1), True], goal


def test_goals_without_conditions_ask_nothing_and_the_kind_is_made_on_request() -> None:
    assert "goal-conditions" not in KINDS
    [task] = generate_split(1, 4)
    [one] = Rollout(AgentPolicy(demonstrator)).collect([task])
    assert isinstance(one, Trajectory)
    bare = dataclasses.replace(one, task=dataclasses.replace(task, goal=Goal("look around")))
    assert build_corpora([bare], CONFIG) == []
