"""Plans are proved in other tasks of the same sort, and dropped if they do not reach their goals."""

from pathei.agents import ScriptedAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors import play
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs import contract
from pathei.envs.registry import get_env
from pathei.experience import Task, Trajectory
from pathei.memory.builders.registry import make_builder
from pathei.memory.plans.siblings import prove, siblings
from pathei.memory.plans.template import TemplateStep
from pathei.memory.verification.replay import ReplayEnvs
from pathei.tests.support.lantern import lantern_task
from pathei.tests.support.small_memory import SmallMemory


def chores(seed: int, *names: str) -> list[Task]:
    """Return a task of the terminal for each chore."""
    tasks = {task.id.rpartition("/")[2]: task for task in get_env("terminal").generate_tasks(60, seed)}
    return [tasks[name] for name in names]


def test_answers_are_read_in_another_file_system() -> None:
    """`submit 9587` is a plan for whatever number the file holds; what only one task bears out is dropped."""
    seen, unseen = (chores(seed, "find-key", "count-rows", "who-owes-most") for seed in (0, 77))
    builder = make_builder("plans")
    lived = [one for one in Rollout(AgentPolicy(demonstrator)).collect(seen) if isinstance(one, Trajectory)]
    drafts = [draft for one in lived for draft in builder.build(one)]
    assert all(draft.confidence > 0.5 for draft in drafts)
    assert not [
        step for draft in drafts for step in draft.data["steps"] if step.startswith("submit ") and "{" not in step
    ]
    memory = SmallMemory(drafts)
    played = Rollout(AgentPolicy(lambda task: SkillAgent(memory, env=task.env)), max_steps=4).collect(unseen[:2])
    assert [one.success for one in played if isinstance(one, Trajectory)] == [True, True]


def test_a_plan_that_holds_an_answer_reaches_no_other_goal() -> None:
    (task,) = chores(0, "find-key")
    others = siblings(task)
    assert others
    assert all(one.options != task.options for one in others)
    env = contract.make(task)
    lived = play(env, task, ScriptedAgent(["find boxes -name key.txt -exec cat {} +"]), max_steps=1)
    env.close()
    assert lived.final.text.startswith("the key is ")
    steps = [TemplateStep("submit 1")]
    proof = prove(ReplayEnvs(), task.goal.text, steps, others)
    assert (proof.holds, proof.passed) == (False, 0)
    assert not prove(ReplayEnvs(), "Another goal.", steps, others).holds


def test_an_environment_without_tasks_of_its_own_has_no_siblings() -> None:
    assert siblings(lantern_task(0)) is None
