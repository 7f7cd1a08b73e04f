"""What only some collectors can do, from the command line: batches, several roots, a model's prior, other goals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pathei.cli import main
from pathei.collectors import make_searcher
from pathei.collectors.options import CurriculumOptions, PlaySettings
from pathei.collectors.registry import COLLECTORS, make_collector
from pathei.collectors.search.collector import MctsConfig
from pathei.collectors.search.config import SearchConfig
from pathei.collectors.tasks import write_tasks
from pathei.envs.registry import get_env
from pathei.errors import ConfigError
from pathei.experience import Record, Trajectory
from pathei.store import ExperienceStore
from pathei.tests.support.lantern import lantern_tasks


def collected(store: Path, *args: str) -> list[Trajectory]:
    """Collect, and return the trajectories without their branches."""
    assert main(["collect", str(store), *args]) == 0
    with ExperienceStore.open(store, mode="read") as opened:
        return [one for one in opened.trajectories() if one.parent is None]


def actions(records: list[Trajectory]) -> dict[str, list[str]]:
    """Return what was done for each task."""
    return {one.task.id: [step.action for step in one.steps] for one in records}


def test_a_model_plays_a_batch_as_it_plays_one_by_one_and_weighs_the_actions_of_a_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("transformers")
    from pathei.tests.support.tiny_language import save_tiny

    model = save_tiny(tmp_path / "model", n_positions=512)
    tasks = tmp_path / "tasks.jsonl"
    write_tasks(tasks, lantern_tasks(5))
    common = ["agent", "--agent", f"lm:{model}", "--tasks", str(tasks), "--steps", "4", "--lm.cut"]
    alone = collected(tmp_path / "alone", *common, "--workers", "0")
    together = collected(tmp_path / "together", *common, "--batch", "3")
    assert len(alone) == 5
    assert actions(together) == actions(alone)
    assert main(["collect", str(tmp_path / "no"), *common, "--batch", "3", "--workers", "2"]) == 2
    assert "one process" in capsys.readouterr().err
    search = ["mcts", "--simulations", "8", "--steps", "5", "--tasks", str(tasks), "--workers", "0"]
    [guided, *_] = collected(tmp_path / "guided", *search, "--prior", f"lm:{model}")
    assert guided.provenance["config"]["prior"] == f"lm:{model}"


def test_several_roots_spend_several_budgets_and_repeat_themselves(tmp_path: Path) -> None:
    args = ["mcts", "--simulations", "20", "--steps", "20", "--tasks", "2", "--workers", "0", "--env", "touchdown"]
    one = collected(tmp_path / "one", *args)
    three, again = (collected(tmp_path / name, *args, "--roots", "3") for name in ("three", "again"))
    assert actions(three) == actions(again)
    costs = [sum(one.provenance["search"]["simulations"] for one in records) for records in (one, three)]
    assert costs[0] < costs[1] <= 2 * 3 * 20
    with pytest.raises(ConfigError, match="keep_tree"):
        make_searcher(MctsConfig(SearchConfig(), keep_tree=True, roots=2))


@pytest.mark.parametrize("env", ["minigrid", pytest.param("terminal", marks=pytest.mark.integration)])
def test_a_curriculum_runs_where_an_environment_offers_goals(env: str) -> None:
    pytest.importorskip("minigrid")
    assert get_env(env).goal_space is not None
    play, options = PlaySettings(env=env, steps=8, seed=1), CurriculumOptions()
    records: list[Record] = []
    collector: Any = options.make(play)
    try:
        records += collector.collect(options.practice(play, 4))
    finally:
        collector.close()
    assert len(records) == 4
    assert all(isinstance(record, Trajectory) and record.task.goal.conditions for record in records), records


def test_collectors_are_made_by_name(tmp_path: Path) -> None:
    play = PlaySettings(steps=3, seed=2)
    for name in COLLECTORS.names():
        options = {"agent": "random"} if name == "agent" else {}
        made: Any = make_collector(name, play, **options)
        made.close()
