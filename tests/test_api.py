"""The verbs at the top of the package."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

import pathei
from pathei.agents import decide
from pathei.agents.carrying import RandomCarryAgent
from pathei.collectors import collect, make_explorer
from pathei.experience import Goal, Observation

TASK = pathei.Task("t", "pathei/VirtualHome-v0", 0, Goal("light"))


def test_experience_is_collected_and_remembered(tmp_path: Path) -> None:
    tasks = pathei.generate_tasks("taxi", 2)
    pathei.collect(tmp_path / "runs", tasks, "breadth", steps=40)
    with pathei.ExperienceStore.open(tmp_path / "runs", mode="read") as store:
        episodes = list(store.trajectories())
    assert {episode.task.id for episode in episodes} == {task.id for task in tasks}
    with pathei.open_memory(tmp_path / "runs", embedder="ngrams") as memory:
        assert any(memory.add_all(episodes))


def test_an_environment_is_made_by_name() -> None:
    env = pathei.make_env("taxi")
    assert env.reset(seed=0)[0]
    env.close()


def test_agents_are_made_by_name_a_language_model_among_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from pathei.tests.support.tiny_language import save_tiny

    [task], seen = pathei.generate_tasks("taxi", 1), Observation("dark", (), ("press switch", "go home"))
    for name in ("random", "skills:", f"lm:{save_tiny(tmp_path)}"):
        assert decide(pathei.make_agent(name, task), seen, Goal("light")).action in (seen.actions or ())


def test_a_model_is_tuned_and_measured(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from pathei.learners import LoraConfig, TrainingConfig, write_examples
    from pathei.tests.support.tiny_language import OLD, save_tiny, tiny_examples

    (tmp_path / "old.txt").write_text("\n".join(OLD))
    held_out = [dataclasses.replace(one, id=f"h{one.id}", split="seen") for one in tiny_examples(4)]
    write_examples(tmp_path / "examples.jsonl", [*tiny_examples(), *held_out])
    training = TrainingConfig(steps=2, batch_size=4, lora=LoraConfig(rank=2))
    base, texts = str(save_tiny(tmp_path / "base")), (tmp_path / "old.txt",)
    report = pathei.finetune(tmp_path / "run", tmp_path / "examples.jsonl", model=base, training=training, texts=texts)
    assert (report.steps, report.done_before) == (2, False)
    measured = pathei.evaluate(tmp_path / "run", texts=texts)
    assert measured.forgetting is not None
    assert {score.kind for score in measured.skills("seen")} == {one.kind for one in held_out}


def test_a_loop_is_run(tmp_path: Path) -> None:
    settings = {"learn": "memory", "env": "minigrid", "tasks": 2, "explored": 1, "held_out": 1, "proposed": 1}
    found = pathei.run_loop(tmp_path / "loop", rounds=1, steps=4, simulations=10, workers=0, **settings)
    assert found.rows() == ["planner without a model, empty memory", "planner without a model, with memory"]
    assert pathei.run_loop(tmp_path / "loop", rounds=1, steps=4, simulations=10, workers=0, **settings) == found


def test_tasks_of_no_environment_are_refused(tmp_path: Path) -> None:
    with pytest.raises(pathei.PatheiError, match="give at least one"):
        pathei.collect(tmp_path, [])


def test_a_curriculum_practises_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = pathei.collect(tmp_path, 3, "curriculum", env="virtualhome", steps=12, policy="skills", proposer="uniform")
    assert (first.tasks, first.before, first.coverage.episodes) == (3, 0, 3)
    more = pathei.collect(tmp_path, 5, "curriculum", env="virtualhome", steps=12, policy="skills", proposer="uniform")
    assert (more.before, more.coverage.episodes) == (3, 2)
    with pytest.raises(pathei.PatheiError, match="one process"):
        pathei.collect(tmp_path, 6, "curriculum", workers=2)


def test_workers_play_what_one_process_plays(tmp_path: Path) -> None:
    for name, workers in (("alone", 0), ("two", 2)):
        report = pathei.collect(tmp_path / name, 3, env="taxi", steps=5, workers=workers)
        assert report.coverage.episodes == 3
    alone, two = (pathei.ExperienceStore.open(tmp_path / name, mode="read") for name in ("alone", "two"))
    assert sorted(alone.trajectories(), key=str) == sorted(two.trajectories(), key=str)
    alone.close()
    two.close()


def test_wrong_settings_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(pathei.PatheiError, match="rounds must be a whole number, not '2'; texts must be"):
        pathei.run_loop(tmp_path / "loop", rounds="2", texts="a.txt")
    with pytest.raises(pathei.PatheiError, match="There is no setting of the loop 'round'; did you mean 'rounds'"):
        pathei.run_loop(tmp_path / "loop", round=2)
    with pytest.raises(pathei.PatheiError, match="method must be a text, not 3"):
        pathei.finetune(tmp_path / "run", tmp_path, method=3)
    with pytest.raises(pathei.PatheiError, match="limit must be a whole number, not None"):
        pathei.evaluate(tmp_path / "run", limit=None)
    assert not list(tmp_path.iterdir())


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no environment": (lambda out: pathei.make_env(None), "environment is given by its name, a text, not by None"),
    "a number as environment": (lambda out: pathei.make_env(3), "a text, not by 3"),
    "an environment's option": (
        lambda out: pathei.make_env("CartPole-v1", colour=1),
        "'CartPole-v1' cannot be made with colour",
    ),
    "how many tasks": (lambda out: pathei.generate_tasks("taxi", "2"), "number of tasks is a whole number.*not '2'"),
    "a seed below 0": (lambda out: pathei.generate_tasks("taxi", 2, seed=-1), "seed is a whole number, 0 or above"),
    "an option": (lambda out: pathei.collect(out, 2, "explore", strategi="x"), "did you mean 'strategy'"),
    "a choice": (lambda out: pathei.collect(out, 2, strategy="x"), "strategy must be 'novelty' or 'uniform', not 'x'"),
    "no agent": (lambda out: pathei.collect(out, 2, "agent"), "Invalid collector 'agent': agent is missing"),
    "an object as agent": (lambda out: pathei.collect(out, 2, "agent", agent=object()), "agent must be a text, not <"),
    "tasks as text": (lambda out: pathei.collect(out, "2"), "a number of tasks or a list of Task, not '2'"),
    "texts as tasks": (lambda out: pathei.collect(out, ["a"]), r"a number of tasks or a list of Task, not \['a'\]"),  # type: ignore[list-item]
    "steps": (lambda out: pathei.collect(out, 2, steps="3"), "steps must be a whole number or None, not '3'"),
    "no steps": (lambda out: pathei.collect(out, 2, steps=0), "steps must be at least 1"),
    "workers": (lambda out: pathei.collect(out, 2, workers="x"), "workers must be a whole number, not 'x'"),
    "no tasks": (lambda out: pathei.collect(out, []), "no task to play: give at least one"),
    "options as a number": (
        lambda out: pathei.make_env("virtualhome").reset(options=5),
        "options by name, as a dict, not 5",
    ),
    "no snapshot": (lambda out: pathei.envs.restore(pathei.make_env("taxi"), "x"), "what `snapshot` returned, not 'x'"),
    "no collector": (lambda out: pathei.collect(out, 2, None), "collector is given by its name, a text, not by None"),
    "no store": (lambda out: pathei.collect(None, 2), "store is given by its path, a text or a Path, not by None"),
    "no memory": (lambda out: pathei.open_memory(None), "memory is given by its path"),
    "no run": (lambda out: pathei.evaluate(3), "run is given by its path"),
    "no loop": (lambda out: pathei.run_loop(None), "loop is given by its path"),
    "an agent of no name": (lambda out: pathei.make_agent(None, TASK), r"agent \(MODULE:CLASS .*not by None"),
    "a goal as text": (lambda out: pathei.Task("a", "virtualhome", 0, "turn on the lamp"), r"goal of a Task is a Goal"),
    "a seed as text": (lambda out: dataclasses.replace(TASK, seed="1"), "seed of a Task is a whole number, not '1'"),
    "no goal text": (lambda out: Goal(None), "text of a Goal is a text, not None"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_of_the_wrong_type_is_refused_in_a_sentence_and_nothing_is_made(tmp_path: Path, wrong: str) -> None:
    call, sentence = WRONG[wrong]
    with pytest.raises(pathei.PatheiError, match=sentence) as refused:
        call(tmp_path / "runs")
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["random", "skills:", "carrier", "human"])
def test_an_agent_acts_on_records_and_says_so(name: str) -> None:
    agent = RandomCarryAgent() if name == "carrier" else pathei.make_agent(name, TASK)
    for seen, goal in (("It is dark.", Goal("light")), (Observation("It is dark."), "light")):
        with pytest.raises(pathei.PatheiError, match="acts on an Observation and a Goal, not on"):
            agent.act(seen, goal)


def test_what_is_no_collector_and_no_task_is_refused(tmp_path: Path) -> None:
    with pathei.ExperienceStore.open(tmp_path) as store:
        with pytest.raises(pathei.PatheiError, match="None is no collector"):
            collect(store, [TASK], None)
        with pytest.raises(pathei.PatheiError, match="What is played is a Task, not 'a'"):
            collect(store, ["a"], make_explorer())  # type: ignore[list-item]
