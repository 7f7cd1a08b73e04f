"""The closed loop: what is learned helps on held-out tasks, nothing is learned from those; it survives `kill -9`."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import combinations, islice
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from pathei.agents.registry import AgentMaker
from pathei.cli import main
from pathei.envs.registry import get_verbalizer
from pathei.envs.web.browser.browser import Browser
from pathei.envs.web.browser.page import Page, PageConfig
from pathei.errors import ConfigError
from pathei.learners.config import LearnConfig
from pathei.learners.evaluation.intervals import Interval
from pathei.learners.run_directory import settle
from pathei.loop.config import LoopConfig
from pathei.loop.learning import KIND, lessons
from pathei.loop.results import LoopResult, LoopScore
from pathei.loop.run import RESULT, run_loop
from pathei.loop.tasks import SEEN, UNSEEN, held_out_tasks, scenes, training_tasks
from pathei.loop.workspace import BASE, BOTH, MEMORY, NOTHING, PLAIN, PROMPTED, WEIGHTS, LoopWorkspace
from pathei.memory.opening import open_memory
from pathei.store import ExperienceStore
from pathei.views.loop_page import write_page
from pathei.views.loop_table import comparisons, loop_table, rounds_table

QUIET = Console(file=open(os.devnull, "w"), width=120)  # noqa: SIM115  # as long as the process
SMALL = LoopConfig(learn="memory", rounds=2, tasks=16, proposed=8, explored=6, held_out=6, workers=0)
KILLS = 4


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoopResult]:
    """A loop that learns into a memory."""
    out = tmp_path_factory.mktemp("loop") / "small"
    return out, run_loop(out, SMALL, QUIET)


def printed(console_width: int, *parts: object) -> str:
    console = Console(width=console_width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    for part in parts:
        console.print(part)
    return console.export_text()


# --- what it does


def test_a_memory_helps_on_tasks_that_nobody_has_seen(small: tuple[Path, LoopResult]) -> None:
    _, found = small
    assert found.rounds == [0, 1, 2]
    assert found.groups == [SEEN, UNSEEN]
    with_it, without = found.success(MEMORY, 2), found.success(NOTHING, 0)
    assert with_it is not None
    assert without is not None
    assert with_it.value >= 2 * without.value
    assert with_it.value >= 0.4
    assert found.success(MEMORY, 1) is not None
    assert 0 <= found.alone[2, 0] <= 1


def test_held_out_tasks_are_never_learned_from(small: tuple[Path, LoopResult]) -> None:
    out, _ = small
    place = LoopWorkspace(out, SMALL, 0)
    held_out = {task.id for group in place.held_out_tasks().values() for task in group}
    with ExperienceStore.open(place.store, mode="read") as store:
        played = list(store.trajectories())
    assert not held_out & {one.task.id for one in played}
    houses = {one.task.options["scene"] for one in played}
    assert not houses & {task.options["scene"] for group in place.held_out_tasks().values() for task in group}
    with open_memory(place.memory, mode="read") as memory:
        assert {item.draft.source.trajectory for item in memory.items()} <= {one.id for one in played}


def test_the_agent_that_has_learned_plays_the_next_round_and_search_the_rest(
    small: tuple[Path, LoopResult],
) -> None:
    out, found = small
    place = LoopWorkspace(out, SMALL, 0)
    first, second = ({task.id for task in place.tasks(number)} for number in (1, 2))
    with ExperienceStore.open(place.store, mode="read") as store:
        played = list(store.trajectories())
    ways = ("agent", "mcts", "explore", "curriculum")
    by = {name: {one.task.id for one in played if one.collector == name} for name in ways}
    assert by["agent"] == second
    reached = {one.task.id for one in played if one.collector == "agent" and one.success}
    assert len(reached) == round(found.alone[2, 0] * len(second))
    assert by["mcts"] <= first | (second - reached)
    assert by["explore"] == {task.id for task in place.explored()}
    assert len(by["curriculum"]) == 2 * SMALL.proposed
    assert len(place.collected(played, 1)) == SMALL.explored + SMALL.tasks + SMALL.proposed
    assert place.collected(reversed(played), 2) == place.collected(played, 2)


def test_run_again_it_changes_nothing_and_says_the_same(small: tuple[Path, LoopResult]) -> None:
    out, found = small
    place = LoopWorkspace(out, SMALL, 0)
    before = (len(ExperienceStore.open(place.store, mode="read")), (out / RESULT).read_bytes())
    assert run_loop(out, SMALL, QUIET) == found
    assert (len(ExperienceStore.open(place.store, mode="read")), (out / RESULT).read_bytes()) == before


def test_a_moved_run_goes_on_with_what_moved_with_it(tmp_path: Path) -> None:
    def config(place: Path, **other: str) -> LearnConfig:
        first = place / "round-1" / "ewc"
        return LearnConfig(
            place / "round-2", init_from=str(first / "model"), fisher=first / "fisher.safetensors", **other
        )

    (tmp_path / "loop" / "round-2").mkdir(parents=True)
    settle(tmp_path / "loop" / "round-2", config(tmp_path / "loop"))
    (tmp_path / "loop").rename(tmp_path / "moved")
    settle(tmp_path / "moved" / "round-2", config(tmp_path / "moved"))
    with pytest.raises(ConfigError, match="method = 'finetune', and now it is 'ewc'"):
        settle(tmp_path / "moved" / "round-2", config(tmp_path / "moved", method="ewc"))
    with pytest.raises(ConfigError, match="init_from"):
        settle(tmp_path / "moved" / "round-2", dataclasses.replace(config(tmp_path / "moved"), init_from="other"))


def test_another_loop_in_the_same_directory_is_refused(small: tuple[Path, LoopResult]) -> None:
    out, _ = small
    with pytest.raises(ConfigError, match="rounds = 2, and now it is 3"):
        run_loop(out, dataclasses.replace(SMALL, rounds=3), QUIET)


def test_both_ways_of_learning_stand_side_by_side_with_what_was_forgotten(tmp_path: Path) -> None:
    """With a model of a few thousand weights: that everything is done and told, not that it is done well."""
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    from pathei.learners.config import ReferenceConfig
    from pathei.learners.models.base import BaseRecipe, quietly, train_base
    from pathei.learners.training.config import TrainingConfig
    from pathei.tests.support.tiny_language import OLD

    recipe = BaseRecipe(layers=1, width=32, heads=2, vocabulary=400, context=256, steps=2, batch=2)
    model, tokenizer = train_base(tuple(OLD) * 40, recipe)
    with quietly():
        model.save_pretrained(tmp_path / "base")
        tokenizer.save_pretrained(tmp_path / "base")
    (tmp_path / "old.txt").write_text("\n".join(OLD))
    config = LoopConfig(
        rounds=1,
        tasks=8,
        proposed=4,
        explored=2,
        held_out=2,
        steps=8,
        workers=0,
        model=str(tmp_path / "base"),
        training=TrainingConfig(steps=3, batch_size=4, precision="fp32"),
        reference=ReferenceConfig(sequence_length=12, fisher_sequences=6),
        texts=(tmp_path / "old.txt",),
        held_out_texts=(tmp_path / "old.txt",),
    )
    found = run_loop(tmp_path / "loop", config, QUIET)
    assert found.rows() == [BASE, PROMPTED, WEIGHTS, BOTH, PLAIN, NOTHING, MEMORY]
    assert found.rows(0) == [BASE, NOTHING]
    for row in (WEIGHTS, PLAIN):
        assert found.language(row, 1) is not None
        assert found.tokens(row, 1) > 0
    assert found.language(MEMORY, 1) is None
    assert not any(score.failures for score in found.scores)
    arms = {frozenset(pair) for pair in combinations((BASE, PROMPTED, WEIGHTS, BOTH), 2)}
    assert arms < {frozenset((first, second)) for first, second, _ in found.paired()}
    assert found.forgetting() is not None
    told = {row for row, _ in found.foretold}
    assert told == ({BASE, WEIGHTS, PLAIN} if any(any(score.success) for score in found.scores) else set())
    saved = orjson.loads((tmp_path / "loop" / RESULT).read_bytes())
    assert [row["agent"] for row in saved["table"]] == [BASE, NOTHING, PROMPTED, WEIGHTS, BOTH, PLAIN, MEMORY]
    page = write_page(tmp_path / "loop", config, found).read_text()
    assert "<svg" in page
    # What plays in the end is named, and can be had by its name.
    for actor in LoopWorkspace(tmp_path / "loop", config, 0).actors(1):
        AgentMaker(actor.agent).prepare()
    # A loop that was moved goes on where it is: what is missing is tuned again from what moved with it.
    (tmp_path / "loop").rename(tmp_path / "moved")
    place = LoopWorkspace(tmp_path / "moved", config, 0)
    shutil.rmtree(place.run(1, config.against) / "model")
    again = run_loop(tmp_path / "moved", config, QUIET)
    assert again.scores == found.scores
    assert again.foretold == found.foretold
    assert not (tmp_path / "loop").exists()


def test_what_a_memory_shows_is_learned_with_by_the_agent_that_will_be_shown_it(
    small: tuple[Path, LoopResult],
) -> None:
    out, _ = small
    noted, bare, without = (
        lessons(LoopWorkspace(out, dataclasses.replace(SMALL, learn=learn, notes=notes), 0), 2)
        for learn, notes in (("both", 1.0), ("both", 0.0), ("weights", 1.0))
    )
    assert bare == without  # where nothing is remembered, nothing is shown
    assert {one.kind for one in bare} == {KIND}
    plans, places = ([one for one in noted if (one.kind == KIND) == wanted] for wanted in (True, False))
    assert [one.turns[-2:] for one in plans] == [one.turns[-2:] for one in bare]
    assert 0 < len(places) <= len(plans) // 4
    assert all(turn.text.startswith("What is known:") for one in places for turn in one.turns if turn.role == "user")
    assert sum(len(one.turns) == 6 for one in plans) > len(plans) / 2  # two plans of the memory, and its own
    with pytest.raises(ConfigError, match="notes must be from 0 to 1"):
        dataclasses.replace(SMALL, notes=1.5)


# --- kill -9


def test_killed_at_any_moment_it_goes_on_and_comes_to_the_same(small: tuple[Path, LoopResult], tmp_path: Path) -> None:
    whole, _ = small
    out = tmp_path / "killed"
    code = (
        "import sys\nfrom pathlib import Path\nfrom pathei.tests.loop.test_loop import QUIET, SMALL, run_loop\n"
        "run_loop(Path(sys.argv[1]), SMALL, QUIET)\n"
    )
    rng = random.Random(0)
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", code, str(out)])
        deadline = time.monotonic() + rng.uniform(1.5, 6.0)
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    run_loop(out, SMALL, QUIET)
    assert orjson.loads((out / RESULT).read_bytes()) == orjson.loads((whole / RESULT).read_bytes())
    for name in ("store", "held-out"):
        with ExperienceStore.open(out / "seed-0" / name, mode="read") as store:
            ids = [one.id for one in store.trajectories()]
        with ExperienceStore.open(whole / "seed-0" / name, mode="read") as store:
            assert sorted(ids) == sorted(one.id for one in store.trajectories())
    with open_memory(out / "seed-0" / "store") as memory:
        assert memory.problems() == []


# --- what is shown


def made_up(*rows: tuple[str, int, float], groups: tuple[str, ...] = (SEEN, UNSEEN)) -> LoopResult:
    """Return a result with these success rates, of 20 tasks a group and 2 seeds."""
    scores = [
        LoopScore(row, number, seed, group, tuple(n < 20 * rate for n in range(20)), (4,) * int(20 * rate), 100, 0)
        for row, number, rate in rows
        for seed in (0, 1)
        for group in groups
    ]
    lost = {(WEIGHTS, 1, seed): Interval(0.5 + seed / 10, 0.4, 0.6) for seed in (0, 1)}
    lost |= {(PLAIN, 1, seed): Interval(2.0, 1.9, 2.1) for seed in (0, 1)}
    return LoopResult(tuple(scores), lost, {(2, 0): 0.5})


def test_tables_tell_every_agent_after_its_last_round() -> None:
    found = made_up(
        (NOTHING, 0, 0.1), (BASE, 0, 0.05), (MEMORY, 1, 0.5), (MEMORY, 2, 0.8), (WEIGHTS, 1, 0.3), (PLAIN, 1, 0.3)
    )
    text = printed(160, loop_table(found), rounds_table(found), *comparisons(found))
    assert "80% [" in text
    assert "+0.55 ±0.05" in text
    assert "only the first reached" in text
    for row in found.rows():
        assert row in text
    one = made_up((NOTHING, 0, 0.0), groups=("unseen tasks",))
    assert NOTHING in printed(160, loop_table(one))


def test_models_that_do_not_play_are_told_by_what_they_foretell_and_forget() -> None:
    played = made_up((NOTHING, 0, 0.1), (MEMORY, 1, 0.5))
    found = dataclasses.replace(played, foretold={(BASE, 0): 5.0, (BASE, 1): 6.0, (WEIGHTS, 0): 1.0, (WEIGHTS, 1): 1.5})
    assert found.rows() == [BASE, WEIGHTS, PLAIN, NOTHING, MEMORY]
    text = printed(160, loop_table(found), rounds_table(found), *comparisons(found))
    for shown in ("held-out plans", "5.50", "1.25", "+0.55", "+2.00"):
        assert shown in text
    assert {first for first, _, _ in found.paired()} == {MEMORY}
    assert found.json()["foretold"] == {BASE: 5.5, WEIGHTS: 1.25}
    assert "held-out plans" not in printed(160, loop_table(played))


def test_the_page_needs_nothing_from_elsewhere_and_shows_before_and_after(small: tuple[Path, LoopResult]) -> None:
    out, found = small
    page = write_page(out, SMALL, found).read_text()
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://matplotlib.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    assert "<script" not in page
    assert f"Before, with {NOTHING}" in page
    assert f"After, with {MEMORY}" in page
    assert "The goal is reached." in page
    assert "The goal is not reached." in page
    # A phone shows a row as a list, each value with the name of its column.
    assert page.count('data-column="steps to a goal"') == len(found.rows())


@pytest.mark.integration
def test_the_page_fits_a_phone(small: tuple[Path, LoopResult], chromium: str) -> None:
    out, found = small
    with Browser(chromium) as browser:
        config = PageConfig(width=390, height=800, frozen=False)
        page = Page(browser, browser.context(), config)
        page.open(write_page(out, SMALL, found).resolve().as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "none"


def test_wrong_settings_are_named_together() -> None:
    with pytest.raises(ConfigError, match=r"rounds must be at least 1; tasks must be at least 1"):
        LoopConfig(rounds=0, tasks=0)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("env", ["virtualhome", "touchdown", "shop"])
def test_held_out_tasks_share_nothing_with_training(env: str, split: bool) -> None:
    if env == "shop":
        pytest.importorskip("lxml")
    training = training_tasks(env, 30, 2, split=split)
    known = frozenset(task.id for task in training)
    groups = held_out_tasks(env, 6, 2, split=split, known=known)
    assert len(training) == 30
    assert groups
    assert not known & {task.id for tasks in groups.values() for task in tasks}
    if (split and env != "shop") or env == "virtualhome":
        verbalizer = get_verbalizer(env)
        assert not any(map(verbalizer.is_unseen_scene, training))
        assert all(map(verbalizer.is_unseen_scene, (task for tasks in groups.values() for task in tasks)))


def test_scenes_for_proposed_goals_have_no_goal_and_are_for_training() -> None:
    for env in ("virtualhome", "touchdown"):
        found = list(islice(scenes(env, 1), 50))
        assert not any(task.goal.text or task.goal.conditions for task in found)
        assert found[:4] == [task for task in found if task.id in {one.id for one in found[:4]}][:4]
        assert not any(map(get_verbalizer(env).is_unseen_scene, found))


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--learn",
        "memory",
        "--rounds",
        "1",
        "--tasks",
        "4",
        "--explored",
        "2",
        "--proposed",
        "3",
        "--held-out",
        "2",
    ]
    assert main(["loop", str(tmp_path / "loop"), *arguments, "--workers", "0", "--steps", "12"]) == 0
    shown = capsys.readouterr().out
    assert "goals reached" in shown
    assert (tmp_path / "loop" / "report.html").exists()
    assert main(["loop", str(tmp_path / "loop"), "--learn", "memory"]) == 2
    assert "rounds = 1, and now it is 2" in capsys.readouterr().err
    assert main(["memory", "query", str(tmp_path / "loop" / "seed-0" / "store"), "where are cups kept?"]) == 0
    assert "kept" in capsys.readouterr().out
