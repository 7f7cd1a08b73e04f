"""The command line as a user meets it: what is printed, where, and with which exit status. Nothing here is mocked."""

import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import orjson
import pytest

import pathei
from pathei.cli import main
from pathei.cli.aliases import replace_old_options
from pathei.cli.table import COMMANDS, PERFORMED_BY, load
from pathei.collectors.tasks import write_tasks
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.experience import Failure, Trajectory
from pathei.store import ExperienceStore
from pathei.tests.support.lantern import lantern_task, lantern_tasks

HEAVY = ("gymnasium", "numpy", "pyarrow", "torch", "transformers")


def pathei_in_a_process(*args: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pathei.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_help_is_printed_in_any_encoding(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = pathei_in_a_process("--help", env=environment)
    assert done.returncode == 0, done.stderr
    assert "* demo" in done.stdout


@pytest.fixture
def tasks_file(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    write_tasks(path, lantern_tasks(6))
    return path


@pytest.fixture
def store(tmp_path: Path, tasks_file: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A store with six episodes."""
    path = tmp_path / "store"
    assert main(["collect", str(path), "--tasks", str(tasks_file), "--workers", "0", "--steps", "8"]) == 0
    capsys.readouterr()
    return path


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom pathei.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(' '.join(name for name in {HEAVY} if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "collect" in done.stdout


@pytest.mark.parametrize(
    "command", ["demo", "run", "collect", "store info", "store show", "store export", "env doctor", "learn", "eval"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"usage: pathei {command}" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pathei {pathei.__version__}\n"


def test_worlds_and_data_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "list"]) == 0
    assert "pathei/VirtualHome-v0" in capsys.readouterr().out
    assert main(["env", "doctor", "virtualhome"]) == 0
    assert "generated houses" in capsys.readouterr().out
    assert main(["data", "list"]) == 0
    assert "robothow" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["env", "doctor", "virtualhom"], "did you mean 'virtualhome'?"),
        (["data", "get", "robothau"], "did you mean 'robothow'?"),
        (["collect", "{tmp}/s", "--tasks", "{tmp}/none"], "neither a number, nor one of robothow, "),
        (
            ["collect", "{tmp}/s", "--tasks", "{tmp}/bad"],
            "line 2: 'id' is 3 and should be a text; line 2: it lacks a goal",
        ),
        (["collect", "{tmp}/s", "--steps", "0", "--workers", "-1"], "workers must be at least 0; steps must be"),
        (["collect", "{tmp}/s", "--characters", "9"], "1 to 4 characters live in it, not 9"),
        (["run", "--characters", "5"], "1 to 4 characters live in it, not 5"),
        (["collect", "{tmp}", "--tasks", "{tmp}/good"], "is not an experience store"),
        (["store", "info", "{tmp}/nowhere"], "nowhere"),
        (["run", "--tasks", "{tmp}/good", "--task", "lantern-x"], "There is no task 'lantern-x'"),
        (["run", "--scene", "house:7"], "no demonstration for another scene"),
        (["run", "--script", "{tmp}/none", "--tasks", "{tmp}/good"], "cannot be read"),
        (["collect", "{tmp}/s", "--timeout", "0"], "timeout must be a finite number of seconds above 0"),
        (["collect", "{tmp}/s", "--timeout", "nan"], "timeout must be a finite number of seconds above 0"),
        (["eval", "{tmp}/nowhere"], "Nothing is at {tmp}/nowhere"),
        (["learn", "{tmp}/none.jsonl", "--out", "{tmp}/run"], "holds no examples to learn from"),
        (["run", "--env", "minedojo"], "has no demonstrations: choose another agent or collector."),
    ],
)
def test_what_is_refused_is_one_line_on_stderr(
    args: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tasks(tmp_path / "good", lantern_tasks(2))
    (tmp_path / "none.jsonl").touch()
    (tmp_path / "bad").write_bytes((tmp_path / "good").read_bytes().splitlines()[0] + b'\n{"id": 3}\n')
    assert main([arg.format(tmp=tmp_path) for arg in args]) == 2
    shown = capsys.readouterr()
    assert says.format(tmp=tmp_path) in shown.err
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    assert "\x1b" not in shown.err


def test_collecting_fills_a_store_and_says_with_what(store: Path, tasks_file: Path) -> None:
    with ExperienceStore.open(store, mode="read") as opened:
        assert sorted(one.task.id for one in opened.trajectories()) == [f"lantern-{n}" for n in range(6)]
        (session,) = opened.info().sessions
    assert session.config["steps"] == 8
    assert session.config["strategy"] == "novelty"
    assert session.seeds == (0,)
    assert session.versions["pathei"] == pathei.__version__


def test_collecting_again_plays_only_what_is_left(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = tmp_path / "more.jsonl"
    write_tasks(more, [*lantern_tasks(8), lantern_task(8, trap="step raise")])
    assert main(["collect", str(store), "--tasks", str(more), "--workers", "0"]) == 0
    shown = capsys.readouterr()
    assert "6 of 9 tasks are done already; 3 are left." in shown.out
    assert "1 x step: RuntimeError: the lamp oil is empty" in shown.err
    with ExperienceStore.open(store, mode="read") as opened:
        assert len(opened) == 8
        assert [failure.stage for failure in opened.failures()] == ["step"]


def test_if_every_task_fails_the_status_says_so(tmp_path: Path) -> None:
    tasks = tmp_path / "tasks"
    write_tasks(tasks, lantern_tasks(2, trap="reset raise"))
    assert main(["collect", str(tmp_path / "s"), "--tasks", str(tasks), "--workers", "0"]) == 1


def test_a_store_is_described_listed_shown_and_exported(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "info", str(store), "--coverage", "--verify"]) == 0
    shown = capsys.readouterr().out
    assert "explore 6" in shown
    assert "distinct effects" in shown
    assert "checksum" in shown
    assert main(["store", "show", str(store), "--limit", "2"]) == 0
    shown = capsys.readouterr().out
    assert "light all lamps" in shown
    assert "4 more" in shown
    with ExperienceStore.open(store, mode="read") as opened:
        episode = next(opened.trajectories())
    assert main(["store", "show", str(store), episode.id]) == 0
    shown = capsys.readouterr().out
    assert all(step.action in shown for step in episode.steps)
    out = tmp_path / "out.jsonl"
    assert main(["store", "export", str(store), str(out), "--format", "chat"]) == 0
    assert "6 episodes" in capsys.readouterr().out
    assert len(out.read_bytes().splitlines()) == 6
    assert main(["store", "export", str(store), str(out), "--format", "chat"]) == 2
    # Without a format, the ending of the name says which.
    assert main(["store", "export", str(store), str(tmp_path / "more.jsonl")]) == 0
    assert (tmp_path / "more.jsonl").read_bytes() == out.read_bytes()
    assert main(["store", "export", str(store), str(tmp_path / "steps.parquet")]) == 0
    assert (tmp_path / "steps.parquet").read_bytes()[:4] == b"PAR1"
    assert main(["store", "export", str(store), str(tmp_path / "mine.foo")]) == 2
    assert "say so with --format" in " ".join(capsys.readouterr().err.split())


def test_an_agent_can_be_watched(tmp_path: Path, tasks_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script"
    script.write_text("go right\nfly away\nlight lamp (1)\n")
    where = ["--tasks", str(tasks_file), "--task", "lantern-0"]
    assert main(["run", *where, "--script", str(script)]) == 0
    shown = capsys.readouterr().out
    assert "refused: You cannot fly away" in shown
    assert "You are in room 1." in shown
    assert "3 steps, 1 refused" in shown
    assert main(["run", *where, "--agent", "random", "--steps", "4", "--goal", "wander about"]) == 0
    assert "Goal: wander about" in capsys.readouterr().out


def test_a_generated_task_comes_with_a_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--seed", "5"]) == 0
    assert "The goal is reached" in capsys.readouterr().out
    assert main(["run", "--scene", "house:3", "--agent", "random", "--characters", "2", "--steps", "2"]) == 0
    assert "2 steps" in capsys.readouterr().out


def test_a_human_can_act_through_a_pipe(tasks_file: Path) -> None:
    done = pathei_in_a_process("run", "--agent", "human", "--tasks", str(tasks_file), input="?\n1\nq\n")
    assert done.returncode == 0, done.stderr
    assert "go right" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_reader_that_has_enough_is_no_error(store: Path) -> None:
    command = f"{shlex.join([sys.executable, '-m', 'pathei.cli', 'store', 'show', str(store)])} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("workers", ["0", "2"])
def test_ctrl_c_says_what_is_kept_and_how_to_go_on(tmp_path: Path, workers: str) -> None:
    tasks, path = tmp_path / "tasks", tmp_path / "store"
    write_tasks(tasks, lantern_tasks(500, rooms=12, delay=0.005))
    command = [sys.executable, "-m", "pathei.cli", "collect", str(path), "--tasks", str(tasks), "--workers", workers]
    errors = _stop_at_first_episode(command, path)
    with ExperienceStore.open(path, mode="read") as store:
        assert f"Stopped: {len(store)} of 500 tasks are kept" in errors
    assert "Run the same command again" in errors
    assert "Traceback" not in errors


def test_the_first_of_many_generated_tasks_is_played_before_the_last_is_made(tmp_path: Path) -> None:
    path = tmp_path / "store"
    # To make all of these tasks takes over an hour.
    command = [sys.executable, "-m", "pathei.cli", "collect", str(path), "mcts", "--tasks", "1000000", "--workers", "0"]
    errors = _stop_at_first_episode(command, path)
    with ExperienceStore.open(path, mode="read") as store:
        assert f"Stopped: {len(store)} tasks of 'mcts' are kept" in errors
        first = next(store.trajectories()).task
    assert first == generate_tasks(1, 0)[0]


def _stop_at_first_episode(command: Sequence[str], path: Path) -> str:
    """Run a collection until its store holds something, then press Ctrl-C; return what it wrote to stderr."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list(path.glob("journal-*.log")) or next(path.glob("journal-*.log")).stat().st_size == 0:
        assert process.poll() is None
    # As a terminal does it: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    return errors


def test_the_demo_runs_twice_in_a_row_and_touches_no_other_store(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["demo", "--out", str(tmp_path / "demo"), "--episodes", "6", "--workers", "0", "--no-learn"]
    for _ in range(2):
        assert main(args) == 0
        shown = capsys.readouterr().out
        assert "The goal is reached" in shown
        assert "distinct effects" in shown
    with ExperienceStore.open(tmp_path / "demo" / "novelty", mode="read") as opened:
        assert len(opened) == 6
        assert len(opened.info().sessions) == 1
    store.rename(tmp_path / "uniform")
    assert main(["demo", "--out", str(tmp_path), "--episodes", "6", "--workers", "0", "--no-learn"]) == 2
    assert "was not made by a demo" in capsys.readouterr().err
    with ExperienceStore.open(tmp_path / "uniform", mode="read") as opened:
        assert len(opened) == 6


def test_tasks_are_what_a_store_gives_back(store: Path, tasks_file: Path) -> None:
    with ExperienceStore.open(store, mode="read") as opened:
        kept = sorted((one.task for one in opened.trajectories()), key=lambda task: task.id)
    assert b"".join(orjson.dumps(task) + b"\n" for task in kept) == tasks_file.read_bytes()
    assert not isinstance(kept[0], Failure | Trajectory)


def test_a_wish_is_planned_shown_and_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "open the fridge", "--simulations", "500"]) == 0
    told = capsys.readouterr().out
    assert "simulations" in told
    assert "[Open] <fridge>" in told
    assert "The goal is reached." in told


def test_a_wish_that_cannot_be_checked_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "dance a tango"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_searched_plans_are_collected_and_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "plans")
    args = ["collect", out, "mcts", "--simulations", "300", "--tasks", "6", "--workers", "0"]
    assert main(args) == 0
    assert main(args) == 0
    assert "6 of 6 tasks were done already" in capsys.readouterr().out
    with ExperienceStore.open(out, mode="read") as plans:
        assert all(trajectory.collector == "mcts" for trajectory in plans.trajectories())


def test_a_curriculum_is_collected_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "study")
    args = ["collect", out, "curriculum", "--seed", "1"]
    assert main([*args, "--tasks", "4"]) == 0
    assert main([*args, "--tasks", "6"]) == 0
    with ExperienceStore.open(out, mode="read") as studied:
        lived = [trajectory.task.id for trajectory in studied.trajectories()]
    assert [id_.split("/")[1][:6] for id_ in lived] == [f"{number:06d}" for number in range(6)]
    capsys.readouterr()
    assert main(["store", "export", out, str(tmp_path / "results"), "--format", "results"]) == 2
    assert "chose its own goals" in capsys.readouterr().err


def test_a_curriculum_makes_its_attempts_where_tasks_say(tmp_path: Path) -> None:
    tasks = generate_tasks(3, 5)
    write_tasks(tmp_path / "tasks.jsonl", tasks)
    args = ["collect", str(tmp_path / "s"), "curriculum", "--tasks", str(tmp_path / "tasks.jsonl")]
    assert main(args) == 0
    assert main(args) == 0
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        played = [one.task for one in store.trajectories()]
    assert [one.options["scene"] for one in played] == [one.options["scene"] for one in tasks]
    assert not {one.goal.text for one in played} & {one.goal.text for one in tasks}


def test_a_curriculum_begins_with_what_others_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By `--recall`, again when it goes on; its own store and one without attempts are refused."""
    first, later, bare = (str(tmp_path / name) for name in ("first", "later", "bare"))
    assert main(["collect", first, "curriculum", "--tasks", "6"]) == 0
    args = ["collect", later, "curriculum", "--recall", first]
    assert main([*args, "--tasks", "3"]) == 0
    assert main([*args, "--tasks", "5"]) == 0
    goals = []
    for path in (first, later):
        with ExperienceStore.open(path, mode="read") as store:
            goals.append([one.task.goal.text for one in store.trajectories() if path == later or one.success])
    assert len(goals[1]) == 5
    assert goals[0]
    assert not {*goals[0]} & {*goals[1]}
    capsys.readouterr()
    assert main(["collect", first, "curriculum", "--recall", first, "--tasks", "7"]) == 2
    assert "goes on by itself" in capsys.readouterr().err
    assert main(["collect", bare, "--tasks", "1", "--workers", "0"]) == 0
    assert main(["collect", str(tmp_path / "x"), "curriculum", "--recall", bare, "--tasks", "1"]) == 2
    assert "holds no attempts of a curriculum in virtualhome" in capsys.readouterr().err


def test_a_proposing_model_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["collect", str(tmp_path / "x"), "curriculum", "--proposer", "lm:", "--tasks", "1"]
    assert main(args) == 2
    assert "lm:MODEL" in capsys.readouterr().err


def test_a_curriculum_needs_an_environment_with_goals_and_one_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["collect", str(tmp_path / "x"), "curriculum", "--tasks", "1"]
    assert main([*args, "--env", "touchdown"]) == 2
    assert "has no `EnvSpec.goal_space`" in capsys.readouterr().err
    assert main([*args, "--workers", "2"]) == 2
    assert "one process" in capsys.readouterr().err


def test_old_spellings_of_collecting_work_and_say_the_new_one(
    tmp_path: Path, tasks_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["collect", str(tmp_path / "s"), "--collector", "explore", "--simulations", "9", "--world", "touchdown"]
    assert main([*args, "--tasks", str(tasks_file), "--workers", "0", "--steps", "2"]) == 0
    told = capsys.readouterr().err
    assert "pathei collect STORE explore" in told
    assert "--world is now called --env" in told
    old = "collect s --collector=curriculum --proposer model --model local:m --player search --name n".split()
    new, notes = replace_old_options(old)
    assert new == "collect curriculum s --proposer lm:local:m --policy search --record-as n".split()
    assert len(notes) == 4


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    for name, (target, what) in COMMANDS.items():
        assert load(target).__doc__.startswith(what), name


def test_every_command_is_performed_by_a_function() -> None:
    def leaves(form: Any) -> Iterator[type]:
        hint = get_type_hints(form).get("command")
        if hint is None:
            yield form
        for member in get_args(hint):
            yield from leaves(member)

    found = {leaf.__name__ for target, _ in COMMANDS.values() for leaf in leaves(load(target))}
    assert found == set(PERFORMED_BY)
    assert all(callable(load(target)) for target in PERFORMED_BY.values())


def test_the_hub_s_retries_are_not_printed() -> None:
    pytest.importorskip("huggingface_hub")
    code = "import pathei.cli.console as c; c.tame_libraries(); from huggingface_hub.utils import logging as l; "
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_VERBOSITY"}
    said = subprocess.check_output([sys.executable, "-c", f"{code}print(l.get_verbosity())"], env=environment)
    assert int(said) == logging.ERROR
