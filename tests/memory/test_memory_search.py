"""How a memory answers: words against FTS5's own scores, weighing against plain code, and an index that grows."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.errors import MemoryStoreError
from pathei.memory.embedders.ngrams import NGramEmbedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Filter
from pathei.memory.retrieval.lexical import LexicalIndex
from pathei.memory.retrieval.ranking import Candidates, RankingConfig, Traits, rank
from pathei.memory.storage.columns import hashed
from pathei.memory.storage.database import MemoryDatabase
from pathei.memory.storage.vectors import Vectors, build, faiss
from pathei.memory.storage.view import IndexView

DENSE = RankingConfig(lexical=0.0)
GRAPH_FROM = 300
NOUNS = ["cups", "lamp", "sofas", "fridge", "booking", "kitchen", "bedroom", "garden", "naïve", "opened"]


def opened(path: Path) -> ExperienceMemory:
    return ExperienceMemory.open(path, embedder=NGramEmbedder(64), graph_from=GRAPH_FROM)


def numbered(count: int, start: int = 0) -> list[Draft]:
    """Return facts of different words, each with a key of its own."""
    rng = np.random.default_rng(start)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 5000, 6)) for _ in range(count)]
    return [
        Draft("fact", text, f"world{number % 10}", key=f"k{number}") for number, text in enumerate(texts, start=start)
    ]


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from(NOUNS), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=40),
    asked=st.lists(st.sampled_from([*map(str.upper, NOUNS), "unknown"]), unique=True, max_size=6),
)
def test_words_score_as_in_fts5(tmp_path_factory: pytest.TempPathFactory, texts: list[str], asked: list[str]) -> None:
    path = tmp_path_factory.mktemp("memory")
    with opened(path) as memory:
        memory.add_drafts(
            [
                Draft("fact", text, "w", key=f"k{row}", task=texts[0] if row % 3 else "")
                for row, text in enumerate(texts)
            ]
        )
        memory.update(memory.add_drafts([Draft("fact", texts[-1], "w", key=f"k{len(texts) - 1}")])[0], text="the lamp")
    database = MemoryDatabase(path / "memory.sqlite", write=False)
    words, view = LexicalIndex(database), IndexView(path, database, NGramEmbedder(64).name, 64)
    view.sync()
    places, scores = words.search(" ".join(asked), 100, view.columns, None)
    sql = "SELECT rowid - 1, -bm25(lexicon) FROM lexicon WHERE lexicon MATCH ?"
    expected = dict(database.all(sql, (" OR ".join(f'"{word}"' for word in asked) or '""',)))
    assert dict(zip(places.tolist(), scores.tolist(), strict=True)) == pytest.approx(expected)
    words.close()
    database.close()


def plainly(candidates: Candidates, ranking: RankingConfig) -> list[tuple[int, float]]:
    """Weigh one item after the other, as the text says it."""
    assert candidates.traits is not None
    cosines = None if candidates.cosines is None else candidates.cosines.tolist()
    words = [None if np.isnan(word) else word for word in candidates.words.tolist()]
    shared = [word for word in words if word is not None]
    found = []
    for row, number in enumerate(candidates.numbers.tolist()):
        parts = list[tuple[float, float]]()
        if cosines is not None:
            low, high = min(cosines), max(cosines)
            parts.append((ranking.weights_for("")[0], (cosines[row] - low) / (high - low) if high > low else 1.0))
        if shared:
            parts.append((ranking.weights_for("")[1], (words[row] or 0.0) / max(shared)))
        seen, importance, helpful, harmful = (float(one[row]) for one in candidates.traits)
        hours = (max(candidates.traits.last_seen) - seen) / 3600
        parts += [(ranking.recency, 0.995**hours), (ranking.importance, importance)]
        parts.append((ranking.utility, (helpful + 1) / (helpful + harmful + 2)))
        found.append((number, sum(weight * part for weight, part in parts) / sum(weight for weight, _ in parts)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


@given(
    rows=st.lists(
        st.tuples(
            st.floats(-1, 1).map(lambda value: round(value, 3)),
            st.sampled_from([np.nan, 0.5, 2.0, 7.0]),
            st.sampled_from([0.0, 3600.0, 1e6]),
            st.sampled_from([0.1, 0.9]),
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=12,
    ),
    meant=st.booleans(),
    weights=st.tuples(*[st.sampled_from([0.25, 1.0])] * 5),
    k=st.integers(1, 5),
)
def test_weighing_is_what_it_says(
    rows: list[tuple[float, ...]], meant: bool, weights: tuple[float, ...], k: int
) -> None:
    cosines, words, *traits = np.array(rows).T
    candidates = Candidates(np.arange(len(rows)) + 1, cosines if meant else None, words, Traits(*traits))
    ranking = RankingConfig(*weights)
    found, expected = rank(candidates, ranking, k), plainly(candidates, ranking)
    np.testing.assert_allclose([one.score for one in found], [score for _, score in expected[:k]])
    assert all(dict(expected)[one.number] == pytest.approx(one.score) for one in found)


def test_words_count_for_more_where_vectors_know_only_spelling(tmp_path: Path) -> None:
    assert RankingConfig().weights_for("all-MiniLM-L6-v2") == (0.75, 0.25)
    assert RankingConfig(lexical=0.0).weights_for(NGramEmbedder().name) == (0.3, 0.0)
    with opened(tmp_path) as memory:
        memory.add_drafts(numbered(30))
        asked = numbered(1, start=50)[0].text + " " + numbered(30)[3].text
        assert memory.query(asked) == memory.query(asked, ranking=RankingConfig(dense=0.3, lexical=0.7))
        assert memory.query(asked) != memory.query(asked, ranking=RankingConfig(dense=0.75, lexical=0.25))


def test_ranks_alone_count_in_reciprocal_rank_fusion() -> None:
    cosines, words = np.array([0.9, 0.8, 0.1]), np.array([np.nan, 1.0, 9.0])
    found = rank(Candidates(np.arange(3), cosines, words, None), RankingConfig(dense=1, lexical=1, fusion="rrf"), 3)
    assert [one.number for one in found] == [2, 1, 0]
    assert [one.score for one in found] == pytest.approx([(61 / 63 + 1) / 2, 61 / 62, 1 / 2])


def test_a_graph_grows_and_knows_what_was_replaced(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        ids = memory.add_drafts(numbered(400))
        memory.compact()
        memory.update(ids[7], text="a garden of books")
        memory.add_drafts(numbered(200, start=400))
        assert memory.stats()["index"] == {
            "form": "graph", "rows": 400, "since": 201, "stale": 1, "due": False, "trouble": "",
        }  # fmt: skip
    writer = MemoryDatabase(tmp_path / "memory.sqlite", write=True)
    IndexView(tmp_path, writer, NGramEmbedder(64).name, 64, GRAPH_FROM).publish(neat=False)
    writer.close()
    with opened(tmp_path) as memory:
        index = memory.stats()["index"]
        assert index == index | {"form": "graph", "rows": 600, "since": 1, "stale": 1, "trouble": ""}
        assert memory.problems() == []
        assert memory.query("a garden of books", 1, ranking=DENSE)[0].item.id == ids[7]
        for draft in [*numbered(400), *numbered(200, start=400)][100::50]:
            for where in (Filter(), Filter(env=draft.env)):
                assert memory.query(draft.text, 1, where, ranking=DENSE)[0].item.draft.key == draft.key
        memory.compact()
        assert memory.stats()["index"] == index | {"since": 0, "stale": 0}


def test_a_graph_is_as_good_as_a_scan_under_filters(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "graph") as memory,
        ExperienceMemory.open(tmp_path / "scan", embedder=NGramEmbedder(64)) as scan,
    ):
        for one in (memory, scan):
            one.add_drafts(numbered(600))
            one.compact()
        threads = faiss().omp_get_max_threads()
        assert memory.stats()["index"] == scan.stats()["index"] | {"form": "graph"}
        for draft in numbered(20, start=1000):
            for where in (Filter(), Filter(env=draft.env), Filter(env="world1", kinds=("skill",))):
                found, expected = (one.query(draft.text, 10, where, ranking=DENSE) for one in (memory, scan))
                np.testing.assert_allclose(
                    [hit.scores["cosine"] for hit in found], [hit.scores["cosine"] for hit in expected], atol=1e-5
                )
        assert faiss().omp_get_max_threads() == threads


def test_a_filter_that_leaves_out_what_is_near_costs_no_recall() -> None:
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((40, 8))[np.arange(4000) % 40] + 0.3 * rng.standard_normal((4000, 8))
    rows = (latent @ rng.standard_normal((8, 32))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vectors = Vectors(32, build(32, len(rows), iter([rows]), graph=True))
    hits = 0
    for part in (4, 20):
        mask = np.arange(4000) % 40 < part
        for query in rows[~mask][:20]:
            passing = np.flatnonzero(mask)
            best = passing[np.argsort(-(rows[passing] @ query))[:10]]
            found = vectors.search(query, 50, mask).places
            assert mask[found].all()
            hits += len(set(best.tolist()) & set(found.tolist()))
    assert hits >= 0.95 * 400


def test_a_reader_takes_up_an_index_that_was_published_since(tmp_path: Path) -> None:
    with opened(tmp_path) as memory, ExperienceMemory.open(tmp_path, embedder=NGramEmbedder(64), mode="read") as reader:
        assert reader.stats()["index"] == {
            "form": "none", "rows": 0, "since": 0, "stale": 0, "due": False, "trouble": "",
        }  # fmt: skip
        memory.add_drafts(Draft("fact", f"w{row % 50}", "w", key=str(row), time=1.0) for row in range(300))
        memory.compact()
        assert reader.stats()["index"] != memory.stats()["index"]
        memory.add_drafts(Draft("fact", f"w{row % 50}", "w", key=str(row), time=1.0) for row in range(300, 10_400))
        assert memory.stats()["index"]["rows"] == 10_400  # type: ignore[index, call-overload]
        assert reader.stats()["index"] == memory.stats()["index"]
        assert reader.problems() == []


def test_near_duplicates_of_one_transaction_reinforce(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        texts = [f"the cup number {row} stands in the cabinet" for row in (1, 2, 1, 2, 1)]
        drafts = [Draft("fact", text, world) for world in ("a", "b") for text in texts]
        ids = memory.add_drafts([*drafts, Draft("fact", "lamps hang from the ceiling", "a")])
        assert memory.add_drafts(drafts[:2]) == ids[:2]
        same = len(set(ids[:5]))
        assert same in (1, 2)
        assert ids[5:10] == [ids[5:10][texts.index(text)] for text in texts]
        assert len(set(ids)) == 2 * same + 1
        assert memory.get(ids[0]).seen == 7 - (3 if same == 2 else 0)


def test_tasks_that_hash_alike_are_told_apart(tmp_path: Path) -> None:
    known: dict[int, str] = {}
    number = 0
    while (first := known.setdefault(hashed(f"task {number}"), f"task {number}")) == f"task {number}":
        number += 1
    second = f"task {number}"
    with opened(tmp_path) as memory:
        memory.add_drafts([Draft("fact", f"cups of {task}", "w", task=task) for task in (first, second)])
        for task in (first, second):
            assert [hit.item.draft.task for hit in memory.query("cups", where=Filter(task=task))] == [task]


def test_a_question_may_be_any_text(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.add_drafts([Draft("fact", "cups are here", "w"), Draft("fact", "!?", "w")])
        for text in ("\ud800", "cups \ud800", 'a "quoted" OR NOT ( * ^', "\0cups", "!?"):
            assert {hit.item.draft.text for hit in memory.query(text)} >= {"cups are here"}
        for text in ("", " \n"):
            with pytest.raises(MemoryStoreError, match="question is empty"):
                memory.query(text)


def test_other_ways_of_ranking_read_what_they_need(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        old, new = memory.add_drafts(
            [
                Draft("fact", "the cup is here", "w", time=1.0, key="a"),
                Draft("fact", "the cup is there", "w", time=9e5, key="b"),
            ]
        )
        memory.feedback([old], helpful=True)
        memory.feedback([new], helpful=False)
        recent = memory.query("cup", ranking=RankingConfig(0, 0, recency=1))
        assert [hit.item.id for hit in recent] == [new, old]
        useful = memory.query("cup", ranking=RankingConfig(0, 0, utility=1))
        assert [(hit.item.id, round(hit.scores["utility"], 3)) for hit in useful] == [(old, 0.667), (new, 0.333)]
