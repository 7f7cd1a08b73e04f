"""The terminal's graph facts, the words of its commands, and what is learned from them."""

import shutil
from pathlib import Path

import pytest

from pathei.envs.facts import Action
from pathei.envs.terminal.files import FileNode
from pathei.envs.terminal.graph import node_of, path_of, read_tree
from pathei.envs.terminal.tasks.generate import generate_tasks
from pathei.envs.terminal.verbalizer import TerminalVerbalizer
from pathei.experience import Trajectory
from pathei.tests.support.learning import assert_facts_follow, corpus, demonstrated, listed_goals, mined, plan_succeeds

needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="there is no bubblewrap")


def test_files_are_nodes_inside_directories() -> None:
    tree = {
        "home/agent": FileNode("dir", 0o755, 0, ""),
        "home/agent/app": FileNode("dir", 0o755, 0, ""),
        "home/agent/app/run.sh": FileNode("file", 0o755, 3, "abc"),
        "etc/hosts": FileNode("file", 0o644, 3, "abc"),
    }
    graph = read_tree(tree, "/home/agent", "/home/agent/app")
    script, app = node_of("run.sh"), node_of("app")
    assert graph.states[script] == {"FILE", "EXECUTABLE"}
    assert graph.has(script, "INSIDE", app)
    assert graph.has(graph.characters[0], "INSIDE", app)
    assert path_of(graph, "run.sh") == "app/run.sh"
    assert "hosts" not in graph.kinds.values()


def test_commands_are_taken_apart() -> None:
    read = TerminalVerbalizer().read_action
    moved = Action("MV", ("offer.txt", "done"), (node_of("offer.txt"), node_of("done")))
    assert read("mv inbox/offer.txt done") == read("mv inbox/offer.txt done/offer.txt") == moved
    chmod, grep = read("chmod 755 app/run.sh"), read("grep -c word 'my file.txt' > n.txt")
    assert chmod is not None
    assert chmod[:2] == ("CHMOD_755", ("run.sh",))
    assert grep is not None
    assert grep[:2] == ("GREP_C_WRITE", ("my file.txt", "n.txt"))
    assert read("echo 'oops") is None


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    chosen = ("make-executable", "file-offer", "tidy-inbox", "archive-day", "move-old")
    return demonstrated([task for task in generate_tasks(50, 4) if task.id.rpartition("/")[2] in chosen])


@needs_bwrap
@pytest.mark.integration
def test_the_graph_follows_the_files(played: list[Trajectory]) -> None:
    assert all(trajectory.success for trajectory in played)
    for trajectory in played:
        assert_facts_follow(trajectory)


@needs_bwrap
@pytest.mark.integration
def test_the_curriculum_corpora_skills_and_plans(played: list[Trajectory], tmp_path: Path) -> None:
    names = listed_goals(next(one.task for one in played if "make-executable" in one.task.id))
    assert "run.sh EXECUTABLE" in names
    assert "not run.sh INSIDE app" in names
    assert corpus(played)
    assert any("EXECUTABLE" in text or "executable" in text for text in mined(played, tmp_path))
    assert all(plan_succeeds(trajectory.task) for trajectory in played)
