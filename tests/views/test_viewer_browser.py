"""The viewer in a real browser: clicks, keys and addresses, served and as a file, and nothing asked of elsewhere."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

import pathei
from pathei.envs.web.browser.browser import Browser
from pathei.experience import Parent
from pathei.store import EpisodeFlags, ExperienceStore
from pathei.tests.views.walks import walk
from pathei.tests.views.watched_page import WatchedPage
from pathei.views.viewer import EpisodeFilter, ViewerServer, export_page
from pathei.views.viewer.answers import path_of

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("viewer")]
LONG = "#/episode/way%2F50%25%23%3F/"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for all tests here."""
    with Browser(chromium) as running:
        yield running


def look_around(page: WatchedPage) -> None:
    """Use the page as a person does: search, open, step, follow links, go back."""
    page.wait("document.querySelectorAll('tr[data-id]').length === 5")
    page.keys("/")
    page.write("way")
    page.wait("document.querySelectorAll('tr[data-id]').length === 2")
    page.keys("Enter", "j", "Enter")
    page.wait("document.querySelector('.step')")
    assert page.evaluate("location.hash") == "#/episode/way%2Fbranch/1"
    page.keys("j", "j", "j")
    page.wait("document.querySelector('.steps .here .n').innerText === '4'")
    assert page.text(".seen").startswith("You are at 3.")
    assert "From 3 onwards." in page.text(".step")
    assert "mean log-probability -1.000" in page.text(".step")
    assert page.text("#changes") == "\N{MINUS SIGN} at: 3\n+ at: 4"
    page.keys("End")
    page.wait("location.hash.endsWith('/end') && document.querySelector('.seen').innerText.startsWith('You are there')")
    page.click_on(".steps li:nth-child(2) a")
    page.wait("document.querySelector('.steps .here .n').innerText === '2'")
    page.click_on("p.note a")  # to the parent, where the branch leaves it
    page.wait(f"location.hash === '{LONG}8'")
    page.wait("document.querySelector('.steps .here .n')?.innerText === '8'")
    page.wait("document.querySelector('.step img').naturalWidth === 2")
    page.keys("Escape")
    page.wait("document.querySelectorAll('tr[data-id]').length === 2")
    assert page.evaluate("document.getElementById('text').value") == "way"
    page.evaluate("document.getElementById('text').value = ''; location.hash = '#/?collector=scripted'")
    page.wait("document.querySelectorAll('tr[data-id]').length === 3")
    page.click_on("tr[data-id] td.result")
    page.wait("document.querySelector('#changes, .step .note')")
    assert "VirtualHome" in page.text(".facts")
    assert page.evaluate("window.owned") is None  # what was recorded is text, whatever it says
    page.keys("?")
    page.wait("document.getElementById('help').open")


def test_a_person_looks_around_a_served_store(browser: Browser, viewed: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store, ViewerServer(store) as server:
        page = WatchedPage(browser, server.address)
        look_around(page)
        # A link leads to its step, in the second part of a long episode.
        page.open(f"{server.address}{LONG}57")
        page.wait("document.querySelector('.seen')?.innerText.startsWith('You are at 56.')")
        page.open(f"{server.address}#/episode/nobody/1")
        page.wait("document.getElementById('error')?.innerText.includes(\"holds no trajectory 'nobody'\")")
        assert page.errors
        assert all("404" in error for error in page.errors)
        assert page.requests
        assert all(url.startswith((server.address, "data:")) for url in page.requests)
        page.close()


def test_the_same_page_opens_as_a_file(browser: Browser, viewed: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with ExperienceStore.open(viewed, mode="read") as store:
        export_page(store, out, EpisodeFilter())
    page = WatchedPage(browser, out.as_uri(), width=390, height=700)
    look_around(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith("data:")] == [out.as_uri()]
    page.close()


def test_ten_thousand_episodes_are_listed_and_searched(browser: Browser, tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "many") as store:
        store.append(*(walk(f"w{n:04}", 0) for n in range(10_000)))
        with ViewerServer(store) as server:
            page = WatchedPage(browser, server.address)
            page.wait("document.getElementById('count')?.innerText === '10,000 episodes'")
            page.click_on("#next")
            page.wait("document.querySelector('tr[data-id]').dataset.id === 'w0050'")
            page.keys("/")
            page.write("w77 walk")
            page.wait("document.getElementById('count').innerText === '100 episodes'")
            page.keys("Enter", "k", "j", "n")
            page.wait("document.querySelector('tr[data-id]').dataset.id === 'w7750'")
            assert page.errors == []
            page.close()


def test_a_person_flags_episodes_and_lists_them_by_flag(browser: Browser, tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(*(walk(f"w{n}", 2) for n in range(3)))
    with ExperienceStore.open(tmp_path / "s", mode="read") as store, ViewerServer(store) as server:
        page = WatchedPage(browser, f"{server.address}#/episode/w1/1")
        page.wait("document.getElementById('flag')")
        page.keys("f")
        page.write("look again")
        page.keys("Enter")
        page.wait("document.querySelector('.flags .flag')?.innerText.startsWith('look again')")
        page.click_on("#flag")
        page.write("<b>")
        page.keys("Enter")
        page.wait("document.querySelector('.flags .bad')?.innerText.includes('is no flag')")
        assert EpisodeFlags(store.path).read() == {"w1": ("look again",)}
        page.open(f"{server.address}#/?flag=look+again")
        page.wait("document.querySelectorAll('tr[data-id]').length === 1")
        assert "look again" in page.text("tr[data-id] .flag")
        page.open(f"{server.address}#/?flag=no+flag")
        page.wait("document.querySelectorAll('tr[data-id]').length === 2")
        page.open(f"{server.address}#/episode/w1/1")
        page.wait("document.querySelector('.flags button')")
        page.click_on(".flags button")
        page.wait("!document.querySelector('.flags .flag')")
        assert EpisodeFlags(store.path).read() == {}
        # The one sentence about a flag that is none came with an error status.
        assert all("404" in error for error in page.errors)
        page.close()


def test_the_curriculum_shows_what_was_proposed_reached_and_missed(browser: Browser, tmp_path: Path) -> None:
    pathei.collect(tmp_path / "s", 12, "curriculum", env="virtualhome", proposer="novelty", seed=1, steps=12)
    with ExperienceStore.open(tmp_path / "s", mode="read") as store, ViewerServer(store) as server:
        tried = list(store.trajectories(collector="curriculum", roots=True))
        goals = {one.task.goal.text for one in tried}
        reached = {one.task.goal.text for one in tried if one.success}
        page = WatchedPage(browser, server.address)
        page.wait("document.getElementById('curriculum')?.hidden === false")
        page.click_on("#curriculum")
        page.wait("document.querySelectorAll('.curves polyline').length === 3")
        said = (
            f"{len(tried)} attempts at {len(goals)} goals: {len(reached)} reached, {len(goals) - len(reached)} never."
        )
        assert page.text("#count") == said
        assert page.evaluate("document.querySelectorAll('tbody tr').length") == len(goals)
        page.open(f"{server.address}#/curriculum?by=first+reached")
        page.wait("document.querySelector('tbody td:nth-child(5)')?.innerText === '1'" if tried[0].success else "true")
        page.click_on("tbody a")
        page.wait("document.querySelector('.step')")
        assert page.errors == []
        page.close()


def test_the_tree_of_a_task_leads_to_its_steps(browser: Browser, viewed: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store, ViewerServer(store) as server:
        page = WatchedPage(browser, f"{server.address}{LONG}1")
        page.wait("document.getElementById('tree')")
        page.click_on("#tree")
        page.wait("document.querySelectorAll('#root details').length > 50")  # the most frequent way lies open
        assert "2\N{MULTIPLICATION SIGN}" in page.text("#state-0 summary")
        assert page.evaluate("document.getElementById('root').innerText").count("the beginning") == 1
        # As a picture too, with the way of the episode that one comes from.
        assert page.evaluate("document.querySelectorAll('.grown .state').length") > 50
        assert page.evaluate("document.querySelectorAll('.grown .taken').length") > 50
        page.evaluate("document.querySelector('.grown [data-state=\"2\"]').dispatchEvent(new Event('click'))")
        page.wait("document.getElementById('state-2').classList.contains('here')")
        page.click_on("#state-3 summary a")
        page.wait("document.querySelector('.steps .here .n')?.innerText === '3'")
        assert page.errors == []
        page.close()


def test_training_is_success_against_language_lost(browser: Browser, tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "home") as store:
        store.append(walk("w", 1))
    for name, skill, lost in (("ewc", 0.5, {"value": 0.1, "low": 0.0, "high": 0.2}), ("plain", 0.75, None)):
        folder = tmp_path / name / "evaluation"
        folder.mkdir(parents=True)
        skills = {"seen": {"value": skill, "low": skill - 0.1, "high": skill + 0.1}}
        (folder / "evaluation.json").write_bytes(orjson.dumps({"skill": skills, "forgetting": lost}))
    with ExperienceStore.open(tmp_path / "home", mode="read") as store, ViewerServer(store) as server:
        page = WatchedPage(browser, server.address)
        page.wait("document.getElementById('training')?.hidden === false")
        page.click_on("#training")
        page.wait("document.querySelectorAll('.frontier circle').length === 1")
        assert page.text("tbody").split("\n") == [
            "plain\t75 % [65 %, 85 %]\tnot measured",
            "ewc\t50 % [40 %, 60 %]\t0.100 [0.000, 0.200]",
        ]
        assert page.errors == []
        page.close()


def test_what_a_household_looks_like_is_drawn_at_every_step(browser: Browser, viewed: Path, tmp_path: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store, ViewerServer(store) as server:
        one = next(store.trajectories(collector="scripted"))
        export_page(store, tmp_path / "one.html", EpisodeFilter(), ids=[one.id])
        for address in (server.address, (tmp_path / "one.html").as_uri()):
            page = WatchedPage(browser, f"{address}#/{path_of('episode', one.id, 1)}")
            page.wait("document.getElementById('drawing')?.naturalWidth > 400")
            page.keys("j")
            page.wait("location.hash.endsWith('/2') && document.getElementById('drawing')?.naturalWidth > 400")
            assert page.errors == []
            page.close()
        page = WatchedPage(browser, f"{server.address}{LONG}1")  # its facts are no graph
        page.wait("document.querySelector('.seen')")
        assert page.evaluate("document.getElementById('drawing')") is None
        page.close()


def test_a_memory_answers_and_leads_to_the_episode(browser: Browser, viewed: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store, ViewerServer(store) as server:
        page = WatchedPage(browser, server.address)
        page.wait("document.querySelector('tr[data-id]')")
        page.click_on("#memory")
        page.wait("document.querySelectorAll('.item').length > 3")
        page.keys("/")
        page.write("couches")
        page.keys("Enter")
        page.wait("document.querySelector('.item mark')?.innerText.toLowerCase() === 'couch'")
        assert "lexical" in page.text(".item .facts")
        page.evaluate("document.getElementById('kind').value = 'fact'")
        page.evaluate("document.getElementById('kind').dispatchEvent(new Event('change'))")
        page.wait(
            "location.hash.includes('kind=fact') && document.querySelector('.item .facts').innerText.includes('fact')"
        )
        page.click_on(".item .facts a")
        page.wait("document.querySelector('.step')")
        page.open(f"{server.address}#/memory?kind=skill")
        page.wait("document.querySelectorAll('.skills [data-skill]').length > 1")
        assert page.evaluate("document.querySelectorAll('.skills path.calls').length") > 0
        assert "effects" not in page.text(".item .flow")
        page.click_on(".skills [data-skill]")
        assert page.errors == []
        page.close()


def test_a_person_enters_a_step_and_stores_a_branch(browser: Browser, viewed: Path, tmp_path: Path) -> None:
    shutil.copytree(viewed, tmp_path / "mine")
    with ExperienceStore.open(tmp_path / "mine", mode="read") as store, ViewerServer(store) as server:
        parent = next(store.trajectories(collector="scripted"))
        page = WatchedPage(browser, f"{server.address}#/{path_of('episode', parent.id, 2)}")
        page.wait("document.getElementById('enter')")
        page.keys("e")
        page.wait("document.querySelectorAll('.act li a').length > 20")
        page.write("kitchen walk")
        page.wait("document.querySelectorAll('.act li a').length < 5")
        page.keys("Enter")
        page.wait("document.querySelectorAll('#done li').length === 1")
        assert "[Walk] <kitchen>" in page.text("#done")
        page.evaluate("document.getElementById('steps').value = 2")
        page.click_on("#let")
        page.wait("document.querySelectorAll('#done li').length === 3")
        page.click_on("#search")
        page.wait("document.querySelectorAll('#done li').length > 1")
        page.wait("document.querySelector('.step').innerText.includes('the episode is over')")
        page.click_on("#keep")
        page.wait("location.hash.includes('human-0') && document.querySelector('.facts')?.innerText.includes('human')")
        assert store.get(f"{parent.task.id}/human-0").parent == Parent(parent.id, 1)
        assert parent.id in page.text("p.note")
        page.open(f"{server.address}#/enter/way%2Fbranch/2")
        page.wait("document.getElementById('error')?.innerText.includes('Way-v0')")
        assert [error for error in page.errors if "404" not in error] == []
        page.close()
