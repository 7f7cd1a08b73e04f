"""Task files: what they may leave out, and every problem at once; an own environment and agent on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pathei
from pathei.collectors.tasks import read_tasks, tasks_named, write_tasks
from pathei.envs.registry import NO_GOAL, get_env
from pathei.errors import ConfigError
from pathei.experience import Goal, Task
from pathei.tests.support.lantern import ID

OWN = """
import gymnasium
from pathei.envs import UnicodeText

class Lights(gymnasium.Env):
    observation_space = UnicodeText(100)
    action_space = UnicodeText(100)

    def _seen(self):
        left = 3 - self.lit
        return f"{left} lights are off", {"actions": ("press", "wait"), "success": not left}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.lit = 0
        return self._seen()

    def step(self, action):
        self.lit = min(3, self.lit + (action == "press"))
        text, info = self._seen()
        return text, float(info["success"]), info["success"], False, info

gymnasium.register("Lights-v0", entry_point="mytown:Lights", max_episode_steps=9)

class Presser:
    def act(self, observation, goal):
        return "press"
"""


def written(path: Path, *rows: object) -> Path:
    """Write rows as lines of JSON."""
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_all_but_the_goal_has_a_default(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.jsonl", {"goal": "be happy"}, "", {"goal": {"text": "sit"}, "seed": 4, "id": "x"})
    first, second = read_tasks(path, "virtualhome")
    assert first == Task("mine/1", "pathei/VirtualHome-v0", 0, Goal("be happy"))
    assert second == Task("x", "pathei/VirtualHome-v0", 4, Goal("sit"))


def test_goals_in_words_are_read_so_that_they_can_be_checked_and_searched_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(
        tmp_path / "mine.jsonl", {"goal": "open the fridge"}, {"goal": "fly to the moon"}, {"goal": {"text": "rest"}}
    )
    opened, flown, rested = read_tasks(path, "virtualhome")
    assert (opened.goal.text, len(opened.goal.conditions)) == ("open the fridge", 1)
    assert (flown.goal, rested.goal) == (Goal("fly to the moon"), Goal("rest"))
    assert "mine/2 is shown and not checked" in caplog.text
    report = pathei.collect(tmp_path / "store", [opened], "mcts", workers=0)
    assert report.coverage.successes == 1


def test_where_tasks_are_seeds_the_goal_may_be_missing_too(tmp_path: Path) -> None:
    path = written(tmp_path / "t", {"seed": 1}, {"seed": 2})
    tasks = tasks_named(str(path), get_env(ID))
    assert [(task.env, task.seed, task.goal) for task in tasks] == [(ID, 1, NO_GOAL), (ID, 2, NO_GOAL)]


def test_a_list_of_tasks_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps([{"goal": "a"}, {"goal": "b"}], indent=2), "utf-8")
    assert [task.id for task in read_tasks(tmp_path / "t.json", ID)] == ["t/1", "t/2"]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path / "bad",
        {"goal": "x", "optoins": {}},
        {"env": "minigird", "goal": 3, "seed": "7"},
        "not json",
        {"goal": "x", "id": "a", "seed": True},
        {"goal": "x", "id": "b"},
        {"goal": "x", "id": "b"},
        {"env": "virtualhome"},
        7,
    )
    with pytest.raises(ConfigError) as refused:
        read_tasks(path, ID)
    said = str(refused.value)
    for part in (
        "line 1: there is no field 'optoins'; did you mean 'options'?",
        "line 2: 'seed' is '7' and should be a whole number",
        "line 2: There is no environment 'minigird'; did you mean 'minigrid'?",
        "line 2: 3 is no goal",
        "line 3 is not JSON",
        "line 4: 'seed' is True",
        "line 6: its id 'b' is that of line 5 already",
        "line 7: it lacks a goal",
        "line 8 is no JSON object",
    ):
        assert part in said
    assert "line 5:" not in said


@given(
    st.lists(st.builds(Goal, st.text(min_size=1).filter(str.strip)), max_size=5),
    st.integers(-(2**60), 2**60),
    st.dictionaries(st.text(), st.integers(-9, 9)),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, goals: list[Goal], seed: int, options: dict[str, int]
) -> None:
    tasks = [Task(f"t{number}", ID, seed, goal, options) for number, goal in enumerate(goals)]
    path = tmp_path_factory.mktemp("tasks") / "tasks"
    write_tasks(path, tasks)
    assert read_tasks(path) == tasks


def test_an_own_environment_and_agent_are_found_where_one_is(tmp_path: Path) -> None:
    (tmp_path / "mytown.py").write_text(OWN, "utf-8")
    written(tmp_path / "tasks.jsonl", {"seed": 1}, {"seed": 2})
    script = tmp_path / "bin" / "pathei"
    script.parent.mkdir()
    script.write_text(
        "import sys\nfrom pathei.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n", "utf-8"
    )
    own = ["--env", "mytown:Lights-v0"]
    for args in (
        ["env", "doctor", "mytown:Lights-v0"],
        ["run", *own, "--agent", "mytown:Presser"],
        ["collect", "store", "agent", "--agent", "mytown:Presser", *own, "--tasks", "tasks.jsonl", "--workers", "1"],
        ["collect", "store", "explore", *own, "--tasks", "2", "--workers", "0"],
    ):
        done = subprocess.run(
            [sys.executable, str(script), *args], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    wrong = subprocess.run(
        [sys.executable, str(script), "run", "--env", "mytown:Light-v0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert wrong.returncode == 2
    assert "did you mean 'mytown:Lights-v0'?" in wrong.stderr
