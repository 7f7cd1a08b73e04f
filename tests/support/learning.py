"""What an environment with graph facts has to serve: corpora, skills, goals of its own, and plans in words."""

from collections.abc import Sequence
from pathlib import Path

from pathei.agents import ScriptedAgent
from pathei.collectors import play
from pathei.envs import contract
from pathei.envs.facts import EpisodeFacts
from pathei.envs.registry import get_demonstration, get_goal_space, get_verbalizer
from pathei.experience import Task, Trajectory
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.plan_execution import execute_plan
from pathei.learners.examples import Example
from pathei.memory.builders.registry import make_builders
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory


def demonstrated(tasks: Sequence[Task]) -> list[Trajectory]:
    """Play the demonstrations of tasks."""
    found = []
    for task in tasks:
        env = contract.make(task)
        try:
            found.append(play(env, task, ScriptedAgent(get_demonstration(task)), max_steps=60))
        finally:
            env.close()
    return found


def assert_facts_follow(trajectory: Trajectory) -> None:
    """Check that the changes of an episode lead from its first graph to what the environment holds at the end."""
    read = EpisodeFacts.of(trajectory, get_verbalizer(trajectory.task.env))
    assert read is not None
    task = trajectory.task
    env = contract.make(task)
    try:
        contract.reset(env, task)
        inner = env.unwrapped
        assert read.start.facts() == inner.fact_graph().facts()  # type: ignore[attr-defined]
        for step in trajectory.steps:
            env.step(step.action)
        assert read.end.facts() == inner.fact_graph().facts()  # type: ignore[attr-defined]
    finally:
        env.close()


def corpus(trajectories: Sequence[Trajectory]) -> list[Example]:
    """Build a small corpus."""
    return build_corpora(trajectories, CorpusConfig(per_kind=20, held_out_per_kind=10))


def mined(trajectories: Sequence[Trajectory], folder: Path) -> list[str]:
    """Return the texts of the skills that a memory keeps of episodes."""
    with ExperienceMemory.open(folder, embedder=make_embedder("ngrams"), builders=make_builders()) as memory:
        memory.add_all(trajectories)
        return [item.draft.text for item in memory.items() if item.draft.kind == "skill"]


def plan_succeeds(task: Task) -> bool:
    """Return whether the demonstration of a task, put into words, is carried out and reaches its goal."""
    words = get_verbalizer(task.env).say_plan(get_demonstration(task))
    return execute_plan(task, words).success


def listed_goals(task: Task) -> set[str]:
    """Return the names of the goals that an environment offers in a task's scene, after checking their contract."""
    env = contract.make(task)
    try:
        contract.reset(env, task)
        provider = get_goal_space(task.env)
        space = provider.present(env)
        aims = list(space.aims())
        assert sum(map(len, space.kinds().values())) == len(aims)
        for aim in aims:
            [part] = aim.parts
            assert space.named(part.name) == aim == space.read(part.name)
            assert provider.aim(aim.goal).parts == aim.parts
            assert space.join([aim, aim]) is None
        aim = aims[0]
        options = {
            **task.options,
            "goal": {"text": aim.goal.text, "conditions": [dict(c) for c in aim.goal.conditions]},
        }
        _, info = env.reset(seed=task.seed, options=options)
        assert info["success"] is False, "a goal that is offered does not hold yet"
        return {aim.parts[0].name for aim in aims}
    finally:
        env.close()
