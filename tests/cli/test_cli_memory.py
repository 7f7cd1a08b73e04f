"""`pathei memory` as a user meets it: a small store is collected, remembered, asked, and changed. Nothing is mocked."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pathei.cli import main
from pathei.cli.memory.commands import MemoryConsolidate, MemoryGroup
from pathei.collectors.tasks import write_tasks
from pathei.experience import Observation, Parent, Step, Trajectory
from pathei.memory.exchange.skill_files import write_skills
from pathei.memory.filling import BuildTally, fill_memory, import_skills
from pathei.memory.items import Draft, Filter, Item
from pathei.memory.opening import open_memory
from pathei.memory.upkeep import UpkeepConfig
from pathei.store import ExperienceStore
from pathei.tests.support.endpoint_server import Server
from pathei.tests.support.lantern import lantern_task, lantern_tasks

Shown = pytest.CaptureFixture[str]
COMMANDS = (
    "build", "query", "list", "show", "stats", "add", "update", "forget", "feedback", "consolidate", "compact", "check",
    "reembed", "export", "import", "serve",
)  # fmt: skip


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with demonstrations in a household, and its memory."""
    path = tmp_path_factory.mktemp("lived") / "home"
    play = ["collect", str(path), "scripted", "--tasks", "12", "--workers", "0"]
    assert main(play) == 0
    assert main(["memory", "build", str(path), "--embedder", "ngrams"]) == 0
    return path


@pytest.fixture
def home(lived: Path, tmp_path: Path) -> Path:
    """The same, for this test alone."""
    return Path(shutil.copytree(lived, tmp_path / "home"))


def lines_of(capsys: Shown, *args: str) -> list[dict[str, Any]]:
    """Run a command that prints JSON, and return its lines."""
    capsys.readouterr()
    assert main(["memory", *args, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_model_says_more_about_what_is_new(
    home: Path, tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, memory = Server("A cup is kept in the cupboard.\nI hope that helps!"), str(tmp_path / "told")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    build = ["memory", "build", str(home), memory, "--embedder", "ngrams", "--builders", "facts", "--model", "oracle"]
    try:
        assert main(build) == 0
        assert "Lines of oracle that could not be read" in capsys.readouterr().out
        asked = len(server.asked)
        assert asked >= 12
        assert main(build) == 0  # there is nothing new to say something about
        assert len(server.asked) == asked
    finally:
        server.close()
    with open_memory(memory, mode="read") as opened:
        said = [item.draft for item in opened.items(Filter(kinds=("fact",))) if item.draft.data.get("by") == "oracle"]
    assert [(draft.text, draft.confidence) for draft in said] == [("A cup is kept in a cupboard, a model says.", 0.5)]


def counts(capsys: Shown, memory: Path) -> dict[str, Any]:
    """Return the statistics of a memory."""
    return lines_of(capsys, "stats", str(memory))[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["memory", command, "--help"])
    assert ended.value.code == 0
    assert f"usage: pathei memory {command}" in capsys.readouterr().out


def test_help_names_all_of_them_and_the_defaults_are_the_librarys(capsys: Shown) -> None:
    with pytest.raises(SystemExit):
        main(["memory", "--help"])
    shown = capsys.readouterr().out
    assert all(f"• {command} " in shown for command in COMMANDS)
    assert MemoryGroup.__doc__
    told = MemoryConsolidate(Path("x"))
    assert UpkeepConfig(told.uses, told.utility, {"skill": told.skills}) == UpkeepConfig()


def test_a_question_is_answered_at_a_glance_and_for_programs(lived: Path, capsys: Shown) -> None:
    fact = lines_of(capsys, "list", str(lived), "--kind", "fact", "--limit", "1")[0]
    ask = ["query", str(lived), fact["text"], "--k", "3"]
    assert main(["memory", *ask]) == 0
    shown = capsys.readouterr().out
    for said in (
        fact["text"],
        fact["id"],
        f"seen {fact['seen']}",
        "helped 0",
        "harmed 0",
        "dense",
        "lexical",
        "cosine",
    ):
        assert said in shown
    hits = lines_of(capsys, *ask)
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert hits[0]["id"] == fact["id"]
    assert hits[0]["source"]["trajectory"].endswith("scripted-0")
    assert set(hits[0]["scores"]) == {"dense", "lexical", "cosine"}
    some = lines_of(capsys, "query", str(lived), "fridge", "--recency", "1", "--utility", "1", "--importance", "1")
    assert {"recency", "utility", "importance"} <= set(some[0]["scores"])
    short = lines_of(capsys, "query", str(lived), "fridge", "--k", "20", "--budget", "20")
    assert 0 < sum(len(hit["text"]) for hit in short) <= 80


def test_what_is_asked_for_can_be_narrowed(lived: Path, capsys: Shown) -> None:
    def found(*options: str) -> list[dict[str, Any]]:
        listed = lines_of(capsys, "list", str(lived), "--limit", "500", *options)
        asked = lines_of(capsys, "query", str(lived), "cup", "--k", "500", *options)
        assert {hit["id"] for hit in asked} <= {item["id"] for item in listed}
        assert bool(asked) == bool(listed)
        return listed

    whole = found()
    for kind in ("episode", "skill", "fact"):
        assert {item["kind"] for item in found("--kind", kind)} == {kind}
    assert found("--env", "virtualhome") == found("--env", "pathei/VirtualHome-v0") == whole
    assert found("--env", "pathei/Other-v0") == []
    assert found("--world", "pathei/Other-v0") == []  # the old spelling
    assert found("--success", "True", "--after", "2020-01-01", "--status", "any")
    assert found("--before", "2020-01-01") == found("--status", "retired") == found("--success", "False") == []
    goal = found("--kind", "episode")[0]["task"]
    assert {item["task"] for item in found("--task", goal)} == {goal}
    assert main(["memory", "list", str(lived), "--limit", "2"]) == 0
    assert f"{len(whole) - 2} more" in capsys.readouterr().out


def test_building_again_changes_nothing_and_says_so(home: Path, capsys: Shown) -> None:
    before = counts(capsys, home)
    assert before["trajectories"] == 12
    assert all(before["kinds"][kind]["active"] for kind in ("episode", "skill", "fact"))
    assert main(["memory", "build", str(home)]) == 0
    assert "0 episodes of the store were new, 12 known before" in capsys.readouterr().out
    # A transaction that changes nothing has a number, too.
    assert counts(capsys, home) | {"changes": 0} == before | {"changes": 0}


def test_only_what_is_asked_for_is_remembered(tmp_path: Path, capsys: Shown) -> None:
    path, memory = tmp_path / "store", tmp_path / "memory"
    step = Step(Observation("begin"), "wait", 0.0, terminated=True, info={"success": True})
    over, asleep = Observation("end"), Step(Observation("begin"), "lie down and sleep for a while", 0.0)
    sung = Step(Observation("begin"), "sing an old song about lanterns", 0.0, info={"success": True})
    roots = [Trajectory(f"root-{n}", lantern_task(n), (step,) * (n + 1), over, "tree") for n in range(2)]
    branch = Trajectory("branch", lantern_task(1), (sung,), over, "tree", Parent("root-1", 1))
    lost = Trajectory("lost", lantern_task(2), (asleep,), over, "tree")
    with ExperienceStore.open(path) as store:
        store.append(*roots, branch, lost)
    build = ["memory", "build", str(path), str(memory), "--embedder", "ngrams", "--builders", "episodes"]
    assert main([*build, "--success", "True"]) == 0
    assert [item["source"]["trajectory"] for item in lines_of(capsys, "list", str(memory))] == ["root-0", "root-1"]
    assert main([*build, "--branches"]) == 0
    shown = capsys.readouterr().out
    assert "2 episodes of the store were new, 2 known before" in shown
    items = {item["source"]["trajectory"]: item for item in lines_of(capsys, "list", str(memory))}
    assert set(items) == {"root-0", "root-1", "branch", "lost"}
    assert items["branch"]["data"]["actions"] == ["wait", sung.action]


def test_a_build_that_is_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, tasks = tmp_path / "store", tmp_path / "tasks"
    write_tasks(tasks, lantern_tasks(160))
    assert main(["collect", str(path), "--tasks", str(tasks), "--workers", "0", "--steps", "3"]) == 0
    build = ["memory", "build", str(path), str(tmp_path / "killed"), "--embedder", "ngrams"]
    # On a machine that is busy otherwise it may be done before it is killed: then once more.
    assert any(killed_midway(build, 160) for _ in range(9))
    assert main(build) == 0
    build[3] = str(tmp_path / "whole")
    assert main(build) == 0
    both = []
    for name in ("killed", "whole"):
        with open_memory(tmp_path / name) as memory:
            assert memory.problems() == []
            both.append([(item.id, item.seen, item.draft.text) for item in memory.items()])
    assert both[0] == both[1]


def killed_midway(build: list[str], whole: int) -> bool:
    """Build a new memory, kill the process as soon as something is committed, and tell whether it was not done."""
    folder = Path(build[3])
    shutil.rmtree(folder, ignore_errors=True)
    process = subprocess.Popen([sys.executable, "-m", "pathei.cli", *build], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until and not lived_in(folder / "memory.sqlite"):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait(20) == -signal.SIGKILL and 0 < lived_in(folder / "memory.sqlite") < whole


def lived_in(table: Path) -> int:
    """Return how many trajectories a memory's table has, whoever is writing to it."""
    try:
        connection = sqlite3.connect(f"{table.as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM lived").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def test_who_acts_by_a_memory_tells_it_how_it_served_and_each_episode_counts_once(
    home: Path, tmp_path: Path, capsys: Shown
) -> None:
    played = tmp_path / "played"
    play = ["collect", str(played), "agent", "--agent", f"skills:{home}", "--steps", "40"]
    assert main([*play, "--tasks", "4", "--workers", "1"]) == 0
    with ExperienceStore.open(played, mode="read") as store:
        assert {one.collector for one in store.trajectories()} == {f"skills:{home}"}
        notes = [step.info["agent"] for one in store.trajectories() for step in one.steps if "agent" in step.info]
    used = {id_ for note in notes for id_ in note.get("memory", ())}
    assert used
    build = ["memory", "build", str(played), str(home), "--feedback"]
    assert main(build) == 0
    assert "New feedback from " in capsys.readouterr().out
    after = {item["id"]: item for item in lines_of(capsys, "list", str(home), "--limit", "5000")}
    told = sum(item["helpful"] + item["harmful"] for item in after.values())
    assert told > 0
    assert {id_ for id_, item in after.items() if item["helpful"] + item["harmful"]} <= used | {
        id_ for note in notes for id_ in note.get("abandoned", ())
    }
    assert main(build) == 0
    assert "helped 0 times and did harm 0 times" in capsys.readouterr().out
    again = {item["id"]: item for item in lines_of(capsys, "list", str(home), "--limit", "5000")}
    assert again == after
    other = str(tmp_path / "other")
    assert main(["memory", "build", str(played), other, "--embedder", "ngrams", "--feedback"]) == 0
    assert "they used items of another memory" in capsys.readouterr().out


def test_an_item_is_added_shown_changed_judged_and_forgotten(tmp_path: Path, capsys: Shown) -> None:
    path = str(tmp_path / "notes")
    add = ["memory", "add", path, "--embedder", "ngrams", "--key", "spoons", "--env", "virtualhome"]
    for text in ("Spoons are in the drawer.", "Spoons are in the drawer.", "Spoons are in the sink."):
        assert main([*add, text]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[2] for line in said] == [
        "(new)",
        "(already present, reinforced: seen 2 times)",
        "(new)",
    ]
    (old, _), _, (new, _) = (line.split(" ", 1) for line in said)
    (item,) = lines_of(capsys, "list", path)
    assert (item["id"], item["env"], item["confidence"]) == (new, "pathei/VirtualHome-v0", 0.5)
    (shown,) = lines_of(capsys, "show", path, old)
    assert (shown["status"], shown["replaced_by"]) == ("superseded", new)
    assert [event["what"] for event in shown["history"]] == ["reinforced", "superseded"]
    assert main(["memory", "update", path, new, "--text", "Spoons are [clean].", "--data", '{"place": "sink"}']) == 0
    assert main(["memory", "feedback", path, new, "--harmful"]) == 0
    assert "helped 0 times, harmed 1 times" in capsys.readouterr().out
    assert main(["memory", "show", path, new]) == 0
    page = capsys.readouterr().out
    assert all(word in page for word in ("Spoons are [clean].", "place", "added by hand", "updated", "harmful"))
    assert main(["memory", "forget", path, new, old]) == 0
    assert "1 forgotten of 2" in capsys.readouterr().out
    assert main(["memory", "query", path, "spoons"]) == 0
    assert "No item was found" in capsys.readouterr().out


def test_a_memory_is_kept_in_order(home: Path, capsys: Shown) -> None:
    assert main(["memory", "consolidate", str(home), "--skills", "5"]) == 0
    shown = capsys.readouterr().out
    assert "Merged: 0. Retired: " in shown
    assert "retired (helped 0, harmed 0)" in shown
    assert counts(capsys, home)["kinds"]["skill"]["active"] == 5
    assert main(["memory", "compact", str(home)]) == 0
    assert "index: exact" in capsys.readouterr().out
    assert main(["memory", "stats", str(home)]) == 0
    shown = capsys.readouterr().out
    assert "5 active" in shown
    assert "ngrams-3-5-1024" in shown
    assert main(["memory", "check", str(home)]) == 0
    with sqlite3.connect(home / "memory" / "memory.sqlite") as table:
        table.execute("DELETE FROM vector WHERE num = 3")
    assert main(["memory", "check", str(home)]) == 1
    assert "should be equal" in capsys.readouterr().out


def test_a_memory_is_exported_and_taken_over(home: Path, tmp_path: Path, capsys: Shown) -> None:
    out, other = tmp_path / "all.jsonl", str(tmp_path / "other")
    assert main(["memory", "export", str(home), str(out)]) == 0
    found = counts(capsys, home)
    whole = sum(sum(of_status.values()) for of_status in found["kinds"].values())
    assert whole > found["items"]  # an export also hands over what was superseded
    for new, active in ((whole, found["items"]), (0, 0)):
        assert main(["memory", "import", other, str(out), "--embedder", "ngrams"]) == 0
        assert f"{new} new items, {active} of them active." in capsys.readouterr().out
    assert counts(capsys, Path(other))["kinds"] == counts(capsys, home)["kinds"]
    assert main(["memory", "reembed", other, "--embedder", "ngrams-3-5-64"]) == 0
    assert counts(capsys, Path(other))["dimensions"] == 64


def test_skills_from_elsewhere_are_unproved_and_take_nobodys_place(home: Path, tmp_path: Path, capsys: Shown) -> None:
    pytest.importorskip("yaml")
    folder, other = tmp_path / "skills", tmp_path / "other"
    assert main(["memory", "export", str(home), str(folder), "--skills"]) == 0
    (folder / "theirs").mkdir()
    (folder / "theirs" / "SKILL.md").write_text("---\nname: pdf\ndescription: Fill forms.\n---\n\nDo this.\n")
    skills = counts(capsys, home)["kinds"]["skill"]["active"]
    assert main(["memory", "import", str(other), str(folder), "--embedder", "ngrams"]) == 0
    assert f"{skills + 1} new skills of {skills + 1}. They are unverified" in capsys.readouterr().out
    taken = lines_of(capsys, "list", str(other), "--limit", "500")
    assert {(item["kind"], item["confidence"], item["seen"]) for item in taken} == {("skill", 0.5, 1)}
    assert main(["memory", "import", str(home), str(folder)]) == 0
    assert f"1 new skills of {skills + 1}." in capsys.readouterr().out
    with open_memory(home) as memory:
        mine = next(item for item in memory.items() if item.draft.kind == "skill")
        wrong = Draft("skill", "Just wait.", mine.draft.env, key=mine.draft.key, confidence=1.0)
        for new in (1, 0):
            assert len(import_skills(memory, [wrong])) == new
        assert memory.get(mine.id).status == "active"
    write_skills([Item("skill-x", wrong)], tmp_path / "wrong")
    assert main(["memory", "import", str(home), str(tmp_path / "wrong")]) == 0
    assert "0 new skills of 1." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["query", "{tmp}/none", "x"], "There is no memory at"),
        (["query", "{tmp}/store", "x"], "has no memory yet: `pathei memory build"),
        (["build", "{tmp}/none"], "There is no experience store at"),
        (["build", "{tmp}/store", "--builders", "skils"], "did you mean 'skills'?"),
        (["build", "{tmp}/store", "--embedder", "minilmm"], "did you mean 'minilm'?"),
        (["query", "{tmp}/memory", "x", "--k", "0"], "--k and --budget have to be at least 1"),
        (["query", "{tmp}/memory", "x", "--dense", "0", "--lexical", "0"], "weights must be at least 0"),
        (["query", "{tmp}/memory", "x", "--after", "soon"], "--after has to be a date or a time"),
        (["query", "{tmp}/memory", "x", "--env", "virtualhom"], "did you mean 'virtualhome'?"),
        (["show", "{tmp}/memory", "fact-x"], "There is no item 'fact-x' in the memory"),
        (["forget", "{tmp}/memory"], "Pass the id of at least one item"),
        (["forget", "{tmp}/memory", "fact-x"], "There is no item 'fact-x'"),
        (["feedback", "{tmp}/memory", "fact-x"], "Pass either --helpful or --harmful"),
        (["update", "{tmp}/memory", "fact-x"], "Nothing to change"),
        (["update", "{tmp}/memory", "fact-x", "--data", "["], "--data is not JSON"),
        (["update", "{tmp}/memory", "fact-x", "--data", "[]"], "has to be a JSON object"),
        (["add", "{tmp}/memory", " "], "it has no text"),
        (["add", "{tmp}/memory", "x", "--confidence", "2"], "confidence have to be in [0, 1]"),
        (["add", "{tmp}/memory", "x", "--embedder", "ngrams"], "was filled with the embedder 'ngrams-3-5-64'"),
        (["consolidate", "{tmp}/memory", "--uses", "0"], "uses must be at least 1"),
        (["import", "{tmp}/memory", "{tmp}/none"], "Cannot read"),
        (["import", "{tmp}/memory", "{tmp}/store"], "There is no SKILL.md below"),
        (["serve", "{tmp}/memory", "--http", "0"], "0 is not a port"),
        (["serve", "{tmp}/none", "--read-only"], "There is no memory at"),
    ],
)
def test_what_is_refused_is_one_line_on_stderr(args: list[str], says: str, tmp_path: Path, capsys: Shown) -> None:
    ExperienceStore.open(tmp_path / "store").close()
    open_memory(tmp_path / "memory", embedder="ngrams-3-5-64", create=True).close()
    assert main(["memory", *(arg.format(tmp=tmp_path) for arg in args)]) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.err.count("\n") == 1
    assert not shown.out


def test_one_process_writes_while_others_ask(home: Path, capsys: Shown) -> None:
    with open_memory(home) as memory:
        assert main(["memory", "query", str(home), "fridge"]) == 0
        capsys.readouterr()
        subprocess_refused = subprocess.run(
            [sys.executable, "-m", "pathei.cli", "memory", "add", str(home), "x"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert memory.stats()["items"]
    assert subprocess_refused.returncode == 2
    assert "is writing to the memory" in subprocess_refused.stderr


def test_a_tally_counts_what_others_make(lived: Path, tmp_path: Path) -> None:
    class Twice:
        """Says the same of every episode, twice."""

        def build(self, trajectory: Trajectory) -> list[Draft]:
            """Return it."""
            return [Draft("fact", "Lamps are lit.", "", key="lamps")] * 2

    tally = BuildTally([Twice()])
    seen: list[int] = []
    with (
        ExperienceStore.open(lived, mode="read") as store,
        open_memory(tmp_path / "m", embedder="ngrams-3-5-64", builders=[tally], create=True) as memory,
    ):
        filled = fill_memory(memory, store, tally, watch=seen.append)
        assert [item.seen for item in memory.items()] == [24]
    assert (filled.episodes, filled.fresh, seen) == (12, 12, [12])
    assert (filled.new["fact"], filled.reinforced["fact"], filled.new["skill"]) == (1, 23, 0)


async def over_stdio(path: Path, options: list[str], use: Any) -> None:
    """Talk to `pathei memory serve` as a client starts it."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    args = ["-m", "pathei.cli", "memory", "serve", str(path), *options]
    async with (
        stdio_client(StdioServerParameters(command=sys.executable, args=args)) as streams,
        ClientSession(streams[0], streams[1]) as client,
    ):
        await client.initialize()
        await use(client)


async def over_http(port: int, use: Any) -> None:
    """Talk to a server that listens already."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(f"http://127.0.0.1:{port}/mcp") as streams,
        ClientSession(streams[0], streams[1]) as client,
    ):
        await client.initialize()
        await use(client)


@pytest.mark.integration
def test_a_memory_is_served_over_stdio(tmp_path: Path) -> None:
    pytest.importorskip("mcp")
    from pathei.tests.memory.exchange.test_mcp_server import exercise, only_read

    asyncio.run(asyncio.wait_for(over_stdio(tmp_path / "m", ["--embedder", "ngrams"], exercise), 120))
    asyncio.run(asyncio.wait_for(over_stdio(tmp_path / "m", ["--read-only"], only_read), 120))


@pytest.mark.integration
def test_a_memory_is_served_over_http_until_ctrl_c(tmp_path: Path, capsys: Shown) -> None:
    pytest.importorskip("mcp")
    from pathei.tests.memory.exchange.test_mcp_server import exercise

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ["memory", "serve", str(tmp_path / "m"), "--embedder", "ngrams", "--http", str(port)]
    command = [sys.executable, "-m", "pathei.cli", *serve]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}/mcp" in process.stderr.readline()
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        asyncio.run(asyncio.wait_for(over_http(port, exercise), 120))
        assert main(["memory", "serve", str(tmp_path / "another"), "--embedder", "ngrams", "--http", str(port)]) == 2
        assert f"The port {port} cannot be used" in capsys.readouterr().err
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert out == ""
    assert errors.splitlines() == ["Stopped."]
