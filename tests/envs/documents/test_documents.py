"""The documents: contracts, screens, folders of HTML, questions that the pages answer, and what solves them."""

import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents import ScriptedAgent
from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import play
from pathei.collectors.search.collector import MctsConfig, household_search, make_searcher
from pathei.envs import check_env, check_snapshot, contract
from pathei.envs.documents.collection import DocsCollection, DocsPage, TextBlock, TextRun, normalise
from pathei.envs.documents.env import DocsEnv
from pathei.envs.documents.folder import folder_collection
from pathei.envs.documents.screens import START, DocsReader, ReadingPosition, cut, reader_named
from pathei.envs.documents.tasks import ENV, check_documents, demonstration, generate_tasks, questions_of
from pathei.errors import ConfigError, DataError, GoalError, PatheiError
from pathei.experience import Goal, Task
from pathei.store import ExperienceStore

HOME = """<html><head><title>The manual</title><style>p {}</style></head><body>
<div class="related"><a href="a.html">everywhere</a></div>
<div role="main"><h1>The manual<a class="headerlink" href="#x">P</a></h1>
<p>It has <a href="sub/a.html#top">a first
 part</a>, <a href="sub/b%20c.html">a second</a> and <a href="https://example.org/">a link out</a>.</p>
<script>var x = "no text";</script></div></body></html>"""
PART_A = """<body><main><h1>Part A</h1><h2>Setting up the machine</h2><p>Use <code>start()</code> &amp; wait.</p>
<pre>line one
  line two</pre><ul><li>one <a href="../index.html">home</a></li><li>two</li></ul></main></body>"""
PART_B = (
    """<body><h1>Part B</h1><h2>Taking it apart</h2>
<dl><dt class="sig" id="m.run"><em class="sig-param"><span class="n">speed</span>=<span
class="default_value">'slow'</span></em></dt><dd>Runs.</dd></dl><p>"""
    + "A long text. " * 400
    + "The needle is here.</p></body>"
)


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    if ENV not in gymnasium.registry:
        gymnasium.register(ENV, "pathei.envs.documents.env:DocsEnv", max_episode_steps=50, disable_env_checker=True)


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of HTML."""
    folder = tmp_path_factory.mktemp("manual")
    (folder / "sub").mkdir()
    (folder / "index.html").write_text(HOME, "utf-8")
    (folder / "sub" / "a.html").write_text(PART_A, "utf-8")
    (folder / "sub" / "b c.html").write_text(PART_B, "utf-8")
    return folder


def solve(env: gymnasium.Env[Any, Any], task: Task) -> dict[str, Any]:
    """Do a task's demonstration, and return the last info."""
    info = contract.reset(env, task)[1]
    for action in demonstration(task):
        *_, info = env.step(action)
        assert "error" not in info, (action, info)
    return info


def test_it_keeps_the_contracts(manual: Path) -> None:
    for options in ({}, {"collection": str(manual)}):
        check_env(DocsEnv(**options))
        check_snapshot(DocsEnv(**options), rng=np.random.default_rng(0))


def test_the_library_describes_itself() -> None:
    collection = reader_named("stdlib").collection
    assert len(collection.pages) > 500
    assert len(collection.questions) > 500
    page = collection.pages[collection.by_path["json.dumps.html"]]
    assert "ensure_ascii, by default True" in page.text
    assert collection.way(collection.by_path["json.dumps.html"]) == (
        0,
        collection.by_path["json.html"],
        collection.by_path["json.dumps.html"],
    )


def test_answers_agree_with_what_python_says() -> None:
    import argparse
    import inspect
    import json

    collection = reader_named("stdlib").collection
    answers = {question.text: question.answers for question in collection.questions}
    defaults = {name: parameter.default for name, parameter in inspect.signature(json.dumps).parameters.items()}
    for name in ("skipkeys", "ensure_ascii", "indent", "sort_keys"):
        text = f"What is the default value of the parameter {name} of the function json.dumps?"
        assert answers[text] == (normalise(repr(defaults[name])),)
    assert answers["Which module defines the class ArgumentParser?"] == (argparse.ArgumentParser.__module__,)
    base = answers["From which class does argparse.RawTextHelpFormatter derive?"]
    assert base[0] == argparse.RawTextHelpFormatter.__mro__[1].__name__.lower()


def test_answers_stand_on_the_page_and_not_in_the_question() -> None:
    collection = reader_named("stdlib").collection
    for question in collection.questions:
        page = collection.pages[collection.by_path[question.page]]
        if not question.text.startswith("How many"):
            assert question.answers[0] in normalise(page.text), question
        if question.text.startswith("Which"):
            assert question.answers[0] not in question.text.lower().split()


def test_demonstrations_reach_their_goals(manual: Path) -> None:
    env = gymnasium.make(ENV)
    tasks = [*generate_tasks(60, 1), *questions_of(str(manual), 3, 0)]
    assert all(solve(env, task)["success"] for task in tasks)
    assert len({task.id for task in tasks}) == len(tasks)
    assert generate_tasks(60, 1) == tasks[:60]


def test_html_is_read_as_text_with_links(manual: Path) -> None:
    collection = folder_collection(manual)
    assert [page.path for page in collection.pages] == ["index.html", "sub/a.html", "sub/b c.html"]
    home, first, second = collection.pages
    assert home.title == "The manual"
    assert home.text == "The manual\nIt has a first part, a second and a link out."
    assert [(run.text, run.target) for run in home.links()] == [("a first part", 1), ("a second", 2)]
    assert TextBlock("code", (TextRun("line one\n  line two"),)) in first.blocks
    assert TextRun("start()", code=True) in first.blocks[2].runs
    assert {question.text for question in collection.questions} == {
        'What is the title of the page with the section "Setting up the machine"?',
        'What is the title of the page with the section "Taking it apart"?',
        "What is the default value of the parameter speed of m.run?",
    }
    assert second.title == "Part B"


def test_a_walk_through_a_manual(manual: Path) -> None:
    env = DocsEnv(collection=str(manual), number=2)
    text, info = env.reset(seed=0)
    assert "[1: a first part]" in text
    assert not any(action.startswith("answer") for action in info["actions"])
    text, *_ = env.step("click[A SECOND]")
    assert "Screen 1 of 2" not in text or "The needle" not in text
    text, *_ = env.step("find[the needle]")
    assert "The needle is here." in text
    text, *_, info = env.step("back")
    assert "The manual" in text
    text, *_ = env.step("search[needle]")
    assert "[1: Part B]" in text
    env.step("click[1]")
    text, reward, done, _, info = env.step("answer[ 'SLOW'. ]")
    assert (reward, done, info["success"], info["actions"]) == (1.0, True, True, ())
    assert "error" in env.step("back")[4]


def test_a_wrong_answer_ends_the_episode_and_earns_nothing(manual: Path) -> None:
    env = DocsEnv(collection=str(manual))
    env.reset(seed=0)
    _, reward, done, _, info = env.step("answer[something]")
    assert (reward, done, info["success"]) == (0.0, True, False)


@pytest.mark.parametrize(
    "action", ["", "click[99]", "click[]", "back", "scroll[up]", "scroll[left]", "find[xyzzy]", "search[]", "answer[ ]"]
)
def test_what_cannot_be_done_changes_nothing_and_says_why(manual: Path, action: str) -> None:
    env = DocsEnv(collection=str(manual))
    env.reset(seed=1)
    text, reward, done, _, info = env.step(action)
    assert env.place == START
    assert (reward, done) == (0.0, False)
    assert info["error"] in text


RUNS = st.builds(TextRun, st.text(alphabet="ab \n", min_size=1), st.sampled_from([-1, 0]), st.booleans())
BLOCKS = st.builds(
    TextBlock, st.sampled_from(["heading", "text", "item", "code"]), st.lists(RUNS, min_size=1, max_size=80).map(tuple)
)


@given(st.lists(BLOCKS, max_size=60))
def test_screens_hold_the_whole_page_once(blocks: list[TextBlock]) -> None:
    page = DocsPage("p", "p", tuple(blocks))
    screens = cut(page)
    links = [link for screen in screens for link in screen.links]
    assert [link.number for link in links] == list(range(1, len(links) + 1))
    assert [(link.text, link.target) for link in links] == [(run.text, run.target) for run in page.links()]
    written = "\n".join(screen.text for screen in screens)
    assert len(re.findall(r"\[\d+: ", written)) == len(links)


@given(
    st.lists(st.sampled_from(["click[1]", "back", "scroll[down]", "search[part]", "find[a]", "click[2]"]), max_size=12)
)
def test_back_returns_where_one_came_from(actions: list[str]) -> None:
    pages = [
        DocsPage("0", "zero", (TextBlock("text", (TextRun("one", 1), TextRun("two", 2))),)),
        DocsPage(
            "1", "part one", (TextBlock("text", (TextRun("a" * 3000),)), TextBlock("text", (TextRun("home", 0),)))
        ),
        DocsPage("2", "part two", (TextBlock("text", (TextRun("one", 1),)),)),
    ]
    reader = DocsReader(DocsCollection(pages, "three"))
    place, trail = START, []
    for action in actions:
        following = reader.follow(place, action)
        if isinstance(following, str):
            assert action != "back" or not trail
            continue
        if action == "back":
            assert following == trail.pop()
        elif action.startswith(("click", "search")):
            trail.append(place)
        place = following
    assert isinstance(place, ReadingPosition)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"colection": "x"}, ConfigError, "collection"),
        ({"collection": "/nowhere/at/all"}, DataError, "no HTML"),
        ({"number": -1}, ConfigError, "one of 0 to"),
        ({"digest": "0"}, DataError, "another version"),
        ({"goal": {"text": "why?", "conditions": [{"buy": 1}]}}, GoalError, "condition of the documents"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], error: type[PatheiError], says: str) -> None:
    env = DocsEnv()
    with pytest.raises(error, match=says):
        env.reset(seed=0, options=options)


def test_a_collection_without_questions_takes_them_from_the_task(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<p>The answer is 42.</p>", "utf-8")
    env = DocsEnv(collection=str(tmp_path))
    with pytest.raises(DataError, match="suggests no questions"):
        env.reset(seed=0)
    goal = {"text": "What is the answer?", "conditions": [{"answer": ["42", "forty-two"]}]}
    env.reset(seed=0, options={"goal": goal})
    assert env.step("answer[Forty-Two]")[1] == 1.0


def test_tasks_that_cannot_be_shown_are_refused() -> None:
    with pytest.raises(ConfigError, match="names no page"):
        demonstration(Task("x", ENV, 0, Goal("why?")))
    with pytest.raises(ConfigError, match="ask for no more"):
        generate_tasks(10**6, 0)
    assert all(check.ok for check in check_documents() if check.required)


def test_a_page_without_links_to_it_is_found_by_search(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>Home</h1>", "utf-8")
    (tmp_path / "lost.html").write_text("<h1>Lost things</h1><h2>Umbrellas of last year</h2>", "utf-8")
    (task,) = questions_of(str(tmp_path), 1, 0)
    assert demonstration(task) == ["search[Lost things]", "click[1]", "answer[lost things]"]
    assert solve(DocsEnv(), task)["success"]


def test_exploration_search_and_oracle_fill_one_store_and_search_beats_chance(tmp_path: Path) -> None:
    tasks = generate_tasks(6, 5)
    search = MctsConfig(search=household_search(simulations=600, depth=6))
    env = gymnasium.make(ENV)
    with ExperienceStore.open(tmp_path / "store") as store:
        collect(store, tasks, lambda: make_explorer(seed=0, max_steps=10), name="explore")
        collect(store, tasks, lambda: make_searcher(search), name="mcts")
        for task in tasks:
            store.append(play(env, task, ScriptedAgent(demonstration(task)), max_steps=20, collector="oracle"))
        found = {name: list(store.trajectories(collector=name)) for name in ("explore", "mcts", "oracle")}
    won = {name: sum(bool(one.success) for one in some) for name, some in found.items()}
    assert won["oracle"] == len(tasks)
    assert won["mcts"] > won["explore"]
