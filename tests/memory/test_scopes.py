"""Whose an item is, what its data says, what was known when, when it ends, and the ends of long texts."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from pathei.errors import ConfigError, MemoryStoreError
from pathei.memory import Draft, ExperienceMemory, Filter, RankingConfig
from pathei.memory.builders.episodes import EpisodeBuilder
from pathei.memory.builders.plans import propose_plan
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.exchange.item_json import preview
from pathei.memory.storage.passages import PASSAGE, cut
from pathei.tests.support.plain_episode import plain_episode

DENSE = RankingConfig(lexical=0.0)


def opened(path: Path, mode: str = "write") -> ExperienceMemory:
    return ExperienceMemory.open(path, embedder=make_embedder("ngrams-3-5-256"), mode=mode)  # type: ignore[arg-type]


def texts(memory: ExperienceMemory, where: Filter, question: str = "the favourite colour") -> set[str]:
    """Return what is found, which is also what is listed."""
    found = {hit.item.draft.text for hit in memory.query(question, 20, where)}
    assert found == {item.draft.text for item in memory.items(where)}
    return found


def test_scopes_never_mix(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        for user, colour in (("alice", "red"), ("bob", "blue"), ("", "grey"), ("alice", "green")):
            memory.add_drafts([Draft("fact", f"The favourite colour is {colour}.", "", key="colour", user=user)])
        same = [
            Draft("fact", "The favourite colour is light.", "", user=one, session=two) for one in "ab" for two in "cd"
        ]
        assert len(set(memory.add_drafts(same))) == 4
        memory.compact()
        light = "The favourite colour is light."
        grey, blue, green = (f"The favourite colour is {colour}." for colour in ("grey", "blue", "green"))
        assert texts(memory, Filter(user="alice")) == {green, grey}
        assert texts(memory, Filter(user="bob")) == {blue, grey}
        assert texts(memory, Filter(user="nobody")) == {grey}
        assert texts(memory, Filter()) == {green, blue, grey, light}
        assert len(memory.query("light", 20, Filter(user="a", session="c"))) == 2
        with opened(tmp_path, "read") as reader:
            assert texts(reader, Filter(user="alice")) == {green, grey}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kinds": "skill"}, "kinds is a tuple of some of episode, skill, fact, not 'skill'"),
        ({"kinds": ("opinion",)}, "kinds is a tuple"),
        ({"statuses": None}, "statuses is a tuple"),
        ({"statuses": ("gone",)}, "statuses is a tuple"),
        ({"as_of": "2020-01-01"}, "as_of is a finite number of seconds since 1970, not '2020-01-01'"),
        ({"as_of": float("nan")}, "as_of is a finite number"),
        ({"as_of": True}, "as_of is a finite number"),
        ({"after": 10**400}, "after is a finite number"),
        ({"after": 5, "before": 3}, "nothing was observed after 5 and before 3"),
        ({"user": 3, "env": b"x"}, "env is a text, not b'x'; user is a text, not 3"),
        ({"success": "yes"}, "success is true, false or None, not 'yes'"),
        ({"data": "page"}, "data is compared by name"),
        ({"data": {"page": float("nan")}}, "unlike 'page'"),
        ({"data": {"page": 10**30}}, "unlike 'page'"),
        ({"data": {3: 1}}, "unlike 3"),
    ],
)
def test_a_filter_without_possible_values_is_refused_with_every_fault(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        Filter(**fields)


def test_what_is_no_filter_draft_or_trajectory_is_refused(tmp_path: Path) -> None:
    assert Filter(kinds=["fact"], data=[("page", 3)]) == Filter(kinds=("fact",), data={"page": 3})  # type: ignore[arg-type]
    wrong: Any = {"user": "anna"}
    with opened(tmp_path) as memory:
        for call in (lambda: memory.query("x", 3, wrong), lambda: memory.add_drafts([wrong])):
            with pytest.raises(MemoryStoreError, match="'anna'"):
                call()
        for names in ({"env": "w" * 3_000}, {"user": "u" * 3_000}, {"task": "t" * 200_000}):
            with pytest.raises(MemoryStoreError, match="and the limit is"):
                memory.add_drafts([Draft("fact", "A note.", **{"env": "", **names})])


def test_notes_of_one_text_and_other_data_stay_apart(tmp_path: Path) -> None:
    def note(**data: int) -> Draft:
        return Draft("fact", "The favourite colour is red.", "", data=data)

    with opened(tmp_path) as memory:
        first, second, third, again = memory.add_drafts([note(page=7), note(page=9), note(), note(page=9)])
        assert len({first, second, third}) == 2  # what says nothing more reinforces
        assert (third, again) == (first, second)
        assert memory.consolidate().merged == ()
        assert [hit.item.id for hit in memory.query("colour", where=Filter(data={"page": 9}))] == [second]


def test_data_filters(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        rows = [{"page": page, "source": {"book": book}, "new": page > 1} for page in (1, 2) for book in ("A", "B")]
        memory.add_drafts([Draft("fact", f"colour {n}", "", data=data) for n, data in enumerate(rows)])
        assert texts(memory, Filter(data={"page": 2})) == {"colour 2", "colour 3"}
        assert texts(memory, Filter(data={"source.book": "A", "new": False})) == {"colour 0"}
        assert texts(memory, Filter(data={"page": "2"})) == set()
        assert texts(memory, Filter(data={"nothing": 1})) == set()
        assert hash(Filter(data={"b": 1, "a": 2})) == hash(Filter(data={"a": 2, "b": 1}))
    with pytest.raises(ConfigError, match="'page'"):
        Filter(data={"page": [1]})  # type: ignore[dict-item]


def test_what_was_known_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        for day, city in enumerate(("Bonn", "Rome", "Oslo"), 1):
            memory.add_drafts([Draft("fact", f"Alice lives in {city}.", "", key="home", time=day * 100.0)])
        (late,) = memory.add_drafts([Draft("fact", "Alice lives in Kyiv.", "", key="home", time=250.0)])
        (note,) = memory.add_drafts([Draft("fact", "Her door is red.", "", time=50.0)])
        before = time.time()
        memory.update(note, text="Her door is blue.")
        for as_of, city in ((100, "Bonn"), (199, "Bonn"), (200, "Rome"), (260, "Kyiv"), (300, "Oslo")):
            assert f"Alice lives in {city}." in texts(memory, Filter(as_of=as_of))
        assert texts(memory, Filter(as_of=60)) == {"Her door is red."}
        assert "Alice lives in Kyiv." not in texts(memory, Filter(as_of=300))
        assert "Her door is red." in texts(memory, Filter(as_of=before))
        assert texts(memory, Filter()) == {"Alice lives in Oslo.", "Her door is blue."}
        assert memory.get(late).status == "superseded"
        memory.forget([note])
        assert texts(memory, Filter(as_of=60)) == set()


def test_items_end(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        now = time.time()
        (soon,) = memory.add_drafts([Draft("fact", "The favourite colour is red today.", "", expires=now + 0.6)])
        memory.add_drafts([Draft("fact", "The favourite colour was blue yesterday.", "", expires=now - 1)])
        assert texts(memory, Filter()) == {"The favourite colour is red today."}
        time.sleep(0.7)
        assert texts(memory, Filter()) == set()
        assert texts(memory, Filter(as_of=now + 0.1)) == {"The favourite colour is red today."}
        assert memory.get(soon).status == "active"
        assert len(memory.consolidate().retired) == 2
        assert memory.get(soon).status == "retired"
        with pytest.raises(MemoryStoreError, match="it expires at nan"):
            memory.add_drafts([Draft("fact", "x", "", expires=float("nan"))])


def test_the_end_of_a_long_text_is_found_and_shown(tmp_path: Path) -> None:
    filler = [f"On day {n} the weather in the valley was mild, and nothing happened." for n in range(150)]
    long = " ".join([*filler, "The spare key is under the third flower pot."])
    assert len(long) > 10 * PASSAGE
    assert all(0 < len(part) <= PASSAGE for part in cut(long))
    assert "".join(cut(long)).replace(" ", "") == long.replace(" ", "")
    assert cut("x" * PASSAGE) == []
    with opened(tmp_path) as memory:
        others = [
            Draft("fact", f"{word.title()} number {n} burns brightly in the hall.", "")
            for n, word in enumerate(["lamp"] * 30)
        ]
        (id_, *_) = memory.add_drafts([Draft("fact", long, ""), *others])
        question = "where is the spare key, under the flower pot?"
        assert memory.query(question, 1, ranking=DENSE)[0].item.id == id_
        memory.compact()
        with opened(tmp_path, "read") as reader:
            assert reader.query(question, 1, ranking=DENSE)[0].item.id == id_
            memory.update(id_, text="Nothing is known.")
            assert reader.query(question, 1, ranking=DENSE)[0].item.id != id_
        assert memory.problems() == []
    assert "flower pot" in preview(long, question)
    assert len(preview(long, question)) <= 302
    assert preview("short", question) == "short"


def test_limits_are_told(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        with pytest.raises(MemoryStoreError, match="100,001 characters of text, and the limit is 100,000"):
            memory.add_drafts([Draft("fact", "x" * 100_001, "")])
        with pytest.raises(MemoryStoreError, match="bytes of data"):
            memory.add_drafts([Draft("fact", "x", "", data={"a": "b" * 10_000_001})])
        with pytest.raises(MemoryStoreError, match="in its environment or scope"):
            memory.add_drafts([Draft("fact", "x", "", user="u" * 2_001)])
        assert memory.stats()["items"] == 0
        assert memory.add_drafts(EpisodeBuilder().build(plain_episode("write", ["x" * 200_000] * 2)))
        (plan,) = propose_plan(plain_episode("write", [f"echo {'x' * 3_000}"] * 40))
        assert memory.add_drafts([plan.candidates[0].draft])


def test_a_table_of_schema_1_is_read_and_migrated(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        ids = memory.add_drafts([Draft("fact", f"Cup {n} is here.", "", key="cup", time=float(n)) for n in (1, 2)])
        memory.add_drafts([Draft("fact", "The lamp is there.", "")])
    table = sqlite3.connect(tmp_path / "memory.sqlite")
    table.executescript(
        "DROP TABLE passage; DROP INDEX item_said;"
        + "".join(
            f"ALTER TABLE item DROP COLUMN {name};" for name in ("user", "agent", "session", "expires", "ended", "said")
        )
        + "PRAGMA user_version = 1;"
    )
    table.close()
    with opened(tmp_path, "read") as memory:
        assert memory.query("cup 2")[0].item.id == ids[1]
        assert texts(memory, Filter(user="alice"), "cup lamp") == {"Cup 2 is here.", "The lamp is there."}
        assert memory.history(ids[1])
    with opened(tmp_path) as memory:
        assert memory.add_drafts([Draft("fact", "the lamp is there", "")])[0] in {item.id for item in memory.items()}
        assert len(list(memory.items())) == 2
        assert "Cup 1 is here." in texts(memory, Filter(as_of=1.5), "cup")
        assert memory.problems() == []
